"""Rules, verdicts, baselines: pure, and never rounded."""

from __future__ import annotations

import pytest
from builders import image_row, summarized

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.gates import judge, judge_drops, measure, parse_drop, parse_rule
from softdice_cli.records import ClassDef, Failure, ImageRow, Settings

CLASSES = tuple(ClassDef(name, value) for value, name in enumerate(["background", "cell", "a]b"]))
SETTINGS = Settings(classes=CLASSES)


def image(name: str, *counts: tuple[int, int, int]) -> ImageRow:
    """Truth, predicted and true positives of each class; the soft sums are the hard ones."""
    return image_row(name, *((float(p), float(hits), t, p, hits) for t, p, hits in counts))


# Dice of cell: 0.5, 1 and undefined; of a]b: undefined, 0 and 0.5
ROWS = [
    image("x", (4, 4, 4), (2, 2, 1), (0, 0, 0)),
    image("y", (4, 4, 4), (2, 2, 2), (2, 2, 0)),
    image("z", (4, 4, 4), (0, 0, 0), (2, 2, 1)),
]
RESULTS = summarized(SETTINGS, ROWS)
INCOMPLETE = summarized(SETTINGS, ROWS, [Failure("w", "p", "m", "no", "", "", "")])
UNDEFINED = summarized(SETTINGS, ROWS[:1])


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("dice>=0", (1 + 0.75 + 0.25) / 3),  # pooled mean: background 1, cell 6/8, a]b 2/8
        ("pooled:dice>=0", (1 + 0.75 + 0.25) / 3),
        ("dice[cell]>=0", 0.75),
        ("dice[1]>=0", 0.75),  # by its place
        ("dice[a]b]>=0", 0.25),  # a bracket in a name
        (" dice [cell] >= 0".replace(" [", "["), 0.75),  # white space
        ("iou[cell]>0", 3 / 5),
        ("precision[cell]>0", 3 / 4),
        ("image_mean:dice[cell]>0", 0.75),  # over the two images where it is defined
        ("image_mean:dice>0", (1 + 0.75 + 0.25) / 3),
        ("image_min:dice[cell]>0", 0.5),
        ("image_max:dice[cell]>0", 1.0),
        ("image_p50:dice[cell]>0", 0.75),  # linear between neighbours
        ("image_p05:dice[cell]>0", 0.525),
        ("image_min:dice>0", 2 / 3),  # x (1 + 0.5)/2, y (1 + 1 + 0)/3, z (1 + 0.5)/2
    ],
)
def test_what_a_rule_measures(rule, value):
    assert measure(RESULTS, parse_rule(rule).score) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    ("results", "rule", "passed", "reason"),
    [
        (RESULTS, "dice[cell]>=0.75", True, ""),  # equal is enough for >=
        (RESULTS, "dice[cell]>0.75", False, ""),  # and not for >
        (RESULTS, "dice[cell]>=0.7500000000000001", False, ""),  # nothing is rounded
        (RESULTS, "dice[cell]<=0.75", True, ""),
        (RESULTS, "dice[cell]<0.75", False, ""),
        (RESULTS, "loss<=100", True, ""),
        (UNDEFINED, "dice[a]b]>=0", False, "undefined"),  # undefined never passes
        (UNDEFINED, "dice[a]b]<=1", False, "undefined"),
        (INCOMPLETE, "dice>=0", False, "incomplete"),  # nor does incomplete
    ],
)
def test_verdicts(results, rule, passed, reason):
    (verdict,) = judge(results, [parse_rule(rule)])
    assert (verdict.passed, verdict.reason) == (passed, reason)


def test_a_margin_is_below_0_on_the_wrong_side():
    above, below = judge(RESULTS, [parse_rule("dice[cell]>=0.8"), parse_rule("dice[cell]<=0.8")])
    assert above.margin == pytest.approx(-0.05)
    assert below.margin == pytest.approx(0.05)


