"""Which scores get an interval and are compared.

A kind is a metric with one way of averaging it over images. A target is what a kind has a score of:
a class, a mean over classes, a region, or the mean over the regions. Every file of this room numbers
kinds and targets in the order that is set here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softdice_cli.errors import ConfigError
from softdice_cli.metrics import AVERAGES, BY_NAME, SHOWN, Metric
from softdice_cli.records import Results, Settings
from softdice_cli.records.intervals import Average, Scope
from softdice_cli.scores import name_of_all


@dataclass(frozen=True, slots=True)
class Kind:
    """A metric, and how it is averaged over images."""

    metric: Metric
    average: Average

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        if self.metric.lower_is_better:
            return -1
        return 1


JUDGED = Kind(BY_NAME["dice"], "pooled")
"""What a verdict on a comparison is about."""


def kinds_of(metrics: Sequence[str] | None = None) -> tuple[Kind, ...]:
    """The scores to draw again: pooled before image means, hard scores before soft ones.

    Args:
        metrics: names of metrics, each of which gets both averages; by default the metrics that
            tables show, with the averages that `metrics` says.

    Raises:
        ConfigError: there is no such metric.
    """
    found: list[Kind] = []
    if metrics is None:
        for metric in SHOWN:
            found.extend(Kind(metric, average) for average in metric.compared)
    else:
        # A metric that is named twice is compared once.
        for name in dict.fromkeys(metrics):
            metric = _metric(name)
            found.extend(Kind(metric, average) for average in AVERAGES)
    return tuple(sorted(found, key=lambda kind: (AVERAGES.index(kind.average), kind.metric.smooth)))


def _metric(name: str) -> Metric:
    if name in BY_NAME:
        return BY_NAME[name]
    # Only an error needs it.
    import difflib

    near = difflib.get_close_matches(name.lower(), BY_NAME, 1)
    raise ConfigError(
        f"{name!r} is not a metric",
        option="metrics",
        expected=f"some of {', '.join(BY_NAME)}",
        hint=" ".join(("{option}", *(near or ["dice"]))),
    )


def targets(settings: Settings, metric: Metric) -> list[tuple[Scope, str]]:
    """What a metric has scores of: the classes, their means, the regions, their mean; or all classes together."""
    if not metric.per_class:
        return [("mean", name_of_all(settings))]
    found: list[tuple[Scope, str]] = []
    for index in settings.scored:
        found.append(("class", settings.classes[index].name))
    found.append(("mean", "mean"))
    if settings.has_foreground:
        found.append(("foreground", "foreground mean"))
    for region in settings.regions:
        found.append(("region", region.name))
    if settings.regions:
        found.append(("region_mean", "region mean"))
    return found


def values_of(results: Results, kind: Kind) -> list[float | None]:
    """The score of each target, as `scores` computed it, in the order of `targets`."""
    summary = results.image_mean
    if kind.average == "pooled":
        summary = results.pooled
    name = kind.metric.name
    if not kind.metric.per_class:
        return [summary.means.values[name]]
    values = [scores.values[name] for scores in summary.classes]
    values.append(summary.means.values[name])
    if summary.foreground is not None:
        values.append(summary.foreground.values[name])
    values += [scores.values[name] for scores in summary.regions]
    if summary.region_means is not None:
        values.append(summary.region_means.values[name])
    return values
