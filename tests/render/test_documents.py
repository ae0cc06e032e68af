"""CSV, JSON lines and the lists of images: the numbers of the JSON, cells that are data, lines as they come."""

from __future__ import annotations

import json
import os
import select
import subprocess

import numpy as np
import pytest
from folders import COUNTS, SCORES, csv_rows, eval_, slowly, write
from PIL import Image
from systems import posix


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


# Elsewhere, a pipe cannot be waited for.
@posix
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


@posix
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
    assert [c["defined"]["dice"] for c in document["image_mean"]["classes"]] == [2, 1, 1]
    block = softdice(*eval_()).out.split("image mean over 2 images")[1].split("mean")[0]
    rows = [line.split() for line in block.splitlines() if line[:1].isdigit()]
    assert [(row[0], row[-1]) for row in rows] == [("0", "2"), ("1", "1"), ("2", "1")]
