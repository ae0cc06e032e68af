"""Hints for label maps against masks, typed and held against the number that plain NumPy gives."""

from __future__ import annotations

import numpy as np
import pytest
from typed_hints import SHAPE, binary, blocks, dice, folder_of, noisy, run, the_hint, typed, ways

from softdice_cli import Settings


@pytest.mark.parametrize(
    ("labels", "void", "proposed"),
    [
        # in the order of the labels, under names that do not contradict them
        ([0, 2], False, ["--class 0 --class 1 --class 2"]),
        ([0, 85, 170], False, ["--class 0=0 --class 85=85 --class 170=170"]),
        ([0, 1, 2], True, ["--class 0 --class 1 --class 2 --ignore 255"]),
        # many numbered classes
        (range(21), True, ["--num-classes 21 --ignore 255", "--classes FILE --ignore 255",
                           "--foreground nonzero --ignore 255"]),
        (range(14), False, ["--num-classes 14", "--classes FILE", "--foreground nonzero"]),
        # numbers far apart are not those of classes
        (range(0, 60_000, 4000), False, ["--classes FILE", "--foreground nonzero"]),
    ],
)  # fmt: skip
def test_labels_of_unnamed_label_maps(tmp_path, labels, void, proposed):
    stored = np.array(labels, np.uint16)
    mask = stored[blocks(len(labels), 60, size=4) % len(stored)]
    prediction = stored[(noisy(blocks(len(labels), 60, size=4), len(labels), 60).argmax(0)) % len(stored)]
    valid = np.full(SHAPE, True)
    if void:
        mask[:4], valid[:4] = 255, False
    if len(labels) == 2:
        # Label 1 is in the predictions alone.
        prediction[prediction == 0] = 1
    pairs = folder_of(tmp_path, [prediction], [mask])
    before = Settings(prediction="labels")
    hint = the_hint(run(pairs, before))
    assert ways(hint) == proposed
    assert "--scale" not in hint
    cured = run(pairs, typed(proposed[0].replace("--classes FILE", "--foreground nonzero"), before))
    assert cured.failures == ()
    for scores in cured.pooled.classes:
        if scores.name.isdecimal() and scores.dice is not None:
            label = int(scores.name)
            assert scores.dice == pytest.approx(dice(prediction == label, mask == label, valid), abs=1e-12)


def test_label_maps_that_number_their_foreground_in_two_ways(tmp_path):
    inside, values = binary(70)
    pairs = folder_of(tmp_path, [(values > 0.5).astype(np.uint8)], [inside.astype(np.uint8) * np.uint8(255)])
    before = Settings(prediction="labels")
    first, second = ways(the_hint(run(pairs, before)))
    assert (first, second) == ("--foreground nonzero", "--class foreground=1 --ignore 255")
    cured = run(pairs, typed(first, before))
    assert cured.pooled.classes[0].dice == pytest.approx(dice(values > 0.5, inside), abs=1e-12)


def test_two_vertebrae_are_two_classes(tmp_path):
    inside, values = binary(71)
    pairs = folder_of(tmp_path, [(values > 0.5) * np.uint8(20)], [inside * np.uint8(19)])
    before = Settings(prediction="labels")
    first, second = ways(the_hint(run(pairs, before)))
    assert (first, second) == ("--class 0=0 --class 19=19 --class 20=20", "--foreground nonzero")
    assert [scores.dice for scores in run(pairs, typed(first, before)).pooled.classes][1:] == [0, 0]


def test_a_label_that_only_the_predictions_hold_is_not_to_be_ignored(tmp_path):
    mask = blocks(3, 72)
    prediction = np.where(mask == 2, 3, mask).astype(np.uint8)
    pairs = folder_of(tmp_path, [prediction], [mask])
    before = typed("--pred-labels --class a=0 --class b=1 --class c=2")
    hint = the_hint(run(pairs, before))
    assert "--ignore" not in hint
    first, _ = ways(hint)
    cured = run(pairs, typed(first, before))
    assert [scores.dice for scores in cured.pooled.classes] == [1, 1, 0, 0]


