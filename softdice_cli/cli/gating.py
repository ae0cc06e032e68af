"""The requirements of a command: read before anything is evaluated, judged when the results are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softdice_cli.cli.input_files import load
from softdice_cli.errors import ConfigError, SoftdiceError, as_flag
from softdice_cli.records import Allowance, Results, Settings, Verdict
from softdice_cli.records.allowance import NONE_MISSING

# A run without requirements does not need the gates.
if TYPE_CHECKING:
    from softdice_cli.gates import Rule, Score


@dataclass(frozen=True)
class Judged:
    """Results with their verdicts.

    Attributes:
        results: with a verdict on everything that was asked.
        refused: why something could not be judged; the results are to be written all the same.
        note: what could not be made sure of, or empty.
    """

    results: Results
    refused: tuple[SoftdiceError, ...] = ()
    note: str = ""


_BOTH = "--baseline main.json --max-drop 0.01"


@dataclass(frozen=True)
class Gate:
    """What is asked of the results.

    Attributes:
        rules: of ``--fail-under`` and ``--require``, in this order.
        drops: of ``--max-drop``.
        baseline: what the results must not fall behind, with its file.
        allowed: how many pairs may lack a file.
    """

    rules: Sequence[Rule]
    drops: Sequence[tuple[Score, float]]
    baseline: tuple[str, Results] | None
    allowed: Allowance

    @staticmethod
    def of(
        fail_under: float | None,
        require: Sequence[str] | None,
        baseline: Path | None,
        max_drop: Sequence[str] | None,
        allow_missing: str | None,
    ) -> Gate:
        """The gate that the options ask for.

        Raises:
            ConfigError: a rule or a bound cannot be read, one of --baseline and --max-drop is without the other, or
                any number of pairs may lack a file.
            UnreadableError: the baseline is not a results file.
        """
        asks = fail_under is not None or bool(require or baseline or max_drop)
        allowed = allowance_of(allow_missing, judged=asks)
        if not asks:
            return Gate((), (), None, allowed)
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
            return Gate(rules, drops, None, allowed)
        if not drops:
            raise ConfigError("needs the largest drop that is allowed", option="baseline", hint=_BOTH)
        path = str(baseline)
        return Gate(rules, drops, (path, load(path, decides=True)), allowed)

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
            verdicts.append(self._judged(results, rule, refused))
        verdicts += self._drops(results, refused)
        return Judged(with_verdicts(results, verdicts), tuple(refused), self._note(results))

    def _note(self, results: Results) -> str:
        """What could not be made sure of about the baseline."""
        if self.baseline is None:
            return ""
        from softdice_cli.gates import unknown_truths

        path, before = self.baseline
        return unknown_truths(results, before, path)

    def _judged(self, results: Results, rule: Rule, refused: list[SoftdiceError]) -> Verdict:
        """The verdict on a rule; an error goes to those that were found before."""
        from softdice_cli.gates import judge

        try:
            return judge(results, [rule], self.allowed)[0]
        except SoftdiceError as error:
            refused.append(error)
            return _refused(rule.text, rule.operator, rule.bound, error)

    def _drops(self, results: Results, refused: list[SoftdiceError]) -> list[Verdict]:
        """The verdicts on the drops; an error goes to those that were found before."""
        if self.baseline is None:
            return []
        from softdice_cli.gates import judge_drops

        path, before = self.baseline
        try:
            return judge_drops(results, before, self.drops, path, self.allowed)
        except SoftdiceError as error:
            refused.append(error)
            return [_refused(f"drop of {score.text}", "<=", allowed, error) for score, allowed in self.drops]


def allowance_of(text: str | None, *, judged: bool) -> Allowance:
    """How many pairs may lack a file, as ``--allow-missing`` says.

    Raises:
        ConfigError: it cannot be read; or it has no bound, and the results are to be judged.
    """
    if text is None:
        return NONE_MISSING
    allowed = Allowance(text)
    if judged and not allowed.is_bound:
        raise ConfigError(
            "needs a bound where results are judged",
            option="allow_missing",
            expected="how many pairs may lack a file before the gate is red",
            hint="--allow-missing 3, or --allow-missing 2%",
        )
    return allowed


def _refused(rule: str, operator: str, bound: float, error: SoftdiceError) -> Verdict:
    """The verdict on what could not be judged, with the reason for every output."""
    note = error.headline(as_flag)
    if error.found:
        note += f" ({error.found})"
    return Verdict(rule, None, operator, bound, passed=False, reason="refused", note=note)
