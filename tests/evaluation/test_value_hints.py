"""What is proposed for values that are not probabilities is typed, and held against what plain NumPy gives."""

from __future__ import annotations

import re

import numpy as np
import pytest
from typed_hints import dice, folder_of, run, the_hint, typed, ways

from softdice_cli import Settings

RNG = np.random.default_rng(8)
MASK = RNG.integers(0, 3, (20, 30)).astype(np.uint8)
LOGITS = RNG.normal(0, 1.5, (3, 20, 30)) + 2 * (np.arange(3)[:, None, None] == MASK)
RAISED = np.exp(LOGITS)
P = RAISED / RAISED.sum(0)
ONE = 1 / (1 + np.exp(-LOGITS[1]))
BINARY = (MASK == 1).astype(np.uint8)


def soft_dice(p: np.ndarray, y: np.ndarray) -> float:
    return float((2 * (p * y).sum() + 1e-5) / (p.sum() + y.sum() + 1e-5))


def check(results, p: np.ndarray, tolerance: float) -> None:
    assert results.failures == ()
    for label, scores in enumerate(results.pooled.classes):
        assert scores.soft_dice == pytest.approx(soft_dice(p[label], label == MASK), abs=tolerance)


def applied(hint: str, values: np.ndarray) -> np.ndarray:
    """The values after "divide by N before you save"."""
    found = re.search(r"divide by ([0-9.]+) before you save", hint)
    assert found, hint
    return values / float(found[1])


@pytest.mark.parametrize(
    ("values", "proposed"),
    [
        # logits of exclusive classes, or of independent ones
        (LOGITS, ["--activation softmax", "--multilabel --activation sigmoid"]),
        (np.log(P), ["--activation softmax"]),
    ],
)
def test_logits(tmp_path, values, proposed):
    pairs = folder_of(tmp_path, [values], [MASK])
    hint = the_hint(run(pairs))
    assert ways(hint) == proposed
    check(run(pairs, typed(proposed[0])), P, 1e-12)


def test_logits_of_one_channel(tmp_path):
    pairs = folder_of(tmp_path, [LOGITS[1]], [BINARY])
    (way,) = ways(the_hint(run(pairs)))
    (scores,) = run(pairs, typed(way)).pooled.classes
    assert scores.soft_dice == pytest.approx(soft_dice(ONE, BINARY), abs=1e-12)


def test_the_logarithm_of_one_channel_is_not_only_a_logit(tmp_path):
    """The sigmoid of a logarithm is a plausible wrong number, so both readings are named."""
    pairs = folder_of(tmp_path, [np.log(ONE)], [BINARY])
    hint = the_hint(run(pairs))
    assert hint.startswith("save np.exp(p), if these are log-probabilities; --activation sigmoid, if")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (P * 255, 1e-9),
        (P * 100, 1e-9),
        (np.round(P * 255), 1 / 255),
        (np.round(P * 100), 1 / 100),
        (P * 7, 1e-9),
    ],
)
def test_floats_whose_sums_are_one_number_are_never_given_to_a_softmax(tmp_path, values, step):
    hint = the_hint(run(folder_of(tmp_path, [values], [MASK])))
    assert "--activation" not in hint
    pairs = folder_of(tmp_path, [applied(hint, values)], [MASK])
    results = run(pairs)
    if step < 1e-3:
        check(results, P, 1e-6)
    else:
        check(results, P, 2 * step)


@pytest.mark.parametrize("classes", [1, 3])
def test_a_broken_value_does_not_make_logits_of_probabilities(tmp_path, classes):
    values = (P if classes == 3 else ONE).copy()
    values[..., 3, 4] = -0.25
    mask = MASK if classes == 3 else BINARY
    hint = the_hint(run(folder_of(tmp_path, [values], [mask])))
    assert hint.startswith("check what was saved")
    assert "--activation" not in hint


