"""Which scores get an interval and are compared: metrics and averages, and the classes and means that each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softdice_cli.errors import ConfigError
from softdice_cli.metrics import AVERAGES, BY_NAME, SHOWN, Metric
from softdice_cli.records import Results, Settings
from softdice_cli.records.intervals import Average, Scope


@dataclass(frozen=True, slots=True)
class Kind:
    """A metric, and how it is averaged over images."""

    metric: Metric
    average: Average

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        return -1 if self.metric.lower_is_better else 1


JUDGED = Kind(BY_NAME["dice"], "pooled")
"""What a verdict on a comparison is about."""


def kinds_of(metrics: Sequence[str] | None = None) -> tuple[Kind, ...]:
    """The scores to draw again: pooled before image means, hard scores before soft ones.

    Args:
        metrics: names of metrics, each of which gets both averages; by default the metrics that tables show, with the
            averages that `metrics` says.

    Raises:
        ConfigError: there is no such metric.
    """
    if metrics is None:
        found = [Kind(metric, average) for metric in SHOWN for average in metric.compared]
    else:
        for name in metrics:
            if name not in BY_NAME:
                raise ConfigError(
                    f"{name!r} is not a metric", option="metrics", expected=f"some of {', '.join(BY_NAME)}"
                )
        found = [Kind(BY_NAME[name], average) for name in dict.fromkeys(metrics) for average in AVERAGES]
    return tuple(sorted(found, key=lambda kind: (AVERAGES.index(kind.average), kind.metric.smooth)))


def targets(settings: Settings, metric: Metric) -> list[tuple[Scope, str]]:
    """What a metric is of: the classes, then the means; or all classes together."""
    if not metric.per_class:
        return [("mean", "all classes")]
    classes: list[tuple[Scope, str]] = [("class", settings.classes[index].name) for index in settings.scored]
    means: list[tuple[Scope, str]] = [("mean", "mean")]
    if has_foreground(settings):
        means.append(("foreground", "foreground mean"))
    return classes + means


def has_foreground(settings: Settings) -> bool:
    """Whether there is a mean without the background."""
    return settings.background and len(settings.scored) > 1


def values_of(results: Results, kind: Kind) -> list[float | None]:
    """The score of each target, as `scores` computed it."""
    summary = results.pooled if kind.average == "pooled" else results.image_mean
    name = kind.metric.name
    values = [summary.means.values[name]]
    if kind.metric.per_class:
        values = [*(scores.values[name] for scores in summary.classes), *values]
        if summary.foreground is not None:
            values.append(summary.foreground.values[name])
    return values
