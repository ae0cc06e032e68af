"""What cannot be judged: said before the evaluation where it is known there, else after the results are written."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from folders import eval_, write

JUNIT = ("--report", "junit=j.xml")
NAMED = ("--class", "a", "--class", "b", "--class", "c")


@pytest.fixture
def folder(softdice, tmp_path: Path) -> Path:
    """Two pairs of three classes, and baselines: one of another ε, one of other classes, one that is incomplete."""
    write(tmp_path, ("x", "y"))
    softdice(*eval_("--eps", "1", "--format", "json", "-o", "eps.json"))
    softdice(*eval_("--class", "a", "--class", "b", "--class", "d", "--format", "json", "-o", "other.json"))
    good = (tmp_path / "p/y.npy").read_bytes()
    (tmp_path / "p/y.npy").write_bytes(b"")
    softdice(*eval_(*NAMED, "--format", "json", "-o", "half.json"))
    (tmp_path / "p/y.npy").write_bytes(good)
    return tmp_path


@pytest.mark.parametrize(
    ("gate", "code", "says", "rules"),
    [
        # a class that only the maps could show not to be there; the other rule is judged
        (("--require", "dice[cat]>0", "--require", "dice>0"), 2, "dice[cat]: there is no class 'cat'", [False, True]),
        # a baseline whose classes, or options, only then turn out to be others
        (("--baseline", "other.json", "--max-drop", "0.9"), 3, "other.json: has other classes", [False]),
        (("--baseline", "eps.json", "--max-drop", "dice[1]=0.9"), 3, "eps.json: has another signature", [False]),
        # two of them: both are said, and the first one decides
        (
            ("--require", "dice[cat]>=0.1", "--baseline", "eps.json", "--max-drop", "0.9"),
            2,
            "eps.json: has another signature",
            [False, False],
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_the_results_are_written_before_the_error_is_said(softdice, folder, gate, code, says, rules, format):
    plain = json.loads(softdice(*eval_("--format", "json")).out)
    run = softdice(*eval_(*gate, *JUNIT, "--format", format, "-o", "r.json"))
    assert run.code == code
    assert f"error: {says}" in run.err
    text = (folder / "r.json").read_text()
    document = json.loads(text.splitlines()[-1] if format == "jsonl" else text)
    assert document["pooled"] == plain["pooled"]
    # What was not judged is not met, in every output: no report is green.
    assert [rule["passed"] for rule in document["requirements"]] == rules
    suite = ElementTree.parse(folder / "j.xml").getroot()
    assert suite.get("failures") == str(rules.count(False))
    saved = softdice(*eval_("--format", "json", "-o", "plain.json"))
    assert saved.code == 0
    shown = softdice("show", "plain.json", *gate)
    assert (shown.code, f"error: {says}" in shown.err) == (code, True)
    assert shown.out.startswith("pooled over 2 images")
    merged = softdice("merge", "plain.json", *gate)
    assert (merged.code, json.loads(merged.out)["pooled"]) == (code, plain["pooled"])


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        # with named classes, rules and baselines are held against them at once
        ((*NAMED, "--require", "dice[cat]>=0.1"), 2, "dice[cat]: there is no class 'cat'"),
        ((*NAMED, "--baseline", "other.json", "--max-drop", "0.9"), 3, "other.json: has other classes"),
        (("--baseline", "half.json", "--max-drop", "0.9"), 3, "half.json: is incomplete, and cannot be a baseline"),
        # outputs that cannot be written, or that would have nothing in them
        (("-o", "nowhere/r.json"), 2, "nowhere/r.json: --output is in a folder that is not there"),
        (("--report", "csv=."), 2, ".: cannot be written: --report csv is a folder"),
        (("-o", "r" * 300), 2, "cannot be written: File name too long"),
        (("--class", "a", "--format", "csv-confusion"), 2, "csv-confusion needs a confusion matrix"),
        (("--class", "a", "--report", "csv-confusion=c.csv"), 2, "found     a single class, a"),
    ],
)
def test_what_is_known_before_the_evaluation_is_said_before_it(softdice, folder, options, code, says):
    before = sorted(path.name for path in folder.iterdir())
    # No pixel is read: the prediction is not even one.
    (folder / "p/x.npy").write_bytes(b"")
    run = softdice(*eval_("--report", "json=all.json", *options))
    assert run.code == code
    assert says in run.err
    assert "is empty" not in run.err
    assert sorted(path.name for path in folder.iterdir()) == before


def test_an_output_without_a_matrix_keeps_no_other_from_being_written(softdice, tmp_path):
    """Only the map shows that there is a single class."""
    np.save(tmp_path / "p.npy", np.full((2, 3), 0.9, np.float32))
    np.save(tmp_path / "m.npy", np.array([[0, 1, 1], [1, 1, 1]], np.uint8))
    one = ("eval", "--pred", "p.npy", "--gt", "m.npy", "--format", "csv-confusion", "--fail-under", "0.99")
    run = softdice(*one, "--report", "json=r.json", "--report", "csv-confusion=c.csv")
    assert (run.code, run.out) == (2, "")
    assert run.err.count("error: csv-confusion needs a confusion matrix") == 2
    assert "not met: dice>=0.99" in run.err
    assert json.loads((tmp_path / "r.json").read_text())["complete"] is True
    assert not (tmp_path / "c.csv").exists()
    assert softdice("show", "r.json", "--report", "csv-confusion=c.csv").code == 2


def test_many_failures_of_one_kind_are_few_lines(softdice, tmp_path):
    """A forgotten --ignore: each of 200 pairs fails but one, and what to type is said all the same."""
    names = tuple(f"case_{place:03}" for place in range(200))
    write(tmp_path, names)
    for name in names[1:]:
        mask = np.full((5, 4), 255, np.uint8)
        np.save(tmp_path / f"g/{name}.npy", mask)
        (tmp_path / f"g/{name}.png").unlink()
        np.save(tmp_path / f"p/{name}.npy", np.full((3, 5, 4), 1 / 3, np.float32))
    table = softdice(*eval_())
    run = softdice(*eval_("--format", "json"))
    assert (table.code, run.code) == (3, 3)
    assert len(run.err.splitlines()) <= 6
    assert "softdice: error: 199 pairs (e.g. case_001, case_002, case_003): g/case_001.npy: " in run.err
    hint = next(line.split("try ")[1].strip() for line in run.err.splitlines() if line.startswith("  try "))
    assert hint in table.out
    assert table.out.count("case_001") == 2
    document = json.loads(run.out)
    assert len(document["failures"]) == 199
