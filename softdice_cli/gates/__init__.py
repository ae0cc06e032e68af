"""Requirements and baselines → verdicts.

The room is pure: it judges results that are in memory. Values are never rounded before they are
judged, and what is undefined or incomplete never passes.
"""

from softdice_cli.gates.baselines import check_baseline, judge_drops
from softdice_cli.gates.judging import judge, measure, with_verdicts
from softdice_cli.gates.rules import Rule, Score, check_scores, parse_drop, parse_rule
from softdice_cli.gates.shared_images import over_shared_images
from softdice_cli.gates.truths import other_truths, unknown_truths

__all__ = [
    "Rule",
    "Score",
    "check_baseline",
    "check_scores",
    "judge",
    "judge_drops",
    "measure",
    "other_truths",
    "over_shared_images",
    "parse_drop",
    "parse_rule",
    "unknown_truths",
    "with_verdicts",
]
