"""What rules measure, and the verdicts on them: nothing is rounded, and undefined or incomplete never passes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import confused_row, counted_row, summarized

from softdice_cli.errors import ConfigError
from softdice_cli.gates import judge, measure, parse_rule, with_verdicts
from softdice_cli.records import Allowance, ClassDef, Failure, Region, Settings, Shard

CLASSES = tuple(ClassDef(name, value) for value, name in enumerate(["background", "cell", "a]b"]))
SETTINGS = Settings(classes=CLASSES)


# Dice of cell: 0.5, 1 and undefined; of a]b: undefined, 0 and 0.5
ROWS = [
    counted_row("x", (4, 4, 4), (2, 2, 1), (0, 0, 0)),
    counted_row("y", (4, 4, 4), (2, 2, 2), (2, 2, 0)),
    counted_row("z", (4, 4, 4), (0, 0, 0), (2, 2, 1)),
]
RESULTS = summarized(SETTINGS, ROWS)
INCOMPLETE = summarized(SETTINGS, ROWS, [Failure("w", "p", "m", "no", "", "", "")])
SHARD = summarized(SETTINGS, ROWS, shard=Shard(1, 2, 6, ""))
UNDEFINED = summarized(SETTINGS, ROWS[:1])


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("dice>0", (1 + 0.75 + 0.25) / 3),  # pooled mean: background 1, cell 6/8, a]b 2/8
        ("pooled:dice>0", (1 + 0.75 + 0.25) / 3),
        ("dice[cell]>0", 0.75),
        ("dice[1]>0", 0.75),  # by its place
        ("dice[a]b]>0", 0.25),  # a bracket in a name
        (" dice [cell] > 0".replace(" [", "["), 0.75),  # white space
        ("iou[cell]>0", 3 / 5),
        ("precision[cell]>0", 3 / 4),
        ("image_mean:dice[cell]>0", 0.75),  # over the two images where it is defined
        ("image_mean:dice>0", (1 + 0.75 + 0.25) / 3),
        ("image_min:dice[cell]>0", 0.5),
        ("image_max:dice[cell]>0", 1.0),
        ("image_p50:dice[cell]>0", 0.75),  # linear between neighbours
        ("image_p05:dice[cell]>0", 0.525),
        ("image_min:dice>0", 2 / 3),  # x (1 + 0.5)/2, y (1 + 1 + 0)/3, z (1 + 0.5)/2
        # of all classes together: right are 5 of 6, 6 of 8 and 5 of 6 pixels
        ("accuracy>0", 16 / 20),
        ("image_min:accuracy>0", 6 / 8),
        ("image_p25:accuracy>0", (6 / 8 + 5 / 6) / 2),
    ],
)
def test_what_a_rule_measures(rule, value):
    assert measure(RESULTS, parse_rule(rule).score) == pytest.approx(value, abs=1e-15)


REGIONS = replace(SETTINGS, regions=(Region("both", ("cell", "a]b")), Region("1st", ("background", "cell"))))
MEMBERS = ((1, 2), (0, 1))
# By predicted class (rows) and true class (columns): of "both", 4 of 4 + 5 pixels are hit, then 5 of 6 + 6.
IMAGES = (((3, 0, 0), (1, 2, 1), (0, 1, 0)), ((2, 1, 0), (0, 2, 1), (1, 1, 1)))


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("dice[both]>0", 2 * 9 / (10 + 11)),
        ("recall[both]>0", 9 / 10),
        ("image_mean:dice[both]>0", (8 / 9 + 10 / 12) / 2),
        ("image_min:dice[both]>0", 10 / 12),
        ("image_max:dice[1st]>0", 12 / 14),
        # a place is one of a class, and never of a region
        ("dice[1]>0", 2 * 4 / (7 + 7)),
        # the means are over the classes
        ("dice>0", (10 / 13 + 8 / 14 + 2 / 7) / 3),
        ("image_min:dice>0", (6 / 7 + 4 / 7 + 0) / 3),
    ],
)
def test_what_a_rule_on_a_region_measures(rule, value):
    found = summarized(REGIONS, [confused_row(f"i{n}", matrix, MEMBERS) for n, matrix in enumerate(IMAGES)])
    assert measure(found, parse_rule(rule).score) == pytest.approx(value, abs=1e-12)


def test_the_images_that_miss_a_rule_on_a_region_are_named():
    found = summarized(REGIONS, [confused_row(f"i{n}", matrix, MEMBERS) for n, matrix in enumerate(IMAGES)])
    (verdict,) = judge(found, [parse_rule("image_min:dice[both]>=0.85")])
    assert (verdict.passed, verdict.images) == (False, ("i1",))


def test_a_region_that_is_not_there_is_refused():
    with pytest.raises(ConfigError) as caught:
        judge(summarized(REGIONS, []), [parse_rule("dice[all]>0")])
    assert caught.value.problem == "dice[all]: there is no class or region 'all'"
    assert caught.value.expected == "one of background, cell, a]b, both, 1st"


def test_what_is_of_all_classes_together_is_refused_where_they_overlap():
    channels = Settings(classes=(ClassDef("a", None), ClassDef("b", None)), multilabel=True)
    for rule in ("accuracy>0", "image_min:accuracy>0"):
        with pytest.raises(ConfigError, match="there is none, because a pixel can be of several") as caught:
            judge(summarized(channels, []), [parse_rule(rule)])
        assert caught.value.expected.startswith("another metric: loss, soft_dice, dice")
    # a single channel, and one class against the rest
    for settings in (Settings(classes=channels.classes[:1], multilabel=True), replace(SETTINGS, only="cell")):
        assert judge(summarized(settings, []), [parse_rule("accuracy>0")])[0].reason == "undefined"


# The losses of a class that is half found, and of one that is missed; every other loss is 0.
HALF = -math.log((2 + 1e-5) / (4 + 1e-5))
MISSED = -math.log(1e-5 / (4 + 1e-5))


@pytest.mark.parametrize(
    ("rows", "rule", "value"),
    [
        # over all classes, or over the two that x shows
        (ROWS[:1], "loss<=1", HALF / 3),
        (ROWS[:1], "loss_present<=1", HALF / 2),
        (ROWS[:1], "image_mean:loss_present<=1", HALF / 2),
        # x and z show two classes, and y shows three
        (ROWS, "image_min:loss_present<=1", HALF / 2),
        (ROWS, "image_max:loss_present<=1", MISSED / 3),
        (ROWS, "image_p50:loss_present<=1", HALF / 2),
        (ROWS, "image_p50:loss<=1", HALF / 3),
        (ROWS, "image_max:loss<=1", MISSED / 3),
    ],
)
def test_losses_over_all_classes_and_over_those_that_are_there(rows, rule, value):
    assert measure(summarized(SETTINGS, rows), parse_rule(rule).score) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([], "dice>0"),
        ([], "image_min:dice>0"),
        (ROWS[:1], "dice[a]b]>0"),
        (ROWS[:1], "image_mean:dice[a]b]>0"),
        (ROWS[:1], "image_max:dice[a]b]>0"),
    ],
)
def test_what_no_image_defines_is_undefined(rows, rule):
    assert measure(summarized(SETTINGS, rows), parse_rule(rule).score) is None


@pytest.mark.parametrize(
    ("results", "rule", "passed", "reason"),
    [
        (RESULTS, "dice[cell]>=0.75", True, ""),  # equal is enough for >=
        (RESULTS, "dice[cell]>0.75", False, ""),  # and not for >
        (RESULTS, "dice[cell]>=0.7500000000000001", False, ""),  # nothing is rounded
        (RESULTS, "dice[cell]<=0.75", True, ""),
        (RESULTS, "dice[cell]<0.75", False, ""),
        (RESULTS, "loss<=100", True, ""),
        (UNDEFINED, "dice[a]b]>0", False, "undefined"),  # undefined never passes
        (UNDEFINED, "dice[a]b]<=0.9", False, "undefined"),
        (INCOMPLETE, "dice>0", False, "incomplete"),  # nor does incomplete
        (SHARD, "dice>0", False, "incomplete"),  # nor does a part
        (summarized(SETTINGS, []), "dice>0", False, "undefined"),
    ],
)
def test_verdicts(results, rule, passed, reason):
    (verdict,) = judge(results, [parse_rule(rule)])
    assert (verdict.passed, verdict.reason) == (passed, reason)
    assert verdict.rule == rule
    # A rule on the scores of all images does not name images.
    assert verdict.images == ()


def test_a_margin_is_below_0_on_the_wrong_side():
    above, below = judge(RESULTS, [parse_rule("dice[cell]>=0.8"), parse_rule("dice[cell]<=0.8")])
    assert above.margin == pytest.approx(-0.05)
    assert below.margin == pytest.approx(0.05)


def test_the_images_that_do_not_meet_a_rule_are_named_worst_first():
    (verdict,) = judge(RESULTS, [parse_rule("image_min:dice[a]b]>=0.6")])
    assert verdict.images == ("y", "z")
    (verdict,) = judge(RESULTS, [parse_rule("image_max:dice[cell]<=0.4")])
    assert verdict.images == ("y", "x")
    # x and z are equally bad, and y is worse
    (verdict,) = judge(RESULTS, [parse_rule("image_min:dice>=0.9")])
    assert verdict.images == ("y", "x", "z")
    # by the place of the class
    (verdict,) = judge(RESULTS, [parse_rule("image_max:dice[1]<=0.4")])
    assert verdict.images == ("y", "x")
    (verdict,) = judge(RESULTS, [parse_rule("image_min:accuracy>=0.8")])
    assert verdict.images == ("y",)


def test_images_are_named_only_where_a_rule_is_not_met():
    """Incomplete results never pass, but the images that are there may all meet the rule."""
    rule = parse_rule("image_p50:dice[cell]>=0.7")
    (verdict,) = judge(RESULTS, [rule])
    assert (verdict.passed, verdict.images) == (True, ())
    (verdict,) = judge(INCOMPLETE, [rule])
    assert (verdict.passed, verdict.reason, verdict.images) == (False, "incomplete", ())
    # Where it is undefined, no image has a score that could miss the bound.
    (verdict,) = judge(UNDEFINED, [parse_rule("image_min:dice[a]b]>=0.5")])
    assert (verdict.passed, verdict.reason, verdict.images) == (False, "undefined", ())


def test_results_carry_their_verdicts():
    verdicts = judge(RESULTS, [parse_rule("dice>=0.9"), parse_rule("dice>=0.1")])
    judged = with_verdicts(RESULTS, verdicts)
    assert judged.requirements == tuple(verdicts)
    assert judged.run == RESULTS.run


def test_a_class_that_is_not_there_is_a_usage_error_that_lists_those_that_are():
    with pytest.raises(ConfigError, match="there is no class 'nucleus'") as caught:
        judge(RESULTS, [parse_rule("dice[nucleus]>=0.5")])
    assert caught.value.expected == "one of background, cell, a]b"
    # also where nothing can be measured
    with pytest.raises(ConfigError, match="there is no class 'nucleus'"):
        judge(summarized(SETTINGS, []), [parse_rule("dice[nucleus]>=0.5")])


def test_the_images_of_a_rule_are_the_twenty_worst():
    rows = [counted_row(f"i{number:02}", (100, 100, 100), (100, 100, number), (0, 0, 0)) for number in range(30)]
    (verdict,) = judge(summarized(SETTINGS, rows), [parse_rule("image_min:dice[cell]>=0.9")])
    assert verdict.images == tuple(f"i{number:02}" for number in range(20))
    (verdict,) = judge(summarized(SETTINGS, rows), [parse_rule("image_max:loss[cell]<=-1")])
    assert len(verdict.images) == 20
    assert verdict.images[0] == "i00"


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        ("dice>0.1", "over 2 of 3 classes, without a]b"),
        ("image_mean:iou>0.1", "over 2 of 3 classes, without a]b"),
        ("image_min:dice>0.1", "over 2 of 3 classes, without a]b"),
        ("loss_present<=9", "over 2 of 3 classes, without a]b"),
        # a class of its own, and what is always defined
        ("dice[cell]>0.1", ""),
        ("loss<=99", ""),
        ("accuracy>0.1", ""),
    ],
)
def test_a_verdict_says_how_many_classes_stand_behind_a_mean(rule, note):
    found = summarized(SETTINGS, [counted_row("x", (4, 4, 4), (2, 2, 1), (0, 0, 0))])
    (verdict,) = judge(found, [parse_rule(rule)])
    assert (verdict.passed, verdict.note) == (True, note)


def test_results_in_which_something_was_left_out_pass_within_a_bound_alone():
    found = summarized(SETTINGS, [counted_row("x", (4, 4, 4), (2, 2, 1), (1, 1, 1))], left_out=["p/v.npy has no truth"])
    assert not found.complete
    rules = [parse_rule("dice>0.1")]
    (verdict,) = judge(found, rules)
    assert (verdict.passed, verdict.reason) == (False, "incomplete")
    assert verdict.note == "1 of 2 pairs were left out (--allow-missing 1 accepts that)"
    for bound, passed in (("1", True), ("50%", True), ("49.999%", False), ("all", True)):
        assert judge(found, rules, Allowance(bound))[0].passed is passed
