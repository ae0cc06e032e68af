"""Two results side by side: every number beside SciPy's, what is refused, and what people and programs see."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from builders import image_row, summarized
from markdown_it import MarkdownIt
from scipy import stats

from softdice_cli.cli.compare import Compare
from softdice_cli.comparison import compare, intervals, judge, kinds_of, resampling
from softdice_cli.comparison.kinds import values_of
from softdice_cli.comparison.resampling import Grid, draws
from softdice_cli.comparison.sums import Plan
from softdice_cli.errors import ConfigError, EmptyError, InputError
from softdice_cli.metrics import METRICS
from softdice_cli.records import ClassDef, Failure, Results, Settings, Shard
from softdice_cli.render import Page, to_text
from softdice_cli.render.compare import CSV_COLUMNS, render_comparison, verdict_text
from softdice_cli.scores import score_image

NAMES = ("sky", "tree", "pole")
THREE = Settings(classes=tuple(ClassDef(name, index) for index, name in enumerate(NAMES)))
ONE = Settings(classes=(ClassDef("cell", None),))


def made(settings: Settings, tables: list[list[tuple[float, float, int, int, int]]]) -> Results:
    """Results of images i0, i1, …; a row of a table is P, I, truth, predicted, true positives of a class."""
    return summarized(
        settings,
        [image_row(f"i{i}", *table, pixels=10**6) for i, table in enumerate(tables)],
    )


def hard(*images: tuple[int, int, int]) -> Results:
    """One class; an image is truth, predicted, true positives, and every probability is 0 or 1."""
    return made(ONE, [[(float(p), float(tp), t, p, tp)] for t, p, tp in images])


def random_pair(images: int, seed: int = 0, *, shift: float = 0.0, absent: float = 0.2) -> tuple[Results, Results]:
    """Two models on the same masks; B finds `shift` more of the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(20, 400, (images, 3)) * (rng.random((images, 3)) > absent)
    sides = []
    for side in (0, 1):
        found = np.clip(rng.normal(0.7 + side * shift, 0.15, truth.shape), 0, 1)
        tp = (truth * found).astype(int)
        predicted = tp + rng.integers(0, 60, truth.shape) * (rng.random(truth.shape) > absent)
        inside = truth * rng.random(truth.shape)
        p = inside + rng.random(truth.shape) * 30
        sides.append(
            made(THREE, [[(float(p[i, c]), float(inside[i, c]), int(truth[i, c]), int(predicted[i, c]), int(tp[i, c]))
                          for c in range(3)] for i in range(images)])
        )  # fmt: skip
    return sides[0], sides[1]


def score(c, metric="dice", average="pooled", name="mean"):
    return next(s for s in c.scores if (s.metric, s.average, s.name) == (metric, average, name))


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_hand_values():
    a = hard((10, 10, 8), (10, 10, 6), (10, 10, 5), (0, 0, 0), (0, 4, 0))  # Dice .8, .6, .5, undefined, 0
    b = hard((10, 10, 9), (10, 10, 6), (10, 10, 3), (0, 2, 0), (0, 0, 0))  # Dice .9, .6, .3, 0, undefined
    c = compare(a, b, resamples=500)
    pooled, mean = score(c, name="cell"), score(c, average="image_mean", name="cell")
    assert (pooled.a, pooled.b) == (2 * 19 / 64, 2 * 18 / 62)
    assert pooled.difference == pooled.b - pooled.a
    assert mean.a == pytest.approx((0.8 + 0.6 + 0.5 + 0) / 4)
    assert mean.b == pytest.approx((0.9 + 0.6 + 0.3 + 0) / 4)
    for s in (pooled, mean):  # undefined on one side: neither better, nor worse, nor tied
        assert (s.better, s.worse, s.tied, s.undefined) == (1, 1, 1, 2)
    # the soft score is never undefined, and worse means higher for the loss: i0 and i4 are better, i2 and i3 worse
    for metric in ("soft_dice", "loss"):
        s = score(c, metric, name="cell")
        assert (s.better, s.worse, s.tied, s.undefined) == (2, 2, 1, 0)
    assert [(i.id, round(i.difference, 9), i.class_name) for i in c.changed] == [
        ("i2", -0.2, "cell"),
        ("i0", 0.1, "cell"),
    ]


