"""The language of rules: what can be read, and what is said about the rest."""

from __future__ import annotations

import pytest

from softdice_cli.errors import ConfigError
from softdice_cli.gates import parse_drop, parse_rule


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
