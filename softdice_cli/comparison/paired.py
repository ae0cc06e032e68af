"""Two saved results of the same images → what changed, and how much of it chance alone could do.

Images are what is drawn again. The pooled score of a resample follows from its resampled sums, and
the image mean from its resampled scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from softdice_cli.comparison.kinds import JUDGED, Kind, kinds_of, targets, values_of
from softdice_cli.comparison.refusals import check_options, notes_on, other_classes, refuse_difference, shards_among
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
from softdice_cli.comparison.sums import Floats, Plan, mean_of, over_the_same
from softdice_cli.errors import ConfigError
from softdice_cli.records import Allowance, Results, Verdict, natural
from softdice_cli.records.allowance import NONE_MISSING
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
        metrics: names of the metrics to compare; those that tables show by default. Hard Dice is
            among them in any case, as images and verdicts are judged by it.
        resamples: how many bootstrap resamples, and how many permutations.
        seed: the same seed gives the same digits.
        worst: how many of the images that changed most to name.

    Raises:
        ConfigError: there is no such metric, or `resamples`, `seed` or `worst` is out of range.
        EmptyError: there is no image.
        InputError: pairs failed, or the classes, signatures, images or masks differ.
    """
    check_options(resamples, seed, worst)
    kinds = kinds_of(metrics)
    # Images and verdicts are judged by it, whatever was chosen.
    if JUDGED not in kinds:
        kinds = (JUDGED, *kinds)
    refuse_difference(a, b, names)
    plan = Plan.of(a.settings, kinds)
    columns = np.stack([plan.columns(a), plan.columns(b)])
    interval, p = _chance(plan, columns, resamples, seed)
    # The scores of the single images, (2, n, targets) for each kind.
    own = plan.scores(columns)
    changes: list[ScoreChange] = []
    for place, kind in enumerate(kinds):
        changes.extend(_changes(plan, kind, (a, b), own[place], partial(interval, place), partial(p, place)))
    return Comparison(
        *names,
        signature=a.settings.signature,
        images=len(a.images),
        resamples=resamples,
        seed=seed,
        scores=tuple(changes),
        changed=_changed(a, own[kinds.index(JUDGED)], worst),
        notes=tuple(notes_on(a, b)),
        left_out=(len(a.left_out), len(b.left_out)),
        pairs=(a.run.pairs, b.run.pairs),
        shards="; ".join(shards_among(a, b)),
        other_classes=other_classes(a.pooled.classes, b.pooled.classes),
    )


def judge(comparison: Comparison, min_effect: float = 0.0, allowed: Allowance = NONE_MISSING) -> Verdict:
    """Whether B is no worse than A: not met where the whole interval of pooled mean hard Dice is below −min_effect.

    Without an interval nothing can be told, and what is undefined never passes. Neither do means of other classes.

    Args:
        comparison: what is judged.
        min_effect: the drop of Dice that does not matter.
        allowed: how many pairs of A and of B may lack a file.

    Raises:
        ConfigError: `min_effect` is below 0, or so large that nothing could be worse, or not a number.
    """
    # A comparison with NaN is false.
    if not 0 <= min_effect < 1:
        raise ConfigError(
            f"{min_effect} is out of range",
            option="min_effect",
            expected="a difference of Dice: 0 or greater, and less than 1",
        )
    rule = f"--fail-if-worse --min-effect {min_effect!r}"
    # Subtracting from 0.0 gives 0.0 where a minus sign would give -0.0.
    bound = 0.0 - min_effect
    interval = comparison.judged.interval
    if comparison.shards:
        value = interval.high if interval else None
        return Verdict(rule, value, ">=", bound, passed=False, reason="incomplete", note=comparison.shards)
    for side, left_out, pairs in zip("AB", comparison.left_out, comparison.pairs, strict=True):
        if not allowed.permits(left_out, pairs):
            value = interval.high if interval else None
            note = f"in {side}, {allowed.refusal(left_out, pairs)}"
            return Verdict(rule, value, ">=", bound, passed=False, reason="incomplete", note=note)
    if comparison.other_classes:
        note = comparison.other_classes
        return Verdict(rule, None, ">=", bound, passed=False, reason="incomparable", note=note)
    if interval is None:
        return Verdict(rule, None, ">=", bound, passed=False, reason="undefined")
    return Verdict(rule, interval.high, ">=", bound, passed=interval.high >= bound)


