"""Failed pairs in groups: what is alike, what is not, and which pair stands for the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rendered import failed, failure, results, unlike

from softdice_cli.records import Failure
from softdice_cli.render import Page
from softdice_cli.render.failures import grouped
from softdice_cli.render.table import table_text
from softdice_cli.render.text import ADVISED


def pair(name: str, error: str, hint: str = "", found: str = "") -> Failure:
    return Failure(name, f"p/{name}.npy", f"g/{name}.png", error, "", found, hint)


@pytest.mark.parametrize(
    ("failures", "subjects"),
    [
        # the same sentence about the prediction, whatever was found
        (
            [pair("a", "p/a.npy: is empty", "", "0 bytes"), pair("b", "p/b.npy: is empty", "", "none")],
            ["2 pairs (a, b)"],
        ),
        # not the same file of the pair
        ([pair("a", "p/a.npy: is empty"), pair("b", "g/b.png: is empty")], ["a", "b"]),
        # another sentence, and the same one with something else to try
        ([pair("a", "p/a.npy: is empty"), pair("b", "p/b.npy: is broken")], ["a", "b"]),
        ([pair("a", "x", "--ignore 1"), pair("b", "x", "--ignore 2")], ["a", "b"]),
        # a file is also left out of what to try, and where it is named within the sentence
        (
            [
                pair("a", "p/a.npy: is not of g/a.png", "look at p/a.npy"),
                pair("b", "p/b.npy: is not of g/b.png", "look at p/b.npy"),
            ],
            ["2 pairs (a, b)"],
        ),
        # the most first; equally many in their order; only the first are named
        (
            [pair("z", "x"), *(pair(f"i{n}", "y") for n in range(4)), pair("a", "w")],
            ["4 pairs (e.g. i0, i1, i2)", "z", "a"],
        ),
        ([pair(f"i{n}", "y") for n in range(3)], ["3 pairs (i0, i1, i2)"]),
        ([], []),
    ],
)  # fmt: skip
def test_what_is_alike_is_one_group(failures, subjects):
    groups = grouped(failures)
    assert [group.subject for group in groups] == subjects
    assert sorted((f for group in groups for f in group.failures), key=lambda f: f.id) == sorted(
        failures, key=lambda f: f.id
    )


def test_paths_that_hold_each_other_or_are_empty_are_told_apart():
    inner = Failure("a", "m", "m.png", "m.png: is empty", "", "", "")
    assert len(grouped([inner, Failure("b", "n", "n.png", "n.png: is empty", "", "", "")])) == 1
    assert len(grouped([inner, Failure("c", "n", "n.png", "n: is empty", "", "", "")])) == 2
    assert len(grouped([Failure("a", "", "", "lost", "", "", ""), Failure("b", "", "", "lost", "", "", "")])) == 1


def test_the_table_says_what_to_try_once_a_kind():
    text = table_text(failed(results(), [failure(f"w{n:03}") for n in range(200)]), Page())
    assert (
        """\
INCOMPLETE: 200 pairs failed
  200 pairs (e.g. w000, w001, w002): cannot be read
    expected a PNG
    found 7 bytes
    try look at it
softdice:1"""
        in text
    )


def test_many_kinds_get_a_line_each():
    names = [f"w{n:03}" for n in range(200)]
    text = table_text(failed(results(), unlike(names)), Page())
    assert all(f"  {name}: cannot be read at byte" in text for name in names)
    assert text.count("    try look at it") == ADVISED


def test_many_files_without_a_partner_are_cut_for_people():
    found = results()
    run = replace(found.run, left_out=tuple(f"f{number:03}" for number in range(40)))
    text = "".join(table_text(replace(found, run=run), Page()))
    assert "left out: 40 files" in text
    assert "f011" in text
    assert "f012" not in text
    assert "and 28 more; JSON and CSV list them all" in text
