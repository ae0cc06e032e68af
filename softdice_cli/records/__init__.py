"""The shapes that everything else passes on: settings, sums, rows, runs, results, and their JSON.

No NumPy, torch, image library or terminal is known here, so that a saved file can be judged at
once.
"""

from softdice_cli.records.allowance import Allowance
from softdice_cli.records.choices import Activation, Decision, Empty, Prediction, WhiteIsZero
from softdice_cli.records.classes import MAX_LABEL, ClassDef, Region
from softdice_cli.records.results import (
    FORMAT,
    FORMAT_VERSION,
    ClassScores,
    Matrix,
    Results,
    Scores,
    Spread,
    Summary,
    Verdict,
)
from softdice_cli.records.rows import ClassSums, Failure, ImageRow, natural
from softdice_cli.records.run import Run, Shard
from softdice_cli.records.settings import Settings

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "MAX_LABEL",
    "Activation",
    "Allowance",
    "ClassDef",
    "ClassScores",
    "ClassSums",
    "Decision",
    "Empty",
    "Failure",
    "ImageRow",
    "Matrix",
    "Prediction",
    "Region",
    "Results",
    "Run",
    "Scores",
    "Settings",
    "Shard",
    "Spread",
    "Summary",
    "Verdict",
    "WhiteIsZero",
    "natural",
]
