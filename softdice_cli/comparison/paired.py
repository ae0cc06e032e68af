"""Two saved results of the same images → what changed, and how much of it chance alone could do.

Images are what is drawn again: a pooled score of a resample comes from its resampled sums, an image mean from its
resampled scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from softdice_cli.comparison.refusals import check_options, notes_on, refuse_difference
from softdice_cli.comparison.resampling import (
    ROUNDING,
    IntervalAt,
    PValueAt,
    no_interval,
    no_p,
    p_values,
    percentiles,
    resampled,
)
from softdice_cli.comparison.shapes import Comparison, ImageChange, ScoreChange
from softdice_cli.comparison.sums import Floats, columns_of, mean_of, scores_of, targets, values_of
from softdice_cli.errors import ConfigError
from softdice_cli.records import Results, Verdict, natural
from softdice_cli.records.intervals import METRICS


def compare(
    a: Results,
    b: Results,
    *,
    names: tuple[str, str] = ("A", "B"),
    resamples: int = 10_000,
    seed: int = 0,
    worst: int = 5,
) -> Comparison:
    """What changed from A to B, paired by image id.

    Args:
        a: the results that are compared with.
        b: the results that are judged.
        names: what they are called, for messages and output.
        resamples: how many bootstrap resamples, and how many permutations.
        seed: the same seed gives the same digits.
        worst: how many of the images that changed most to name.

    Raises:
        ConfigError: `resamples`, `seed` or `worst` is out of range.
        EmptyError: there is no image.
        InputError: results are incomplete, or their classes, signatures or images differ.
    """
    check_options(resamples, seed, worst)
    refuse_difference(a, b, names)
    settings, columns = a.settings, np.stack([columns_of(a), columns_of(b)])
    own = scores_of(settings, columns)
    interval: IntervalAt = no_interval
    p: PValueAt = no_p
    if len(a.images) > 1:
        drawn = resampled(settings, columns, resamples, seed)
        interval = percentiles(drawn[1] - drawn[0])
        p = p_values(settings, columns, resamples, seed)
    scores, changed = tuple(_cells(a, b, own, interval, p)), _changed(a, own, worst)
    count, notes = len(a.images), tuple(notes_on(a, b))
    return Comparison(*names, settings.signature, count, resamples, seed, scores, changed, notes)


def judge(comparison: Comparison, min_effect: float = 0.0) -> Verdict:
    """Whether B is no worse than A: not met where the whole interval of pooled mean hard Dice is below −min_effect.

    Without an interval nothing can be told, and what is undefined never passes.

    Raises:
        ConfigError: `min_effect` is below 0, or no number.
    """
    if not (math.isfinite(min_effect) and min_effect >= 0):
        raise ConfigError(
            f"{min_effect} is out of range", option="min_effect", expected="a difference of Dice, 0 or greater"
        )
    mean = next(s for s in comparison.scores if s.metric == METRICS[0] and s.scope == "mean")
    high, bound = mean.interval.high if mean.interval else None, 0.0 - min_effect
    return Verdict(
        rule=f"--fail-if-worse --min-effect {min_effect!r}",
        value=high,
        operator=">=",
        bound=bound,
        passed=high is not None and high >= bound,
        reason="" if high is not None else "undefined",
    )


def _cells(a: Results, b: Results, own: Floats, interval: IntervalAt, p: PValueAt) -> Iterator[ScoreChange]:
    """Every score of both; `own` are the scores of the single images, (2, n, metrics, targets)."""
    of = targets(a.settings)
    for m, metric in enumerate(METRICS):
        for t, ((scope, name), x, y) in enumerate(zip(of, values_of(a, metric), values_of(b, metric), strict=True)):
            change = (own[1, :, m, t] - own[0, :, m, t]) * metric.sign
            better, worse = int((change > ROUNDING).sum()), int((change < -ROUNDING).sum())
            undefined = int(np.isnan(change).sum())
            difference = None if x is None or y is None else y - x
            value, permutations = p(m, t)
            yield ScoreChange(
                metric=metric, scope=scope, name=name, a=x, b=y, difference=difference,
                interval=None if difference is None else interval(m, t), p=value, permutations=permutations,
                better=better, worse=worse, tied=len(change) - better - worse - undefined, undefined=undefined,
            )  # fmt: skip


def _changed(a: Results, own: Floats, worst: int) -> tuple[ImageChange, ...]:
    """The images that changed most, by mean hard Dice."""
    classes = len(a.settings.scored)
    dice, mean = own[:, :, 0, :classes], own[:, :, 0, classes]
    size = np.nan_to_num(np.abs(mean[1] - mean[0]), nan=0.0)
    ranked = sorted(np.flatnonzero(size > ROUNDING), key=lambda i: (-size[i], natural(a.images[i].id)))
    changed = []
    for index in ranked[:worst]:
        x, y = float(mean[0, index]), float(mean[1, index])
        most = _explains(dice[:, index])
        ends = [None if math.isnan(value) else float(value) for value in dice[:, index, most]]
        name = a.settings.classes[a.settings.scored[most]].name
        changed.append(ImageChange(a.images[index].id, x, y, y - x, name, *ends))
    return tuple(changed)


def _explains(dice: Floats) -> int:
    """The class of an image, (2, classes), without which its mean would have changed least."""
    without = [mean_of(np.delete(dice, index, axis=1)) for index in range(dice.shape[1])]
    return int(np.argmin([0.0 if np.isnan(change := abs(y - x)) else change for x, y in without]))
