"""Requirements and baselines → verdicts.

The room is pure: it judges results that are in memory. Values are never rounded before they are
judged, and what is undefined or incomplete never passes.
"""

from softdice_cli.gates.baselines import check_baseline, judge_drops
from softdice_cli.gates.judging import judge, measure, with_verdicts
from softdice_cli.gates.rules import Rule, Score, check_scores, parse_drop, parse_rule

__all__ = [
    "Rule",
    "Score",
    "check_baseline",
    "check_scores",
    "judge",
    "judge_drops",
    "measure",
    "parse_drop",
    "parse_rule",
    "with_verdicts",
]