def test_a_lower_loss_is_better():
    a, b = hard((10, 10, 5), (10, 10, 5), (10, 10, 5)), hard((10, 10, 6), (10, 10, 7), (10, 10, 4))
    for metric in ("dice", "soft_dice", "loss"):
        s = score(compare(a, b, resamples=100), metric)
        assert (s.better, s.worse, s.tied) == (2, 1, 0)
        assert (s.difference > 0) is (metric != "loss")


def test_the_values_are_those_of_the_results():
    a, b = random_pair(12)
    c = compare(a, b, resamples=100)
    for s in c.scores:
        for results, value in ((a, s.a), (b, s.b)):
            summary = getattr(results, s.average)
            parts = {k.name: k for k in summary.classes} | {
                "mean": summary.means,
                "foreground mean": summary.foreground,
            }
            assert value == getattr(parts[s.name], s.metric)
        assert s.better + s.worse + s.tied + s.undefined == 12
    assert [s.name for s in c.scores[:5]] == [*NAMES, "mean", "foreground mean"]
    assert len(c.scores) == len(kinds_of()) * 5


def test_the_images_that_changed_most():
    a, b = random_pair(30)
    c = compare(a, b, resamples=100, worst=4)
    sizes = {}
    for x, y in zip(a.images, b.images, strict=True):
        means = [[s.dice for s in score_image(THREE, row) if s.dice is not None] for row in (x, y)]
        if all(means):
            sizes[x.id] = np.mean(means[1]) - np.mean(means[0])
    expected = sorted(sizes, key=lambda name: -abs(sizes[name]))[:4]
    assert [i.id for i in c.changed] == expected
    for change in c.changed:
        assert change.difference == pytest.approx(sizes[change.id], abs=1e-12)
    assert compare(a, b, resamples=100, worst=0).changed == ()


def test_the_class_behind_a_change_may_be_undefined_in_one_of_them():
    """The false positive of "pole" went, and lifts the mean from .6 to .85, although "tree" lost a little."""
    a = made(THREE, [[(9.0, 8.0, 10, 10, 9), (9.0, 8.0, 10, 10, 9), (0.5, 0.0, 0, 5, 0)]] * 2)
    b = made(THREE, [[(9.0, 8.0, 10, 10, 9), (9.0, 8.0, 10, 10, 8), (0.5, 0.0, 0, 0, 0)]] * 2)
    change = compare(a, b, resamples=100).changed[0]
    assert (change.a, change.b) == (pytest.approx(0.6), pytest.approx(0.85))
    assert (change.class_name, change.class_a, change.class_b) == ("pole", 0.0, None)


@pytest.mark.parametrize("empty", ["skip", "one", "zero"])
def test_results_compared_with_themselves(empty):
    a, _ = random_pair(17)
    a = summarized(replace(a.settings, empty=empty), a.images)
    c = compare(a, a, resamples=300)
    for s in c.scores:
        assert (s.difference, s.interval.low, s.interval.high, s.p) == (0.0, 0.0, 0.0, 1.0)
        assert (s.better, s.worse, s.tied + s.undefined) == (0, 0, 17)
        assert s.undefined == 0 or empty == "skip"
    assert c.changed == ()
    assert judge(c).passed


# --- beside SciPy ----------------------------------------------------------------------------------------------------


def sums(results: Results) -> np.ndarray:
    """(5, classes, images): P, I, truth, predicted, true positives."""
    names = ("probability", "intersection", "truth", "predicted", "true_positives")
    return np.array([[[getattr(s, n) for s in row.sums] for row in results.images] for n in names], float).swapaxes(
        1, 2
    )


def dice(table, axis):
    total = table.sum(axis=axis)
    return np.mean(2 * total[4] / (total[2] + total[3]), axis=0)


def soft(table, axis):
    p, i, y = table[:3].sum(axis=axis)
    return np.mean((2 * i + 1e-5) / (p + y + 1e-5), axis=0)


