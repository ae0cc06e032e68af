"""Sums → scores, in plain Python: ratios of one class, pooled and image-mean averages, and their spread.

Every sum over images is `math.fsum`, so the order of the images cannot change a digit. Undefined is
``None`` from here to the last output; nothing is rounded. Which metrics there are is said in
`metrics`.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from softdice_cli.metrics import PER_CLASS, WITHOUT_CLASS, Metric
from softdice_cli.records import (
    ClassScores,
    ClassSums,
    ImageRow,
    Matrix,
    Results,
    Run,
    Scores,
    Settings,
    Spread,
    Summary,
)

# What 0/0 counts as.
_EMPTY = {"skip": None, "one": 1.0, "zero": 0.0}


def summarize(run: Run) -> Results:
    """Results with every score that the rows of a run give.

    Args:
        run: with the classes resolved; its rows and failures may be in any order.
    """
    ordered = replace(
        run,
        rows=tuple(sorted(run.rows, key=lambda row: row.id)),
        failures=tuple(sorted(run.failures, key=lambda failure: failure.id)),
    )
    pooled = pool(row.sums for row in ordered.rows)
    regions = pool(row.regions for row in ordered.rows)
    return Results(
        run=ordered,
        pooled=_pooled(run.settings, pooled, regions),
        image_mean=_image_mean(run.settings, pooled, regions, ordered.rows),
        confusion=pool_confusion(ordered.rows, len(pooled)),
    )


def pool(sums: Iterable[tuple[ClassSums, ...]]) -> tuple[ClassSums, ...]:
    """Sums over images, class by class: exact, whatever the order."""
    return tuple(map(_total, zip(*sums, strict=True)))


def _total(column: Sequence[ClassSums]) -> ClassSums:
    """The sums of one class over images; the two that are not whole numbers are rounded once."""
    return ClassSums(
        probability=math.fsum(sums.probability for sums in column),
        intersection=math.fsum(sums.intersection for sums in column),
        truth=sum(sums.truth for sums in column),
        predicted=sum(sums.predicted for sums in column),
        true_positives=sum(sums.true_positives for sums in column),
        pixels=sum(sums.pixels for sums in column),
    )


def pool_confusion(rows: Sequence[ImageRow], classes: int) -> Matrix | None:
    """Pixels of all images by predicted class (rows) and true class (columns); ``None`` where a row does not know."""
    total = [[0] * classes for _ in range(classes)]
    for row in rows:
        if row.confusion is None:
            return None
        for index, sums in enumerate(row.sums):
            total[index][index] += sums.true_positives
        for predicted, true, pixels in row.confusion:
            total[predicted][true] += pixels
    if not rows:
        return None
    return tuple(map(tuple, total))


def score_image(settings: Settings, row: ImageRow, metrics: Sequence[Metric] = PER_CLASS) -> tuple[ClassScores, ...]:
    """Scores of the classes that the settings show, for one image."""
    return score_classes(settings, row.sums, metrics)


def score_classes(
    settings: Settings, sums: Sequence[ClassSums], metrics: Sequence[Metric] = PER_CLASS
) -> tuple[ClassScores, ...]:
    """Scores of the classes that the settings show, from the sums of all classes."""
    # Where no image was evaluated, there are no sums, and perhaps no classes either.
    if not sums:
        return ()
    return tuple(_score(settings, settings.classes[index].name, sums[index], metrics) for index in settings.scored)


def score_regions(
    settings: Settings, sums: Sequence[ClassSums], metrics: Sequence[Metric] = PER_CLASS
) -> tuple[ClassScores, ...]:
    """Scores of the regions, from their sums."""
    if not sums:
        return ()
    pairs = zip(settings.regions, sums, strict=True)
    return tuple(_score(settings, region.name, entry, metrics) for region, entry in pairs)


def _score(settings: Settings, name: str, sums: ClassSums, metrics: Sequence[Metric]) -> ClassScores:
    eps, empty = settings.eps, _EMPTY[settings.empty]
    return ClassScores(
        values={metric.name: metric.score(sums, eps, empty) for metric in metrics},
        name=name,
        truth_pixels=sums.truth,
        predicted_pixels=sums.predicted,
        true_positives=sums.true_positives,
    )


def score_all(settings: Settings, sums: Sequence[ClassSums]) -> dict[str, float | None]:
    """The metrics that have no class, from the sums of all classes."""
    together = [sums[index] for index in settings.together] if sums else []
    if not together:
        return dict.fromkeys((metric.name for metric in WITHOUT_CLASS), None)
    eps, empty = settings.eps, _EMPTY[settings.empty]
    return {metric.name: metric.score(together, eps, empty) for metric in WITHOUT_CLASS}


def name_of_all(settings: Settings) -> str:
    """What the metrics that have no class are of, in words."""
    if settings.only:
        return "one against the rest"
    return "all classes"


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the defined values, or ``None`` where none is defined."""
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    return math.fsum(defined) / len(defined)


def quantile(ordered: Sequence[float], part: int, whole: int) -> float:
    """The quantile ``part / whole`` of sorted values, linear between neighbours (Hyndman & Fan 1996, type 7).

    It is rounded once. So it is one of its neighbours where these are equal, never lies outside them, and never falls
    where the quantile rises. NumPy's default is the same but for the last digits.

    Args:
        ordered: finite numbers, the least first; at least one.
        part: of the whole, such as 29 of 100. A float such as 0.29 would be a little less or more than that.
        whole: greater than 0.
    """
    place, rest = divmod(part * (len(ordered) - 1), whole)
    below = float(ordered[place])
    if not rest:
        return below
    above = float(ordered[place + 1])
    # In integers, whose quotient is the nearest float.
    (p, q), (r, s) = below.as_integer_ratio(), above.as_integer_ratio()
    return (p * s * (whole - rest) + r * q * rest) / (q * s * whole)


