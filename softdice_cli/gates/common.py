"""A score of single images as a table, and the part of two tables that both define.

A mean over classes or images leaves out what is undefined. So it can rise although nothing got better: a class that
counted 0, because of a stray pixel, is undefined once the pixel is gone. Two means are only compared over what both
define, and the tables say what that is.
"""

from __future__ import annotations

from collections.abc import Mapping

from softdice_cli.gates.rules import Score
from softdice_cli.records import Results
from softdice_cli.scores import mean_of, quantile, score_image, score_regions

Place = tuple[str, str]
"""An image, and a class or region of it."""

Table = Mapping[Place, float]
"""The values of a score where it is defined."""


def table_of(results: Results, score: Score) -> Table:
    """The score of each class in each image, or of the one class or region that the score is of."""
    found: dict[Place, float] = {}
    for row in results.images:
        entries = score_image(results.settings, row, (score.metric,))
        if score.of is not None:
            entries += score_regions(results.settings, row.regions, (score.metric,))
        for entry in entries:
            value = entry.values[score.metric.name]
            if value is not None and score.of in (None, entry.name):
                found[row.id, entry.name] = value
    return found


def among(table: Table, other: Table) -> Table:
    """The part of a table that the other one defines too."""
    return {place: value for place, value in table.items() if place in other}


def value_of(table: Table, aggregate: str) -> float | None:
    """The aggregate of a table; ``None`` where nothing is defined."""
    by_image = aggregate != "image_mean"
    groups: dict[str, list[float]] = {}
    for (image, name), value in table.items():
        groups.setdefault(image if by_image else name, []).append(value)
    means = [mean for mean in map(mean_of, groups.values()) if mean is not None]
    if not by_image or not means:
        return mean_of(means)
    return quantile(sorted(means), percent_of(aggregate), 100)


def percent_of(aggregate: str) -> int:
    """The percentile that an aggregate over single images asks for."""
    if aggregate == "image_min":
        return 0
    if aggregate == "image_max":
        return 100
    return int(aggregate.removeprefix("image_p"))