def loss(table, axis):
    p, i, y = table[:3].sum(axis=axis)
    return np.mean(-np.log((2 * i + 1e-5) / (p + y + 1e-5)), axis=0)


def image_mean(table, axis):
    with np.errstate(invalid="ignore"):
        own = 2 * table[4] / (table[2] + table[3])
    return np.mean(np.nanmean(own, axis=axis), axis=0)


STATISTICS = [("dice", "pooled", dice), ("soft_dice", "pooled", soft), ("loss", "pooled", loss),
              ("dice", "image_mean", image_mean)]  # fmt: skip


class Fed(np.random.Generator):
    """A generator that gives SciPy the very indices that ours draws."""

    def __init__(self, indices):
        super().__init__(np.random.PCG64())
        self.indices = indices

    def integers(self, low, high=None, size=None, **_):
        assert size == self.indices.shape
        return self.indices


def scipy_interval(a, b, statistic, rng, resamples):
    tables = sums(a), sums(b)

    def difference(index, axis=-1):
        x, y = (statistic(t[..., index.astype(int)], -1) for t in tables)
        return y - x

    done = stats.bootstrap(
        (np.arange(len(a.images)),), difference, n_resamples=resamples, method="percentile", vectorized=True, rng=rng
    )
    return done.confidence_interval


@pytest.mark.parametrize(("metric", "average", "statistic"), STATISTICS)
def test_intervals_are_scipys_on_the_samedraws(metric, average, statistic):
    a, b = random_pair(40, shift=0.05)
    indices = np.concatenate(list(draws(40, 999, 3)))
    theirs = scipy_interval(a, b, statistic, Fed(indices), 999)
    ours = score(compare(a, b, resamples=999, seed=3), metric, average).interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=1e-12)
    assert ours.resamples == 999


@pytest.mark.parametrize(("metric", "average", "statistic"), STATISTICS)
def test_intervals_are_scipys_on_its_owndraws(metric, average, statistic):
    a, b = random_pair(40, shift=0.05)
    theirs = scipy_interval(a, b, statistic, np.random.default_rng(1), 20_000)
    ours = score(compare(a, b, resamples=20_000), metric, average).interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.05 * (theirs.high - theirs.low))


def test_paired_samples_as_scipy_pairs_them():
    a, b = random_pair(25)
    (_, _, t, p, tp), (_, _, t2, p2, tp2) = (table[:, 0] for table in (sums(a), sums(b)))

    def difference(tp, d, tp2, d2, axis=-1):
        return 2 * tp2.sum(axis) / d2.sum(axis) - 2 * tp.sum(axis) / d.sum(axis)

    fed = Fed(np.concatenate(list(draws(25, 999, 0))))
    theirs = stats.bootstrap(
        (tp, t + p, tp2, t2 + p2),
        difference,
        paired=True,
        method="percentile",
        vectorized=True,
        n_resamples=999,
        rng=fed,
    ).confidence_interval
    ours = score(compare(a, b, resamples=999), name="sky").interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=1e-12)


@pytest.mark.parametrize(("metric", "average", "statistic"), STATISTICS)
@pytest.mark.parametrize("shift", [0.0, 0.08])
def test_p_values_are_scipys_exact_ones(metric, average, statistic, shift):
    a, b = random_pair(9, shift=shift, absent=0.0)
    both = np.concatenate([sums(a), sums(b)], axis=-1)

    def difference(x, y, axis=-1):
        return statistic(both[..., y.astype(int)], -1) - statistic(both[..., x.astype(int)], -1)

    data = np.arange(9), np.arange(9) + 9
    theirs = stats.permutation_test(data, difference, permutation_type="samples", vectorized=True, n_resamples=np.inf)
    assert len(theirs.null_distribution) == 2**9
    ours = score(compare(a, b, resamples=50_000), metric, average)
    assert ours.p == pytest.approx(theirs.pvalue, abs=0.01)
    assert ours.permutations == 50_000


