"""Drops against a baseline: how they are judged, and which baselines are refused."""

from __future__ import annotations

import pytest
from builders import counted_row, summarized

from softdice_cli.errors import InputError
from softdice_cli.gates import judge_drops, parse_drop
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


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        (summarized(Settings(classes=CLASSES, eps=1.0), ROWS), "another signature"),
        (summarized(Settings(classes=(*CLASSES[:2], ClassDef("c", 2))), ROWS), "other classes"),
        (summarized(SETTINGS, ROWS[:2]), "other images"),
        (summarized(SETTINGS, [*ROWS, counted_row("w", (1, 1, 1), (0, 0, 0), (0, 0, 0))]), "other images"),
        (INCOMPLETE, "incomplete"),
    ],
)
def test_a_baseline_of_something_else_is_refused(baseline, says):
    with pytest.raises(InputError, match=says) as caught:
        judge_drops(RESULTS, baseline, [parse_drop("0")], "main.json")
    assert caught.value.path == "main.json"
