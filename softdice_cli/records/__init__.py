"""The shapes that everything else passes on: settings, sums, rows, runs, results, and their JSON.

No NumPy, torch, image library or terminal is known here, so that a saved file can be judged at
once.
"""

from softdice_cli.records.results import (
    FORMAT,
    FORMAT_VERSION,
    ClassScores,
    Results,
    Scores,
    Spread,
    Summary,
    Verdict,
)
from softdice_cli.records.rows import ClassSums, Failure, ImageRow, natural
from softdice_cli.records.run import Run, Shard
from softdice_cli.records.settings import MAX_LABEL, Activation, ClassDef, Empty, Prediction, Settings

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "MAX_LABEL",
    "Activation",
    "ClassDef",
    "ClassScores",
    "ClassSums",
    "Empty",
    "Failure",
    "ImageRow",
    "Prediction",
    "Results",
    "Run",
    "Scores",
    "Settings",
    "Shard",
    "Spread",
    "Summary",
    "Verdict",
    "natural",
]
