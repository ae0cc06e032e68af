"""Every refusal that a user can meet on the command line: the exit code, and that stderr says what to type next."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.sparse
import torch
from conftest import Run, Softdice
from PIL import Image

Make = Callable[[Path], Any]

P = np.random.default_rng(7).random((3, 4, 6))
P = (P / P.sum(0)).astype(np.float32)
M = (np.arange(24).reshape(4, 6) % 3).astype(np.uint8)
ONE, TWO = P[0], np.stack([P[0], 1 - P[0]])
BINARY = (M > 0).astype(np.uint8) * 255
VOID = np.where(np.arange(24).reshape(4, 6) < 5, 255, M).astype(np.uint8)
LOGITS = P * 9 - 3
RGB = np.zeros((4, 6, 3), np.uint8)
RGB[0] = 255, 0, 0
ONE_HOT = (np.arange(3)[:, None, None] == M).astype(np.uint8)
GREYS = M * np.uint8(85)
STEPS = np.arange(24).reshape(4, 6).astype(np.uint8) * np.uint8(10)
SQUARE = np.full((3, 3, 3), 1 / 3, np.float32)


def npy(**arrays: Any) -> Make:
    """Writes p.npy, m.npy and so on."""
    return lambda folder: [np.save(folder / f"{name}.npy", array) for name, array in arrays.items()]


def text(name: str, content: str) -> Make:
    return lambda folder: (folder / name).write_text(content)


def rgb(folder: Path) -> None:
    Image.fromarray(RGB).save(folder / "m.png")


def spoiled(array: Any, value: float) -> Any:
    copy = array.copy()
    copy[0, 1, 2] = value
    return copy


def nothing(folder: Path) -> None:
    pass


class Row(NamedTuple):
    """Files besides the valid p.npy and m.npy, arguments, exit code, what stderr says, and arguments that cure it."""

    make: Make
    args: str
    code: int
    words: list[str]
    cure: str | None = None


ROWS: dict[str, Row] = {
    # --- values that are no probabilities ---
    # raw network outputs: the range, and the activation for so many channels
    "logits": Row(
        npy(p=LOGITS),
        "",
        3,
        [
            "p.npy: the values are not probabilities",
            "numbers in [0, 1] that sum to 1 over the 3 channels",
            f"float32 (3, 4, 6): values from {LOGITS.min():.6g} to {LOGITS.max():.6g}",
            "--activation softmax",
        ],
        "--activation softmax",
    ),
    # the same for a single channel
    "logits-one-channel": Row(
        npy(p=LOGITS[0], m=M % 2),
        "",
        3,
        ["p.npy: the values are not probabilities", "numbers in [0, 1] found", "(4, 6)", "--activation sigmoid"],
        "--activation sigmoid",
    ),
    # log_softmax: nothing above 0
    "log-probabilities": Row(
        npy(p=np.log(P)), "", 3, ["not probabilities", "log-probabilities or logits", "softmax"], "--activation softmax"
    ),
    # a picture of probabilities, turned into floats
    "floats-0-255": Row(npy(p=np.round(P * 255)), "", 3, ["p.npy: the values are not prob", "divide by 255"]),
    # 8-bit probabilities and label maps look alike: both ways out are named
    "integers": Row(
        npy(p=np.round(TWO * 255).astype(np.uint8), m=M % 2),
        "",
        3,
        [
            "p.npy: holds integers",
            "float16, bfloat16, float32 or float64",
            "uint8 (2, 4, 6), from",
            "--pred-labels",
            "--scale 255, as the channels sum to 255 in every pixel",
        ],
        "--scale 255",
    ),
    # 16 bits have another full scale
    "integers-16-bit": Row(
        npy(p=np.round(TWO * 65535).astype(np.uint16), m=M % 2), "", 3, ["uint16", "--scale 65535"], "--scale 65535"
    ),
    # floats are never divided
    "scale-on-floats": Row(
        nothing, "--scale 255", 3, ["p.npy: holds floats", "float32 (3, 4, 6)", "leave out --scale"]
    ),
    # a stored value above the one that means 1
    "scale-too-small": Row(
        npy(p=np.uint8(TWO * 200) + np.uint8(9), m=M % 2),
        "--scale 100",
        3,
        ["p.npy", "--scale 217, as the channels sum to 217 in every pixel"],
    ),
    # the same of one channel, which has no sum
    "scale-too-small-for-one": Row(
        npy(p=np.uint8(TWO[0] * 200) + np.uint8(9), m=M % 2),
        "--scale 100",
        3,
        ["p.npy", "--scale 255: it must be the stored value"],
    ),
    # one broken value is enough, and is counted
    "nan": Row(npy(p=spoiled(P, np.nan)), "", 3, ["p.npy: holds NaN", "finite numbers", "1 value is not finite"]),
    # infinity is as bad
    "inf": Row(
        npy(p=spoiled(P, np.inf)), "", 3, ["p.npy: holds NaN or infinite", "float32 (3, 4, 6)", "ignored label"]
    ),
    # a stored type with another full scale: both ways round
    "scale-of-8-bits": Row(
        npy(p=np.round(TWO * 65535).astype(np.uint16), m=M % 2), "--scale 255", 3, ["--scale 65535"], "--scale 65535"
    ),
    "scale-out-of-reach": Row(
        npy(p=np.round(TWO * 255).astype(np.uint8), m=M % 2),
        "--scale 65535",
        3,
        ["p.npy: uint8 holds at most 255, so a scale of 65535", "try --scale 255"],
        "--scale 255",
    ),
    "scale-of-signed-bytes": Row(
        npy(p=np.round(TWO * 127).astype(np.int8), m=M % 2), "--scale 255", 3, ["at most 127"], "--scale 127"
    ),
    # zeros and ones may be one-hot, of whatever type
    "one-hot": Row(npy(p=ONE_HOT), "", 3, ["holds integers", "--scale 1 if", "--pred-labels"], "--scale 1"),
    "one-hot-bool": Row(npy(p=ONE_HOT > 0), "", 3, ["bool (3, 4, 6)", "--scale 1 if it is one-hot"], "--scale 1"),
    "one-hot-of-255": Row(npy(p=ONE_HOT), "--scale 255", 3, ["do not sum to 1", "--scale 1, if"], "--scale 1"),
    # a slip of arithmetic is clipped, and is no logit
    "slightly-negative": Row(npy(p=spoiled(P, -5e-4)), "", 3, ["values from -0.0005", "np.clip(p, 0, 1)"]),
    "slightly-above-1": Row(npy(p=np.float32([[1.005] * 6] * 4), m=M % 2), "", 3, ["clip before you save"]),
    # independent activations of classes that exclude each other
    "sigmoid-of-many": Row(
        npy(p=LOGITS),
        "--activation sigmoid",
        3,
        ["do not sum to 1", "--activation softmax", "--allow-unnormalized"],
        "--activation softmax",
    ),
    # a little below 0 is no rounding
    "negative": Row(
        npy(p=spoiled(P, -0.25)), "", 3, ["not probabilities", "values from -0.25 to", "numbers in [0, 1]"]
    ),
    # multi-label maps: the sums, and the option that takes them
    "unnormalized": Row(
        npy(p=P / 2),
        "",
        3,
        ["p.npy: the 3 channels do not sum to 1", "1 ± 0.001", "24 pixels are off, with sums from 0.5 to 0.5"],
        "--allow-unnormalized",
    ),
    # --- labels that are no class ---
    # a two-class mask against three channels: no mapping can be right
    "0-255-three-classes": Row(
        npy(m=BINARY), "", 3, ["m.npy: has labels that are not classes", "labels 0, 1, 2", "255 (16 px)", "has 3"]
    ),
    # a two-class mask against two channels: the mapping is spelt out
    "0-255-two-channels": Row(
        npy(p=TWO, m=BINARY), "", 3, ["255 (16 px)", "--class 0=0 --class 255=255"], "--class 0=0 --class 255=255"
    ),
    # the usual mark for pixels to leave out
    "void-255": Row(npy(m=VOID), "", 3, ["m.npy", "labels 0, 1, 2", "255 (5 px)", "--ignore 255"], "--ignore 255"),
    # which of the labels is the foreground is never guessed
    "one-channel-three-labels": Row(
        npy(p=ONE),
        "",
        3,
        [
            "m.npy: has several labels besides 0, and a one-channel map",
            "0 (8 px), 1 (8 px), 2 (8 px)",
            "--foreground nonzero, if each of 1 and 2 is foreground; --foreground 1vs2",
        ],
    ),
    # a prediction with a label that the classes do not know
    "label-map-outside": Row(
        npy(p=M + np.uint8(1)),
        "--pred-labels --class a --class b --class c",
        3,
        ["p.npy: has labels that are not classes", "labels 0, 1, 2", "3 (8 px)"],
    ),
    # a label map of several classes needs their names
    "label-map-unnamed": Row(
        npy(p=M),
        "--pred-labels",
        3,
        ["has several labels besides 0, and a label map without named classes", "--class 0 --class 1 --class 2"],
        "--class 0 --class 1 --class 2",
    ),
    # labels that are far apart are named as they are
    "label-map-greys": Row(
        npy(p=GREYS, m=GREYS),
        "--pred-labels",
        3,
        ["name every class: --class 0=0 --class 85=85 --class 170=170"],
        "--class 0=0 --class 85=85 --class 170=170",
    ),
    # more labels than anyone has classes
    "label-map-of-probabilities": Row(
        npy(p=STEPS, m=M % 2), "--pred-labels", 3, ["look like probabilities", "--scale 255, and leave out --pred"]
    ),
    # fractions are no labels, and the files are not swapped
    "label-map-of-fractions": Row(
        npy(p=ONE), "--pred-labels", 3, ["p.npy: holds fractions", "leave out --pred-labels"]
    ),
    # a one-hot map is no label map
    "label-map-one-hot": Row(
        npy(p=ONE_HOT), "--pred-labels", 3, ["does not fit", "leave out --pred-labels", "--scale 1 besides"]
    ),
    # what a label map leaves out counts nevertheless
    "label-map-ignored": Row(
        npy(p=VOID),
        "--pred-labels --class a --class b --class c --ignore 255",
        3,
        ["p.npy: holds an ignored label where the mask does not", "255 (5 px)"],
    ),
    # one class with the wrong label
    "one-class-other-label": Row(npy(p=ONE, m=BINARY), "--class 'a b'=1", 3, ["255 (16 px)", "try --class 'a b'=255"]),
    # one class, and pixels that are marked
    "one-class-void": Row(
        npy(p=ONE, m=np.where(M == 2, 255, M)), "--class a=1", 3, ["255 (8 px)", "--ignore 255"], "--ignore 255"
    ),
    # one class, and others that must not be hidden
    "one-class-of-many": Row(npy(p=ONE), "--class a=1", 3, ["2 (8 px)", "--foreground 1vs2", "--class a=1+2"]),
    # a probability map passed as the mask
    "fractional-mask": Row(npy(m=P[0]), "", 3, ["m.npy: holds fractions", "float32 (4, 6), from", "swapped"]),
    # nothing left to count is no result
    "all-ignored": Row(
        npy(m=np.full((4, 6), 255, np.uint8)), "--ignore 255", 3, ["m.npy: has no pixel left", "24 ignored pixels"]
    ),
    # unnamed channels have the labels 0, 1, 2
    "ignore-is-a-channel": Row(
        nothing, "--ignore 0", 3, ["0 is ignored, and it is the label of class 0", "--class NAME=VALUE"]
    ),
    # --- colours ---
    # a picture as mask: its colours, to be named
    "rgb-without-colours": Row(
        rgb,
        "--gt m.png",
        3,
        ["m.png: holds colours", "#000000 (18 px), #ff0000 (6 px)", "--class NAME=#rrggbb once a class"],
        "--class a=#000000 --class b=#ff0000 --class c=#00ff00",
    ),
    # colour classes and a mask of numbers
    "colours-on-grey": Row(
        nothing,
        "--class a=#000000 --class b=#ff0000",
        3,
        ["m.npy: does not hold colours", "uint8 (4, 6)", "NAME=VALUE"],
    ),
    # one colour is missing among the classes
    "unknown-colour": Row(
        lambda folder: (rgb(folder), np.save(folder / "p.npy", TWO)),
        "--gt m.png --class a=#000000 --class b=#00ff00",
        3,
        ["m.png: has labels that are not classes", "labels #000000, #00ff00", "#ff0000 (6 px)", "--class b=#ff0000"],
    ),
    # one mask cannot be both
    "colours-and-numbers": Row(
        nothing, "--class a=#000000 --class b=1", 2, ["all numbers or all colours", "#000000, 1"]
    ),
    # --- shapes ---
    # width and height swapped, a frequent slip with other libraries
    "transposed": Row(
        npy(m=M.T),
        "",
        3,
        ["p.npy: the mask has its axes in another order", "(C, 6, 4)", "prediction (3, 4, 6)", "mask.T", "np.rot90"],
    ),
    # three channels of 3 × 3: nothing tells them apart
    "ambiguous": Row(
        npy(p=SQUARE, m=M[:3, :3]),
        "",
        3,
        [
            "more than one way",
            "prediction (3, 3, 3) and mask m.npy (3, 3)",
            "CHW and HWC",
            "--layout CHW or --layout HWC",
        ],
        "--layout HWC",
    ),
    # nothing is ever resized to fit
    "wrong-size": Row(
        npy(m=M[:, :5]), "", 3, ["does not fit the mask", "(C, 4, 5)", "(3, 4, 6), mask m.npy (4, 5)", "never res"]
    ),
    # a batch against the mask of one image
    "batch-of-one-mask": Row(
        npy(p=np.stack([P] * 3)),
        "",
        3,
        ["p.npy: the prediction holds several images, and the mask is of one", "as (3, 4, 6)"],
    ),
    # lines are read only where they are asked for
    "lines": Row(npy(p=P.swapaxes(0, 1)), "", 3, ["unless as lines of pixels", "--layout BCW"], "--layout BCW"),
    # a layout that the shapes contradict
    "wrong-layout": Row(
        nothing, "--layout HWC", 3, ["laid out as HWC", "(3, 4, 6), mask m.npy (4, 6)", "leave out --layout"]
    ),
    # letters that are no axes
    "nonsense-layout": Row(nothing, "--layout foo", 2, ["--layout FOO is not a layout", "one letter an axis", "CDHW"]),
    # more names than channels
    "class-count-one-channel": Row(
        npy(p=ONE, m=M % 2), "--class a --class b", 3, ["the map has 1 channel,", "2 classes", "--class foreground"]
    ),
    # fewer names than channels
    "class-count": Row(
        nothing, "--class a --class b", 3, ["p.npy: the map has 3 channels", "2 classes", "a, b", "name all 3 classes"]
    ),
    # --- classes ---
    # two rows of one name could not be told apart
    "class-name-twice": Row(nothing, "--class a --class a", 2, ["--class 'a' is the name of two classes"]),
    # one label cannot be two classes
    "class-value-twice": Row(
        nothing, "--class a=1 --class b=1 --class c", 2, ["--class '1' is the label of two classes"]
    ),
    # two sources of classes
    "class-and-classes": Row(
        nothing,
        "--class a --classes c.json",
        2,
        ["--class cannot stand beside --classes", "leave out --class or --classes"],
    ),
    # one class of several labels, as other programs take it
    "class-labels-apart": Row(
        nothing,
        "--class a --class b --class b=3",
        2,
        ["--class 'b' is the name of two classes", "--class b=1+3"],
    ),
    "class-labels-comma": Row(
        nothing,
        "--class a --class b --class c=2,3",
        2,
        ["--class 'c=2,3' does not end in a label", "c=2+3"],
    ),
    # a label that is no label
    "class-without-number": Row(
        nothing, "--class a=x", 2, ["--class 'a=x' does not end in a label", "an integer or #rrggbb"]
    ),
    # a file that is not there
    "classes-missing": Row(nothing, "--classes c.json", 2, ["c.json: there is no such file", "check the path"]),
    # where the JSON breaks
    "classes-broken-json": Row(text("c.json", "[1,"), "--classes c.json", 2, ["c.json: is not valid JSON", "line 1"]),
    # where the TOML breaks
    "classes-broken-toml": Row(
        text("c.toml", "a ="), "--classes c.toml", 2, ["c.toml: is not valid TOML", "Invalid value"]
    ),
    # valid JSON of the wrong form
    "classes-wrong": Row(
        text("c.json", "[1, 2]"), "--classes c.json", 2, ["c.json: holds no classes", '["a", "b"]', "list"]
    ),
    # the entry that is none, such as a slip in a name
    "classes-unknown-member": Row(
        text("c.json", '[{"name": "a", "valeu": 3}]'),
        "--classes c.json",
        2,
        ["c.json: holds no classes", "name, valeu"],
    ),
    # a label that is left out, or a class
    "classes-and-ignore": Row(
        text("c.json", '{"a": 0, "b": 1, "ignore": 255}'),
        "--classes c.json",
        2,
        ["c.json: 'ignore' stands among classes", "which label is left out", 'put the classes under "classes"'],
    ),
    # JSON itself would keep the last
    "classes-json-twice": Row(
        text("c.json", '{"a": 0, "a": 1}'), "--classes c.json", 2, ["c.json: 'a' is given twice"]
    ),
    # what is wrong with a class names the file
    "classes-same-label": Row(
        text("c.toml", "a = 1\nb = 1"), "--classes c.toml", 2, ["c.toml: '1' is the label of two classes"]
    ),
    "classes-no-label": Row(
        text("c.json", '{"a": "x"}'), "--classes c.json", 2, ["c.json: 'a=x' does not end in a label"]
    ),
    # and what to do about it is done there
    "classes-half-coloured": Row(
        text("c.json", '[{"name": "a", "value": "#ffffff"}, {"name": "b"}]'),
        "--classes c.json",
        2,
        ["c.json: must give every class its colour", "NAME=#rrggbb"],
    ),
    # a bomb
    "classes-deep-json": Row(text("c.json", "[" * 99999), "--classes c.json", 2, ["c.json: is nested too deeply"]),
    "classes-deep-toml": Row(text("c.toml", "a=" + "[" * 99999), "--classes c.toml", 2, ["c.toml: is nested too"]),
    # a format that is not read
    "classes-yaml": Row(text("c.yaml", "a: 0"), "--classes c.yaml", 2, ["c.yaml: ends in .yaml", ".json or .toml"]),
    # counted and ignored at once
    "ignore-is-a-class": Row(
        nothing,
        "--class a --class b --class c --ignore 1",
        2,
        ["--class 'b' has the label 1, which is ignored", "take 1 out"],
    ),
    # a name where a label should be
    "ignore-without-number": Row(nothing, "--ignore void", 2, ["--ignore 'void' is not a label"]),
    # the one class is not the background
    "no-background-one-class": Row(
        npy(p=ONE, m=M % 2), "--no-background", 3, ["--no-background has no place here: there is only one class"]
    ),
    # --- numbers and choices ---
    # 0 would divide by 0
    "eps-0": Row(nothing, "--eps 0", 2, ["--eps 0.0 is out of range", "from 1e-100 to 1e+06"]),
    # NaN compares with nothing
    "eps-nan": Row(nothing, "--eps nan", 2, ["--eps nan is out of range"]),
    # a negative ε has no meaning
    "eps-negative": Row(nothing, "--eps -1", 2, ["--eps -1.0 is out of range"]),
    # no number at all
    "eps-text": Row(nothing, "--eps x", 2, ["Invalid value for '--eps'", "valid number"]),
    # no probability is above it
    "threshold-text": Row(
        nothing, "--threshold half", 2, ["--threshold 'half' is not a threshold", "NAME=NUMBER", "--threshold 0.4"]
    ),
    "threshold-2": Row(nothing, "--threshold 2", 2, ["--threshold 2.0 is out of range", "0 ≤ threshold < 1"]),
    # 0 would divide by 0
    "scale-0": Row(nothing, "--scale 0", 2, ["--scale 0 is out of range", "such as 255 or 65535"]),
    # choices are listed
    "empty": Row(nothing, "--empty foo", 2, ["Invalid value for '--empty'", "'skip', 'one', 'zero'"]),
    # choices are listed
    "activation": Row(nothing, "--activation foo", 2, ["'--activation'", "'none', 'softmax', 'sigmoid'"]),
    # choices are listed
    "format": Row(nothing, "--format foo", 2, ["Invalid value for '--format'", "'table', 'json'"]),
    # a slip of the finger is put right
    "unknown-option": Row(nothing, "--ingore 255", 2, ["No such option", "--ingore", "--ignore"]),
    # label maps have no scale
    "labels-and-scale": Row(
        npy(p=M), "--pred-labels --scale 255", 2, ["--scale is for probabilities", "leave out --scale or --pred-labels"]
    ),
    # nor logits
    "labels-and-activation": Row(
        npy(p=M),
        "--pred-labels --activation softmax",
        2,
        ["--activation is for probabilities", "leave out --activation or --pred-labels"],
    ),
    # --- devices ---
    # a device that is not here: those that are
    "device-cuda": Row(
        nothing, "--device cuda", 2, ["--device 'cuda' is not on this machine", "auto, cpu, torch:cpu", "--device cpu"]
    ),
    # a device that is nowhere
    "device-nonsense": Row(
        nothing, "--device toaster", 2, ["--device 'toaster' is not on this machine", "torch:cpu"], "--device cpu"
    ),
    # --- files ---
    # a prediction that is not there
    "missing": Row(nothing, "--pred q.npy", 3, ["q.npy: there is no such file", "check the path"]),
    # a mask that is not there
    "missing-mask": Row(nothing, "--gt n.png", 3, ["n.png: there is no such file"]),
    # a folder on one side only
    "folder": Row(lambda folder: (folder / "d").mkdir(), "--pred d", 2, ["d and m.npy", "a folder on both sides"]),
    # 0 bytes
    "empty-file": Row(text("e.npy", ""), "--pred e.npy", 3, ["e.npy: is empty", "0 bytes", "PNG or TIFF"]),
    # a copy that was cut off
    "truncated": Row(
        lambda folder: (folder / "p.npy").write_bytes((folder / "p.npy").read_bytes()[:-4]),
        "",
        3,
        ["p.npy: is truncated", "288 bytes of data (float32 (3, 4, 6))", "284 bytes", "copy the file again"],
    ),
    # several arrays: their names
    "npz-without-key": Row(
        lambda folder: np.savez(folder / "z.npz", probs=P, other=P),
        "--pred z.npz",
        3,
        ["z.npz: holds several arrays", "probs, other", "--key probs"],
        "--key probs",
    ),
    # none of that name
    "npz-wrong-key": Row(
        lambda folder: np.savez(folder / "z.npz", probs=P, other=P),
        "--pred z.npz --key prob",
        3,
        ["z.npz: holds no array 'prob'", "probs, other", "--key probs"],
        "--key probs",
    ),
    # the same for tensors
    "pt-without-key": Row(
        lambda folder: torch.save({"probs": torch.from_numpy(P), "x": torch.zeros(1)}, folder / "z.pt"),
        "--pred z.pt",
        3,
        ["z.pt: holds several arrays", "probs, x", "--key probs"],
        "--key probs",
    ),
    # none of that name
    "pt-wrong-key": Row(
        lambda folder: torch.save({"probs": torch.from_numpy(P), "x": torch.zeros(1)}, folder / "z.pt"),
        "--pred z.pt --key y",
        3,
        ["z.pt: holds no array 'y'", "probs, x", "--key probs"],
        "--key probs",
    ),
    # a truth has a key of its own
    "npz-truth-without-key": Row(
        lambda folder: np.savez(folder / "z.npz", **{"my mask": M, "other": M}),
        "--gt z.npz",
        3,
        ["z.npz: holds several arrays", "my mask, other", "--gt-key 'my mask'"],
        "--gt-key 'my mask'",
    ),
    # a checkpoint is no prediction
    "pt-weights": Row(
        lambda folder: torch.save(torch.nn.Linear(2, 2).state_dict(), folder / "z.pt"),
        "--pred z.pt",
        3,
        ["z.pt: looks like the weights of a model", "weight, bias"],
    ),
    "pt-checkpoint": Row(
        lambda folder: torch.save({"epoch": 3, "net": torch.nn.Linear(2, 2).state_dict()}, folder / "z.pt"),
        "--pred z.pt",
        3,
        ["z.pt: looks like the weights of a model", "net.bias, net.weight"],
    ),
    # tensors that are further inside
    "pt-nested": Row(
        lambda folder: torch.save({"out": {"probs": torch.from_numpy(P)}, "epoch": 3}, folder / "z.pt"),
        "--pred z.pt",
        3,
        ["z.pt: holds no tensor by itself", "out (dict), epoch (int), out.probs", "--key out.probs"],
        "--key out.probs",
    ),
    # a sparse matrix, of which the parts are no map
    "npz-sparse": Row(
        lambda folder: scipy.sparse.save_npz(folder / "z.npz", scipy.sparse.csr_matrix(M)),
        "--gt z.npz",
        3,
        ["z.npz: holds a scipy.sparse matrix", "scipy.sparse.load_npz(sys.argv[1]).toarray()", "z.npz NEW.npy"],
    ),
    # a type of JAX that the file does not name
    "npy-float8": Row(
        lambda folder: np.save(folder / "z.npy", np.zeros((3, 4, 6), "V1")),
        "--pred z.npy",
        3,
        ["z.npy: holds a type of one byte", "np.save(path, array.astype(np.float32))"],
    ),
    # the limit names its option and the number to give
    "too-many-pixels": Row(rgb, "--gt m.png --max-pixels 9", 3, ["m.png", "larger than the limit", "--max-pixels 24"]),
    # there is but one standard input
    "both-stdin": Row(nothing, "--pred - --gt -", 2, ["--pred and --gt cannot both be standard input"]),
    # nothing is left behind where the result cannot be written
    "output-nowhere": Row(
        nothing, "--output no/r.json", 2, ["no/r.json: --output is in a folder that is not there", "make the folder"]
    ),
    # nor where a folder has its name
    "output-folder": Row(
        lambda folder: (folder / "d").mkdir(),
        "-o d",
        2,
        ["d: cannot be written: --output is a folder", "name a file in it"],
    ),
}


def flat(stderr: str) -> str:
    """Standard error in one line, without the frame that Typer draws."""
    return re.sub(r"[\s│╭╮╰╯─]+", " ", stderr)


def says(run: Run, words: list[str]) -> None:
    for word in words:
        assert word in flat(run.err), run.err


def run_eval(softdice: Softdice, *more: str) -> Run:
    """The last --pred and --gt given count."""
    return softdice("eval", "--pred", "p.npy", "--gt", "m.npy", *(part for text in more for part in shlex.split(text)))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_refusal(row: Row, softdice: Softdice, pair: tuple[Path, Path], tmp_path: Path):
    if row.args == "--device cuda" and torch.cuda.is_available():
        pytest.skip("there is a cuda device")
    npy(p=P, m=M)(tmp_path)
    row.make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    run = run_eval(softdice, row.args)
    assert (run.code, run.out) == (row.code, ""), run
    says(run, row.words)
    assert sorted(tmp_path.rglob("*")) == before
    if row.code == 3:
        failure_in_json(run_eval(softdice, row.args, "--format json"), run)
    if row.cure is not None:
        cured = run_eval(softdice, row.args, row.cure)
        assert cured.code == 0, cured
        assert "|classes:" in cured.out


def failure_in_json(run: Run, table: Run) -> None:
    """With --format json the same refusal is data on stdout, marked incomplete, and text on stderr."""
    assert (run.code, run.err) == (3, table.err)
    results = json.loads(run.out)
    assert results["complete"] is False
    assert results["images"] == []
    assert results["pooled"]["loss"] is None
    (failure,) = results["failures"]
    for part in ("error", "expected", "found", "hint"):
        assert (failure[part] or "") in table.err


def test_missing_options_are_named(softdice: Softdice, pair: tuple[Path, Path]):
    for given, missing in (("--pred", "--gt"), ("--gt", "--pred")):
        run = softdice("eval", given, "p.npy")
        assert (run.code, run.out) == (2, "")
        says(run, [f"{missing} is missing", "softdice eval --pred p.npy --gt mask.png"])


def test_standard_input_gives_the_sums_of_the_file(softdice: Softdice, pair: tuple[Path, Path]):
    file = run_eval(softdice, "--format json")
    pipe = softdice("eval", "--pred", "-", "--gt", "m.npy", "--format", "json", stdin=pair[0].read_bytes())
    assert (file.code, pipe.code, pipe.err) == (0, 0, file.err)
    (left,), (right,) = (json.loads(run.out)["images"] for run in (file, pipe))
    assert left["sums"] == right["sums"]
    assert (left["pred"], right["pred"]) == ("p.npy", "-")


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"garbage", ["standard input: is not in a format that softdice reads", "b'garbage'"]),
        (b"", ["standard input: is empty", "0 bytes"]),
        (b"\x93NUMPY\x01\x00", ["standard input: cannot be read as npy"]),
    ],
    ids=["garbage", "nothing", "cut"],
)
def test_garbage_on_standard_input(stdin: bytes, words: list[str], softdice: Softdice, pair: tuple[Path, Path]):
    run = softdice("eval", "--pred", "-", "--gt", "m.npy", stdin=stdin)
    assert (run.code, run.out) == (3, "")
    says(run, words)


def test_softmax_over_one_channel_is_refused(softdice: Softdice, pair: tuple[Path, Path], tmp_path: Path):
    npy(p=LOGITS[0], m=M % 2)(tmp_path)
    run = run_eval(softdice, "--activation softmax")
    assert run.code in (2, 3)
    says(run, ["softmax", "--activation sigmoid"])


@pytest.mark.parametrize("kind", ["npz", "pt"])
def test_a_key_of_the_prediction_is_not_asked_of_a_mask_alone_in_its_file(
    kind: str, softdice: Softdice, tmp_path: Path
):
    np.savez(tmp_path / "p.npz", probs=P, other=P)
    if kind == "npz":
        np.savez(tmp_path / "m.npz", mask=M)
    else:
        torch.save(torch.from_numpy(M), tmp_path / "m.pt")
    run = softdice("eval", "--pred", "p.npz", "--gt", f"m.{kind}", "--key", "probs")
    assert run.code == 0, run.err


def test_a_wrong_size_is_not_blamed_on_the_layout(softdice: Softdice, pair: tuple[Path, Path], tmp_path: Path):
    npy(m=M[:, :5])(tmp_path)
    run = run_eval(softdice, "--layout CHW")
    assert run.code == 3
    says(run, ["prediction (3, 4, 6), mask m.npy (4, 5)", "softdice never resizes"])


def test_softmax_of_probabilities_is_refused(softdice: Softdice, pair: tuple[Path, Path]):
    run = run_eval(softdice, "--activation softmax")
    assert run.code == 3
    says(run, ["p.npy: holds probabilities already", "leave out --activation"])
    assert run_eval(softdice, "").code == 0


def test_a_void_label_is_not_offered_as_the_class_that_is_absent(softdice: Softdice, tmp_path: Path):
    """Three classes, of which one is in no pixel, and one label that is none of them: three labels all the same."""
    npy(p=P, m=np.where(M == 2, 255, M).astype(np.uint8))(tmp_path)
    run = run_eval(softdice, "")
    assert run.code == 3
    says(run, ["found 255", "try --ignore 255, if 255 marks pixels to leave out"])
