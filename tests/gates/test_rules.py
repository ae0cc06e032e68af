"""The language of rules: what can be read, and what is said about the rest."""

from __future__ import annotations

import pytest

from softdice_cli.errors import ConfigError
from softdice_cli.gates import check_scores, parse_drop, parse_rule
from softdice_cli.gates.rules import name_in
from softdice_cli.records import ClassDef, Settings

# The second class is called like the place of the third one.
NUMBERS = Settings(classes=(ClassDef("sky", 0), ClassDef("2", 1), ClassDef("pole", 2)))


@pytest.mark.parametrize(
    ("text", "shown", "metric"),
    [
        ("dice>=0.85", "dice>=0.85", "dice"),
        # white space, and an aggregate that need not be written
        ("  pooled : dice[cell]  >  .70", "dice[cell]>0.7", "dice"),
        ("  image_p05:iou <= 0.5", "image_p05:iou<=0.5", "iou"),
        # a bound of more than six digits is shown whole
        ("dice<0.12345678", "dice<0.12345678", "dice"),
        # a loss has no greatest bound
        ("image_max:loss_present<=40", "image_max:loss_present<=40", "loss"),
        ("accuracy>=1", "accuracy>=1", "accuracy"),
        # a class may hold what ends a class or an aggregate
        ("dice[a:b]>=0.5", "dice[a:b]>=0.5", "dice"),
        ("dice[a]=b]>=0.5", "dice[a]=b]>=0.5", "dice"),
    ],
)
def test_rules(text, shown, metric):
    rule = parse_rule(text)
    assert rule.text == shown
    assert rule.score.metric.name == metric


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        (">=", False, True, True),
        (">", False, False, True),
        ("<=", True, True, False),
        ("<", True, False, False),
    ],
)
def test_operators(operator, below, at, above):
    rule = parse_rule(f"dice{operator}0.5")
    assert rule.operator == operator
    assert [rule.holds(value) for value in (0.25, 0.5, 0.75)] == [below, at, above]


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
        ("dice>=85", 7, "a number from 0 to 1, as dice is"),
        ("iou<=-0.1", 6, "a number from 0 to 1"),
        ("dice[cell>=0.8", 5, "a class in brackets"),
        ("mean:dice>=0.8", 1, "an aggregate: pooled, image_mean, image_min, image_max, image_pNN"),
        ("image_p5x:dice>=0.8", 1, "an aggregate"),
        ("loss_present[cell]<=0.9", 13, "no class: loss_present is a mean over classes"),
        ("accuracy[cell]<=0.9", 9, "no class: accuracy is of all classes together"),
        ("loss<=inf", 7, "a number"),
        ("image_p100:dice>=0.8", 1, "an aggregate"),
    ],
)
def test_a_rule_that_cannot_be_read_points_at_the_character(text, place, expected):
    with pytest.raises(ConfigError, match=rf"at character {place}\b") as caught:
        parse_rule(text)
    assert caught.value.expected.startswith(expected)
    assert caught.value.option == "require"


def test_an_error_shows_what_stands_there_and_what_a_rule_looks_like():
    with pytest.raises(ConfigError) as caught:
        parse_rule("dice~0.123456789012345678901234567890")
    assert caught.value.problem == "'dice~0.123456789012345678901234567890' cannot be read at character 5"
    assert caught.value.option == "require"
    assert caught.value.found == "'~0.12345678901234567'"
    assert "e.g. dice>=0.85" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        parse_rule("dice>=85.0", "fail_under")
    assert (caught.value.option, caught.value.hint) == ("fail_under", "a number from 0 to 1, e.g. --fail-under 0.85")
    with pytest.raises(ConfigError) as caught:
        parse_rule("dice")
    assert caught.value.found == "the end"


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


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", 1, "a metric"),
        ("nan", 1, "a metric"),
        ("dise=0.1", 1, "a metric"),
        ("-1", 1, "a number that is not below 0"),
        ("dice=-0.1", 6, "a number that is not below 0"),
        ("0.1x", 1, "a number"),
        ("dice=nan", 6, "a number"),
        # what stands in place of = is never skipped
        ("dice", 5, "= and a number"),
        ("dice>0.1", 5, "= and a number"),
        ("dice>=1", 5, "= and a number"),
        ("dice[cell]", 5, "a class in brackets"),
        ("dice[cell]>0.1", 11, "= and a number"),
    ],
)
def test_a_drop_that_cannot_be_read(text, place, expected):
    with pytest.raises(ConfigError, match=rf"at character {place}\b") as caught:
        parse_drop(text)
    assert caught.value.expected.startswith(expected)
    assert caught.value.option == "max_drop"


def test_a_class_is_known_by_its_name_before_its_place():
    names = [name_in(parse_rule(f"dice[{of}]>0").score, NUMBERS) for of in ("pole", "2", "1", "0")]
    assert names == ["pole", "2", "2", "sky"]
    assert name_in(parse_rule("dice>0").score, NUMBERS) is None


def test_a_class_that_is_not_scored_has_no_place():
    """Without the background, the first class cannot be asked for, and the others keep their places."""
    settings = Settings(classes=NUMBERS.classes, background=False)
    assert name_in(parse_rule("dice[1]>0").score, settings) == "2"
    for of in ("sky", "0", "3"):
        with pytest.raises(ConfigError) as caught:
            name_in(parse_rule(f"image_min:dice[{of}]>0").score, settings)
        assert caught.value.problem == f"image_min:dice[{of}]: there is no class '{of}'"
        assert caught.value.expected == "one of 2, pole"


def test_classes_are_checked_as_soon_as_they_are_known():
    scores = [parse_rule(text).score for text in ("dice>0", "dice[pole]>0", "dice[cell]>0")]
    check_scores(scores, Settings())
    check_scores(scores[:2], NUMBERS)
    with pytest.raises(ConfigError, match="no class 'cell'"):
        check_scores(scores, NUMBERS)


@pytest.mark.parametrize("text", ["dice>=0", "dice<=1", "image_min:iou[cell]>=0", "accuracy<=1", "specificity>=0.0"])
def test_a_rule_that_every_value_meets_is_refused(text):
    with pytest.raises(ConfigError, match="is met by every value") as caught:
        parse_rule(text)
    assert caught.value.expected.startswith("a bound that")
    parse_rule(text.replace(">=", ">").replace("<=", "<"))


@pytest.mark.parametrize("text", ["1", "2.5", "dice[cell]=1", "image_p05:accuracy=1.0"])
def test_a_drop_that_nothing_exceeds_is_refused(text):
    with pytest.raises(ConfigError, match="is met by every value"):
        parse_drop(text)
    parse_drop("0.999")
    # a loss has no greatest value
    parse_drop("loss=100")