@pytest.mark.parametrize("given", ["--pred-labels", "--pred-labels --class a=0 --class b=1 --class c=2 --class d=3"])
def test_label_maps_that_are_numbered_from_0_against_masks_from_1(tmp_path, given):
    """Naming all labels would give a plausible wrong number."""
    mask = blocks(5, 90)
    prediction = noisy(mask.astype(int) - 1, 4, 90).argmax(0).astype(np.uint8)
    pairs = folder_of(tmp_path, [prediction], [mask])
    hint = the_hint(run(pairs, typed(given)))
    assert hint.startswith("save the predictions with labels that are 1 higher, and --ignore 0")
    agree = (prediction == mask.astype(int) - 1).sum(), (prediction == mask).sum()
    assert hint.endswith(f"{agree[0]} px agree with that, {agree[1]} px with the labels as they are")
    cured = run(folder_of(tmp_path, [prediction + 1], [mask]), typed("--class 1=1 --class 2=2 --class 3=3 --class 4=4 "
                                                                   "--ignore 0 --pred-labels"))  # fmt: skip
    for label, scores in enumerate(cured.pooled.classes, 1):
        assert scores.dice == pytest.approx(dice(prediction + 1 == label, mask == label, mask > 0), abs=1e-12)


def test_classes_that_were_named_for_a_label_map_lead_to_the_option(tmp_path):
    mask = blocks(3, 98)
    pairs = folder_of(tmp_path, [mask.astype("f8")], [mask])
    before = typed("--class a --class b --class c")
    first, _ = ways(the_hint(run(pairs, before)))
    assert first == "--pred-labels"
    assert run(pairs, typed(first, before)).pooled.means.dice == 1


@pytest.mark.parametrize("given", ["--pred-labels", "--pred-labels --class a=0 --class b=1 --class c=2"])
@pytest.mark.parametrize("count", [2, 3])
def test_label_maps_that_are_numbered_from_1_against_masks_from_0(tmp_path, given, count):
    """As ilastik numbers its classes."""
    mask = blocks(count, 94)
    prediction = (noisy(mask.astype(int), count, 94).argmax(0) + 1).astype(np.uint8)
    pairs = folder_of(tmp_path, [prediction], [mask])
    results = run(pairs, typed(given))
    if count == 2 and "--class" in given:
        # All labels are classes: only the counts make it doubtful.
        assert results.failures == ()
        return
    agree = (prediction == mask.astype(int) + 1).sum(), (prediction == mask).sum()
    assert the_hint(results) == (
        "save the predictions with labels that are 1 lower: "
        f"{agree[0]} px agree with that, {agree[1]} px with the labels as they are"
    )
    named = " ".join(f"--class {label}={label}" for label in range(count))
    cured = run(folder_of(tmp_path, [prediction - 1], [mask]), typed(f"--pred-labels {named}"))
    for label, scores in enumerate(cured.pooled.classes):
        assert scores.dice == pytest.approx(dice(prediction - 1 == label, mask == label), abs=1e-12)


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_shift_that_agrees_by_chance_is_not_proposed(tmp_path, shift):
    mask = blocks(5, 95) + (shift < 0)
    prediction = np.random.default_rng(95).integers(0, 5, SHAPE).astype(np.uint8) + (shift > 0)
    hint = the_hint(run(folder_of(tmp_path, [prediction], [mask]), typed("--pred-labels")))
    assert "save" not in hint


@pytest.mark.parametrize(
    ("labels", "proposed"),
    [
        # equal steps up to 255, all of which are classes
        ([0, 85, 170, 255], ["--class 0=0 --class 85=85 --class 170=170 --class 255=255"]),
        # what is predicted is hardly left out
        ([0, 128, 255], ["--class 0=0 --class 128=128 --class 255=255", "--class foreground=128 --ignore 255"]),
        # without 0, one of the two is background
        ([254, 255], ["--foreground 254vs255", "--foreground 255vs254", "--class 254=254 --class 255=255"]),
    ],
)
def test_labels_that_end_at_255(tmp_path, labels, proposed):
    stored = np.array(labels, np.uint8)
    mask = blocks(len(labels), 96)
    prediction = noisy(mask.astype(int), len(labels), 96).argmax(0)
    pairs = folder_of(tmp_path, [stored[prediction]], [stored[mask]])
    before = Settings(prediction="labels")
    assert ways(the_hint(run(pairs, before))) == proposed
    for scores in run(pairs, typed(proposed[-1 if labels[0] else 0], before)).pooled.classes:
        place = labels.index(int(scores.name))
        assert scores.dice == pytest.approx(dice(prediction == place, mask == place), abs=1e-12)
    if labels[0]:
        cured = run(pairs, typed(proposed[0], before))
        assert cured.pooled.classes[0].dice == pytest.approx(dice(prediction == 0, mask == 0), abs=1e-12)
