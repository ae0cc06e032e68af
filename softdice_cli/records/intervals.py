"""How sure a score is: the interval, and of which score it is. `comparison` fills these shapes.

They stand here, without NumPy, because results carry them and every output shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Average = Literal["pooled", "image_mean"]
Scope = Literal["class", "mean", "foreground", "region", "region_mean"]


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
        metric: name of the metric.
        average: how the score is averaged over images.
        scope: a single class, or the mean over all or the foreground classes; a region, or the mean over the regions.
        name: of the class or region, or ``mean``, ``foreground mean`` or ``region mean``.
        value: the score of the results themselves.
        interval: ``None`` for a single image, or where no resample defines the score.
    """

    metric: str
    average: Average
    scope: Scope
    name: str
    value: float | None
    interval: Interval | None
