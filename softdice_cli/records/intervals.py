"""How sure a score is: which scores get an interval, and the interval itself. `comparison` fills these shapes.

They stand here, without NumPy, because results carry them and every output shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Average = Literal["pooled", "image_mean"]
Scope = Literal["class", "mean", "foreground"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A score and how it is averaged over images."""

    name: Literal["dice", "soft_dice", "loss"]
    average: Average

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        return -1 if self.name == "loss" else 1


METRICS = (
    Metric("dice", "pooled"),
    Metric("soft_dice", "pooled"),
    Metric("loss", "pooled"),
    Metric("dice", "image_mean"),
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % bootstrap percentile interval, and how many resamples define the score and so stand behind it."""

    low: float
    high: float
    resamples: int


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """A score of one results file with its interval; ``None`` is undefined.

    Attributes:
        metric: which score, and how it is averaged over images.
        scope: a single class, or the mean over all or the foreground classes.
        name: of the class, or ``mean`` or ``foreground mean``.
        value: the score of the results themselves.
        interval: ``None`` for a single image, or where no resample defines the score.
    """

    metric: Metric
    scope: Scope
    name: str
    value: float | None
    interval: Interval | None
