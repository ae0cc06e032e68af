"""Two saved results of the same images → what changed, and how much of it chance alone could do.

Images are what is drawn again: a pooled score of a resample comes from its resampled sums, an image mean from its
resampled scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from softdice_cli.comparison.kinds import JUDGED, Kind, kinds_of, targets, values_of
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
from softdice_cli.comparison.sums import Floats, Plan, mean_of
from softdice_cli.errors import ConfigError
from softdice_cli.records import Results, Verdict, natural
from softdice_cli.records.intervals import Interval


def compare(
    a: Results,
    b: Results,
    *,
    names: tuple[str, str] = ("A", "B"),
    metrics: Sequence[str] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    worst: int = 5,
) -> Comparison:
    """What changed from A to B, paired by image id.

    Args:
        a: the results that are compared with.
        b: the results that are judged.
        names: what they are called, for messages and output.
        metrics: names of the metrics to compare; those that tables show by default. Hard Dice is among them in any
            case, as images and verdicts are judged by it.
        resamples: how many bootstrap resamples, and how many permutations.
        seed: the same seed gives the same digits.
        worst: how many of the images that changed most to name.

    Raises:
        ConfigError: there is no such metric, or `resamples`, `seed` or `worst` is out of range.
        EmptyError: there is no image.
        InputError: results are incomplete, or their classes, signatures or images differ.
    """
    check_options(resamples, seed, worst)
    kinds = kinds_of(metrics)
    if JUDGED not in kinds:
        kinds = (JUDGED, *kinds)
    refuse_difference(a, b, names)
    plan = Plan.of(a.settings, kinds)
    columns = np.stack([plan.columns(results) for results in (a, b)])
    interval: IntervalAt = no_interval
    p: PValueAt = no_p
    if len(a.images) > 1:
        drawn = resampled(plan, columns, resamples, seed)
        interval = percentiles([scores[1] - scores[0] for scores in drawn])
        p = p_values(plan, columns, resamples, seed)
    # The scores of the single images, (2, n, targets) for each kind.
    own = plan.scores(columns)
    changes = [
        change
        for place, kind in enumerate(kinds)
        for change in _changes(kind, (a, b), own[place], partial(interval, place), partial(p, place))
    ]
    return Comparison(
        *names,
        signature=a.settings.signature,
        images=len(a.images),
        resamples=resamples,
        seed=seed,
        scores=tuple(changes),
        changed=_changed(a, own[kinds.index(JUDGED)], worst),
        notes=tuple(notes_on(a, b)),
    )


def judge(comparison: Comparison, min_effect: float = 0.0) -> Verdict:
    """Whether B is no worse than A: not met where the whole interval of pooled mean hard Dice is below −min_effect.

    Without an interval nothing can be told, and what is undefined never passes.

    Raises:
        ConfigError: `min_effect` is below 0, or not a number.
    """
    if not (math.isfinite(min_effect) and min_effect >= 0):
        raise ConfigError(
            f"{min_effect} is out of range", option="min_effect", expected="a difference of Dice, 0 or greater"
        )
    mean = comparison.judged
    high, bound = mean.interval.high if mean.interval else None, 0.0 - min_effect
    return Verdict(
        rule=f"--fail-if-worse --min-effect {min_effect!r}",
        value=high,
        operator=">=",
        bound=bound,
        passed=high is not None and high >= bound,
        reason="" if high is not None else "undefined",
    )


def _changes(
    kind: Kind,
    sides: tuple[Results, Results],
    own: Floats,
    interval: Callable[[int], Interval | None],
    p: Callable[[int], tuple[float | None, int]],
) -> Iterator[ScoreChange]:
    """One kind of score of both; `own` are the scores of the single images, ``(2, n, targets)``."""
    befores, afters = (values_of(results, kind) for results in sides)
    for target, (scope, name) in enumerate(targets(sides[0].settings, kind.metric)):
        before, after = befores[target], afters[target]
        difference = None if before is None or after is None else after - before
        change = (own[1, :, target] - own[0, :, target]) * kind.sign
        better, worse = int((change > ROUNDING).sum()), int((change < -ROUNDING).sum())
        undefined = int(np.isnan(change).sum())
        value, permutations = p(target)
        yield ScoreChange(
            metric=kind.metric.name,
            average=kind.average,
            scope=scope,
            name=name,
            a=before,
            b=after,
            difference=difference,
            interval=None if difference is None else interval(target),
            p=value,
            permutations=permutations,
            better=better,
            worse=worse,
            tied=len(change) - better - worse - undefined,
            undefined=undefined,
        )


def _changed(a: Results, dice: Floats, worst: int) -> tuple[ImageChange, ...]:
    """The images that changed most, by mean hard Dice; `dice` is of the single images, ``(2, n, targets)``."""
    classes = len(a.settings.scored)
    mean = dice[:, :, classes]
    size = np.nan_to_num(np.abs(mean[1] - mean[0]), nan=0.0)
    ranked = sorted(np.flatnonzero(size > ROUNDING), key=lambda i: (-size[i], natural(a.images[i].id)))
    changed = []
    for index in ranked[:worst]:
        x, y = float(mean[0, index]), float(mean[1, index])
        own = dice[:, index, :classes]
        most = _explains(own)
        ends = [None if math.isnan(value) else float(value) for value in own[:, most]]
        name = a.settings.classes[a.settings.scored[most]].name
        changed.append(ImageChange(a.images[index].id, x, y, y - x, name, *ends))
    return tuple(changed)


def _explains(dice: Floats) -> int:
    """The class of an image, ``(2, classes)``, without which its mean would have changed least."""
    changes = []
    for index in range(dice.shape[1]):
        before, after = mean_of(np.delete(dice, index, axis=1))
        change = abs(after - before)
        changes.append(0.0 if np.isnan(change) else change)
    return int(np.argmin(changes))
