"""What cannot be compared, and what is said beside the numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import confused_row, counted_row, summarized
from two_results import BASE, ONE, THREE, hard, made, random_pair

from softdice_cli.comparison import compare, intervals, judge
from softdice_cli.errors import ConfigError, EmptyError, InputError
from softdice_cli.records import ClassDef, Failure, Region, Results, Settings, Shard

FAILED = Failure("x", "p", "g", "is broken", "", "", "")
ROWS = BASE.images
SEVEN = hard(*[(10, 10, 8)] * 7)
EPS = replace(ONE, eps=1e-3)
NUCLEUS = Settings(classes=(ClassDef("nucleus", None),))
TWO = Settings(classes=THREE.classes[:2])
COLOURED = Settings(classes=(ClassDef("sky", 0xFF0000),), colors=True)
OPTIONS = "evaluate both with the same options"
CLASSES = "evaluate both with the same --class options, in the same order"
IMAGES = "evaluate the same images with both"
AGAIN = "run softdice eval again"
FIX = "fix them and run softdice eval again; a difference would be that of the missing images"


def changed(results: Results, **fields) -> Results:
    """The results with other values in each row."""
    return summarized(results.settings, [replace(row, **fields) for row in results.images])


def without(results: Results, *ids: str) -> Results:
    return summarized(results.settings, [row for row in results.images if row.id not in ids])


@pytest.mark.parametrize(
    ("b", "problem", "expected", "found", "hint"),
    [
        # another ε: only the part that differs is shown
        (summarized(EPS, ROWS), "has another signature than A", "eps:1e-05", "eps:0.001", OPTIONS),
        # the same signature, another name
        (summarized(NUCLEUS, ROWS), "has other classes than A", "cell=any as class 0", "nucleus=any", CLASSES),
        # more classes
        (random_pair(2)[0], "has other classes than A", "cell=any as class 0", "sky=0", CLASSES),
        # a label that is a colour
        (summarized(COLOURED, ROWS), "has other classes than A", "cell=any as class 0", "sky=#ff0000", CLASSES),
        # one image fewer, one more, and one under another name
        (hard((10, 10, 8)), "has other images than A", "2 images, also i1", "1 image", IMAGES),
        (hard(*[(10, 10, 8)] * 3), "has other images than A", "2 images", "3 images, also i2", IMAGES),
        (
            summarized(ONE, [ROWS[0], replace(ROWS[1], id="z")]),
            "has other images than A",
            "2 images, also i1",
            "2 images, also z",
            IMAGES,
        ),
        # two images of one id, which a file cannot hold and a caller can
        (summarized(ONE, [ROWS[0], ROWS[0]]), "holds two images of one id", "", "", AGAIN),
        # incomplete, whatever the rest
        (summarized(ONE, ROWS, [FAILED]), "is incomplete: 1 pair failed", "", "x", FIX),
        (summarized(ONE, [], [FAILED] * 2), "is incomplete: 2 pairs failed", "", "x, x", FIX),
    ],
)
def test_what_cannot_be_paired_is_refused(b, problem, expected, found, hint):
    with pytest.raises(InputError) as caught:
        compare(BASE, b)
    error = caught.value
    assert (error.path, error.problem, error.expected, error.found) == ("B", problem, expected, found)
    assert error.hint.startswith(hint)
    with pytest.raises(InputError):
        compare(b, BASE)


def test_the_side_that_is_at_fault_is_named():
    names = ("one.json", "two.json")
    for a, b, path in (
        (summarized(ONE, ROWS, [FAILED]), BASE, "one.json"),
        (BASE, summarized(ONE, ROWS, [FAILED]), "two.json"),
        (summarized(ONE, [ROWS[0], ROWS[0]]), BASE, "one.json"),
        (BASE, hard((10, 10, 8)), "two.json"),
    ):
        with pytest.raises(InputError) as caught:
            compare(a, b, names=names)
        assert caught.value.path == path
    with pytest.raises(InputError, match=r"^two\.json: has other images than one\.json\n"):
        compare(BASE, hard((10, 10, 8)), names=names)


@pytest.mark.parametrize("turn", [1, -1])
def test_without_an_image_there_is_nothing_to_compare(turn):
    with pytest.raises(EmptyError) as caught:
        compare(*[BASE, summarized(ONE, [])][::turn])
    assert (caught.value.problem, caught.value.hint) == ("holds no image", AGAIN)
    assert caught.value.path == {1: "B", -1: "A"}[turn]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_class_that_one_side_lacks_is_named(turn):
    a, _ = random_pair(2)
    b = summarized(TWO, [replace(row, sums=row.sums[:2]) for row in a.images])
    with pytest.raises(InputError) as caught:
        compare(*[a, b][::turn])
    found = [caught.value.expected, caught.value.found]
    assert found == {1: ["pole=2 as class 2", "no class"], -1: ["no class as class 2", "pole=2"]}[turn]


def test_all_parts_of_the_signature_that_differ_are_shown():
    a, b = summarized(THREE, random_pair(2)[0].images), random_pair(2)[1]
    b = summarized(replace(THREE, empty="one", ignore=(255,)), b.images)
    with pytest.raises(InputError) as caught:
        compare(a, b)
    assert (caught.value.expected, caught.value.found) == ("empty:skip|ignore:none", "empty:one|ignore:255")


def test_five_images_are_named_in_their_natural_order():
    a = hard(*[(10, 10, 8)] * 12)
    with pytest.raises(InputError) as caught:
        compare(a, without(a, "i2", "i3", "i10", "i4", "i5"))
    assert caught.value.expected == "12 images, also i2, i3, i4, i5, i10"
    with pytest.raises(InputError) as caught:
        compare(without(a, "i2", "i3", "i10", "i4", "i5", "i11"), a)
    assert caught.value.found == "12 images, also i2, i3, i4, i5, i10 and 1 more"


@pytest.mark.parametrize(
    ("options", "problem", "expected"),
    [
        ({"resamples": 99}, "99 is out of range", "100 to 100000"),
        ({"resamples": 100_001}, "100001 is out of range", "100 to 100000"),
        ({"seed": -1}, "-1 is below 0", "0 or greater"),
        ({"worst": -1}, "-1 is below 0", "0 or greater"),
        (
            {"metrics": ["dise"]},
            "'dise' is not a metric",
            "some of loss, soft_dice, dice, iou, precision, recall, specificity, accuracy",
        ),
    ],
)
def test_options_out_of_range_are_refused(options, problem, expected):
    (name,) = options
    with pytest.raises(ConfigError) as caught:
        compare(BASE, BASE, **options)
    assert (caught.value.option, caught.value.expected) == (name, expected)
    assert caught.value.problem == problem
    if name != "worst":
        with pytest.raises(ConfigError):
            intervals(BASE, **options)


def test_options_at_the_ends_of_their_ranges_are_taken():
    assert compare(BASE, BASE, resamples=100, seed=0, worst=0).resamples == 100
    assert compare(hard((10, 10, 8)), hard((10, 10, 8)), resamples=100_000).resamples == 100_000


@pytest.mark.parametrize("effect", [-0.1, 1.0, math.nan, math.inf])
def test_an_effect_below_nothing_or_as_large_as_can_be_is_refused(effect):
    with pytest.raises(ConfigError) as caught:
        judge(compare(BASE, BASE, resamples=100), effect)
    assert caught.value.problem == f"{effect} is out of range"
    assert (caught.value.option, caught.value.expected) == (
        "min_effect",
        "a difference of Dice: 0 or greater, and less than 1",
    )


def test_a_shard_is_noted():
    run = random_pair(3)[0]
    shard = Shard(index=1, count=4, pairs=12, run="")
    part = replace(run, run=replace(run.run, shard=shard))
    assert compare(run, part, resamples=100).notes == ("B is shard 1 of 4, not the whole run",)
    assert compare(part, run, resamples=100).notes == ("A is shard 1 of 4, not the whole run",)


@pytest.mark.parametrize(
    ("a", "b", "images"),
    [
        (BASE, hard((10, 10, 8), (9, 10, 6)), "1 image: i1"),
        # more pixels, and the same labels
        (SEVEN, changed(SEVEN, pixels=5), "7 images: i0, i1, i2, i3, i4 and 2 more"),
        # the same numbers, and other labels
        (SEVEN, changed(SEVEN, truth="0123456789abcdef"), "7 images: i0, i1, i2, i3, i4 and 2 more"),
    ],
)
def test_other_masks_are_refused(a, b, images):
    with pytest.raises(InputError, match="B: was made with other masks than A") as caught:
        compare(a, b, resamples=100)
    assert caught.value.found == f"differences in {images}"


def test_masks_of_which_one_side_has_no_digest_are_compared_by_their_numbers_and_that_is_said():
    old = changed(SEVEN, truth="")
    note = (
        "whether the masks are those of A is known by their numbers of pixels alone in 7 of 7 images: "
        "results of softdice 0.1.0 hold no digest of the labels"
    )
    for a, b in ((old, SEVEN), (SEVEN, old), (old, old)):
        assert compare(a, b, resamples=100).notes == (note,)
    with pytest.raises(InputError, match="other masks"):
        compare(changed(old, pixels=5), SEVEN)


def test_a_mean_over_other_classes_has_no_difference_and_meets_nothing():
    """In the pooled mean and in the image mean alike, as "pole" is predicted in B alone."""
    a = made(THREE, [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.5, 0.0, 0, 0, 0)]] * 2)
    b = made(THREE, [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.5, 0.0, 0, 1, 0)]] * 2)
    for one, other, side in ((a, b, "B"), (b, a, "A")):
        comparison = compare(one, other, resamples=100)
        rest = f"mean of hard Dice has no difference, as it would be of other classes: pole defined in {side} alone"
        assert comparison.notes == (f"the pooled {rest}", f"the image-mean {rest}")
        mean = comparison.judged
        assert (mean.difference, mean.interval, mean.p) == (None, None, None)
        assert None not in (mean.a, mean.b)
        # classes have theirs, and so has a mean of which all classes are defined: that of the loss
        assert {score.difference for score in comparison.scores if score.name == "sky"} == {0.0}
        verdict = judge(comparison)
        assert (verdict.passed, verdict.reason, verdict.note) == (
            False,
            "incomparable",
            f"pole defined in {side} alone",
        )
    filled = [summarized(replace(THREE, empty="one"), side.images) for side in (a, b)]
    assert judge(compare(*filled, resamples=100), 0.9).passed


def test_a_resample_in_which_one_side_lacks_a_class_does_not_count():
    """A stray pixel of "pole" in the first image of A and in the second of B: both means are over three classes."""
    plain, stray = [(10, 10, 10), (10, 10, 10), (0, 0, 0)], [(10, 10, 10), (10, 9, 9), (0, 1, 0)]
    a = summarized(THREE, [counted_row("i0", *stray), counted_row("i1", *plain)])
    b = summarized(THREE, [counted_row("i0", *plain), counted_row("i1", *stray)])
    mean = compare(a, b, resamples=1000).judged
    assert mean.difference == 0
    # Half of the resamples hold both images, and nothing changed in them. The others do not count.
    assert (mean.interval.low, mean.interval.high) == (0, 0)
    assert 400 < mean.interval.resamples < 600


def test_a_mean_over_other_regions_is_noted():
    """A region of "pole" alone, which is predicted in B alone."""
    settings = replace(THREE, regions=(Region("thin", ("pole",)), Region("high", ("tree", "pole"))))
    members = ((2,), (1, 2))
    a = summarized(settings, [confused_row("i", ((5, 0, 0), (0, 4, 0), (0, 0, 0)), members)] * 1)
    b = summarized(settings, [confused_row("i", ((4, 0, 0), (0, 4, 0), (1, 0, 0)), members)] * 1)
    notes = [note for note in compare(a, b, resamples=100).notes if "region" in note]
    rest = "region mean of hard Dice has no difference, as it would be of other classes: thin defined in B alone"
    assert notes == [f"the pooled {rest}", f"the image-mean {rest}"]


def test_other_regions_are_refused():
    members = ((2,), (1, 2))
    plain = summarized(THREE, [confused_row("i", ((5, 0, 0), (0, 4, 0), (0, 0, 2)))])
    settings = replace(THREE, regions=(Region("thin", ("pole",)), Region("high", ("tree", "pole"))))
    with_regions = summarized(settings, [confused_row("i", ((5, 0, 0), (0, 4, 0), (0, 0, 2)), members)])
    for a, b, expected, found in (
        (with_regions, plain, "regions:thin=pole;high=tree+pole", "no regions"),
        (plain, with_regions, "no regions", "regions:thin=pole;high=tree+pole"),
    ):
        with pytest.raises(InputError, match="has another signature than A") as caught:
            compare(a, b)
        assert (caught.value.expected, caught.value.found) == (expected, found)
