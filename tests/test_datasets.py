"""Whole datasets: the same bytes however they are cut, failures as rows, saved results, and a training loop."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import pickle
import pty
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from softdice_cli import (
    Accumulator,
    ClassDef,
    Failure,
    Pair,
    Reading,
    Settings,
    Shard,
    SoftdiceError,
    UnreadableError,
    evaluate,
    restore,
    to_text,
)
from softdice_cli.cli import progress as progress_module
from softdice_cli.cli.progress import Progress
from softdice_cli.records.merge import Part, merge
from softdice_cli.scores import summarize

FORMATS = ("table", "json", "jsonl", "csv")
SCORES = ("loss", "soft_dice", "dice", "iou", "precision", "recall")
COUNTS = ("truth_pixels", "predicted_pixels", "true_positives")
NAMES = ("i9", "i10", "i11", "i100", "k", "i8")
FAILED = {"i12": "cannot be read as png", "i3": "does not fit", "nan": "NaN"}
"""What goes wrong in the folder of `broken`, by id."""


def maps(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Probabilities ``(C, *S)`` as float32."""
    raw = rng.random(shape)
    return (raw / raw.sum(0)).astype(np.float32)


def write(folder: Path, names: tuple[str, ...] = NAMES, *, classes: int = 3, seed: int = 5) -> None:
    """Folders ``p`` and ``g`` of maps of several classes; every other image is larger."""
    rng = np.random.default_rng(seed)
    for side in ("p", "g"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        size = (5, 4) if index % 3 else (7, 6)
        np.save(folder / f"p/{name}.npy", maps(rng, classes, *size))
        Image.fromarray(rng.integers(0, classes, size).astype(np.uint8)).save(folder / f"g/{name}.png")


def pairs_of(folder: Path, names: tuple[str, ...] = NAMES) -> list[Pair]:
    return [Pair(name, str(folder / f"p/{name}.npy"), str(folder / f"g/{name}.png")) for name in names]


def broken(folder: Path) -> None:
    """The same with a truncated PNG, a wrong shape, a NaN map, a missing partner, and a file of two images."""
    write(folder)
    write(folder / "more", tuple(FAILED))
    for name in FAILED:
        for side, kind in (("p", "npy"), ("g", "png")):
            (folder / f"more/{side}/{name}.{kind}").rename(folder / f"{side}/{name}.{kind}")
    mask = (folder / "g/i12.png").read_bytes()
    (folder / "g/i12.png").write_bytes(mask[: len(mask) // 2])
    values = np.load(folder / "p/i3.npy")
    np.save(folder / "p/i3.npy", values[:, :-1])
    values = np.load(folder / "p/nan.npy")
    values[0, 0, 0] = np.nan
    np.save(folder / "p/nan.npy", values)
    np.save(folder / "p/alone.npy", values)
    rng = np.random.default_rng(9)
    np.save(folder / "p/two.npy", np.stack([maps(rng, 3, 6, 4), maps(rng, 3, 6, 4)]))
    np.save(folder / "g/two.npy", rng.integers(0, 3, (2, 6, 4)).astype(np.uint8))


def eval_(*extra: object) -> tuple[object, ...]:
    return ("eval", "--pred", "p", "--gt", "g", *extra)


def saved(path: Path, results) -> Path:
    path.write_text(to_text(results, "json"))
    return path


# The same bytes


def test_the_same_bytes_for_workers_batches_and_devices(softdice, tmp_path):
    broken(tmp_path)
    ways = [
        *(("--workers", workers) for workers in (1, 2, 4)),
        *(("--device", "torch:cpu", "--batch-size", size, "--workers", 2) for size in (1, 3)),
        ("--device", "torch:cpu"),
    ]
    runs = [softdice(*eval_("--format", "json", "--allow-missing", *way)) for way in ways]
    assert {run.code for run in runs} == {3}
    assert len({run.out for run in runs}) == 1
    assert len(json.loads(runs[0].out)["images"]) == len(NAMES) + 2


@pytest.mark.parametrize("make", [write, broken])
def test_shards_merge_to_the_single_run_in_every_order(softdice, tmp_path, make):
    make(tmp_path)
    whole = softdice(*eval_("--format", "json", "--allow-missing"))
    shards = []
    for index in (1, 2, 3):
        run = softdice(*eval_("--format", "json", "--allow-missing", "--shard", f"{index}/3", "-o", f"{index}.json"))
        assert run.code in (0, 3)
        shards.append(f"{index}.json")
    for order in itertools.permutations(shards):
        run = softdice("merge", *order)
        assert (run.code, run.out) == (whole.code, whole.out)
    table = softdice(*eval_("--allow-missing"))
    assert softdice("merge", *shards, "--format", "table").out == table.out


def test_a_shard_takes_every_nth_pair_of_the_sorted_list(softdice, tmp_path):
    write(tmp_path)
    run = softdice(*eval_("--format", "json", "--shard", "2/4"))
    document = json.loads(run.out)
    assert [image["id"] for image in document["images"]] == ["i9", "k"]  # of i8 i9 i10 i11 i100 k
    digest = hashlib.sha256(b"i8\ni9\ni10\ni11\ni100\nk").hexdigest()[:16]
    assert document["shard"] == {"index": 2, "count": 4, "pairs": 6, "run": digest}
    assert "(shard 2 of 4)" in softdice(*eval_("--shard", "2/4")).out


def test_an_empty_shard_is_no_success_and_is_not_asked_for(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    whole = softdice(*eval_("--format", "json"))
    codes = [softdice(*eval_("--format", "json", "--shard", f"{i}/3", "-o", f"{i}.json")).code for i in (1, 2, 3)]
    assert codes == [0, 0, 5]
    assert not (tmp_path / "3.json").exists()
    assert softdice("merge", "1.json", "2.json").out == whole.out


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/3/5", "1.0/3"])
def test_what_is_no_shard(softdice, tmp_path, text):
    write(tmp_path, ("a",))
    run = softdice(*eval_("--shard", text))
    assert (run.code, run.out) == (2, "")


def merged(*results):
    parts = [Part(f"{index}.json", entry) for index, entry in enumerate(results)]
    settings, rows, failures, left_out = merge(parts)
    return summarize(settings, rows, failures, left_out=left_out)


def shards(folder: Path, count: int = 3, names: tuple[str, ...] = NAMES, **options):
    pairs = pairs_of(folder, names)
    return [
        evaluate(
            pairs[index::count],
            shard=Shard(index + 1, count, len(pairs), "+".join(pair.id for pair in pairs)),
            workers=1,
            **options,
        )
        for index in range(count)
    ]


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        # one shard twice
        (lambda s, whole, other: [s[0], s[1], s[2], s[1]], "which 1.json holds too"),
        # a whole run twice
        (lambda s, whole, other: [whole, whole], "which 0.json holds too"),
        # a shard that is missing, wherever it lies
        (lambda s, whole, other: [s[0], s[1]], "shard 3 of 3 is missing"),
        (lambda s, whole, other: [s[2]], "shard 1, 2 of 3 is missing"),
        # a whole run among shards
        (lambda s, whole, other: [*s, replace(whole, images=())], "not the shards of one run"),
        # shards of another count
        (lambda s, whole, other: [s[0], s[1], replace(s[2], shard=Shard(3, 4, 6, "run"))], "not the shards of one run"),
        # shards of another number of pairs
        (lambda s, whole, other: [s[0], s[1], replace(s[2], shard=Shard(3, 3, 7, "run"))], "not the shards of one run"),
        # another signature
        (lambda s, whole, other: [whole, other["eps"]], "other signature than 0.json"),
        (lambda s, whole, other: [other["ignore"], whole], "other signature than 0.json"),
        # other names for the same labels
        (lambda s, whole, other: [whole, other["names"]], "other classes than 0.json"),
        # nothing
        (lambda s, whole, other: [], "nothing to merge"),
    ],
)  # fmt: skip
def test_merge_refuses(tmp_path, choose, said):
    write(tmp_path)
    write(tmp_path / "other", ("x", "y"))
    pairs = pairs_of(tmp_path / "other", ("x", "y"))
    other = {
        "eps": evaluate(pairs, settings=Settings(eps=1.0)),
        "ignore": evaluate(pairs, settings=Settings(ignore=(255,))),
        "names": evaluate(pairs, settings=Settings(classes=tuple(ClassDef(f"c{i}", i) for i in range(3)))),
    }
    with pytest.raises(SoftdiceError) as caught:
        merged(*choose(shards(tmp_path), evaluate(pairs_of(tmp_path)), other))
    assert said in str(caught.value)


def test_merge_refuses_shards_of_runs_over_other_pairs(tmp_path):
    write(tmp_path, ("a", "b"))
    write(tmp_path / "other", ("x", "y"))
    with pytest.raises(SoftdiceError):
        merged(shards(tmp_path, 2, ("a", "b"))[0], shards(tmp_path / "other", 2, ("x", "y"))[1])


def test_separate_runs_merge_to_the_run_over_all(tmp_path):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    assert merged(evaluate(pairs[4:]), evaluate(pairs[:2]), evaluate(pairs[2:4])) == evaluate(pairs)


def test_the_order_of_separate_runs_with_left_out_files_does_not_matter(tmp_path):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    one, two = evaluate(pairs[:2], left_out=["a9 has no truth"]), evaluate(pairs[2:], left_out=["a10 has no truth"])
    assert to_text(merged(one, two), "json") == to_text(merged(two, one), "json")


def test_a_shard_of_which_all_pairs_failed_merges(tmp_path):
    write(tmp_path)
    for name in NAMES[::3]:
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    parts = shards(tmp_path)
    assert not parts[0].settings.classes
    for order in itertools.permutations(parts):
        assert merged(*order) == evaluate(pairs_of(tmp_path))


def test_merge_reads_files_and_standard_input(softdice, tmp_path):
    write(tmp_path)
    one, two = shards(tmp_path, 2)
    saved(tmp_path / "1.json", one)
    run = softdice("merge", "-", "1.json", stdin=to_text(two, "json").encode())
    assert run.code == 0
    assert run.out == to_text(evaluate(pairs_of(tmp_path)), "json")
    assert softdice("merge", "1.json", "nope.json").code == 3
    assert softdice("merge").code == 2


# Failures are rows


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


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", pytest.param("table")],
)  # fmt: skip
def test_many_failures_are_all_named(softdice, tmp_path, format):
    names = tuple(f"i{index}" for index in range(30))
    write(tmp_path, names)
    for name in names[1:]:
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    run = softdice(*eval_("--format", format, "--workers", "1"))
    assert run.code == 3
    assert all(f"p/{name}.npy: is empty" in run.out + run.err for name in names[1:])


@pytest.mark.parametrize("format", FORMATS)
def test_where_all_failed_each_is_named(softdice, tmp_path, format):
    write(tmp_path, ("a", "b"))
    for name in ("a", "b"):
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    run = softdice(*eval_("--format", format))
    assert run.code == 3
    assert all(f"p/{name}.npy: is empty" in run.err for name in ("a", "b"))
    assert format == "table" or all(f"p/{name}.npy" in run.out for name in ("a", "b"))


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_fail_fast_stops_at_the_first(softdice, tmp_path, device):
    broken(tmp_path)
    run = softdice(*eval_("--format", "json", "--allow-missing", "--fail-fast", "--device", device))
    document = json.loads(run.out)
    assert run.code == 3
    assert [failure["id"] for failure in document["failures"]] == ["i3"]  # the first of them in natural order
    assert (document["images"], document["complete"]) == ([], False)


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


# Formats


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_csv_has_the_numbers_of_the_json(softdice, tmp_path):
    write(tmp_path)
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(tmp_path / "g/i10.png")  # classes 1 and 2 are absent
    one_hot = np.zeros((3, 5, 4), np.float32)
    one_hot[0] = 1
    np.save(tmp_path / "p/i10.npy", one_hot)
    rows = csv_rows(softdice(*eval_("--format", "csv")).out)
    images = json.loads(softdice(*eval_("--format", "json")).out)["images"]
    expected = [(image, scores) for image in images for scores in image["classes"]]
    assert len(rows) == len(expected)
    for row, (image, scores) in zip(rows, expected, strict=True):
        assert (row["id"], row["pred"], row["gt"], row["class"]) == (
            *(image[n] for n in ("id", "pred", "gt")),
            scores["name"],
        )
        assert [None if row[name] == "" else float(row[name]) for name in SCORES] == [scores[name] for name in SCORES]
        assert [int(row[name]) for name in COUNTS] == [scores[name] for name in COUNTS]
        assert (int(row["pixels"]), int(row["ignored"]), row["error"]) == (image["pixels"], image["ignored"], "")
    assert sum(row["dice"] == "" for row in rows) == 2


def test_csv_cells_are_never_formulas(softdice, tmp_path):
    names = ("=1+1", "@x", "-y", "+z")
    write(tmp_path, names)
    listed = "".join(f"p/{name}.npy,g/{name}.png\n" for name in names)
    (tmp_path / "=b.npy").write_bytes(b"")
    listed = f"pred,gt\n{listed}=b.npy,g/=1+1.png\n".replace("=b.npy,g/=1+1.png", "=b.npy,=b.npy")
    options = ["--class==a=0", "--class=@b=1", "--class=c=2"]
    run = softdice("eval", "--pairs", "-", "--format", "csv", *options, stdin=listed.encode())
    cells = [
        cell
        for row in csv_rows(run.out)
        for name, cell in row.items()
        if name in ("id", "pred", "gt", "class", "error")
    ]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert run.code == 3
    assert {"'=1+1", "'@x", "'-y", "'+z", "'=a", "'@b"} <= set(cells)
    assert any(cell.startswith("'=b.npy: is empty") for cell in cells)


SLOW = """
import sys, time
import softdice_cli.evaluation.loop as loop
from softdice_cli.cli import main, progress
prepare, name, seconds = loop.prepare, sys.argv.pop(1), float(sys.argv.pop(1))
def slow(pair, *arguments):
    if name in (pair.id, "*"):
        time.sleep(seconds)
    return prepare(pair, *arguments)
loop.prepare = slow
progress._EVERY = 0.0
main()
"""
"""The command line with a pause before one pair, or all (``*``), and a line of progress for each pair."""


def slowly(folder: Path, name: str, seconds: float, *arguments: object, **more) -> subprocess.Popen:
    command = [sys.executable, "-c", SLOW, name, str(seconds), *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(command, cwd=folder, **{"stderr": subprocess.DEVNULL, "env": environment, **more})


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        # a row is seen as soon as it is there
        (None, "image"),
        # and so is a failure
        pytest.param(b"", "failure"),
    ],
)  # fmt: skip
def test_jsonl_streams(tmp_path, first, kind):
    write(tmp_path, ("a", "z"))
    if first is not None:
        (tmp_path / "p/a.npy").write_bytes(first)
    process = slowly(tmp_path, "z", 60, *eval_("--format", "jsonl", "--workers", 1), stdout=subprocess.PIPE)
    try:
        assert select.select([process.stdout], [], [], 5)[0]
        line = json.loads(process.stdout.readline())
        assert (line["type"], line["id"], process.poll()) == (kind, "a", None)
    finally:
        process.kill()
        process.communicate()


