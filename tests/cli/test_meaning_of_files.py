"""What people type first, and then what softdice proposes: the right number in the end, and never a wrong one before.

Each case is a kind of files that people have. What is right is plain NumPy; a refusal names the words that lead on.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

SHAPE = (24, 32)
Dice = list[float | None]


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def blocks(classes: int, shape: tuple[int, ...] = SHAPE, seed: int = 1) -> np.ndarray:
    """Labels in blocks of 4 pixels, each class several times."""
    coarse = np.random.default_rng(seed).integers(0, classes, [length // 4 for length in shape])
    return np.kron(coarse, np.ones([4] * len(shape), int)).astype(np.uint8)


def softmax(labels: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities ``(C, *S)`` whose greatest is mostly the label."""
    generator = rng()
    decided = np.where(generator.random(labels.shape) < 0.85, labels, generator.integers(0, classes, labels.shape))
    raw = generator.random((classes, *labels.shape)) + 1.5 * (
        decided == np.arange(classes).reshape(-1, *[1] * labels.ndim)
    )
    return (raw / raw.sum(0)).astype(np.float32)


def binary(inside: np.ndarray) -> np.ndarray:
    """Probabilities of one channel, mostly above 0.5 inside."""
    return np.clip(inside * 0.5 + rng().random(inside.shape) * 0.55, 0, 1).astype(np.float32)


def dice(predicted: np.ndarray, truth: np.ndarray) -> float | None:
    total = predicted.sum() + truth.sum()
    return 2 * (predicted & truth).sum() / total if total else None


def by_class(probabilities: np.ndarray, labels: np.ndarray, classes: int) -> Dice:
    decided = probabilities.argmax(0)
    return [dice(decided == c, labels == c) for c in range(classes)]


def picture(path: Path, array: np.ndarray) -> None:
    Image.fromarray(array).save(path)


@dataclass(frozen=True)
class Step:
    """A command: what is typed, and the words of its refusal; without words it has to give what is right."""

    typed: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """Files of some kind.

    Attributes:
        make: writes them, and gives what is right: hard Dice of each class.
        steps: what is typed, one after the other.
    """

    make: Callable[[], Dice]
    steps: tuple[Step, ...]


PAIR = "--pred p.npy --gt m.png"


def void_in_one_channel() -> Dice:
    labels = blocks(2)
    values = binary(labels == 1)
    np.save("p.npy", values)
    labels[:4] = 255
    picture(Path("m.png"), labels)
    return [dice(values[4:] > 0.5, labels[4:] == 1)]


def void_as_the_only_label_of_a_tile() -> Dice:
    for side in "pm":
        Path(side).mkdir()
    predicted, truth = [], []
    for index, void in enumerate((False, False, True)):
        labels = blocks(2, seed=index) * (not void)
        values = binary(labels == 1)
        np.save(f"p/{index}.npy", values)
        stored = labels.copy()
        if void:
            stored[:8] = 255
        picture(Path(f"m/{index}.png"), stored)
        predicted.append((values > 0.5)[stored != 255])
        truth.append((labels == 1)[stored != 255])
    return [dice(np.concatenate(predicted), np.concatenate(truth))]


def colors_out_of_order() -> Dice:
    labels = blocks(3)
    values = softmax(labels, 3)
    np.save("p.npy", values)
    picture(Path("m.png"), np.array([[200, 0, 0], [0, 0, 200], [0, 200, 0]], np.uint8)[labels])
    return by_class(values, labels, 3)


def palette_by_counting() -> Dice:
    labels = blocks(3)
    values = softmax(labels, 3)
    np.save("p.npy", values)
    colors = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], np.uint8)[labels]
    # A program that gives the colours numbers of its own.
    found, numbers = np.unique(colors.reshape(-1, 3)[:, ::-1], axis=0, return_inverse=True)
    order = [1, 2, 0]
    image = Image.fromarray(np.argsort(order)[numbers].reshape(SHAPE).astype(np.uint8), "P")
    image.putpalette(found[order][:, ::-1].reshape(-1).tolist())
    image.save("m.png")
    return by_class(values, labels, 3)