def test_sigmoid_outputs_of_exclusive_classes(tmp_path):
    values = 1 / (1 + np.exp(-LOGITS))
    pairs = folder_of(tmp_path, [values], [MASK])
    independent, exclusive = ways(the_hint(run(pairs)))
    assert (independent, exclusive) == ("--multilabel", "--allow-unnormalized")
    check(run(pairs, typed(exclusive)), values, 1e-12)
    # The other way leads to the labels of each class.
    partly = typed(independent)
    assert "--class NAME=LABEL for each class" in the_hint(run(pairs, partly))
    named = typed("--class a=0 --class b=1 --class c=2", partly)
    scores = run(pairs, named).pooled.classes
    right = [dice(p > 0.5, label == MASK) for label, p in enumerate(values)]
    assert [one.dice for one in scores] == pytest.approx(right, abs=1e-12)


def test_channels_without_the_background(tmp_path):
    """The mask has one label more than the map has channels, and the sums say which is missing."""
    foreground = P[1:]
    mask = np.where(MASK == 2, 1, MASK).astype(np.uint8)
    hint = the_hint(run(folder_of(tmp_path, [foreground], [mask])))
    assert "1 - p.sum()" in hint
    whole = np.concatenate([1 - foreground.sum(0, keepdims=True), foreground])
    check(run(folder_of(tmp_path, [whole], [MASK])), P, 1e-12)


@pytest.mark.parametrize(
    ("values", "mask", "proposed"),
    [
        # labels, also to the end of the type as a border has it
        (MASK, MASK, ["--pred-labels"]),
        (np.where(MASK == 0, 255, MASK), MASK, ["--pred-labels"]),
        (np.arange(600).reshape(20, 30).astype(np.uint16) // 2, BINARY, ["--pred-labels"]),
        (MASK.astype(np.int16) - 1, MASK, ["--pred-labels"]),
        # probabilities
        (np.round(ONE * 255).astype(np.uint8), BINARY, ["--scale 255 if", "--pred-labels"]),
        (np.round(P * 65535).astype(np.uint16), MASK, ["--scale 65535, as the channels sum to 65535", "--pred-labels"]),
        # a map that is sure of nothing has as many values as many labels
        (np.round(ONE * 110).astype(np.uint8), BINARY, ["--scale 255 if", "--pred-labels"]),
        # both: 0 and 1, or 0 and 255
        (BINARY, BINARY, ["--scale 1 if", "--pred-labels"]),
        (BINARY * np.uint8(255), BINARY, ["--scale 255 if", "--pred-labels"]),
    ],
)
def test_integers(tmp_path, values, mask, proposed):
    hint = the_hint(run(folder_of(tmp_path, [values], [mask])))
    assert all(way in hint for way in proposed)
    assert ("--scale" in hint) == (len(proposed) == 2)


def test_a_label_map_in_the_place_of_scaled_probabilities(tmp_path):
    pairs = folder_of(tmp_path, [MASK], [MASK])
    hint = the_hint(run(pairs, Settings(scale=255)))
    assert hint == "--pred-labels, and leave out --scale, if this is a label map"


def test_photos_in_the_place_of_predictions(tmp_path):
    from PIL import Image

    for name in ("a", "b"):
        Image.fromarray(RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)).save(tmp_path / f"{name}.png")
        Image.fromarray(MASK).save(tmp_path / f"{name}_mask.png")
    pairs = [(tmp_path / f"{name}.png", tmp_path / f"{name}_mask.png") for name in ("a", "b")]
    hint = the_hint(run(pairs))
    assert hint.startswith("check that --pred names the predictions, and not the photos")
    assert "--scale" not in hint


def test_one_map_of_a_set_that_lies_in_range_by_chance_does_not_hide_that_all_are_logits(tmp_path):
    """The range of a set is that of all its files."""
    values = [LOGITS, np.abs(LOGITS) + 1.5, LOGITS * 2]
    pairs = folder_of(tmp_path, values, [MASK] * 3)
    results = run(pairs)
    assert len(results.failures) == 3
    assert ways(the_hint(results))[0] == "--activation softmax"


def test_pairs_that_are_swapped(tmp_path):
    pairs = folder_of(tmp_path, [MASK], [P])
    results = run(pairs, Settings(prediction="labels"))
    assert "not swapped" in the_hint(results)


