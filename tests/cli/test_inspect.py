"""``softdice inspect``: what a file is, and what to type for it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from folders import maps
from PIL import Image


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