def test_a_p_value_is_never_zero():
    """(b + 1) / (n + 1): where no permutation reaches the difference, the observed order itself still counts."""
    a, b = hard(*[(10, 10, 5)] * 40), hard(*[(10, 10, 6)] * 40)
    for permutations in (100, 1000):
        change = score(compare(a, b, resamples=permutations), name="cell")
        assert change.p == 1 / (permutations + 1)
    assert score(compare(a, a, resamples=100), name="cell").p == 1.0


def test_metrics_that_were_chosen_are_compared_in_both_averages():
    a, b = random_pair(8)
    c = compare(a, b, metrics=["recall", "accuracy"], resamples=100)
    kinds = list(dict.fromkeys((s.metric, s.average) for s in c.scores))
    # hard Dice is what verdicts and images are judged by
    assert kinds == [
        ("dice", "pooled"),
        ("recall", "pooled"),
        ("accuracy", "pooled"),
        ("recall", "image_mean"),
        ("accuracy", "image_mean"),
    ]
    assert [(s.scope, s.name) for s in c.scores if s.metric == "accuracy"] == [("mean", "all classes")] * 2
    for s in c.scores:
        for results, value in ((a, s.a), (b, s.b)):
            if s.scope == "mean":
                assert value == getattr(results, s.average).means.values[s.metric]
    with pytest.raises(ConfigError, match="'dise' is not a metric"):
        compare(a, b, metrics=["dise"])


@pytest.mark.parametrize("metric", [metric.name for metric in METRICS])
def test_resampled_scores_are_those_of_the_results_that_were_drawn(metric):
    """Each draw of images, evaluated as results of its own, gives the scores that the columns give."""
    a, _ = random_pair(6, seed=3)
    plan = Plan.of(a.settings, kinds_of([metric]))
    drawn = resampling.resampled(plan, plan.columns(a)[None], 100, 5)
    for number, indices in enumerate(np.concatenate(list(draws(6, 100, 5)))[:20]):
        rows = [replace(a.images[index], id=str(place)) for place, index in enumerate(indices)]
        again = summarized(a.settings, rows)
        for place, kind in enumerate(plan.kinds):
            expected = [math.nan if value is None else value for value in values_of(again, kind)]
            assert drawn[place][0, number] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_one_result_alone_has_scipys_intervals():
    a, _ = random_pair(40)
    table, indices = sums(a), np.concatenate(list(draws(40, 999, 3)))
    for metric, average, statistic in STATISTICS:
        theirs = stats.bootstrap(
            (np.arange(40),), lambda i, axis, s=statistic: s(table[..., i], -1), n_resamples=999,
            method="percentile", vectorized=True, rng=Fed(indices),
        ).confidence_interval  # fmt: skip
        ours = next(
            s
            for s in intervals(a, resamples=999, seed=3)
            if (s.metric, s.average, s.scope) == (metric, average, "mean")
        )
        assert (ours.interval.low, ours.interval.high) == pytest.approx(tuple(theirs), abs=1e-12)
        assert ours.interval.low <= ours.value <= ours.interval.high


# --- undefined, one image, exactness, determinism --------------------------------------------------------------------


def test_a_resample_in_which_a_class_is_undefined_does_not_count():
    rare = [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.0, 0.0, 0, 0, 0)] for _ in range(4)]
    rare[0][2] = (3.0, 2.0, 4, 3, 2)
    a = made(THREE, rare)
    c = compare(a, a, resamples=10_000)
    pole = score(c, name="pole")
    assert pole.interval.resamples == pytest.approx(10_000 * (1 - 0.75**4), abs=200)
    assert (pole.undefined, pole.tied, pole.permutations) == (3, 1, 10_000)
    assert score(c, name="mean").interval.resamples == 10_000  # over the classes that are defined
    assert score(c, "loss", name="pole").interval.resamples == 10_000
    text = render_comparison(c)
    assert "resamples: how many" in text
    assert str(pole.interval.resamples) in text


