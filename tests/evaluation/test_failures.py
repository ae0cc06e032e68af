"""Failures are rows: in every format, by name, and without touching what is good."""

from __future__ import annotations

import json

import numpy as np
import pytest
from folders import FAILED, FORMATS, broken, csv_rows, eval_, pairs_of, write

from softdice_cli import evaluate, to_text


@pytest.mark.parametrize("format", FORMATS)
def test_failures_are_rows_in_every_format(softdice, tmp_path, format):
    broken(tmp_path)
    assert softdice(*eval_("--format", format)).code == 3  # alone.npy has no truth
    run = softdice(*eval_("--format", format, "--allow-missing"))
    assert run.code == 3
    for name, said in FAILED.items():
        assert name in run.out
        assert said in run.out
    assert "p/alone.npy has no truth" in run.out
    assert "3 pairs failed" in run.err if format == "table" else run.err.count("softdice: error: ") == 3


def test_failures_in_the_documents(softdice, tmp_path):
    broken(tmp_path)
    document = json.loads(softdice(*eval_("--format", "json", "--allow-missing")).out)
    assert document["complete"] is False
    assert [failure["id"] for failure in document["failures"]] == sorted(FAILED)
    assert all(FAILED[failure["id"]] in failure["error"] for failure in document["failures"])
    assert document["failures"][0]["gt"] == "g/i12.png"
    assert document["left_out"] == ["p/alone.npy has no truth"]
    lines = [json.loads(line) for line in softdice(*eval_("--format", "jsonl", "--allow-missing")).out.splitlines()]
    kinds = [line["type"] for line in lines]
    assert (kinds.count("image"), kinds.count("failure"), kinds[-1]) == (8, 3, "summary")
    assert (lines[-1]["complete"], lines[-1]["images"], lines[-1]["failures"]) == (False, 8, 3)
    assert lines[-1]["left_out"] == document["left_out"]
    rows = csv_rows(softdice(*eval_("--format", "csv", "--allow-missing")).out)
    errors = {row["id"]: row["error"] for row in rows if row["error"]}
    assert errors.keys() == {*FAILED, ""}
    assert "try" in errors["i12"]
    table = softdice(*eval_("--allow-missing")).out
    assert "INCOMPLETE: 3 pairs failed" in table


def test_the_good_pairs_are_not_touched_by_the_failures(softdice, tmp_path):
    broken(tmp_path)
    (tmp_path / "g/two.npy").unlink()
    results = json.loads(softdice(*eval_("--format", "json", "--allow-missing")).out)
    write(tmp_path / "clean")
    expected = evaluate(pairs_of(tmp_path / "clean"))
    assert results["pooled"] == json.loads(to_text(expected, "json"))["pooled"]


@pytest.mark.parametrize("format", FORMATS)
def test_what_many_failures_have_in_common_is_said_once(softdice, tmp_path, format):
    """People get the count and the first names; outputs for programs name each pair."""
    names = tuple(f"i{index}" for index in range(30))
    write(tmp_path, names)
    for name in names[1:]:
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    run = softdice(*eval_("--format", format, "--workers", "1"))
    assert run.code == 3
    once = "29 pairs (e.g. i1, i10, i11): p/i1.npy: is empty"
    if format == "table":
        assert (run.out.count("is empty"), run.err) == (1, "softdice: error: 29 pairs failed\n")
        assert f"  {once}\n    expected .npy" in run.out
    else:
        assert all(f"p/{name}.npy: is empty" in run.out for name in names[1:])
        assert run.err.splitlines()[0] == f"softdice: error: {once}"
        assert len(run.err.splitlines()) == 3


@pytest.mark.parametrize("format", FORMATS)
def test_where_all_failed_each_is_named(softdice, tmp_path, format):
    write(tmp_path, ("a", "b"))
    for name in ("a", "b"):
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    run = softdice(*eval_("--format", format))
    assert run.code == 3
    assert "softdice: error: 2 pairs (a, b): p/a.npy: is empty\n" in run.err
    if format == "table":
        assert run.out == "INCOMPLETE: 2 pairs failed\n  2 pairs (a, b): p/a.npy: is empty\n"
    else:
        assert all(f"p/{name}.npy" in run.out for name in ("a", "b"))


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_fail_fast_stops_at_the_first(softdice, tmp_path, device):
    broken(tmp_path)
    run = softdice(*eval_("--format", "json", "--allow-missing", "--fail-fast", "--device", device))
    document = json.loads(run.out)
    assert run.code == 3
    failed, *others = sorted(document["failures"], key=lambda failure: "not tried" in failure["error"])
    assert failed["id"] == "i3"  # the first of them in natural order
    assert (document["images"], document["complete"]) == ([], False)
    # Those behind it are there as well, so that the results say how many of how many.
    assert {other["id"] for other in others} == {"i8", "i9", "i10", "i11", "i12", "i100", "k", "nan", "two"}
    for other in others:
        assert other["error"] == f"{other['pred']}: was not tried, as pair 'i3' failed before it"
    assert "softdice: error: 9 pairs (e.g. i10, i100, i11): p/i10.npy: was not tried, as pair 'i3' failed" in run.err


@pytest.mark.parametrize(
    ("options", "odd"),
    [
        # fewer channels than the others
        ([], 2),
        # one channel, to which an option for several does not apply
        (["--activation", "softmax"], 1),
        (["--no-background"], 1),
    ],
)  # fmt: skip
def test_one_pair_with_other_channels_does_not_stop_the_rest(softdice, tmp_path, options, odd):
    write(tmp_path, ("a", "b", "c"))
    if options == ["--activation", "softmax"]:
        for name in "ac":
            np.save(tmp_path / f"p/{name}.npy", 3 * np.log(np.load(tmp_path / f"p/{name}.npy")))
    np.save(tmp_path / "p/b.npy", np.full((odd, 5, 4), 1 / odd, np.float32))
    run = softdice(*eval_("--format", "json", *options))
    assert run.code == 3, run.err
    document = json.loads(run.out)
    assert [image["id"] for image in document["images"]] == ["a", "c"]
    assert [failure["id"] for failure in document["failures"]] == ["b"]