def test_jsonl_streams_into_a_named_pipe(tmp_path):
    write(tmp_path, ("a", "z"))
    os.mkfifo(tmp_path / "out")
    process = slowly(tmp_path, "z", 60, *eval_("--format", "jsonl", "--workers", 1, "-o", "out"))
    try:
        with open(tmp_path / "out", encoding="utf-8") as stream:
            assert json.loads(stream.readline())["id"] == "a"
            assert process.poll() is None
            process.kill()
    finally:
        process.kill()
        process.wait()


def test_jsonl_has_the_numbers_of_the_json(softdice, tmp_path):
    write(tmp_path)
    document = json.loads(softdice(*eval_("--format", "json")).out)
    lines = [json.loads(line) for line in softdice(*eval_("--format", "jsonl")).out.splitlines()]
    assert [line["id"] for line in lines[:-1]] == ["i8", "i9", "i10", "i11", "i100", "k"]  # as they were done
    by_id = {line["id"]: {name: value for name, value in line.items() if name != "type"} for line in lines[:-1]}
    assert [by_id[image["id"]] for image in document["images"]] == document["images"]
    for name in ("signature", "settings", "classes", "complete", "pooled", "image_mean", "shard", "left_out"):
        assert lines[-1][name] == document[name]


def listed(table: str, title: str) -> list[str]:
    """The first cells of the table below a title."""
    block = table.split(title)[1].split("\n\n")[0].splitlines()
    return [line.split()[0] for line in block[3:] if line.strip() and not line.startswith("softdice:")]