def _chance(plan: Plan, columns: Floats, resamples: int, seed: int) -> tuple[IntervalAt, PValueAt]:
    """Intervals and p-values of the differences between the sides of columns ``(2, n, M)``."""
    _, images, _ = columns.shape
    if images == 1:
        return no_interval, no_p
    drawn = over_the_same(plan, resampled(plan, columns, resamples, seed))
    interval = percentiles([scores[1] - scores[0] for scores in drawn])
    return interval, p_values(plan, columns, resamples, seed)


def _changes(
    plan: Plan,
    kind: Kind,
    sides: tuple[Results, Results],
    own: Floats,
    interval: Callable[[int], Interval | None],
    p: Callable[[int], tuple[float | None, int]],
) -> Iterator[ScoreChange]:
    """How each target of a kind changed.

    Args:
        plan: which scores there are.
        kind: of score.
        sides: A and B.
        own: the scores of the single images, ``(2, n, targets)``.
        interval: of a target, by its place.
        p: the p-value of a target, and how many permutations count for it.
    """
    a, b = sides
    befores, afters = values_of(a, kind), values_of(b, kind)
    uneven = _uneven(plan, kind, befores, afters)
    for target, (scope, name) in enumerate(targets(a.settings, kind.metric)):
        before, after = befores[target], afters[target]
        difference = None
        if before is not None and after is not None and target not in uneven:
            difference = after - before
        # Above 0 where an image became better, whichever way is better for the metric.
        change = (own[1, :, target] - own[0, :, target]) * kind.sign
        better = int((change > ROUNDING).sum())
        worse = int((change < -ROUNDING).sum())
        undefined = int(np.isnan(change).sum())
        p_value, permutations = p(target)
        yield ScoreChange(
            metric=kind.metric.name,
            average=kind.average,
            scope=scope,
            name=name,
            a=before,
            b=after,
            difference=difference,
            interval=None if target in uneven else interval(target),
            p=p_value,
            permutations=permutations,
            better=better,
            worse=worse,
            tied=len(change) - better - worse - undefined,
            undefined=undefined,
        )


def _uneven(plan: Plan, kind: Kind, befores: Sequence[float | None], afters: Sequence[float | None]) -> set[int]:
    """The means, by their places, that are not over the same classes, or regions, in A and in B."""
    if not kind.metric.per_class:
        return set()
    alone = [(before is None) != (after is None) for before, after in zip(befores, afters, strict=True)]
    return {mean for mean, members in plan.means() if any(alone[members])}


def _changed(a: Results, dice: Floats, worst: int) -> tuple[ImageChange, ...]:
    """The images that changed most by mean hard Dice, ``(2, n, targets)``."""
    # The mean stands behind the classes.
    mean = dice[:, :, len(a.settings.scored)]
    size = np.nan_to_num(np.abs(mean[1] - mean[0]), nan=0.0)
    changed = np.flatnonzero(size > ROUNDING)
    ranked = sorted(changed, key=lambda index: (-size[index], natural(a.images[index].id)))
    return tuple(_image_change(a, dice, int(index)) for index in ranked[:worst])


def _image_change(a: Results, dice: Floats, index: int) -> ImageChange:
    scored = a.settings.scored
    before = float(dice[0, index, len(scored)])
    after = float(dice[1, index, len(scored)])
    of_classes = dice[:, index, : len(scored)]
    most = _explains(of_classes)
    return ImageChange(
        id=a.images[index].id,
        a=before,
        b=after,
        difference=after - before,
        class_name=a.settings.classes[scored[most]].name,
        class_a=_defined(of_classes[0, most]),
        class_b=_defined(of_classes[1, most]),
    )


def _defined(value: float) -> float | None:
    if math.isnan(value):
        return None
    return float(value)


def _explains(dice: Floats) -> int:
    """The class of an image, ``(2, classes)``, without which its mean would have changed least."""
    changes = []
    # A false positive that came or went changes how many classes stand behind the mean, so the
    # greatest change of a single class need not explain the change of the mean.
    for index in range(dice.shape[1]):
        before, after = mean_of(np.delete(dice, index, axis=1))
        change = abs(after - before)
        # Where no mean is left without a class, nothing but this class changed.
        if np.isnan(change):
            change = 0.0
        changes.append(change)
    return int(np.argmin(changes))