def pages_of_channels_and_slices() -> Dice:
    labels = blocks(3, (8, 24, 32))
    values = softmax(labels, 3)
    tifffile.imwrite("p.tif", np.moveaxis(values, 0, 1), imagej=True, metadata={"axes": "ZCYX"})
    tifffile.imwrite("m.tif", labels)
    return by_class(values, labels, 3)


def keras_images() -> Dice:
    labels = np.stack([blocks(3, seed=index) for index in range(4)])
    values = softmax(labels, 3)
    np.save("p.npy", np.moveaxis(values, 0, -1))
    np.save("m.npy", labels[..., None])
    return by_class(values, labels, 3)


def labels_saved_as_floats() -> Dice:
    labels = blocks(3)
    decided = softmax(labels, 3).argmax(0)
    np.save("p.npy", decided.astype(np.float64))
    picture(Path("m.png"), labels)
    return [dice(decided == c, labels == c) for c in range(3)]


def many_labels() -> Dice:
    labels = blocks(19)
    decided = softmax(labels, 19).argmax(0)
    picture(Path("p.png"), decided.astype(np.uint8))
    labels[:4] = 255
    picture(Path("m.png"), labels)
    return [dice(decided[4:] == c, labels[4:] == c) for c in range(19)]


def two_labels_of_one_class() -> Dice:
    labels = blocks(4)
    values = softmax(np.minimum(labels, 2), 3)
    np.save("p.npy", values)
    picture(Path("m.png"), np.array([0, 1, 2, 5], np.uint8)[labels])
    return by_class(values, np.minimum(labels, 2), 3)


def white_is_zero() -> Dice:
    inside = blocks(2) == 1
    np.save("p.npy", binary(inside))
    tifffile.imwrite("m.tif", inside.astype(np.uint8) * 255, photometric="miniswhite")
    return [dice(binary(inside) > 0.5, inside)]


def overlapping_channels() -> Dice:
    whole = blocks(2) == 1
    truth = np.stack([whole, whole & (blocks(2, seed=2) == 1), whole & (blocks(3, seed=3) == 1)])
    values = np.stack([binary(channel) for channel in truth])
    np.save("p.npy", values)
    np.save("m.npy", truth.astype(np.uint8))
    return [dice(value > 0.5, channel) for value, channel in zip(values, truth, strict=True)]


def one_hot_with_void() -> Dice:
    labels = blocks(3)
    values = softmax(labels, 3)
    np.save("p.npy", values)
    truth = (labels == np.arange(3)[:, None, None]).astype(np.uint8)
    truth[:, :4] = 0
    np.save("m.npy", truth)
    return by_class(values[:, 4:], labels[4:], 3)


def volume_with_reversed_axes() -> Dice:
    labels = blocks(3, (8, 24, 32))
    values = softmax(labels, 3)
    np.save("p.npy", values)
    np.save("m.npy", labels.transpose(2, 1, 0))
    return by_class(values, labels, 3)


def trimap() -> Dice:
    labels = blocks(3) + 1
    values = binary(labels == 1)
    np.save("p.npy", values)
    picture(Path("m.png"), labels)
    counted = labels != 3
    return [dice((values > 0.5)[counted], (labels == 1)[counted])]


def labels_from_one() -> Dice:
    labels = blocks(5)
    values = softmax(np.maximum(labels, 1) - 1, 4)
    np.save("p.npy", values)
    picture(Path("m.png"), labels)
    counted, decided = labels > 0, values.argmax(0) + 1
    return [dice((decided == c)[counted], (labels == c)[counted]) for c in range(1, 5)]