@pytest.mark.parametrize(
    ("full", "stored", "made"),
    [
        # percentages in a byte or a wider type; no value reaches 100
        (100, np.uint8, np.rint),
        (100, np.uint16, np.rint),
        # the type is used to its end, but no pixel is sure; rounded, and cut off
        (255, np.uint8, np.rint),
        (255, np.uint8, np.floor),
        (1000, np.int32, np.rint),
        (10000, np.uint16, np.floor),
        (65535, np.uint16, np.rint),
        # seven bits and one value more
        (128, np.uint8, np.rint),
    ],
)
@pytest.mark.parametrize("axis", [0, 2])
def test_the_scale_of_several_channels_is_their_sum(tmp_path, full, stored, made, axis):
    values = made(P * full).astype(stored)
    pairs = folder_of(tmp_path, [np.moveaxis(values, 0, axis)] * 2, [MASK] * 2)
    way, reason = the_hint(run(pairs)).split("; ")[0].split(", ")
    scale = int(way.removeprefix("--scale "))
    assert reason == f"as the channels sum to {scale} in every pixel"
    # Without a usual number beside it, a sum of rounded numbers is known to about a step of each.
    assert abs(scale - full) <= (1 if full == 128 else 0)
    check(run(pairs, typed(way)), values / scale, 1e-7)
    # Another scale leads to the same.
    for wrong in (255, 100):
        if abs(wrong - scale) > 3:
            assert the_hint(run(pairs, Settings(scale=wrong))).startswith(f"{way}, as the channels sum to")


@pytest.mark.parametrize(
    ("high", "stored", "scales"),
    [
        # far below the end of the type: the next round number is a reading as well
        (97, np.uint8, [255, 100]),
        (150, np.uint8, [255, 200]),
        (203, np.uint8, [255]),
        (210, np.uint8, [255]),
        (97, np.uint16, [255, 100]),
        (5000, np.uint16, [65535, 10000]),
        (9500, np.uint16, [65535, 10000]),
        (20000, np.uint16, [65535]),
        # a round number that is reached
        (100, np.uint8, [100, 255]),
        (1000, np.uint16, [1000, 65535]),
        (200, np.uint8, [255, 200]),
    ],
)
def test_a_full_scale_that_no_value_reaches(tmp_path, high, stored, scales):
    values = np.rint(ONE * high / ONE.max()).astype(stored)
    pairs = folder_of(tmp_path, [values], [BINARY])
    hint = the_hint(run(pairs))
    assert re.findall(r"--scale (\d+) if \1 ", hint) == list(map(str, scales))
    for scale in scales:
        (scores,) = run(pairs, Settings(scale=scale)).pooled.classes
        assert scores.soft_dice == pytest.approx(soft_dice(values / scale, BINARY), abs=1e-12)


def test_independent_channels_whose_sums_are_one_number_by_chance_have_no_scale_by_them(tmp_path):
    values = np.rint(np.stack([ONE, 1 - ONE]) * 100).astype(np.uint8)
    hint = the_hint(run(folder_of(tmp_path, [values], [np.stack([BINARY, BINARY])]), typed("--multilabel")))
    assert "sum to" not in hint
    assert hint.startswith("--scale 100 if")


@pytest.mark.parametrize(
    ("high", "stored", "scale"),
    [
        # nearly all of a thousand or a hundred steps, so that they may be labels or probabilities
        (998, np.uint16, 1000),
        (93, np.uint16, 100),
        # numbers of objects
        (400, np.uint16, None),
    ],
)
def test_small_numbers_of_a_wide_type_may_be_steps_to_a_round_number(tmp_path, high, stored, scale):
    values = np.rint(ONE * high / ONE.max()).astype(stored)
    values[0, :5] = 0
    if high < 100:
        # Few of them.
        values = (values // 3 * 3).astype(np.uint8)
    hint = the_hint(run(folder_of(tmp_path, [values], [BINARY])))
    assert hint.startswith("--pred-labels if these are class labels")
    assert re.findall(r"--scale (\d+) if \1 ", hint) == [str(scale)] * (scale is not None)