def test_an_absent_class_has_no_difference():
    a = made(THREE, [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.5, 0.0, 0, 0, 0)]] * 3)
    b = made(THREE, [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.5, 0.0, 0, 1, 0)]] * 3)
    c = compare(a, b, resamples=100)
    pole = score(c, name="pole")
    assert (pole.a, pole.b, pole.difference, pole.interval, pole.p, pole.undefined) == (None, 0.0, None, None, None, 3)
    assert any("is over 2 classes in A and 3 in B" in note for note in c.notes)
    assert "NaN" not in render_comparison(c, "json")


def test_one_image_has_no_interval_and_says_so():
    a, b = hard((10, 10, 8)), hard((10, 10, 5))
    c = compare(a, b)
    assert {(s.interval, s.p) for s in c.scores} == {(None, None)}
    assert score(c).difference == pytest.approx(-0.3)
    assert "a single image cannot be resampled" in render_comparison(c)
    assert {s.interval for s in intervals(a)} == {None}
    verdict = judge(c)
    assert (verdict.passed, verdict.reason) == (False, "undefined")  # undefined never passes
    assert "has no interval" in verdict_text(c, verdict)
    assert intervals(summarized(ONE, [])) == ()


def test_every_weighted_sum_is_exact():
    rng = np.random.default_rng(0)
    columns = rng.random((1, 50, 3)) * [1.0, 3e5, 1e-9]
    grid = Grid(columns)
    weights = rng.multinomial(50, [1 / 50] * 50, size=20).astype(float)
    read = grid.read(weights @ grid.parts[0])
    assert np.array_equal(read, grid.read(weights[:, ::-1] @ grid.parts[0][::-1]))  # any order
    for w, found in zip(weights, read, strict=True):
        for c in range(3):
            exact = sum(Fraction(x) * int(n) for x, n in zip(columns[0, :, c], w, strict=True))
            assert found[c] == pytest.approx(float(exact), rel=2e-16)


def test_the_seed_decides_every_digit_and_the_chunks_none(monkeypatch):
    a, b = random_pair(70)
    first = compare(a, b, resamples=1000, seed=5)
    monkeypatch.setattr(resampling, "CELLS", 70 * 7)
    assert compare(a, b, resamples=1000, seed=5) == first
    assert compare(a, b, resamples=1000, seed=6).scores != first.scores
    shuffled = summarized(b.settings, b.images[::-1])
    assert compare(a, shuffled, resamples=1000, seed=5) == first
    # the raw bits of PCG64 are promised by NumPy, so these stay
    assert next(draws(10, 1, 0))[0].tolist() == [6, 2, 0, 0, 8, 9, 6, 7, 5, 9]


def test_swapping_the_sides_mirrors_everything():
    a, b = random_pair(20)
    there, back = compare(a, b, resamples=400), compare(b, a, resamples=400)
    for s, t in zip(there.scores, back.scores, strict=True):
        assert (s.difference, s.p, s.better, s.worse, s.tied) == (-t.difference, t.p, t.worse, t.better, t.tied)
        assert (s.interval.low, s.interval.high) == pytest.approx((-t.interval.high, -t.interval.low), abs=1e-15)


# --- refusals --------------------------------------------------------------------------------------------------------

BASE = hard((10, 10, 8), (10, 10, 6))
SHARD = [f.name for f in fields(Shard)]
FAILED = Failure("x", "p", "g", "is broken", "", "", "")
ROWS = BASE.images


@pytest.mark.parametrize(
    ("other", "error", "words"),
    [
        # another ε: only the part that differs is shown
        (summarized(replace(ONE, eps=1e-3), ROWS), InputError, ["another signature", "eps:1e-05", "eps:0.001"]),
        # the same signature, another name
        (summarized(Settings(classes=(ClassDef("nucleus", None),)), ROWS), InputError, ["other classes", "nucleus"]),
        # more classes
        (random_pair(2)[0], InputError, ["other classes", "cell=any as class 0", "sky=0"]),
        # one image fewer, and one under another name
        (hard((10, 10, 8)), InputError, ["other images", "2 images, also i1", "1 image"]),
        (summarized(ONE, [ROWS[0], replace(ROWS[1], id="z")]), InputError, ["also i1", "also z"]),
        # two images of one id, which a file cannot hold and a caller can
        (summarized(ONE, [ROWS[0], ROWS[0]]), InputError, ["two images of one id"]),
        # incomplete, whatever the rest
        (summarized(ONE, ROWS, [FAILED]), InputError, ["is incomplete: 1 pair failed", "x"]),
        (summarized(ONE, []), EmptyError, ["holds no image"]),
    ],
)  # fmt: skip
def test_what_cannot_be_paired_is_refused(other, error, words):
    with pytest.raises(error) as caught:
        compare(BASE, other)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert caught.value.path == "B"
    assert caught.value.exit_code == (3 if error is InputError else 5)
    with pytest.raises(error):
        compare(other, BASE)