def prefixes() -> Dice:
    for side in "pm":
        Path(side).mkdir()
    predicted, truth = [], []
    for index in range(3):
        inside = blocks(2, seed=index) == 1
        np.save(f"p/predicted_{index:03}.npy", binary(inside))
        picture(Path(f"m/mask_{index:03}.png"), inside.astype(np.uint8))
        predicted.append(binary(inside) > 0.5)
        truth.append(inside)
    return [dice(np.stack(predicted), np.stack(truth))]


def instances() -> Dice:
    objects = blocks(40).astype(np.uint16) * (blocks(2, seed=5) == 1)
    np.save("p.npy", binary(objects > 0))
    tifffile.imwrite("m.tif", objects)
    return [dice(binary(objects > 0) > 0.5, objects > 0)]


def graded_mask() -> Dice:
    grey = (rng().random(SHAPE) * 255).astype(np.uint8)
    np.save("p.npy", binary(grey > 127))
    picture(Path("m.png"), np.stack([grey] * 3, -1))
    return [dice(binary(grey > 127) > 0.5, grey > 127)]


def soft_labels() -> Dice:
    """A class whose labels were resized, and saved as floats."""
    fractions = np.clip(blocks(2) * 0.9999 + rng().random(SHAPE) * 1e-4 - 5e-5, 0, 1).astype(np.float32)
    np.save("p.npy", binary(fractions >= 0.5))
    np.save("m.npy", fractions)
    return [dice(binary(fractions >= 0.5) > 0.5, fractions >= 0.5)]


def two_decimals() -> Dice:
    labels = blocks(5)
    values = softmax(labels, 5).round(2).astype(np.float32)
    np.save("p.npy", values)
    picture(Path("m.png"), labels)
    return by_class(values, labels, 5)


