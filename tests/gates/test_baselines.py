"""Drops against a baseline: how they are judged, and which baselines are refused."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from builders import confused_row, counted_row, summarized

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.gates import check_baseline, judge_drops, measure, parse_drop, unknown_truths
from softdice_cli.gates.common import table_of, value_of
from softdice_cli.records import Allowance, ClassDef, Failure, Region, Settings, Shard

CLASSES = tuple(ClassDef(name, value) for value, name in enumerate(["background", "cell", "a]b"]))
SETTINGS = Settings(classes=CLASSES)
EPS = Settings(classes=CLASSES, eps=1.0)
NAMED = Settings(classes=(*CLASSES[:2], ClassDef("c", 2)))

# Dice of cell: 0.5, 1 and undefined; of a]b: undefined, 0 and 0.5
ROWS = [
    counted_row("x", (4, 4, 4), (2, 2, 1), (0, 0, 0)),
    counted_row("y", (4, 4, 4), (2, 2, 2), (2, 2, 0)),
    counted_row("z", (4, 4, 4), (0, 0, 0), (2, 2, 1)),
]
RESULTS = summarized(SETTINGS, ROWS)
INCOMPLETE = summarized(SETTINGS, ROWS, [Failure("w", "p", "m", "no", "", "", "")])


def test_the_same_results_drop_by_nothing():
    (verdict,) = judge_drops(RESULTS, RESULTS, [parse_drop("0")], "main.json")
    assert (verdict.passed, verdict.value) == (True, 0.0)


def test_a_drop_is_a_drop_and_a_loss_drops_when_it_rises():
    worse = summarized(SETTINGS, [counted_row("x", (4, 4, 4), (2, 2, 0), (0, 0, 0)), *ROWS[1:]])
    drops = [parse_drop("dice[cell]=0.2"), parse_drop("dice[cell]=0.3"), parse_drop("loss[cell]=0.01")]
    verdicts = judge_drops(worse, RESULTS, drops, "main.json")
    assert [verdict.passed for verdict in verdicts] == [False, True, False]
    assert verdicts[0].value == 0.25
    better = judge_drops(RESULTS, worse, drops, "main.json")
    assert all(verdict.passed for verdict in better)


def test_a_drop_says_what_was_asked():
    (verdict,) = judge_drops(RESULTS, RESULTS, [parse_drop("image_mean:dice[cell]=0.1")], "main.json")
    assert (verdict.rule, verdict.operator, verdict.bound, verdict.value) == (
        "drop of image_mean:dice[cell] from 0.7500",
        "<=",
        0.1,
        0.0,
    )


def test_a_drop_that_is_just_allowed_passes():
    worse = summarized(SETTINGS, [counted_row("x", (4, 4, 4), (2, 2, 0), (0, 0, 0)), *ROWS[1:]])
    verdicts = judge_drops(worse, RESULTS, [parse_drop("dice[cell]=0.25"), parse_drop("dice[cell]=0.2499999999")], "m")
    assert [verdict.passed for verdict in verdicts] == [True, False]


def test_what_is_undefined_on_one_side_has_no_drop():
    """Without predicted pixels, precision is undefined; recall and Dice are 0."""
    defined = summarized(SETTINGS, [counted_row("x", (4, 4, 4), (2, 2, 1), (0, 0, 0))])
    undefined = summarized(SETTINGS, [counted_row("x", (4, 4, 4), (2, 0, 0), (0, 0, 0))])
    drop = [parse_drop("precision[cell]=0.9")]
    for results, baseline, was in (
        (undefined, defined, "0.5000"),
        (defined, undefined, "undefined"),
        (undefined, undefined, "undefined"),
    ):
        (verdict,) = judge_drops(results, baseline, drop, "main.json")
        assert (verdict.passed, verdict.value, verdict.reason) == (False, None, "undefined")
        assert verdict.rule == f"drop of precision[cell] from {was}"


def test_results_that_are_incomplete_never_pass():
    """Their missing images are not held against the baseline; their masks still are."""
    incomplete = summarized(SETTINGS, ROWS[:2], [Failure("z", "p", "m", "no", "", "", "")])
    (verdict,) = judge_drops(incomplete, RESULTS, [parse_drop("0.9")], "main.json")
    assert (verdict.passed, verdict.reason) == (False, "incomplete")
    shard = summarized(SETTINGS, ROWS, shard=Shard(1, 2, 6, ""))
    (verdict,) = judge_drops(shard, RESULTS, [parse_drop("0.9")], "main.json")
    assert (verdict.passed, verdict.reason) == (False, "incomplete")
    other = summarized(SETTINGS, [counted_row("x", (3, 4, 3), (3, 2, 1), (0, 0, 0)), *ROWS[1:]])
    with pytest.raises(InputError, match="other masks"):
        judge_drops(incomplete, other, [parse_drop("0.9")], "main.json")


def test_results_without_an_image_are_undefined():
    """Nothing was evaluated, so the classes may be unknown, and the baseline is not of another meaning."""
    for settings in (SETTINGS, Settings()):
        nothing = summarized(settings, [], [Failure("x", "p", "m", "no", "", "", "")])
        (verdict,) = judge_drops(nothing, RESULTS, [parse_drop("0.9")], "main.json")
        assert (verdict.passed, verdict.reason) == (False, "undefined")


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="there is no class 'nucleus'"):
        judge_drops(RESULTS, RESULTS, [parse_drop("dice[nucleus]=0.5")], "main.json")
    # also where nothing can be measured
    nothing = summarized(SETTINGS, [], [Failure("x", "p", "m", "no", "", "", "")])
    with pytest.raises(ConfigError, match="there is no class 'nucleus'"):
        judge_drops(nothing, RESULTS, [parse_drop("dice[nucleus]=0.5")], "main.json")


def test_a_class_of_the_baseline_alone_is_refused():
    nothing = summarized(NAMED, [], [Failure("x", "p", "m", "no", "", "", "")])
    with pytest.raises(ConfigError, match=r"there is no class 'a\]b'"):
        judge_drops(nothing, RESULTS, [parse_drop("dice[a]b]=0.5")], "main.json")


@pytest.mark.parametrize(
    ("baseline", "problem", "expected", "found"),
    [
        (
            summarized(EPS, ROWS),
            "has another signature than these results",
            "eps:1e-05",
            "eps:1.0",
        ),
        (
            summarized(NAMED, ROWS),
            "has other classes than these results",
            "background, cell, a]b",
            "background, cell, c",
        ),
        # an image fewer, an image more, and both
        (
            summarized(SETTINGS, ROWS[:2]),
            "is of other images than these results",
            "the same images",
            "not in the baseline: z",
        ),
        (
            summarized(SETTINGS, [*ROWS, counted_row("w", (1, 1, 1), (0, 0, 0), (0, 0, 0))]),
            "is of other images than these results",
            "the same images",
            "only in the baseline: w",
        ),
        (
            summarized(SETTINGS, [*ROWS[1:], counted_row("w", (1, 1, 1), (0, 0, 0), (0, 0, 0))]),
            "is of other images than these results",
            "the same images",
            "not in the baseline: x; only in the baseline: w",
        ),
        # the mask of y has other labels, or ignored pixels, or more pixels
        (
            summarized(SETTINGS, [ROWS[0], counted_row("y", (3, 4, 3), (3, 2, 2), (2, 2, 0)), ROWS[2]]),
            "was made with other masks than these results",
            "the same pixels and labels in each image",
            "differences in y",
        ),
        (
            summarized(SETTINGS, [ROWS[0], replace(ROWS[1], ignored=1), ROWS[2]]),
            "was made with other masks than these results",
            "the same pixels and labels in each image",
            "differences in y",
        ),
        (
            summarized(SETTINGS, [replace(ROWS[0], pixels=7), replace(ROWS[1], pixels=9), ROWS[2]]),
            "was made with other masks than these results",
            "the same pixels and labels in each image",
            "differences in x, y",
        ),
        (INCOMPLETE, "is incomplete, and cannot be a baseline", "", ""),
        (summarized(SETTINGS, []), "is incomplete, and cannot be a baseline", "", ""),
    ],
)
def test_a_baseline_of_something_else_is_refused(baseline, problem, expected, found):
    with pytest.raises(InputError) as caught:
        judge_drops(RESULTS, baseline, [parse_drop("0")], "main.json")
    error = caught.value
    assert (error.path, error.problem, error.expected, error.found) == ("main.json", problem, expected, found)
    assert "the baseline" in error.hint


REGIONS = replace(SETTINGS, regions=(Region("both", ("cell", "a]b")),))
MATRIX, WORSE = ((3, 0, 0), (0, 4, 0), (0, 1, 3)), ((3, 0, 2), (0, 4, 0), (0, 1, 1))


def test_a_drop_of_a_region():
    """Hit are 8 of 8 pixels, then 6; 8 are predicted, then 6."""
    before, after = (summarized(REGIONS, [confused_row("x", matrix, ((1, 2),))]) for matrix in (MATRIX, WORSE))
    verdicts = judge_drops(after, before, [parse_drop("dice[both]=0.14"), parse_drop("dice[both]=0.15")], "main.json")
    assert [verdict.passed for verdict in verdicts] == [False, True]
    assert verdicts[0].value == pytest.approx(1 - 12 / 14)


def test_a_baseline_of_other_regions_is_refused():
    plain, regions = summarized(SETTINGS, [confused_row("x", MATRIX)]), [confused_row("x", MATRIX, ((1, 2),))]
    with_regions = summarized(REGIONS, regions)
    other = summarized(replace(REGIONS, regions=(Region("both", ("cell", "background")),)), regions)
    for results, baseline, expected, found in (
        (plain, with_regions, "no regions", "regions:both=cell+a]b"),
        (with_regions, plain, "regions:both=cell+a]b", "no regions"),
        (with_regions, other, "regions:both=cell+a]b", "regions:both=background+cell"),
    ):
        with pytest.raises(InputError, match="another signature") as caught:
            judge_drops(results, baseline, [parse_drop("0")], "main.json")
        assert (caught.value.expected, caught.value.found) == (expected, found)


def test_what_is_known_of_a_baseline_before_the_evaluation_is_refused_before_it():
    check_baseline(SETTINGS, RESULTS, "main.json")
    # the classes are not known yet; an incomplete baseline is wrong for any
    check_baseline(Settings(eps=1.0), RESULTS, "main.json")
    for settings, baseline, match in (
        (Settings(), INCOMPLETE, "is incomplete"),
        (EPS, RESULTS, "another signature"),
        (NAMED, RESULTS, "other classes"),
    ):
        with pytest.raises(InputError, match=match):
            check_baseline(settings, baseline, "main.json")
    # the label of a single class is found in the masks
    one = summarized(Settings(classes=(ClassDef("cell", 255),)), [counted_row("x", (2, 2, 1))])
    check_baseline(Settings(classes=(ClassDef("cell", None),)), one, "main.json")


def test_twelve_images_are_named():
    rows = [counted_row(f"i{number:02}", (4, 4, 4), (2, 2, 1), (0, 0, 0)) for number in range(14)]
    twelve = ", ".join(f"i{number:02}" for number in range(12))
    with pytest.raises(InputError) as caught:
        judge_drops(summarized(SETTINGS, [*rows, ROWS[0]]), summarized(SETTINGS, ROWS[:1]), [], "main.json")
    assert caught.value.found == f"not in the baseline: {twelve} and 2 more"
    others = [replace(row, ignored=1) for row in rows]
    with pytest.raises(InputError) as caught:
        judge_drops(summarized(SETTINGS, rows), summarized(SETTINGS, others), [], "main.json")
    assert caught.value.found == f"differences in {twelve} and 2 more"


def cells(*counts: tuple[int, int, int], empty: str = "skip"):
    """Images of a background and a cell, of which truth, predicted and true positives are given; 20 pixels each."""
    settings = Settings(classes=CLASSES[:2], empty=empty)
    rows = []
    for place, (truth, predicted, hits) in enumerate(counts):
        others = 20 - truth - predicted + hits
        rows.append(counted_row(f"i{place}", (20 - truth, 20 - predicted, others), (truth, predicted, hits)))
    return summarized(settings, rows)


STRAY = summarized(
    SETTINGS, [counted_row("x", (8, 8, 8), (8, 8, 8), (0, 1, 0)), counted_row("y", (8, 8, 8), (8, 8, 8), (0, 0, 0))]
)
WORSE_ALL_OVER = summarized(
    SETTINGS, [counted_row("x", (8, 9, 7), (8, 7, 7), (0, 0, 0)), counted_row("y", (8, 9, 7), (8, 7, 7), (0, 0, 0))]
)


@pytest.mark.parametrize("aggregate", ["", "image_mean:", "image_min:", "image_p50:"])
def test_means_over_other_classes_are_not_compared(aggregate):
    """A stray pixel of a class that is absent counts 0; without it, the mean rises although every class fell."""
    drops = [parse_drop(f"{aggregate}{name}=0") for name in ("dice", "iou", "precision")]
    for after, before, side in ((WORSE_ALL_OVER, STRAY, "defined"), (STRAY, WORSE_ALL_OVER, "undefined")):
        for verdict in judge_drops(after, before, drops, "main.json"):
            assert (verdict.passed, verdict.reason) == (False, "incomparable")
            assert verdict.note == f"a]b {side} in the baseline alone"
    # who names the class says what counts
    (verdict,) = judge_drops(STRAY, WORSE_ALL_OVER, [parse_drop(f"{aggregate}dice[cell]=0")], "main.json")
    assert (verdict.passed, verdict.reason, verdict.note) == (True, "", "")
    # what is always defined, or follows from the truth alone, is over the same classes on both sides
    same = [parse_drop(f"{aggregate}{name}=9") for name in ("loss", "loss_present")]
    same += [parse_drop(f"{aggregate}{name}=0.9") for name in ("soft_dice", "recall", "specificity", "accuracy")]
    assert all(verdict.passed for verdict in judge_drops(WORSE_ALL_OVER, STRAY, same, "main.json"))


def test_where_nothing_is_undefined_nothing_is_refused():
    for empty in ("one", "zero"):
        filled = [summarized(replace(SETTINGS, empty=empty), side.images) for side in (STRAY, WORSE_ALL_OVER)]
        for verdict in judge_drops(*filled, [parse_drop("0.9"), parse_drop("image_mean:dice=0.9")], "main.json"):
            assert (verdict.passed, verdict.reason, verdict.note) == (True, "", "")


@pytest.mark.parametrize(
    "score", ["image_mean:dice[cell]", "image_mean:dice", "image_p10:dice[cell]", "image_p10:dice"]
)
def test_an_image_that_leaves_the_mean_does_not_hide_that_the_others_fell(score):
    """The cell of the last image is a false positive in the baseline, and gone: its 0 leaves the mean, which rises."""
    before = cells((10, 10, 9), (10, 10, 9), (0, 2, 0))
    after = cells((10, 10, 8), (10, 10, 8), (0, 0, 0))
    (verdict,) = judge_drops(after, before, [parse_drop(f"{score}=0.05")], "main.json")
    assert measure(after, parse_drop(f"{score}=0")[0]) > measure(before, parse_drop(f"{score}=0")[0])
    assert not verdict.passed
    assert verdict.note.endswith("with and without what is defined in one alone: cell in i2")
    # A false positive that came is a drop of the whole.
    (verdict,) = judge_drops(before, after, [parse_drop(f"{score}=0.05")], "main.json")
    assert not verdict.passed
    # The same but for what left the mean: nothing fell.
    gone = cells((10, 10, 9), (10, 10, 9), (0, 0, 0))
    (verdict,) = judge_drops(gone, before, [parse_drop(f"{score}=0")], "main.json")
    assert verdict.passed
    # Without the false positive, the background of its image rises from 36/38 to 1: a third of a half of that.
    rise = (1 - 36 / 38) / 6 if score == "image_mean:dice" else 0.0
    assert verdict.value == pytest.approx(-rise, abs=1e-15)


def test_a_precision_that_is_not_there_any_more_is_no_gain():
    """Nothing is predicted in the image whose precision was poor."""
    before = cells((10, 10, 9), (10, 10, 1))
    after = cells((10, 10, 9), (10, 0, 0))
    (verdict,) = judge_drops(after, before, [parse_drop("image_mean:precision[cell]=0.01")], "main.json")
    assert (verdict.passed, verdict.reason) == (False, "incomparable")
    assert verdict.note == "defined in the baseline alone, although the truth has it: cell in i1"


def test_a_table_gives_the_digits_of_the_summary():
    """Two ways to one number: over what both define, and over all."""
    rng = Random(3)
    for _ in range(20):
        found = cells(*[(rng.randrange(3), rng.randrange(9), 0) for _ in range(9)])
        for text in (
            "image_mean:dice",
            "image_mean:iou[cell]",
            "image_min:dice",
            "image_p35:precision",
            "image_max:iou",
        ):
            score, _ = parse_drop(f"{text}=0.1")
            assert value_of(table_of(found, score), score.aggregate) == measure(found, score)


def test_a_baseline_of_other_labels_is_refused_although_all_counts_agree():
    turned = summarized(SETTINGS, [replace(row, truth="0123456789abcdef") for row in ROWS])
    with pytest.raises(InputError, match="other masks") as caught:
        judge_drops(RESULTS, turned, [parse_drop("0.1")], "main.json")
    assert caught.value.found == "differences in x, y, z"
    # Where one side does not know its labels, their numbers are compared.
    old = summarized(SETTINGS, [replace(row, truth="") for row in ROWS])
    assert judge_drops(RESULTS, old, [parse_drop("0.1")], "main.json")[0].passed
    note = "whether the masks are those of main.json is known by their numbers of pixels alone in 3 of 3 images"
    assert unknown_truths(RESULTS, old, "main.json").startswith(note)
    assert unknown_truths(RESULTS, turned, "main.json") == ""


@pytest.mark.parametrize(
    ("bound", "passed"), [("0", False), ("1", False), ("2", True), ("39.9%", False), ("40%", True), ("all", True)]
)
def test_what_was_left_out_is_accepted_up_to_a_bound_on_both_sides(bound, passed):
    """Two of the five pairs that there should be."""
    left = summarized(SETTINGS, ROWS, left_out=["p/v.npy has no truth", "p/w.npy has no truth"])
    for results, baseline, where in ((left, RESULTS, ""), (RESULTS, left, "in the baseline, ")):
        (verdict,) = judge_drops(results, baseline, [parse_drop("0.1")], "main.json", Allowance(bound))
        assert verdict.passed is passed
        if not passed:
            assert verdict.reason == "incomplete"
            assert verdict.note == f"{where}2 of 5 pairs were left out (--allow-missing 2 accepts that)"
