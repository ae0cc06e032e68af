"""Requirements and baselines → verdicts.

The room is pure: it judges results that are in memory. Values are never rounded before they are
judged, and what is undefined or incomplete never passes.
"""

from softdice_cli.gates.baselines import judge_drops
from softdice_cli.gates.judging import judge, measure, with_verdicts
from softdice_cli.gates.rules import Rule, Score, check_classes, parse_drop, parse_rule

__all__ = [
    "Rule",
    "Score",
    "check_classes",
    "judge",
    "judge_drops",
    "measure",
    "parse_drop",
    "parse_rule",
    "with_verdicts",
]