def test_the_images_that_sank_a_rule_are_named_worst_first():
    (verdict,) = judge(RESULTS, [parse_rule("image_min:dice[a]b]>=0.6")])
    assert verdict.images == ("y", "z")
    (verdict,) = judge(RESULTS, [parse_rule("image_max:dice[cell]<=0.4")])
    assert verdict.images == ("y", "x")


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", 1, "a metric"),
        ("dise>=0.8", 1, "a metric: loss, soft_dice, dice"),
        ("dice", 5, "an operator"),
        ("dice=0.8", 5, "an operator"),
        ("dice>=", 7, "a number"),
        ("dice>=high", 7, "a number"),
        ("dice>=nan", 7, "a number"),
        ("dice>=0.8x", 7, "a number"),
        ("dice>=85", 7, "a number from 0 to 1"),
        ("iou<=-0.1", 6, "a number from 0 to 1"),
        ("dice[cell>=0.8", 5, "a class in brackets"),
        ("mean:dice>=0.8", 1, "an aggregate: pooled, image_mean"),
        ("image_p5x:dice>=0.8", 1, "an aggregate"),
        ("loss_present[cell]<=1", 13, "no class"),
    ],
)
def test_a_rule_that_cannot_be_read_points_at_the_character(text, place, expected):
    with pytest.raises(ConfigError, match=rf"at character {place}\b") as caught:
        parse_rule(text)
    assert expected in caught.value.expected


def test_a_class_that_is_not_there_is_a_usage_error_that_lists_those_that_are():
    with pytest.raises(ConfigError, match="there is no class 'nucleus'") as caught:
        judge(RESULTS, [parse_rule("dice[nucleus]>=0.5")])
    assert caught.value.expected == "one of background, cell, a]b"


@pytest.mark.parametrize(
    ("text", "score", "drop"),
    [
        ("0.01", "dice", 0.01),
        ("0", "dice", 0.0),
        ("dice[cell]=0.02", "dice[cell]", 0.02),
        ("image_mean:iou=.5", "image_mean:iou", 0.5),
        ("dice[a]b]=0", "dice[a]b]", 0.0),
    ],
)
def test_drops(text, score, drop):
    found, allowed = parse_drop(text)
    assert (found.text, allowed) == (score, drop)


@pytest.mark.parametrize("text", ["", "-1", "dice", "dice>=1", "dice=-0.1", "dice[cell]", "nan"])
def test_a_drop_that_cannot_be_read(text):
    with pytest.raises(ConfigError, match="max_drop"):
        parse_drop(text)


def test_the_same_results_drop_by_nothing():
    (verdict,) = judge_drops(RESULTS, RESULTS, [parse_drop("0")], "main.json")
    assert (verdict.passed, verdict.value) == (True, 0.0)


def test_a_drop_is_a_drop_and_a_loss_drops_when_it_rises():
    worse = summarized(SETTINGS, [image("x", (4, 4, 4), (2, 2, 0), (0, 0, 0)), *ROWS[1:]])
    drops = [parse_drop("dice[cell]=0.2"), parse_drop("dice[cell]=0.3"), parse_drop("loss[cell]=0.01")]
    verdicts = judge_drops(worse, RESULTS, drops, "main.json")
    assert [verdict.passed for verdict in verdicts] == [False, True, False]
    assert verdicts[0].value == 0.25
    better = judge_drops(RESULTS, worse, drops, "main.json")
    assert all(verdict.passed for verdict in better)


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        (summarized(Settings(classes=CLASSES, eps=1.0), ROWS), "another signature"),
        (summarized(Settings(classes=(*CLASSES[:2], ClassDef("c", 2))), ROWS), "other classes"),
        (summarized(SETTINGS, ROWS[:2]), "other images"),
        (summarized(SETTINGS, [*ROWS, image("w", (1, 1, 1), (0, 0, 0), (0, 0, 0))]), "other images"),
        (INCOMPLETE, "incomplete"),
    ],
)
def test_a_baseline_of_something_else_is_refused(baseline, says):
    with pytest.raises(InputError, match=says) as caught:
        judge_drops(RESULTS, baseline, [parse_drop("0")], "main.json")
    assert caught.value.path == "main.json"


def test_the_images_of_a_rule_are_the_twenty_worst():
    rows = [image(f"i{number:02}", (100, 100, 100), (100, 100, number), (0, 0, 0)) for number in range(30)]
    (verdict,) = judge(summarized(SETTINGS, rows), [parse_rule("image_min:dice[cell]>=0.9")])
    assert verdict.images == tuple(f"i{number:02}" for number in range(20))
    (verdict,) = judge(summarized(SETTINGS, rows), [parse_rule("image_max:loss[cell]<=-1")])
    assert len(verdict.images) == 20
    assert verdict.images[0] == "i00"
