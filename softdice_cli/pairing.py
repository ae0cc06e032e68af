"""Which prediction belongs to which truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Pair:
    """One prediction and its truth.

    Attributes:
        id: unique name of the pair.
        pred: path of the prediction; ``-`` is standard input.
        gt: path of the truth, likewise.
    """

    id: str
    pred: str
    gt: str

    @staticmethod
    def of_files(pred: str, gt: str) -> Pair:
        """The pair of two files, named after the prediction."""
        return Pair(PurePath(gt if pred == STDIN else pred).stem, pred, gt)