def spread_of(values: Sequence[float]) -> Spread:
    """How defined values are spread; see `Spread`."""
    if not values:
        return Spread(None, None, None, None, None)
    ordered = sorted(values)
    return Spread(
        mean=math.fsum(values) / len(values),
        sd=_standard_deviation(values),
        q1=quantile(ordered, 1, 4),
        median=quantile(ordered, 1, 2),
        q3=quantile(ordered, 3, 4),
    )


def _standard_deviation(values: Sequence[float]) -> float | None:
    """Of a sample, so with n − 1; a single value has none."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    # Two passes with exact sums, so that the order of the images cannot change a digit.
    squares = math.fsum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1))


class _Column:
    """The defined values of each metric for one class or mean, image by image, in as little memory as they need."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._values = {metric.name: array("d") for metric in metrics}
        # The losses in the images that have the class.
        self.present = array("d")

    def add(self, values: Mapping[str, float | None]) -> None:
        """Take the scores of one image."""
        for name, value in values.items():
            if value is not None:
                self._values[name].append(value)

    def add_class(self, scores: ClassScores) -> None:
        """Take the scores of the class in one image."""
        self.add(scores.values)
        loss = scores.values["loss"]
        if scores.truth_pixels and loss is not None:
            self.present.append(loss)

    def means(self) -> dict[str, float | None]:
        return {name: mean_of(values) for name, values in self._values.items()}

    def defined(self) -> dict[str, int]:
        return {name: len(values) for name, values in self._values.items()}

    def spread(self) -> dict[str, Spread]:
        return {name: spread_of(values) for name, values in self._values.items()}


def _pooled(settings: Settings, sums: Sequence[ClassSums], regions: Sequence[ClassSums]) -> Summary:
    """Scores of sums over all images."""
    classes = score_classes(settings, sums)
    of_regions = score_regions(settings, regions)
    means = _over_classes(classes)
    foreground = None
    if settings.has_foreground and classes:
        foreground = _over_classes(classes[1:])
    return Summary(
        classes=classes,
        means=replace(means, values={**means.values, **score_all(settings, sums)}),
        foreground=foreground,
        loss_present=mean_of(scores.values["loss"] for scores in classes if scores.truth_pixels),
        regions=of_regions,
        region_means=_over_classes(of_regions) if of_regions else None,
    )


def _image_mean(
    settings: Settings, sums: Sequence[ClassSums], regions: Sequence[ClassSums], rows: Sequence[ImageRow]
) -> Summary:
    """For each class, the mean of each score over the images where it is defined; counts as in the pooled sums."""
    totals = score_classes(settings, sums)
    columns = [_Column(PER_CLASS) for _ in totals]
    # The means of each image over its own classes, with and without the background, for their
    # spread alone.
    own_means, own_foreground = _Column(PER_CLASS), _Column(PER_CLASS)
    together = _Column(WITHOUT_CLASS)
    has_foreground = settings.has_foreground and bool(totals)
    for row in rows:
        scored = score_image(settings, row)
        for column, scores in zip(columns, scored, strict=True):
            column.add_class(scores)
        own_means.add(_means_of(scored))
        if has_foreground:
            own_foreground.add(_means_of(scored[1:]))
        together.add(score_all(settings, row.sums))
    classes = tuple(map(_averaged, totals, columns))
    means = _over_classes(classes)
    foreground = None
    if has_foreground:
        foreground = replace(_over_classes(classes[1:]), spread=own_foreground.spread())
    return Summary(
        classes=classes,
        means=Scores(
            values={**means.values, **together.means()},
            defined={**means.defined, **together.defined()},
            spread={**own_means.spread(), **together.spread()},
        ),
        foreground=foreground,
        loss_present=mean_of(mean_of(column.present) for column in columns),
        **_region_means(settings, regions, rows),
    )


def _region_means(settings: Settings, sums: Sequence[ClassSums], rows: Iterable[ImageRow]) -> dict[str, Any]:
    """The image means of the regions, and their mean; nothing where there are no regions."""
    totals = score_regions(settings, sums)
    if not totals:
        return {}
    columns = [_Column(PER_CLASS) for _ in totals]
    own_means = _Column(PER_CLASS)
    for row in rows:
        scored = score_regions(settings, row.regions)
        for column, scores in zip(columns, scored, strict=True):
            column.add_class(scores)
        own_means.add(_means_of(scored))
    regions = tuple(map(_averaged, totals, columns))
    return {"regions": regions, "region_means": replace(_over_classes(regions), spread=own_means.spread())}


def _averaged(total: ClassScores, column: _Column) -> ClassScores:
    """The image means of a class, beside its pooled counts."""
    return replace(total, values=column.means(), defined=column.defined(), spread=column.spread())


def _means_of(classes: Sequence[ClassScores]) -> dict[str, float | None]:
    """The mean of each metric over the classes where it is defined."""
    return {metric.name: mean_of([scores.values[metric.name] for scores in classes]) for metric in PER_CLASS}


def _over_classes(classes: Sequence[ClassScores]) -> Scores:
    """The mean of each metric over the classes where it is defined, and how many those are."""
    defined = dict.fromkeys((metric.name for metric in PER_CLASS), 0)
    for scores in classes:
        for name, value in scores.values.items():
            defined[name] += value is not None
    return Scores(values=_means_of(classes), defined=defined)
