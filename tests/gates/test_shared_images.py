"""Where pairs lacked a file, two results are judged over the images that both have, within a bound."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import counted_row

from softdice_cli.errors import InputError
from softdice_cli.gates import judge_drops, over_shared_images, parse_drop
from softdice_cli.records import Allowance, ClassDef, Run, Settings
from softdice_cli.scores import summarize

SETTINGS = Settings(classes=(ClassDef("background", 0), ClassDef("cell", 1)))


def results(*names, left_out=()):
    rows = tuple(counted_row(name, (10, 10, 9), (10, 10, 9)) for name in names)
    return summarize(Run(settings=SETTINGS, rows=rows, left_out=tuple(left_out)))


@pytest.mark.parametrize(("bound", "judged"), [("0", False), ("1", True), ("10%", False), ("25%", True)])
def test_the_bound_decides(bound, judged):
    mine = results("a", "b", "c", left_out=["d has no prediction"])
    theirs = results("a", "b", "c", "d")
    drops = [parse_drop("0.1")]
    if not judged:
        with pytest.raises(InputError, match="of other images") as caught:
            judge_drops(mine, theirs, drops, "main.json", Allowance(bound))
        assert "--allow-missing 1" in caught.value.hint
        return
    (verdict,) = judge_drops(mine, theirs, drops, "main.json", Allowance(bound))
    assert (verdict.passed, verdict.value, verdict.note) == (True, 0.0, "over the 3 of 4 images that both have")


def test_only_what_both_have_counts():
    """The image that is missing was the best one, and its absence is not a drop."""
    theirs = results("a", "b")
    best = counted_row("c", (10, 10, 10), (10, 10, 10))
    theirs = summarize(replace(theirs.run, rows=(*theirs.run.rows, best)))
    mine, before, note = over_shared_images(results("a", "b"), theirs, Allowance("1"))
    assert note == "over the 2 of 3 images that both have"
    assert mine.pooled.means.dice == before.pooled.means.dice == pytest.approx(0.9)


def test_nothing_in_common_stays_as_it_is():
    mine, theirs = results("a"), results("b")
    assert over_shared_images(mine, theirs, Allowance("5")) == (mine, theirs, "")
