"""``softdice inspect``: what a file is, and what to type for it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch
from folders import maps
from PIL import Image
from systems import linux

from softdice_cli.inspection import inspect_files
from softdice_cli.readers import ReadOptions


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


@pytest.mark.parametrize("kind", ["npz", "pt"])
def test_inspect_lists_the_arrays_of_a_file(softdice, looked, kind):
    arrays = {"a": np.zeros((2, 2)), "\x1b[31m": np.ones((3, 4), np.uint8)}
    np.savez(looked / "two.npz", **arrays)
    torch.save({key: torch.from_numpy(array) for key, array in arrays.items()}, looked / "two.pt")
    table = softdice("inspect", f"two.{kind}")
    assert (table.code, table.err) == (0, "")
    assert f"two.{kind}: {kind}, 2 arrays: look into one with --key\n" in table.out
    assert "float64 (2, 2)\n" in table.out
    assert "uint8 (3, 4)\n" in table.out
    assert "\x1b" not in table.out
    (entry,) = json.loads(softdice("inspect", f"two.{kind}", "--format", "json").out)
    assert (entry["path"], entry["format"]) == (f"two.{kind}", kind)
    assert entry["arrays"][0] == {"key": "a", "stored": "float64", "shape": [2, 2]}
    # The key that is listed can be typed.
    assert softdice("inspect", f"two.{kind}", "--key", "a").out.startswith(f"two.{kind}: {kind}, float64 (2, 2)\n")
    wrong = softdice("inspect", f"two.{kind}", "--key", "c")
    assert wrong.code == 3
    assert "--key a" in wrong.err


def test_inspect_lists_forty_arrays_and_no_more(softdice, looked):
    np.savez(looked / "many.npz", **{f"k{index:02}": np.zeros(2) for index in range(41)})
    out = softdice("inspect", "many.npz").out
    assert "k39  float64 (2,)" in out
    assert out.endswith("  and 1 more\n")


def test_inspect_looks_into_the_one_tensor_in_a_dict_in_a_dict(softdice, looked):
    torch.save({"out": {"probs": torch.ones(2, 3)}}, looked / "deep.pt")
    run = softdice("inspect", "deep.pt")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("deep.pt: pt, float32 (2, 3)\n")


def test_inspect_shows_both_readings_of_a_tiff_in_which_0_is_white(softdice, looked):
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4] = 255
    tifffile.imwrite(looked / "white.tif", mask, photometric="miniswhite")
    out = softdice("inspect", "white.tif").out
    assert "labels    0 (32 px), 255 (16 px)\n" in out
    assert "inverted  0 to 255; 0 (16 px), 255 (32 px)\n" in out
    assert "--white-is-zero stored" in out
    (entry,) = json.loads(softdice("inspect", "white.tif", "--format", "json").out)
    assert entry["inverted"] == {"low": 0.0, "high": 255.0, "labels": {"0": 16, "255": 32}}
    Image.fromarray(mask > 0).save(looked / "bits.tif", compression="group4", tiffinfo={262: 0})
    assert "inverted  0 to 1; 0 (32 px), 1 (16 px)\n" in softdice("inspect", "bits.tif").out


@pytest.mark.parametrize("name", ["labels.png", "chw.npy"])
def test_inspect_says_nothing_of_what_is_not_there(softdice, looked, name):
    (entry,) = json.loads(softdice("inspect", name, "--format", "json").out)
    assert (entry["inverted"], entry["palette"]) == (None, None)


def test_inspect_tells_what_a_picture_says_besides_its_pixels(softdice, looked):
    picture = Image.fromarray(np.uint8([[0, 1, 1, 2]]), "L")
    picture.putpalette([255, 0, 0, 0, 128, 0, 9, 9, 9])
    exif = Image.Exif()
    exif[274] = 6
    picture.save(looked / "p.png", exif=exif)
    out = softdice("inspect", "p.png").out
    assert "palette   0 = #ff0000, 1 = #008000, 2 = #090909\n" in out
    assert "by colour, --class NAME=#rrggbb" in out
    assert "EXIF orientation 6" in out


def test_inspect_tells_the_axes_that_a_format_names(softdice, looked):
    tifffile.imwrite(looked / "p.tif", np.zeros((3, 5, 4, 4), np.float32), metadata={"axes": "CZYX"}, photometric=1)
    assert "axes      CDHW, as the format says\n" in softdice("inspect", "p.tif").out
    assert "axes" not in softdice("inspect", "labels.png").out


@pytest.mark.filterwarnings("ignore:.*are stored as RGB with separate component planes:DeprecationWarning")
def test_inspect_names_planes_that_could_be_colours(softdice, looked):
    tifffile.imwrite(looked / "p.tif", np.zeros((3, 6, 8), np.uint8))
    assert "slices or channels, or red, green and blue" in softdice("inspect", "p.tif").out


def test_inspect_counts_the_samples_of_a_transparent_picture(softdice, looked):
    tifffile.imwrite(looked / "p.tif", np.zeros((6, 8, 4), np.uint8), photometric="rgb", extrasamples=["unassalpha"])
    assert "labels    0 (192 px)" in softdice("inspect", "p.tif").out


def test_inspect_says_that_equal_channels_are_labels(softdice, looked):
    assert "equal channels: a label map" in softdice("inspect", "rgb.png").out


def test_inspect_names_are_neutral(softdice, looked):
    (looked / "chw.npy").rename(looked / "\x1b[31m.npy")
    assert "\x1b" not in softdice("inspect", "\x1b[31m.npy").out


DEADLY = """
import os, signal, sys, time
import softdice_cli.inspection.files as files
from softdice_cli.cli import main
look, how = files.inspect, sys.argv.pop(1)
def deadly(path, options):
    if path == "hwc.npy":
        if how == "memory":
            raise MemoryError
        if how == "hangs":
            time.sleep(600)
        os.kill(os.getpid(), signal.SIGSEGV)
    return look(path, options)
files.inspect = deadly
main()
"""
"""The command line, with a file that its library does not survive, or never gets done with."""


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "said"),
    [
        # a broken library
        ("dies", "hwc.npy: the process that looked into it died\n  found     killed by SIGSEGV\n"),
        # too little memory
        ("memory", "hwc.npy: needs more memory than there is\n"),
        # an endless loop
        ("hangs", "hwc.npy: took longer than 8 s\n  try       --timeout 16,"),
    ],
)
def test_a_file_that_ends_its_process_costs_that_file_only(looked, how, said):
    command = ["inspect", "one.npy", "hwc.npy", "broken.npy", "chw.npy", "--format", "json", "--timeout", "8"]
    run = subprocess.run(
        [sys.executable, "-c", DEADLY, how, *command],
        cwd=looked, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 3
    assert said in run.stderr
    found = json.loads(run.stdout)
    assert [entry["path"] for entry in found] == ["one.npy", "hwc.npy", "broken.npy", "chw.npy"]
    assert ["error" in entry for entry in found] == [False, True, True, False]


def test_where_no_process_can_be_forked_files_are_looked_into_all_the_same(looked, monkeypatch):
    monkeypatch.chdir(looked)
    monkeypatch.setattr("softdice_cli.execution.choice.can_fork", lambda: False)
    found = list(inspect_files(["one.npy", "broken.npy"], ReadOptions()))
    assert [type(entry).__name__ for entry in found] == ["Inspection", "UnreadableError"]