CURED = "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0"
KINDS = {
    "void beside one channel": Kind(void_in_one_channel, (Step(PAIR, ("--ignore 255",)), Step(f"{PAIR} --ignore 255"))),
    "void that could be the class": Kind(
        void_as_the_only_label_of_a_tile,
        (
            Step(
                "--pred p --gt m", ("2.png: has the label 255 where m/0.png has 1", "--class foreground=1 --ignore 255")
            ),
            Step("--pred p --gt m --class foreground=1 --ignore 255"),
        ),
    ),
    "colours": Kind(
        colors_out_of_order,
        (
            Step(PAIR, ("--class NAME=#rrggbb", "in the order of the channels")),
            Step(f"{PAIR} --class a=#c80000 --class b=#0000c8 --class c=#00c800"),
        ),
    ),
    "a palette of counted colours": Kind(
        palette_by_counting,
        (
            Step(PAIR, ("the numbers of its palette stand in an unusual order", "--class NAME=#rrggbb")),
            Step(f"{PAIR} --class a=#000000 --class b=#800000 --class c=#008000"),
        ),
    ),
    "a hyperstack": Kind(pages_of_channels_and_slices, (Step("--pred p.tif --gt m.tif"),)),
    "images of Keras": Kind(keras_images, (Step("--pred p.npy --gt m.npy"),)),
    "a label map of floats": Kind(
        labels_saved_as_floats,
        (
            Step(PAIR, ("--pred-labels",)),
            Step(f"{PAIR} --pred-labels", ("--class 0 --class 1 --class 2",)),
            Step(f"{PAIR} --pred-labels --class 0 --class 1 --class 2"),
        ),
    ),
    "many labels": Kind(
        many_labels,
        (
            Step("--pred p.png --gt m.png", ("--pred-labels",)),
            Step("--pred p.png --gt m.png --pred-labels", ("--num-classes 19 --ignore 255",)),
            Step("--pred p.png --gt m.png --pred-labels --num-classes 19 --ignore 255"),
        ),
    ),
    "a class of two labels": Kind(
        two_labels_of_one_class,
        (Step(PAIR, ("--class NAME=2+5",)), Step(f"{PAIR} --class 0 --class 1 --class 2=2+5")),
    ),
    "white is 0": Kind(
        white_is_zero,
        (
            Step("--pred p.npy --gt m.tif", ("--white-is-zero stored",)),
            Step("--pred p.npy --gt m.tif --white-is-zero stored"),
        ),
    ),
    "a channel for each class": Kind(
        overlapping_channels,
        (
            Step("--pred p.npy --gt m.npy", ("--multilabel", "--layout DHW")),
            Step("--pred p.npy --gt m.npy --multilabel"),
        ),
    ),
    "one-hot with void": Kind(
        one_hot_with_void,
        (Step("--pred p.npy --gt m.npy", ("looks one-hot", "np.argmax(mask, axis=0), 255)", "--ignore 255")),),
    ),
    "reversed axes": Kind(volume_with_reversed_axes, (Step("--pred p.npy --gt m.npy", ("mask.transpose(2, 1, 0)",)),)),
    "a trimap": Kind(
        trimap,
        (
            Step(PAIR, ("--foreground 1vs2 --ignore 3, if 1 is the class",)),
            Step(f"{PAIR} --foreground 1vs2 --ignore 3"),
        ),
    ),
    "labels from 1": Kind(labels_from_one, (Step(PAIR, (CURED,)), Step(f"{PAIR} {CURED}"))),
    "prefixes": Kind(
        prefixes,
        (
            Step("--pred p --gt m", ("--pred-prefix predicted_ --gt-prefix mask_",)),
            Step("--pred p --gt m --pred-prefix predicted_ --gt-prefix mask_"),
        ),
    ),
    "instances": Kind(
        instances,
        (
            Step("--pred p.npy --gt m.tif", ("--foreground nonzero",)),
            Step("--pred p.npy --gt m.tif --foreground nonzero"),
        ),
    ),
    "grey levels as RGB": Kind(
        graded_mask, (Step(PAIR, ("--foreground '>127'",)), Step(f"{PAIR} --foreground '>127'"))
    ),
    "grey levels of a class that was named": Kind(
        graded_mask,
        (
            Step(f"{PAIR} --class lesion=255", ("--class lesion --foreground '>127'",)),
            Step(f"{PAIR} --class lesion", ("--foreground '>127'",)),
            Step(f"{PAIR} --class lesion --foreground '>127'"),
        ),
    ),
    "fractions of a class": Kind(
        soft_labels,
        (
            Step("--pred p.npy --gt m.npy", ("not swapped", "--foreground '>=0.5', if these are fractions")),
            Step("--pred p.npy --gt m.npy --foreground '>=0.5'"),
        ),
    ),
    "rounded to two decimals": Kind(two_decimals, (Step(PAIR),)),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_typed_leads_to_the_right_number(softdice, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    right = KINDS[name].make()
    for step in KINDS[name].steps:
        run = softdice("eval", *shlex.split(step.typed), "--format", "json")
        said = " ".join(f"{run.out} {run.err}".split())
        if step.refused:
            assert run.code == 3, said
            for word in step.refused:
                assert word in said
        else:
            assert run.code == 0, said
            found = [entry["dice"] for entry in json.loads(run.out)["pooled"]["classes"]]
            assert found == [None if value is None else pytest.approx(value, abs=1e-12) for value in right]


@pytest.mark.parametrize("name", ["one-hot with void", "reversed axes"])
def test_the_line_of_numpy_that_is_proposed_leads_to_the_right_number(softdice, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    right = KINDS[name].make()
    hint = softdice("eval", "--pred", "p.npy", "--gt", "m.npy").err.partition("save ")[2]
    line = hint.partition(", and --ignore")[0].strip()
    np.save("m.npy", eval(line, {"np": np, "mask": np.load("m.npy")}))
    run = softdice("eval", "--pred", "p.npy", "--gt", "m.npy", "--ignore", "255", "--format", "json")
    found = [entry["dice"] for entry in json.loads(run.out)["pooled"]["classes"]]
    assert found == [pytest.approx(value, abs=1e-12) for value in right]