def test_worst_images_and_all_images(softdice, tmp_path):
    names = ("a", "b", "c", "d10", "d9")
    write(tmp_path, names, classes=2)
    mask = np.array([[0, 1], [1, 1]], np.uint8)
    for index, name in enumerate(names):  # name by name, one more foreground pixel is missed
        Image.fromarray(np.tile(mask, (1, 2))).save(tmp_path / f"g/{name}.png")
        right = np.tile(mask, (1, 2)).astype(np.float32).ravel()
        right[np.flatnonzero(right)[:index]] = 0
        np.save(tmp_path / f"p/{name}.npy", np.stack([1 - right, right]).reshape(2, 2, 4))
    table = softdice(*eval_("--worst", "3")).out
    assert listed(table, "the 3 worst images by mean hard Dice") == ["d9", "d10", "c"]
    assert "Dice images" in table
    assert listed(softdice(*eval_("--per-image")).out, "all images") == ["a", "b", "c", "d9", "d10"]
    assert "worst images" not in softdice(*eval_("--worst", "0")).out
    assert listed(softdice(*eval_("--worst", "99")).out, "the 5 worst images")[0] == "d9"
    worst = next(line for line in table.splitlines() if line.startswith("d9"))
    assert worst.split()[-3:] == ["0", "0.5000", "2"]  # the class that sank it: TP 2, predicted 6, truth 2
    assert softdice(*eval_("--worst", "-1")).code == 2