@pytest.mark.parametrize("options", [{"resamples": 99}, {"resamples": 100_001}, {"seed": -1}, {"worst": -1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        compare(BASE, BASE, **options)


@pytest.mark.parametrize("effect", [-0.1, math.nan, math.inf])
def test_an_effect_below_nothing_is_refused(effect):
    with pytest.raises(ConfigError):
        judge(compare(BASE, BASE, resamples=100), effect)


def test_a_shard_is_noted():
    run = random_pair(3)[0]
    shard = Shard(**{name: {"index": 1, "count": 4}.get(name, 12 if name == "pairs" else "") for name in SHARD})
    notes = compare(run, replace(run, run=replace(run.run, shard=shard)), resamples=100).notes
    assert notes == ("B is shard 1 of 4, not the whole run",)


def test_other_masks_are_noted():
    c = compare(BASE, hard((10, 10, 8), (9, 10, 6)), resamples=100)
    assert any("masks of B are not those of A" in note and "i1" in note for note in c.notes)


# --- the verdict -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("high", "effect", "passed"),
    [
        (-0.01, 0.0, False),  # the whole interval is below 0
        (0.0, 0.0, True),  # it reaches 0
        (-0.01, 0.02, True),  # below 0, and the drop does not matter
        (-0.01, 0.01, True),  # exactly at the bound
        (-0.010000001, 0.01, False),  # unrounded
        (-1e-9, 0.0, False),
    ],
)
def test_verdict(high, effect, passed):
    c = compare(BASE, BASE, resamples=100)
    mean = score(c)
    interval = replace(mean.interval, low=-0.05, high=high)
    c = replace(c, scores=tuple(replace(s, interval=interval) if s is mean else s for s in c.scores))
    verdict = judge(c, effect)
    assert verdict.passed is passed
    sentence = verdict_text(c, verdict)
    assert sentence.startswith("met" if passed else "not met")
    shown = float(sentence.split(", ")[1].split("]")[0]), float(sentence.rsplit(" ", 1)[1])
    assert (shown[0] >= shown[1]) is passed  # the printed digits explain it


# --- formats ---------------------------------------------------------------------------------------------------------

EVIL = "a|b`c``<script>*_[x](y) @you #1 \x1b[31m\u202e=1"


def evil_pair() -> tuple[Results, Results]:
    settings = Settings(classes=(ClassDef(EVIL, 0), ClassDef("=SUM(A1)", 1)))
    tables = [[(9.0, 8.0, 10, 9, tp), (9.0, 8.0, 10, 9, 7)] for tp in (8, 6, 4)]
    a, b = made(settings, tables), made(settings, tables[::-1])
    rename = {"i0": EVIL}
    return tuple(summarized(settings, [replace(r, id=rename.get(r.id, r.id)) for r in x.images]) for x in (a, b))


def test_json_holds_everything():
    a, b = random_pair(6)
    c = compare(a, b, names=("a.json", EVIL), resamples=100)
    value = json.loads(render_comparison(c, "json", verdict=judge(c)))
    assert (value["format"], value["a"], value["b"], value["images"]) == ("softdice-comparison", "a.json", EVIL, 6)
    assert len(value["scores"]) == len(c.scores)
    first = value["scores"][0]
    assert (first["metric"], first["average"], first["name"]) == ("dice", "pooled", "sky")
    assert first["interval"]["low"] == c.scores[0].interval.low
    assert value["requirements"][0]["passed"] is judge(c).passed
    assert json.loads(render_comparison(c, "json"))["requirements"] == []


def test_csv_has_a_row_a_score_and_no_formula():
    c = compare(*evil_pair(), resamples=100)
    rows = list(csv.DictReader(io.StringIO(render_comparison(c, "csv"))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == len(c.scores)
    assert float(rows[0]["low"]) == c.scores[0].interval.low
    assert rows[1]["class"] == "'=SUM(A1)"
    assert "\x1b" not in rows[0]["class"]


def test_markdown_shows_names_as_they_are_and_as_nothing_else():
    c = compare(*evil_pair(), names=("x|y.json", EVIL), resamples=100)
    tokens = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .parse(render_comparison(c, "markdown", verdict=judge(c)))
    )
    assert sum(token.type == "table_open" for token in tokens) == 7
    inline = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    shown = EVIL.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    codes = [child.content.strip() for child in inline if child.type == "code_inline"]
    assert codes.count(shown) >= 8  # the file, the class in six tables and the image
    assert "x|y.json" in codes
    assert "@you" not in "".join(child.content for child in inline if child.type == "text")


def test_the_table_is_for_people():
    c = compare(*evil_pair(), names=("a.json", "b.json"), resamples=100)
    text = render_comparison(c, verdict=judge(c))
    assert text.startswith("A a.json, B b.json: 3 images, paired by id\n")
    for part in ("hard Dice, pooled", "soft Dice, pooled", "loss, lower is better, pooled", "hard Dice, image mean",
                 "changed most", "95 % interval of B - A", "met: --fail-if-worse", c.signature):  # fmt: skip
        assert part in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    plain = compare(hard((5, 5, 4), (5, 5, 3)), hard((5, 5, 3), (5, 5, 3)), resamples=100)
    narrow = render_comparison(plain, "table", Page(width=80, unicode=False))
    assert narrow.isascii()
    assert "…" not in narrow
    assert "mean  " not in narrow  # a single class needs no mean


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    def save(results: Results, name: str) -> str:
        path = tmp_path / name
        path.write_text(to_text(results, "json"), encoding="utf-8")
        return str(path)

    return save


def test_the_command_writes_and_passes(saved, capsys):
    a, b = random_pair(30)
    paths = saved(a, "a.json"), saved(b, "b.json")
    assert Compare(a=paths[0], b=paths[1], resamples=200).run() == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"A {paths[0]}, B {paths[1]}: 30 images")
    assert err == ""


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown"])
def test_the_command_gates(saved, capsys, tmp_path, format):
    worse, better = random_pair(30, shift=0.2)
    paths = saved(better, "a.json"), saved(worse, "b.json")
    output = tmp_path / "out"
    command = Compare(a=paths[0], b=paths[1], resamples=200, fail_if_worse=True, format=format, output=output)
    assert command.run() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: not met: --fail-if-worse" in err
    assert output.read_text(encoding="utf-8")
    assert replace(command, min_effect=0.9).run() == 0
    assert "met: --fail-if-worse --min-effect 0.9" in capsys.readouterr().err
    assert replace(command, a=paths[1], b=paths[0]).run() == 0
    assert replace(command, b=paths[0], min_effect=0.0).run() == 0  # the same results


def test_the_command_refuses(saved, tmp_path):
    a = saved(BASE, "a.json")
    b = saved(hard((10, 10, 8)), "b.json")
    output = tmp_path / "out"
    with pytest.raises(InputError) as caught:
        Compare(a=a, b=b, output=output).run()
    assert caught.value.path == b
    assert not output.exists()
    with pytest.raises(ConfigError):
        Compare(a="-", b="-").run()
    with pytest.raises(ConfigError):
        Compare(a=a, b=a, min_effect=0.1).run()


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown"])
def test_notes_reach_a_person_whatever_the_format(saved, capsys, format):
    a = saved(hard((10, 10, 8)), "a.json")
    assert Compare(a=a, b=a, format=format).run() == 0
    assert "a single image cannot be resampled" in "".join(capsys.readouterr())
