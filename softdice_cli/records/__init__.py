"""The shapes that everything else passes on: settings, sums, rows, failures, results, and rows as JSON.

No NumPy, torch, image library or terminal is known here, so that a saved file can be judged at once.
"""

from softdice_cli.records.results import (
    FORMAT,
    FORMAT_VERSION,
    SCORES,
    ClassScores,
    ClassSums,
    Failure,
    ImageRow,
    Means,
    Results,
    Shard,
    Summary,
    Verdict,
    natural,
)
from softdice_cli.records.settings import MAX_LABEL, Activation, ClassDef, Empty, Prediction, Settings

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "MAX_LABEL",
    "SCORES",
    "Activation",
    "ClassDef",
    "ClassScores",
    "ClassSums",
    "Empty",
    "Failure",
    "ImageRow",
    "Means",
    "Prediction",
    "Results",
    "Settings",
    "Shard",
    "Summary",
    "Verdict",
    "natural",
]