def test_the_image_mean_says_how_many_images_stand_behind_it(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    zeros = np.zeros((3, 5, 4), np.float32)
    zeros[0] = 1
    np.save(tmp_path / "p/b.npy", zeros)
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(tmp_path / "g/b.png")
    document = json.loads(softdice(*eval_("--format", "json")).out)
    assert [c["defined"] for c in document["image_mean"]["classes"]] == [2, 1, 1]
    block = softdice(*eval_()).out.split("image mean over 2 images")[1].split("mean")[0]
    rows = [line.split() for line in block.splitlines() if line[:1].isdigit()]
    assert [(row[0], row[-1]) for row in rows] == [("0", "2"), ("1", "1"), ("2", "1")]


# Progress


def test_progress_in_a_log(capsys, monkeypatch):
    monkeypatch.setattr(progress_module, "_EVERY", -1.0)
    with Progress(quiet=False, bar=True) as progress:
        progress.started(3)
        progress.evaluated(Settings(), [])
        progress.failed(Failure("x", "p", "g", "broken", "", "", ""))
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["softdice: 1 of 3 pairs", "softdice: 2 of 3 pairs"]
    assert "1 failed" in lines[1]
    assert "s left" in lines[1]


@pytest.mark.parametrize("quiet", [False, True])
def test_a_log_gets_a_line_now_and_then_or_none(tmp_path, quiet):
    write(tmp_path, ("a", "b"))
    extra = ["--quiet"] if quiet else []
    process = slowly(tmp_path, "*", 0.01, *eval_("--format", "json", *extra), stdout=-1, stderr=-1)
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["complete"] is True
    assert err == b"" if quiet else b"1 of 2 pairs" in err


def test_a_short_run_says_nothing(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    assert softdice(*eval_()).err == ""


def read_all(master: int) -> bytes:
    """What is written on a terminal until its other side is closed."""
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:  # how Linux says that it is closed
        pass
    finally:
        os.close(master)
    return shown


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_gets_a_bar_and_the_pipe_the_result(tmp_path, quiet):
    write(tmp_path, ("a", "b", "c"))
    (tmp_path / "p/b.npy").write_bytes(b"")
    master, slave = pty.openpty()
    extra = ["--quiet"] if quiet else []
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = slowly(
        tmp_path, "*", 0.3, *eval_("--format", "json", "--workers", 1, *extra), stdout=-1, stderr=slave, env=environment
    )
    os.close(slave)
    shown = read_all(master)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 3
    assert json.loads(out)["complete"] is False
    assert (b"evaluating" in shown) is not quiet
    assert (b"1 failed" in shown) is not quiet
    assert b"is empty" in shown  # an error is said all the same


def test_quiet_keeps_notes_back(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    for name in ("a", "b"):
        np.save(tmp_path / f"p/{name}.npy", np.load(tmp_path / f"p/{name}.npy").transpose(1, 2, 0))
    assert "is read as HWC" in softdice(*eval_()).err
    assert "1 more" in softdice(*eval_()).err
    assert softdice(*eval_("--quiet")).err == ""


# Saved results


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
def test_results_follow_the_schema(softdice, tmp_path):
    from jsonschema import Draft202012Validator

    schema = json.loads(softdice("schema").out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    broken(tmp_path)
    pairs = pairs_of(tmp_path)
    np.save(tmp_path / "one.npy", np.zeros((5, 4), np.float32))
    np.save(tmp_path / "none.npy", np.zeros((5, 4), np.uint8))
    np.save(tmp_path / "rgb.npy", np.zeros((5, 4, 3), np.uint8))
    one, none, rgb = (str(tmp_path / f"{name}.npy") for name in ("one", "none", "rgb"))
    colors = Settings(
        classes=(ClassDef("a", 0), ClassDef("b", 0xFF0000)), colors=True, ignore=(0xFF,), prediction="labels"
    )
    made = {
        "whole": evaluate(pairs),
        "failures": evaluate([*pairs, *pairs_of(tmp_path, tuple(FAILED))], left_out=["x has no truth"]),
        "shard": evaluate(pairs[::2], shard=Shard(1, 2, 6, "run")),
        "all failed": evaluate(pairs_of(tmp_path, ("nan",))),
        "named": evaluate(pairs, settings=Settings(classes=tuple(ClassDef(n, i) for i, n in enumerate("abc")))),
        "no background": evaluate(pairs, settings=Settings(background=False)),
        "one empty class": evaluate([(one, none)]),
        "label maps": evaluate([(none, none)], settings=Settings(prediction="labels")),
        "colours": evaluate([(rgb, rgb)], settings=colors),
        "nothing": Accumulator().compute(),
    }
    assert made["one empty class"].pooled.means.dice is None
    for name, results in made.items():
        document = json.loads(to_text(results, "json"))
        assert [error.message for error in validator.iter_errors(document)] == [], name
        assert restore(to_text(results, "json").encode(), "x") == results, name
    whole = json.loads(to_text(made["whole"], "json"))
    assert not validator.is_valid({**whole, "surplus": 1})
    assert not validator.is_valid({name: value for name, value in whole.items() if name != "pooled"})


@pytest.mark.parametrize("make", [write, broken])
@pytest.mark.parametrize("format", ["table", "json", "csv", pytest.param("jsonl")],
)  # fmt: skip
def test_show_gives_the_bytes_that_eval_gave(softdice, tmp_path, make, format):
    make(tmp_path)
    code = softdice(*eval_("--allow-missing", "--format", "json", "-o", "r.json")).code
    expected = softdice(*eval_("--allow-missing", "--format", format))
    shown = softdice("show", "r.json", "--format", format)
    assert (shown.code, shown.out, shown.err) == (code, expected.out, expected.err)


def test_show_lists_images_and_reads_standard_input(softdice, tmp_path):
    write(tmp_path)
    softdice(*eval_("--format", "json", "-o", "r.json"))
    for options in (("--worst", "1"), ("--per-image",)):
        assert softdice("show", "r.json", *options).out == softdice(*eval_(*options)).out
    assert softdice("show", "-", stdin=(tmp_path / "r.json").read_bytes()).out == softdice(*eval_()).out
    softdice("show", "r.json", "--format", "json", "-o", "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "r.json").read_bytes()
    assert softdice("show", "nope.json").code == 3


@pytest.mark.parametrize("command", [("show",), ("merge",), ("schema",), ("show", "--format", "csv")])
def test_saved_results_need_no_pixels_torch_or_image_library(tmp_path, command):
    write(tmp_path)
    path = saved(tmp_path / "r.json", evaluate(pairs_of(tmp_path)))
    code = (
        "import sys; from softdice_cli.cli import main\ntry: main()\nfinally: "
        "print(sorted({'numpy', 'torch', 'PIL', 'tifffile'} & set(sys.modules)), file=sys.stderr)"
    )
    arguments = [*command, *([str(path)] if command[0] != "schema" else [])]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def edit(document, path: str, value: object) -> None:
    """Set a member, named as in ``images.0.sums``."""
    *inner, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in inner:
        document = document[part]
    document[last] = value


WRONG = "was changed by hand"
REFUSED = [
    # sums
    ("images.0.sums.truth.0", 8, WRONG),
    ("images.0.sums.probability.1", 4.25, WRONG),
    ("images.0.sums.intersection.2", 0.0, WRONG),
    ("images.0.sums.true_positives.0", 0, WRONG),
    # scores: pooled, image mean, one image
    ("pooled.dice", 0.99, WRONG),
    ("pooled.classes.1.loss", 0.5, WRONG),
    ("pooled.classes.1.name", "x", WRONG),
    ("pooled.loss_present", None, WRONG),
    ("pooled.foreground", None, WRONG),
    ("image_mean.dice", 0.99, WRONG),
    ("image_mean.classes.0.defined", 2, WRONG),
    ("images.1.classes.0.dice", 0.99, "images[b].classes[0].dice"),
    ("images.1.classes", [], WRONG),
    # signature, settings and verdict
    ("signature", "softdice:1", "signature is softdice:1"),
    ("settings.eps", 0.5, WRONG),
    ("settings.empty", "zero", WRONG),
    ("complete", False, WRONG),
    ("complete", 1, WRONG),
    ("failures", [dict.fromkeys(("id", "pred", "gt", "error", "expected", "found", "hint"), "x")], WRONG),
    # rows removed, or twice
    ("images", [], WRONG),
    # another version, another kind
    ("version", 2, "has version 2"),
    ("version", None, "has version None"),
    ("format", "sacrebleu", "is no results file"),
    # wrong types
    ("settings", [], "is broken"),
    ("settings.eps", "1e-5", "is broken"),
    ("settings.eps", -1, "is broken"),
    ("settings.scale", True, "is broken"),
    ("settings.activation", "tanh", "is broken"),
    ("settings.background", 1, "is broken"),
    ("settings.ignore", ["x"], "is broken"),
    ("settings.ignore", None, "is broken"),
    ("settings.ignore", 5, "is broken"),
    ("settings.surplus", 5, "is broken"),
    ("settings.eps", 10**400, "is broken"),
    ("classes", {}, "is broken"),
    ("classes.0.name", 0, "is broken"),
    ("classes.0.value", 0.5, "is broken"),
    ("classes.0.value", True, "is broken"),
    ("classes.1.name", "0", "is broken"),
    ("images", None, "is broken"),
    ("images.0", 7, "is broken"),
    ("images.0.id", 7, "is broken"),
    ("images.0.pixels", "42", "is broken"),
    ("images.0.pixels", -1, "is broken"),
    ("images.0.ignored", -1, "is broken"),
    ("images.0.sums.truth", [1, 2], "is broken"),
    ("images.0.sums.truth", [1.5, 2, 3], "is broken"),
    ("images.0.sums.truth", [True, 2, 3], "is broken"),
    ("images.0.sums.truth", [10**400, 2, 3], "is broken"),
    ("images.0.sums.probability", ["1", "2", "3"], "is broken"),
    ("images.0.sums.probability", [10**400, 2, 3], "is broken"),
    ("images.0.sums.probability.0", -1, "is broken"),
    ("images.0.sums.true_positives.0", 40, "is broken"),
    ("images.0.sums", {}, "is broken"),
    ("failures", ["x"], "is broken"),
    ("failures", [{"id": "x"}], "is broken"),
    ("left_out", [1], "is broken"),
    ("shard", {"index": 1}, "is broken"),
    ("shard", {"index": "1", "count": 2, "pairs": 6}, "is broken"),
    ("shard", {"index": 9, "count": 2, "pairs": 6, "run": "r"}, "is broken"),
    ("shard", {"index": 1, "count": 2, "pairs": 6}, "is broken"),
]  # fmt: skip


def refusal(row: tuple[str, object, str]):
    return pytest.param(*row, id=f"{row[0]}={str(row[1])[:20]}")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The text of a results file."""
    folder = tmp_path_factory.mktemp("saved")
    write(folder, ("a", "b", "c"))
    return to_text(evaluate(pairs_of(folder, ("a", "b", "c"))), "json")


@pytest.mark.parametrize(("path", "value", "said"), [*map(refusal, REFUSED)])
def test_an_edited_file_is_refused(document, path, value, said):
    changed = json.loads(document)
    edit(changed, path, value)
    with pytest.raises(UnreadableError) as caught:
        restore(json.dumps(changed).encode(), "r.json")
    assert said in str(caught.value)
    assert str(caught.value).startswith("r.json: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # cut off, empty, and something else
        (lambda text: text[: len(text) // 2], "is not valid JSON"),
        (lambda text: "", "is not valid JSON"),
        (lambda text: "[" * 100_000, "is not valid JSON"),
        (lambda text: "[]", "is no results file"),
        (lambda text: '"softdice-results"', "is no results file"),
        # constants that Python writes and JSON does not know
        (lambda text: text.replace('"eps": 1e-05', '"eps": NaN'), "NaN is no JSON"),
        (lambda text: text.replace('"eps": 1e-05', '"eps": Infinity'), "Infinity is no JSON"),
        # a number that is no float
        (lambda text: text.replace('"eps": 1e-05', '"eps": 1e999'), "is broken"),
        # not text
        (lambda text: b"\xff\xfe\xfd\xfc" + text.encode(), "is not valid JSON"),
    ],
)  # fmt: skip
def test_what_is_no_results_file_is_refused(document, change, said):
    changed = change(document)
    assert changed != document
    with pytest.raises(UnreadableError) as caught:
        restore(changed if isinstance(changed, bytes) else changed.encode(), "r.json")
    assert said in str(caught.value)


def test_two_images_of_one_id_are_refused(document):
    changed = json.loads(document)
    changed["images"][1]["id"] = "a"
    with pytest.raises(UnreadableError, match=WRONG):
        restore(json.dumps(changed).encode(), "r.json")


def test_sums_that_overflow_are_refused(document):
    changed = json.loads(document)
    for image in changed["images"]:
        image["sums"]["probability"][0] = 1.7e308
    with pytest.raises(UnreadableError):
        restore(json.dumps(changed).encode(), "r.json")


def test_a_file_that_another_program_wrote_again_is_the_same(tmp_path):
    np.save(tmp_path / "p.npy", np.array([[0.0, 1.0]]))
    np.save(tmp_path / "g.npy", np.array([[0, 1]]))
    results = evaluate([(tmp_path / "p.npy", tmp_path / "g.npy")])

    def whole(value):
        """The value as JavaScript writes it, without a point in whole numbers."""
        if isinstance(value, dict):
            return {name: whole(member) for name, member in value.items()}
        if isinstance(value, list):
            return [whole(member) for member in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    text = json.dumps(whole(json.loads(to_text(results, "json"))))
    assert restore(text.encode(), "r.json") == results


def test_last_digits_of_a_logarithm_may_differ(document):
    changed = json.loads(document)
    changed["pooled"]["classes"][0]["loss"] *= 1 + 1e-15
    assert restore(json.dumps(changed).encode(), "r.json") == restore(document.encode(), "r.json")


def test_a_refused_file_ends_show_and_merge_with_3(softdice, tmp_path, document):
    (tmp_path / "r.json").write_text(document.replace('"complete": true', '"complete": false'))
    for command in ("show", "merge"):
        run = softdice(command, "r.json")
        assert (run.code, run.out) == (3, "")
        assert WRONG in run.err
        assert "run softdice eval again" in run.err


# Inspect


@pytest.fixture
def looked(tmp_path):
    """Files of every kind that people ask about."""
    rng = np.random.default_rng(1)
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4] = 255
    whole = maps(rng, 3, 6, 8)
    holed = whole.copy()
    holed[0, 0, 0] = np.nan
    for name, array in {
        "chw": whole,
        "hwc": np.moveaxis(whole, 0, -1),
        "logits": rng.normal(0, 3, (3, 6, 8)),
        "log": np.log(whole),
        "nan": holed,
        "float": rng.integers(0, 4, (6, 8)).astype(np.float64),
        "one": rng.random((6, 8)),
        "forty": np.arange(40, dtype=np.uint8).reshape(4, 10),
        "bool": mask > 0,
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
    Image.fromarray(rng.integers(0, 3, (6, 8)).astype(np.uint8)).save(tmp_path / "labels.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    void = rng.integers(0, 3, (6, 8)).astype(np.uint8)
    void[0] = 255
    Image.fromarray(void).save(tmp_path / "void.png")
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(tmp_path / "prob.png")
    Image.fromarray(np.stack([mask] * 3, -1)).save(tmp_path / "rgb.png")
    torch.save(torch.from_numpy(whole).bfloat16(), tmp_path / "bf16.pt")
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00broken")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "said"),
    [
        # probabilities, the classes first or last
        ("chw.npy", "float32", [3, 6, 8], "sum to 1 along axis 0 (3 classes)"),
        ("hwc.npy", "float32", [6, 8, 3], "sum to 1 along axis 2 (3 classes)"),
        ("bf16.pt", "bfloat16", [3, 6, 8], "sum to 1 along axis 0 (3 classes)"),
        # logits and their logarithms
        ("logits.npy", "float64", [3, 6, 8], "--activation softmax"),
        ("log.npy", "float32", [3, 6, 8], "log-probabilities"),
        # one class
        ("one.npy", "float64", [6, 8], "probabilities of one class"),
        # labels
        ("labels.png", "uint8", [6, 8], "a prediction with --pred-labels"),
        ("void.png", "uint8", [6, 8], "--ignore 255"),
        ("mask.png", "uint8", [6, 8], "a mask of one class (0 and 255)"),
        ("bool.npy", "bool", [6, 8], "a mask of one class (0 and 1)"),
        ("float.npy", "float64", [6, 8], "labels saved as floats"),
        # many grey values
        ("prob.png", "uint8", [10, 20], "--scale 255"),
        # colours
        ("rgb.png", "uint8", [6, 8, 3], "--class NAME=#rrggbb"),
        # a hole
        ("nan.npy", "float32", [3, 6, 8], ""),
    ],
)  # fmt: skip
def test_inspect(softdice, looked, name, dtype, shape, said):
    table = softdice("inspect", name)
    run = softdice("inspect", name, "--format", "json")
    assert (table.code, table.err, run.code, run.err) == (0, "", 0, "")
    [entry] = json.loads(run.out)
    assert (entry["path"], entry["dtype"], entry["shape"]) == (name, dtype, shape)
    assert any(said in note for note in entry["notes"])
    assert table.out.startswith(f"{name}: ")
    assert said in table.out
    if name == "nan.npy":
        assert entry["nonfinite"] == 1
        assert "1 values are NaN" in table.out
    if name == "mask.png":
        assert entry["labels"] == {"0": 32, "255": 16}
        assert "0 (32 px), 255 (16 px)" in table.out
    if name == "chw.npy":
        assert [(s["axis"], s["one"]) for s in entry["sums"]] == [(0, True), (2, False)]


@pytest.mark.parametrize(("name", "value"), [("rgb.png", "#ffffff"), ("bool.npy", "1"), ("float.npy", "3")])
def test_inspect_counts_the_labels(softdice, looked, name, value):
    labels = json.loads(softdice("inspect", name, "--format", "json").out)[0]["labels"]
    assert name == "float.npy" or labels[value] == 16


def test_inspect_goes_on_after_a_broken_file(softdice, looked):
    table = softdice("inspect", "broken.npy", "chw.npy", "nope.npy")
    assert table.code == 3
    assert table.out.startswith("chw.npy: ")
    for name in ("broken.npy", "nope.npy"):
        assert f"softdice: error: {name}: " in table.err
    run = softdice("inspect", "broken.npy", "chw.npy", "nope.npy", "--format", "json")
    entries = json.loads(run.out)
    assert (run.code, [entry["path"] for entry in entries]) == (3, ["broken.npy", "chw.npy", "nope.npy"])
    assert "no such file" in entries[2]["error"]


def test_inspect_lists_forty_labels_and_no_more(softdice, looked):
    out = softdice("inspect", "forty.npy").out
    assert "39 (1 px)" in out
    assert "0 more" not in out


def test_inspect_names_are_neutral_and_a_key_is_needed(softdice, looked):
    np.savez(looked / "two.npz", a=np.zeros((2, 2)), b=np.ones((2, 2)))
    run = softdice("inspect", "two.npz")
    assert run.code == 3
    assert "a, b" in run.err
    assert softdice("inspect", "two.npz", "--key", "b").code == 0
    (looked / "chw.npy").rename(looked / "\x1b[31m.npy")
    assert "\x1b" not in softdice("inspect", "\x1b[31m.npy").out


# A training loop


def batches(count: int = 3, size: int = 2, classes: int = 3):
    rng = np.random.default_rng(11)
    for _ in range(count):
        raw = rng.random((size, classes, 5, 4))
        yield (raw / raw.sum(1, keepdims=True)).astype(np.float32), rng.integers(0, classes, (size, 5, 4))


def filled(data, settings: Settings | None = None, name: str = "") -> Accumulator:
    accumulator = Accumulator(settings, name=name)
    for probabilities, labels in data:
        accumulator.update(probabilities, labels)
    return accumulator


def sums_of(results):
    return [row.sums for row in results.images]


def test_an_accumulator_gives_the_numbers_of_the_files(tmp_path):
    pairs = []
    for index, (probabilities, labels) in enumerate(batches()):
        for image in range(len(labels)):
            name = f"{index}{image}"
            np.save(tmp_path / f"p{name}.npy", probabilities[image])
            np.save(tmp_path / f"g{name}.npy", labels[image])
            pairs.append((tmp_path / f"p{name}.npy", tmp_path / f"g{name}.npy"))
    from_files, from_arrays = evaluate(pairs), filled(batches()).compute()
    assert sums_of(from_arrays) == sums_of(from_files)
    assert from_arrays.pooled == from_files.pooled
    assert from_arrays.image_mean == from_files.image_mean
    assert from_arrays.settings == from_files.settings
    assert [row.id for row in from_arrays.images] == [f"{index:06}" for index in range(6)]


@pytest.mark.parametrize(
    "change",
    [
        # a channel axis on the labels is squeezed, never broadcast
        lambda p, y: (p, y[:, None]),
        # other types
        lambda p, y: (p.astype(np.float64).astype(np.float32), y.astype(np.uint8)),
        lambda p, y: (p, y.astype(np.float32)),
        # torch, with a graph behind it
        lambda p, y: (torch.from_numpy(p), torch.from_numpy(y)),
        lambda p, y: (torch.from_numpy(p).requires_grad_() * 1, torch.from_numpy(y)[:, None]),
        # not contiguous
        lambda p, y: (np.ascontiguousarray(p.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1), y),
        # batches of one
        lambda p, y: [(p[:1], y[:1]), (p[1:], y[1:])],
    ],
)  # fmt: skip
def test_an_accumulator_takes_arrays_and_tensors(change):
    expected = filled(batches()).compute()
    changed = [change(*batch) for batch in batches()]
    data = [entry for batch in changed for entry in (batch if isinstance(batch, list) else [batch])]
    assert filled(data).compute() == expected


def test_an_accumulator_takes_bfloat16_like_a_file(tmp_path):
    data = [(torch.from_numpy(p).bfloat16(), y) for p, y in batches()]
    torch.save(torch.cat([p for p, _ in data]), tmp_path / "p.pt")
    np.save(tmp_path / "g.npy", np.concatenate([y for _, y in data]))
    reading = Reading(layout="BCHW")
    assert sums_of(filled(data).compute()) == sums_of(
        evaluate([(tmp_path / "p.pt", tmp_path / "g.npy")], reading=reading)
    )


def test_accumulators_are_pickled_and_merged():
    data = list(batches(4))
    ids = [[f"{index}{image}" for image in range(2)] for index in range(4)]
    whole, parts = Accumulator(), [Accumulator(), Accumulator(), Accumulator()]
    for index, (batch, names) in enumerate(zip(data, ids, strict=True)):
        whole.update(*batch, ids=names)
        parts[index % 2].update(*batch, ids=names)
    for order in itertools.permutations(parts):  # one of them is empty
        total = Accumulator()
        for part in order:
            total.merge(pickle.loads(pickle.dumps(part)))
        assert total.compute() == whole.compute()


def test_accumulators_with_names_of_their_own_merge():
    total = filled(batches(1), name="rank0-")
    total.merge(filled(batches(1), name="rank1-"))
    total.update(*next(batches(1)))
    ids = [row.id for row in total.compute().images]
    assert len(set(ids)) == 6
    assert ids[0] == "rank0-000000"


P, Y = next(batches(1))


@pytest.mark.parametrize(
    ("update", "said"),
    [
        # ids that are there already, twice, or not as many as images
        (lambda a: a.update(P, Y, ids=["000000", "x"]), "ids do not name each image once"),
        (lambda a: a.update(P, Y, ids=["x", "x"]), "ids do not name each image once"),
        (lambda a: a.update(P, Y, ids=["x"]), "2 new ids"),
        # accumulators that share ids, or differ in settings
        (lambda a: a.merge(filled(batches(1))), "is in both accumulators"),
        (lambda a: a.merge(filled(batches(1), Settings(eps=1.0), name="x")), "other settings"),
        (lambda a: a.merge(filled(batches(1, classes=2), name="x")), "other settings"),
        # shapes that do not belong together
        (lambda a: a.update(P, Y[:1]), "does not fit"),
        (lambda a: a.update(P, Y[:, :-1]), "does not fit"),
        (lambda a: a.update(P.transpose(0, 2, 3, 1), Y), "does not fit"),
        (lambda a: a.update(P[0], Y[0]), ""),
        (lambda a: a.update(P[0, 0, 0], Y[0, 0]), ""),
        (lambda a: a.update(P, Y[:, None].repeat(3, 1)), ""),
        # other classes than before
        (lambda a: a.update(*next(batches(1, classes=2))), "3 channels"),
        # values that are no probabilities, and labels that are no classes
        (lambda a: a.update(P * 2, Y), "sum to 1"),
        (lambda a: a.update(np.where(P > 0.5, np.nan, P), Y), "NaN"),
        (lambda a: a.update(P, Y + 1), "3 ("),
        (lambda a: a.update(P, Y + 0.5), "whole numbers"),
        (lambda a: a.update((P * 255).astype(np.uint8), Y), "integers"),
        (lambda a: a.update([["a"]], Y), "hold no numbers"),
    ],
)  # fmt: skip
def test_an_accumulator_refuses_and_stays_as_it_was(update, said):
    accumulator = filled(batches(1))
    before = accumulator.compute()
    with pytest.raises(SoftdiceError) as caught:
        update(accumulator)
    assert said in str(caught.value)
    assert accumulator.compute() == before


def test_an_accumulator_of_label_maps():
    settings = Settings(prediction="labels", classes=tuple(ClassDef(str(i), i) for i in range(3)))
    results = filled([(Y, Y), (np.zeros_like(Y), Y[:, None])], settings).compute()
    assert len(results.images) == 4
    assert results.images[0].sums[0].true_positives == int((Y[0] == 0).sum())


def test_an_accumulator_without_images_has_no_scores():
    results = Accumulator().compute()
    assert (results.complete, results.pooled.means.dice, results.images) == (False, None, ())


def test_an_accumulator_does_not_name_options_that_it_does_not_have():
    with pytest.raises(SoftdiceError) as caught:
        filled([(P.transpose(0, 2, 3, 1), Y)])
    assert "--layout" not in str(caught.value)
