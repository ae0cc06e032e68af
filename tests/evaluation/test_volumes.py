"""A truth with an axis of classes is named as what it is, and what the message says gives the right number."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from typed_hints import dice, folder_of, run, the_hint, typed

from softdice_cli import ClassDef, Settings

RNG = np.random.default_rng(5)
CLASSES = 3
PIXELS = {"2d": (6, 8), "3d": (4, 6, 8)}
Move = Callable[[np.ndarray], np.ndarray]

# Where the classes are numbered, of arrays (C, *S).
AXES: dict[str, Move] = {
    "first": lambda array: array,
    "last": lambda array: np.moveaxis(array, 0, -1),
    "batch of one": lambda array: array[None],
    "batch": lambda array: np.stack([array, array[:, ::-1]]),
}
TYPES: dict[str, Move] = {
    "uint8": lambda one_hot: one_hot.astype(np.uint8),
    "bool": lambda one_hot: one_hot > 0,
    "0 and 255": lambda one_hot: one_hot.astype(np.uint8) * np.uint8(255),
    "float32": lambda one_hot: one_hot.astype(np.float32),
}


def labels_of(shape: tuple[int, ...], *, absent: bool = False) -> np.ndarray:
    labels = RNG.integers(0, CLASSES, shape)
    return np.where(labels == 1, 0, labels) if absent else labels


def softmax(labels: np.ndarray) -> np.ndarray:
    logits = RNG.normal(0, 1, (CLASSES, *labels.shape)) + 2 * one_hot_of(labels)
    raised = np.exp(logits)
    return raised / raised.sum(0)


def one_hot_of(labels: np.ndarray) -> np.ndarray:
    return (np.arange(CLASSES).reshape(-1, *[1] * labels.ndim) == labels).astype(np.uint8)


def made(hint: str, mask: np.ndarray) -> np.ndarray:
    """The mask that a hint says to save."""
    found = re.search(r"save (np\..*?)(?:, and --ignore|, if|;|$)", hint)
    assert found, hint
    return eval(found[1], {"np": np, "mask": mask})


def follow(tmp_path, prediction: np.ndarray, truth: np.ndarray, settings: Settings | None = None):
    """The results after the hint was followed, and the hint."""
    before = run(folder_of(tmp_path, [prediction], [truth]), settings)
    hint = the_hint(before)
    assert before.images == ()
    assert "--layout" not in hint
    options = "--ignore 255" if "--ignore 255" in hint else ""
    saved = made(hint, truth)
    results = run(folder_of(tmp_path, [prediction], [saved.astype(np.int64)]), typed(options, settings))
    return results, hint


def check(results, prediction: np.ndarray, labels: np.ndarray, valid: np.ndarray) -> None:
    assert results.failures == ()
    chosen = prediction.argmax(0)
    for label, scores in enumerate(results.pooled.classes):
        if ((labels == label) & valid).any() or ((chosen == label) & valid).any():
            assert scores.dice == pytest.approx(dice(chosen == label, labels == label, valid), abs=1e-12)


@pytest.mark.parametrize("void", [False, True])
@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("space", PIXELS)
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("kind", TYPES)
def test_a_one_hot_truth(tmp_path, kind, axes, space, absent, void):
    if axes == "last" and space == "3d" and not void and absent:
        pytest.skip("one row of each kind is enough")
    labels = labels_of(PIXELS[space], absent=absent)
    valid = np.full(labels.shape, True)
    one_hot = one_hot_of(labels)
    if void:
        valid[:2] = False
        one_hot[:, ~valid] = 0
    values = softmax(labels)
    if axes == "batch" and space == "3d":
        # Five axes on both sides fit in no way, and are refused as such.
        hint = the_hint(run(folder_of(tmp_path, [AXES[axes](values)], [AXES[axes](one_hot)])))
        assert "np.argmax(mask, axis=1)" in hint
        return
    results, _ = follow(tmp_path, AXES[axes](values), TYPES[kind](AXES[axes](one_hot)))
    if axes == "batch":
        values, labels, valid = (np.concatenate([a, a[..., ::-1, :]], -2) for a in (values, labels, valid))
    check(results, values, labels, valid)


@pytest.mark.parametrize(
    ("stored", "settings"),
    [
        (lambda p: p.astype("f2"), None),
        (lambda p: torch.from_numpy(p).bfloat16().float().numpy(), None),
        (lambda p: np.round(p, 2), None),
        (lambda p: np.round(p * 255).astype("u1"), Settings(scale=255)),
        (lambda p: np.log(p), Settings(activation="softmax")),
        # somebody took it for one class
        (lambda p: p, Settings(classes=(ClassDef("a", None),))),
    ],
)
def test_pixels_of_no_class_against_other_ways_of_saving_probabilities(tmp_path, stored, settings):
    labels = labels_of((6, 8))
    one_hot, values = one_hot_of(labels), softmax(labels)
    one_hot[:, :2] = 0
    prediction = stored(values)
    if settings and settings.classes:
        hint = the_hint(run(folder_of(tmp_path, [prediction], [one_hot]), settings))
        assert "np.argmax(mask, axis=0)" in hint
        return
    results, _ = follow(tmp_path, prediction, one_hot, settings)
    valid = np.full(labels.shape, True)
    valid[:2] = False
    check(results, prediction.astype("f8"), labels, valid)


def test_void_that_is_255_in_every_channel(tmp_path):
    labels = labels_of((6, 8))
    truth, valid = one_hot_of(labels), np.full(labels.shape, True)
    truth[:, :2], valid[:2] = 255, False
    values = softmax(labels)
    results, hint = follow(tmp_path, values, truth)
    assert "mask != 255" in hint
    check(results, values, labels, valid)


def test_a_truth_without_a_channel_for_the_background(tmp_path):
    labels = labels_of((6, 8))
    truth = one_hot_of(labels)[1:]
    values = softmax(labels)
    results, _ = follow(tmp_path, values, truth)
    check(results, values, labels, np.full(labels.shape, True))


@pytest.mark.parametrize(("axes", "layout"), [("first", ""), ("last", ""), ("batch of one", ""), ("batch", "BCHW")])
def test_overlapping_channels_are_independent_classes(tmp_path, axes, layout):
    truth = np.stack([labels_of((40, 48)) > 0] * 3)
    truth[1:, :3] = False
    truth[2, :5] = False
    values = np.clip(truth * 0.6 + RNG.random(truth.shape) * 0.4, 0, 1)
    pairs = folder_of(tmp_path, [AXES[axes](values)], [AXES[axes](truth.astype(np.uint8))])
    hint = the_hint(run(pairs))
    # Two images of three classes, or a volume of three slices and two classes: no axis is chosen without a word.
    assert hint.startswith("--multilabel --layout" if layout else "--multilabel, if")
    if layout:
        assert f"--layout {layout}" in the_hint(run(pairs, typed("--multilabel")))
    results = run(pairs, typed("--multilabel"), layout=layout)
    assert results.failures == ()
    right = [dice(p > 0.5, y) for p, y in zip(values, truth, strict=True)]
    assert [scores.dice for scores in results.pooled.classes] == pytest.approx(right, abs=1e-12)


def test_where_several_axes_can_number_classes_the_shortest_is_named(tmp_path):
    truth = np.stack([labels_of((10, 12)) > 0] * 3)
    values = np.clip(truth * 0.6 + RNG.random(truth.shape) * 0.4, 0, 1)
    pairs = folder_of(tmp_path, [values], [truth.astype(np.uint8)])
    assert the_hint(run(pairs)).startswith("--multilabel --layout CHW, if C numbers independent classes; --layout DHW")
    results = run(pairs, typed("--multilabel"), layout="CHW")
    right = [dice(p > 0.5, y) for p, y in zip(values, truth, strict=True)]
    assert [scores.dice for scores in results.pooled.classes] == pytest.approx(right, abs=1e-12)


def test_overlapping_channels_against_exclusive_classes(tmp_path):
    labels = labels_of((6, 8))
    truth = one_hot_of(labels)
    truth[1, :3] = 1
    hint = the_hint(run(folder_of(tmp_path, [softmax(labels)], [truth])))
    assert hint == "save one label per pixel; --multilabel, if each channel is to be compared by itself"


def test_volumes_of_one_class(tmp_path):
    """Both readings are named, and the volume is one of them."""
    truth = RNG.random((40, 6, 8)) > 0.5
    values = np.clip(truth * 0.6 + RNG.random(truth.shape) * 0.4, 0, 1)
    pairs = folder_of(tmp_path, [values], [truth.astype(np.uint8)])
    hint = the_hint(run(pairs))
    assert "--multilabel --layout HWC" not in hint
    assert "--layout DHW, if it is a volume of one class" in hint
    (scores,) = run(pairs, layout="DHW").pooled.classes
    assert scores.dice == pytest.approx(dice(values > 0.5, truth), abs=1e-12)
    assert run(pairs, Settings(classes=(ClassDef("a", 1),))).failures == ()


def test_a_label_map_that_was_saved_as_floats_is_not_taken_for_either(tmp_path):
    labels = labels_of((4, 6, 8))
    hint = the_hint(run(folder_of(tmp_path, [labels.astype("f4")], [labels.astype("u1")])))
    assert hint.startswith("--pred-labels")
