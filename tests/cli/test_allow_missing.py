"""Files that were left out: told in every output, and accepted by a gate up to a bound alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from folders import eval_, write

GATE = ("--fail-under", "0.01")
BOUND = "needs a bound where results are judged"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight pairs, of which the predictions of two are missing."""
    write(tmp_path, tuple("abcdefgh"))
    for name in "cd":
        (tmp_path / f"p/{name}.npy").unlink()
    return tmp_path


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        # without a gate, with any number or with a bound
        (("--allow-missing",), 0, ""),
        (("--allow-missing", "all"), 0, ""),
        (("--allow-missing", "2"), 0, ""),
        (("--allow-missing=25%",), 0, ""),
        # nothing, or too little, is allowed
        ((), 3, "2 files without a partner"),
        (("--allow-missing", "0"), 3, "2 files without a partner"),
        (("--allow-missing", "1"), 3, "no more than --allow-missing 1"),
        (("--allow-missing", "24.9%"), 3, "--allow-missing 2, to evaluate the rest"),
        # a gate needs a bound, wherever it stands
        ((*GATE, "--allow-missing"), 2, BOUND),
        (("--allow-missing", *GATE), 2, BOUND),
        (("--require", "dice>0.01", "--allow-missing", "all"), 2, BOUND),
        ((*GATE, "--allow-missing", "2"), 0, ""),
        ((*GATE, "--allow-missing", "25%"), 0, ""),
        ((*GATE, "--allow-missing", "1"), 3, "2 files without a partner"),
        # no bound
        (("--allow-missing", "1.5"), 2, "'1.5' is not a bound"),
        (("--allow-missing", "200%"), 2, "'200%' is not a bound"),
    ],
)
def test_what_a_run_allows(softdice, folder, options, code, said):
    run = softdice(*eval_(*options))
    assert run.code == code
    assert said in run.err
    if not code:
        assert run.out.startswith("pooled over 6 of 8 images, ")


def test_a_gate_without_a_bound_is_refused_before_a_file_is_read(softdice, folder):
    """Also where nothing is missing, as the next run may lack a file."""
    for name in "cd":
        (folder / f"g/{name}.png").unlink()
    assert softdice(*eval_("--pred", "nowhere", "--allow-missing", *GATE)).code == 2
    assert softdice(*eval_("--allow-missing", *GATE)).code == 2
    assert softdice(*eval_("--allow-missing", "0", *GATE)).code == 0


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("table", "pooled over 6 of 8 images"),
        ("markdown", "2 of 8 pairs left out; 6 of 8 images"),
        ("github", "pooled over 6 of 8 images"),
        ("junit", 'name="left out" value="2 of 8 pairs"'),
        ("json", '"complete": false'),
        ("jsonl", '"complete": false'),
        ("csv", "left out: g/c.png has no prediction"),
        ("csv-summary", "left out: g/d.png has no prediction"),
    ],
)
def test_every_output_says_so(softdice, folder, format, said):
    assert said in softdice(*eval_("--allow-missing", "--format", format)).out


def test_saved_results_need_a_bound_of_their_own(softdice, folder):
    softdice(*eval_("--allow-missing", "--format", "json", "-o", "r.json"))
    assert softdice("show", "r.json").out.startswith("pooled over 6 of 8 images")
    commands = [
        ("show", "r.json", *GATE),
        ("merge", "r.json", *GATE),
        ("show", "r.json", "--baseline", "r.json", "--max-drop", "0"),
        ("compare", "r.json", "r.json", "--resamples", "100", "--fail-if-worse"),
    ]
    for command in commands:
        run = softdice(*command)
        assert run.code == 1
        assert "2 of 8 pairs were left out (--allow-missing 2 accepts that)" in run.err
        for bound, code in (("2", 0), ("25%", 0), ("1", 1), ("24%", 1), ("all", 2)):
            assert softdice(*command, "--allow-missing", bound).code == code
    # without a gate nothing is asked
    run = softdice("compare", "r.json", "r.json", "--resamples", "100")
    assert run.code == 0
    assert "6 images (A left out 2 of 8 pairs, B left out 2 of 8 pairs), paired by id" in run.out


def test_shards_name_what_the_whole_run_left_out(softdice, folder):
    for index in (1, 2):
        part = ("--shard", f"{index}/2", "--format", "json", "-o", f"{index}.json")
        assert softdice(*eval_("--allow-missing", *part)).code == 0
    assert softdice("show", "1.json").out.startswith("pooled over 3 of 8 images")
    assert softdice("merge", "1.json", "2.json", *GATE).code == 1
    run = softdice("merge", "1.json", "2.json", *GATE, "--allow-missing", "2", "--format", "table")
    assert (run.code, run.out[:25]) == (0, "pooled over 6 of 8 images")


def test_images_of_one_pair_are_counted_beside_the_pairs(softdice, tmp_path):
    import numpy as np

    for side in "pg":
        (tmp_path / side).mkdir()
    np.save(tmp_path / "p/a.npy", np.full((3, 2, 4, 5), 0.5))
    np.save(tmp_path / "g/a.npy", np.tile(np.array([0, 1], np.uint8), 30).reshape(3, 4, 5))
    np.save(tmp_path / "g/b.npy", np.zeros((3, 4, 5), np.uint8))
    run = softdice(*eval_("--allow-missing"))
    assert run.out.startswith("pooled over 3 images of 1 of 2 pairs, 60 pixels")


@pytest.mark.parametrize(
    ("value", "code", "gated"),
    [("true", 0, 2), ("2", 0, 0), ('"2"', 0, 0), ('"25%"', 0, 0), ("false", 3, 3), ("0", 3, 3), ("1", 3, 3),
     ("-1", 2, 2), ("2.5", 2, 2), ("[2]", 2, 2), ('"x"', 2, 2)],
)  # fmt: skip
def test_the_key_of_a_file(softdice, folder, value, code, gated):
    (folder / "softdice.toml").write_text(f"allow-missing = {value}\n")
    assert softdice(*eval_()).code == code
    assert softdice(*eval_(*GATE)).code == gated
    # a flag takes its place
    if gated != 2 or value == "true":
        assert softdice(*eval_("--allow-missing", "2", *GATE)).code == 0


def test_version_1_called_a_run_complete_in_which_files_were_left_out(softdice, folder):
    """Such a file is shown, and is not taken for one that was changed by hand."""
    frozen = json.loads((Path(__file__).parents[1] / "records/version1/whole.json").read_text())
    frozen["left_out"] = ["p/alone.npy has no truth"]
    assert frozen["complete"] is True
    (folder / "old.json").write_text(json.dumps(frozen))
    assert softdice("show", "old.json").code == 0
    assert json.loads(softdice("show", "old.json", "--format", "json").out)["complete"] is False
    assert softdice("show", "old.json", *GATE).code == 1
    assert softdice("show", "old.json", *GATE, "--allow-missing", "1").code == 0
    frozen["complete"] = False
    (folder / "old.json").write_text(json.dumps({**frozen, "left_out": []}))
    assert softdice("show", "old.json").code == 3
