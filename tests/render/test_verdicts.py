"""Verdicts in words and numbers, and that every output says the same verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import pytest
from rendered import NORMAL, results

from softdice_cli.records import Verdict
from softdice_cli.render import Format, Page, to_text
from softdice_cli.render.content import Section
from softdice_cli.render.table import section_lines
from softdice_cli.render.verdicts import margin_text, requirement_table, rule_text, verdict_number


def test_the_verdict_table():
    found = results("dice>=0.5", "image_min:dice[cell]>=0.6", "iou>=0.44444445", "dice[pole]>0", images=("x", "y"))
    section = Section("requirements", "", table=requirement_table(found.requirements))
    (drawn,) = section_lines(section, Page())
    lines = drawn.splitlines()
    assert [line.split() for line in lines[0:1] + lines[2:]] == [
        ["rule", "value", "margin", "verdict"],
        ["dice>=0.5", "0.5000", "0.0000", "met"],
        ["image_min:dice[cell]>=0.6", "0.5000", "-0.1000", "not", "met"],
        ["x"],
        ["y"],
        ["iou>=0.44444445", "0.44444444", "-0.00000001", "not", "met"],
        ["dice[pole]>0", "0.0000", "0.0000", "not", "met"],
    ]


@pytest.mark.parametrize(
    ("value", "bound", "texts"),
    [
        (0.9, 0.85, ("0.9000", "0.8500")),
        (0.85, 0.85, ("0.8500", "0.8500")),
        (0.84999996, 0.85, ("0.84999996", "0.85000000")),  # not 0.8500
        (0.85000004, 0.85, ("0.85000004", "0.85000000")),
        (0.7499999999999999, 0.75, ("0.7499999999999999", "0.7500000000000000")),  # the next number below
        (2 / 3, 2 / 3, ("0.6666666666666666", "0.6666666666666666")),  # equal: what the rule says in full
        (0.1235, 0.12346, ("0.12350", "0.12346")),
        (None, 0.85, ("–", "0.8500")),
        (None, 0.123456, ("–", "0.123456")),
        (-0.0, 0.5, ("0.0000", "0.5000")),
        (-0.00001, 0.0, ("-0.00001", "0.00000")),  # a drop that is a gain
        (1e-300, 0.0, ("1e-300", "0.0")),
        (0.5, 1e300, ("0.5000", "1e+300")),  # not a page of digits
        (0.0, 1e-300, ("0.0", "1e-300")),
    ],
)
def test_digits_explain_the_verdict(value, bound, texts):
    assert verdict_number(value, bound) == texts


@pytest.mark.parametrize(
    ("value", "operator", "bound", "text"),
    [
        (0.9, ">=", 0.85, "+0.0500"),
        (0.8, ">=", 0.85, "-0.0500"),
        (0.8, "<=", 0.85, "+0.0500"),
        (0.85, ">", 0.85, "0.0000"),
        (0.84999996, ">=", 0.85, "-0.00000004"),
        (None, ">=", 0.85, "–"),
    ],
)
def test_a_margin_is_never_shown_as_nothing_where_there_is_one(value, operator, bound, text):
    assert margin_text(Verdict("r", value, operator, bound, False)) == text


@pytest.mark.parametrize(
    ("rule", "operator", "bound", "text"),
    [
        ("dice>=0.85", ">=", 0.85, "dice>=0.85"),
        ("dice >= .85", ">=", 0.85, "dice >= .85"),
        ("drop of dice from 0.85", "<=", 0.01, "drop of dice from 0.85 <= 0.0100"),  # does not say what is allowed
        ("drop of dice[a<=0.01] from 0.01", "<=", 0.01, "drop of dice[a<=0.01] from 0.01 <= 0.0100"),
        ("--fail-under 0.85", ">=", 0.85, "--fail-under 0.85 >= 0.8500"),
    ],
)
def test_a_rule_always_says_what_it_demands(rule, operator, bound, text):
    assert rule_text(Verdict(rule, 0.5, operator, bound, False)) == text


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (results("dice>=0.4"), "passed"),
        (results("dice>=0.4", "dice>=0.9"), "failed"),
        (results("dice>=0.4", failures=["w"]), "incomplete"),  # whatever the value
        (results(failures=["w"]), "incomplete"),
        (results(images=()), "incomplete"),  # nothing to evaluate is never green
        (results(images=(), failures=["w"]), "incomplete"),
        (results(), "no requirements"),
    ],
)
def test_the_verdict_stands_first_in_a_comment_and_in_the_notice(found, word):
    assert to_text(found, "markdown").startswith(f"### softdice: {word}\n")
    assert to_text(found, "github").splitlines()[-1].startswith(f"::notice title=softdice%3A {word}::")


def test_nothing_to_evaluate_is_an_error_everywhere():
    found = results("dice>=0.4", images=())
    assert [line.split(" ")[0] for line in to_text(found, "github").splitlines()] == ["::error", "::notice"]
    assert "nothing was evaluated, 1 of 1 requirement not met" in to_text(found, "markdown")
    assert ElementTree.fromstring(to_text(found, "junit")).find(".//error").get("message") == "nothing was evaluated"


@pytest.mark.parametrize("format", get_args(Format))
def test_the_same_results_give_the_same_bytes(format):
    found = replace(NORMAL, confusion=((1, 2, 0), (3, 4, 0), (0, 0, 5)))
    assert to_text(found, format) == to_text(replace(found), format)
    assert to_text(found, format).encode().endswith(b"\n")
