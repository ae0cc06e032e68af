"""The requirements of a command: read before anything is evaluated, judged when the results are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softdice_cli.cli.input_files import load
from softdice_cli.errors import ConfigError, SoftdiceError
from softdice_cli.records import Results, Settings, Verdict

# A run without requirements does not need the gates.
if TYPE_CHECKING:
    from softdice_cli.gates import Rule, Score


@dataclass(frozen=True)
class Judged:
    """Results with their verdicts.

    Attributes:
        results: with a verdict on everything that was asked.
        refused: why something could not be judged; the results are to be written all the same.
    """

    results: Results
    refused: tuple[SoftdiceError, ...] = ()


_BOTH = "--baseline main.json --max-drop 0.01"


@dataclass(frozen=True)
class Gate:
    """What is asked of the results.

    Attributes:
        rules: of ``--fail-under`` and ``--require``, in this order.
        drops: of ``--max-drop``.
        baseline: what the results must not fall behind, with its file.
    """

    rules: Sequence[Rule]
    drops: Sequence[tuple[Score, float]]
    baseline: tuple[str, Results] | None

    @staticmethod
    def of(
        fail_under: float | None, require: Sequence[str] | None, baseline: Path | None, max_drop: Sequence[str] | None
    ) -> Gate:
        """The gate that the options ask for.

        Raises:
            ConfigError: a rule cannot be read, or one of --baseline and --max-drop is without the
                other.
            UnreadableError: the baseline is not a results file.
        """
        if fail_under is None and not (require or baseline or max_drop):
            return Gate((), (), None)
        from softdice_cli.gates import parse_drop, parse_rule

        rules = []
        if fail_under is not None:
            rules.append(parse_rule(f"dice>={fail_under!r}", "fail_under"))
        for text in require or ():
            rules.append(parse_rule(text))
        drops = [parse_drop(text) for text in max_drop or ()]
        if baseline is None:
            if drops:
                raise ConfigError("needs a baseline", option="max_drop", hint=_BOTH)
            return Gate(rules, drops, None)
        if not drops:
            raise ConfigError("needs the largest drop that is allowed", option="baseline", hint=_BOTH)
        path = str(baseline)
        return Gate(rules, drops, (path, load(path, decides=True)))

    @property
    def asks(self) -> bool:
        """Whether anything is asked."""
        return bool(self.rules or self.drops)

    def check(self, settings: Settings) -> None:
        """Refuses what is known before the evaluation not to be possible.

        Raises:
            ConfigError: a rule asks for a score that there will not be.
            InputError: the baseline cannot be one of results with these settings.
        """
        if not self.asks:
            return
        from softdice_cli.gates import check_baseline, check_scores

        scores = [rule.score for rule in self.rules]
        scores += [score for score, _ in self.drops]
        check_scores(scores, settings)
        if self.baseline:
            path, before = self.baseline
            check_baseline(settings, before, path)

    def judge(self, results: Results) -> Judged:
        """The results with a verdict on everything that was asked.

        What cannot be judged is not met. The error that says why is for after the results are written.
        """
        if not self.asks:
            return Judged(results)
        from softdice_cli.gates import with_verdicts

        refused: list[SoftdiceError] = []
        verdicts: list[Verdict] = []
        for rule in self.rules:
            verdicts.append(_judged(results, rule, refused))
        verdicts += self._drops(results, refused)
        return Judged(with_verdicts(results, verdicts), tuple(refused))

    def _drops(self, results: Results, refused: list[SoftdiceError]) -> list[Verdict]:
        """The verdicts on the drops; an error goes to those that were found before."""
        if self.baseline is None:
            return []
        from softdice_cli.gates import judge_drops

        path, before = self.baseline
        try:
            return judge_drops(results, before, self.drops, path)
        except SoftdiceError as error:
            refused.append(error)
        return [_undefined(f"drop of {score.text}", "<=", allowed) for score, allowed in self.drops]


def _judged(results: Results, rule: Rule, refused: list[SoftdiceError]) -> Verdict:
    """The verdict on a rule; an error goes to those that were found before."""
    from softdice_cli.gates import judge

    try:
        return judge(results, [rule])[0]
    except SoftdiceError as error:
        refused.append(error)
    return _undefined(rule.text, rule.operator, rule.bound)


def _undefined(rule: str, operator: str, bound: float) -> Verdict:
    """The verdict on what could not be judged."""
    return Verdict(rule, None, operator, bound, passed=False, reason="undefined")
