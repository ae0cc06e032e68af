"""The requirements of a command: read before anything is evaluated, judged when the results are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softdice_cli.cli.input_files import load
from softdice_cli.errors import ConfigError
from softdice_cli.records import Results, Settings

# A run without requirements does not need the gates.
if TYPE_CHECKING:
    from softdice_cli.gates import Rule, Score

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
        return Gate(rules, drops, (path, load(path)))

    @property
    def asks(self) -> bool:
        """Whether anything is asked."""
        return bool(self.rules or self.drops)

    def check(self, settings: Settings) -> None:
        """Raises ConfigError where a rule names a class that is known not to be there."""
        if not self.asks:
            return
        from softdice_cli.gates import check_classes

        scores = [rule.score for rule in self.rules]
        scores += [score for score, _ in self.drops]
        check_classes(scores, settings)

    def judge(self, results: Results) -> Results:
        """The results with a verdict on everything that was asked.

        Raises:
            ConfigError: a rule names a class that the results do not have.
            InputError: the baseline is of something else.
        """
        if not self.asks:
            return results
        from softdice_cli.gates import judge, judge_drops, with_verdicts

        verdicts = judge(results, self.rules)
        if self.baseline:
            path, before = self.baseline
            verdicts += judge_drops(results, before, self.drops, path)
        return with_verdicts(results, verdicts)
