"""What rules measure, and the verdicts on them: nothing is rounded, and undefined or incomplete never passes."""

from __future__ import annotations

import pytest
from builders import counted_row, summarized

from softdice_cli.errors import ConfigError
from softdice_cli.gates import judge, measure, parse_rule
from softdice_cli.records import ClassDef, Failure, Settings

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


def test_a_class_that_is_not_there_is_a_usage_error_that_lists_those_that_are():
    with pytest.raises(ConfigError, match="there is no class 'nucleus'") as caught:
        judge(RESULTS, [parse_rule("dice[nucleus]>=0.5")])
    assert caught.value.expected == "one of background, cell, a]b"


def test_the_images_of_a_rule_are_the_twenty_worst():
    rows = [counted_row(f"i{number:02}", (100, 100, 100), (100, 100, number), (0, 0, 0)) for number in range(30)]
    (verdict,) = judge(summarized(SETTINGS, rows), [parse_rule("image_min:dice[cell]>=0.9")])
    assert verdict.images == tuple(f"i{number:02}" for number in range(20))
    (verdict,) = judge(summarized(SETTINGS, rows), [parse_rule("image_max:loss[cell]<=-1")])
    assert len(verdict.images) == 20
    assert verdict.images[0] == "i00"
