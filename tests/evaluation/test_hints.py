"""Each kind of hint is taken from the message, typed, and held against the number that plain NumPy gives."""

from __future__ import annotations

import numpy as np
import pytest
from typed_hints import SHAPE, binary, blocks, dice, folder_of, map_of_one, noisy, run, softmax, the_hint, typed, ways

from softdice_cli import ClassDef, Settings

RNG = np.random.default_rng(11)


# --- one channel ---


def with_border(inside: np.ndarray, label: int = 255) -> np.ndarray:
    mask = inside.astype(np.uint8)
    mask[:4] = label
    return mask


@pytest.mark.parametrize("apart", [False, True])
def test_void_beside_the_class(tmp_path, apart):
    """0, 1 and 255 in one file; or 0 and 1 in one, and 0 and 255 in another, as tiles at the border have them."""
    inside, values = binary(1)
    masks = [with_border(inside), inside.astype(np.uint8)]
    valid = masks[0] != 255
    if apart:
        masks = [inside.astype(np.uint8), np.where(masks[0] == 255, 255, 0).astype(np.uint8)]
    pairs = folder_of(tmp_path, [values, values], masks)
    results = run(pairs)
    first, *more = ways(the_hint(results))
    # In one file, 1 and 255 are certainly not the same.
    assert more == (["--foreground nonzero"] if apart else [])
    cured = run(pairs, typed(first))
    assert cured.failures == ()
    whole = np.stack([mask == 1 for mask in masks])
    everything = np.full(SHAPE, True)
    counted = np.stack([everything, valid] if apart else [valid, everything])
    assert cured.pooled.classes[0].dice == pytest.approx(dice(np.stack([values > 0.5] * 2), whole, counted), abs=1e-12)


def test_instances_are_the_foreground(tmp_path):
    inside, values = binary(2)
    instances = np.where(inside, np.arange(SHAPE[1])[None] + 1, 0).astype(np.uint16)
    pairs = folder_of(tmp_path, [values], [instances])
    hint = the_hint(run(pairs))
    assert "--scale" not in hint
    assert ways(hint) == ["--foreground nonzero"]
    cured = run(pairs, typed("--foreground nonzero"))
    assert cured.pooled.classes[0].dice == pytest.approx(dice(values > 0.5, inside), abs=1e-12)


def test_a_trimap_whose_background_is_a_label(tmp_path):
    """1 is the class, 2 the background and 3 a border: 0 is nowhere, so not everything can be the class."""
    inside, values = binary(3)
    mask = np.where(inside, 1, 2).astype(np.uint8)
    mask[:3] = 3
    right = pytest.approx(dice(values > 0.5, inside, mask != 3), abs=1e-12)
    pairs = folder_of(tmp_path, [values], [mask])
    assert "nonzero" not in the_hint(run(pairs))
    # Step by step: the border, then the class against its background.
    partly = typed("--ignore 3")
    assert ways(the_hint(run(pairs, partly))) == ["--foreground 1vs2", "--foreground 2vs1"]
    assert run(pairs, typed("--foreground 1vs2", partly)).pooled.classes[0].dice == right
    # Or the class by name first.
    partly = typed("--class pet=1 --ignore 3")
    first, *_ = ways(the_hint(run(pairs, partly)))
    assert first == "--foreground 1vs2"
    assert run(pairs, typed(first, partly)).pooled.classes[0].dice == right


@pytest.mark.parametrize(
    ("given", "labels", "proposed"),
    [
        # the class has another label
        ("--class a=1", [0, 255], ["--class a=255", "--ignore 255"]),
        ("--class a=1", [0, 7], ["--class a=7"]),
        # void beside the class
        ("--class a=1", [0, 1, 255], ["--ignore 255"]),
        # another label is background, or the class as well; it is never left out without a word
        ("--class a=1", [0, 1, 2], ["--foreground 1vs2", "--class a=1+2"]),
        ("--class a=1", [0, 1, 2, 255], ["--foreground 1vs2 --ignore 255", "--class a=1+2 --ignore 255"]),
        ("--foreground 1vs2", [0, 1, 2, 3], ["--foreground 1vs2+3"]),
        # several labels, unnamed
        ("", [0, 1, 2], ["--foreground nonzero", "--foreground 1vs2", "--foreground 2vs1", "--ignore 2"]),
        ("", [1, 2], ["--foreground 1vs2", "--foreground 2vs1"]),
        ("", [0, 1, 2, 255], ["--foreground nonzero --ignore 255", "--foreground 1vs2 --ignore 255",
                              "--foreground 2vs1 --ignore 255", "--ignore 2 --ignore 255"]),
        # a level between 0 and 255 can be either
        ("", [0, 128, 255], ["--class foreground=255 --ignore 128", "--class foreground=128 --ignore 255",
                             "--foreground nonzero"]),
        ("", [1, 2, 3], ["--foreground 1vs2 --ignore 3", "--foreground 2vs1 --ignore 3"]),
        # ilastik saves two classes as 254 and 255
        ("", [254, 255], ["--foreground 254vs255", "--foreground 255vs254"]),
        # equal steps are grey levels, and 255 is the highest
        ("", [0, 85, 170, 255], ["--foreground '>127'", "--foreground nonzero", "--foreground 85vs170 --ignore 255"]),
    ],
)  # fmt: skip
def test_labels_of_a_one_channel_run(tmp_path, given, labels, proposed):
    mask = np.array(labels, np.uint8)[blocks(len(labels), 4)]
    pairs = folder_of(tmp_path, [map_of_one(mask == labels[-1], 4)], [mask])
    before = typed(given)
    hint = the_hint(run(pairs, before))
    assert ways(hint) == proposed
    assert "mask ==" not in hint
    for way in proposed:
        assert run(pairs, typed(way, before)).failures == ()


def test_a_label_map_that_was_saved_as_floats(tmp_path):
    mask = blocks(3, 5)
    prediction = noisy(mask, 3, 5).argmax(0)
    pairs = folder_of(tmp_path, [prediction.astype("f8")], [mask])
    (first,) = ways(the_hint(run(pairs)))
    assert first == "--pred-labels"
    partly = typed(first)
    (second,) = ways(the_hint(run(pairs, partly)))
    cured = run(pairs, typed(second, partly))
    assert [scores.name for scores in cured.pooled.classes] == ["0", "1", "2"]
    for label, scores in enumerate(cured.pooled.classes):
        assert scores.dice == pytest.approx(dice(prediction == label, mask == label), abs=1e-12)


# --- several channels ---


def shifted_set(seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Four channels for the labels 1 to 4; 0 marks pixels to leave out. Only the last image has the label 4."""
    predictions, masks = [], []
    for index in range(3):
        mask = blocks(5 if index == 2 else 4, seed + index)
        predictions.append(softmax(noisy(mask.astype(int) - 1, 4, seed + index)))
        masks.append(mask)
    return predictions, masks


def pooled(predictions: list[np.ndarray], masks: list[np.ndarray], labels: list[int], ignore: int) -> list[float]:
    chosen, truth = np.stack([p.argmax(0) for p in predictions]), np.stack(masks)
    return [dice(chosen == channel, truth == label, truth != ignore) for channel, label in enumerate(labels)]


def test_labels_that_are_shifted_by_one(tmp_path):
    predictions, masks = shifted_set(20)
    pairs = folder_of(tmp_path, predictions, masks)
    results = run(pairs)
    # The images without the label pass: the cure is not lost by that, and the run is not complete.
    assert (len(results.images), len(results.failures)) == (2, 1)
    shift, plain = ways(the_hint(results))
    assert shift == "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0"
    assert plain == "--ignore 4"
    cured = run(pairs, typed(shift))
    assert cured.failures == ()
    right = pooled(predictions, masks, [1, 2, 3, 4], ignore=0)
    assert [scores.dice for scores in cured.pooled.classes] == pytest.approx(right, abs=1e-12)


def test_a_void_label_behind_the_classes(tmp_path):
    """The other reading of the same labels: here the predictions agree with labels that are not shifted."""
    masks = [blocks(5, 30), blocks(4, 31)]
    predictions = [softmax(noisy(mask, 4, 30 + index)) for index, mask in enumerate(masks)]
    pairs = folder_of(tmp_path, predictions, masks)
    plain, shift = ways(the_hint(run(pairs)))
    assert (plain, shift) == ("--ignore 4", "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0")
    right = pooled(predictions, masks, [0, 1, 2, 3], ignore=4)
    cured = run(pairs, typed(plain))
    assert [scores.dice for scores in cured.pooled.classes] == pytest.approx(right, abs=1e-12)


def test_two_labels_of_one_class(tmp_path):
    mask = blocks(4, 40)
    stored = np.array([0, 1, 2, 5], np.uint8)[mask]
    prediction = softmax(noisy(mask.clip(max=2), 3, 40))
    pairs = folder_of(tmp_path, [prediction], [stored])
    hint = the_hint(run(pairs))
    assert "--class NAME=2+5" in hint
    cured = run(pairs, typed("--class a=0 --class b=1 --class c=2+5"))
    right = [dice(prediction.argmax(0) == label, mask.clip(max=2) == label) for label in range(3)]
    assert [scores.dice for scores in cured.pooled.classes] == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize(
    ("channels", "labels", "proposed"),
    [
        (3, [0, 1, 2, 255], ["--ignore 255"]),
        # a class is absent, and 255 does not take its place
        (3, [0, 1, 255], ["--ignore 255"]),
        # with two channels, the label that is there is the other class
        (2, [0, 255], ["--class 0=0 --class 255=255", "--ignore 255"]),
        # masks of two classes have no mapping to three channels
        (3, [0, 255], []),
        # as many labels as channels, but for one number
        (4, [0, 1, 2, 4], ["--class 0=0 --class 1=1 --class 2=2 --class 4=4",
                           "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0", "--ignore 4"]),
        # equal steps: 255 is a class
        (4, [0, 85, 170, 255], ["--class 0=0 --class 85=85 --class 170=170 --class 255=255",
                                "--class NAME=LABELS for each of the 4 channels",
                                "--ignore 85 --ignore 170 --ignore 255"]),
        (3, [0, 128, 255], ["--class 0=0 --class 128=128 --class 255=255",
                            "--class NAME=LABELS for each of the 3 channels, in their order --ignore 255",
                            "--ignore 128 --ignore 255"]),
        # a shift and a border
        (3, [0, 1, 2, 3, 255], ["--class 1=1 --class 2=2 --class 3=3 --ignore 0 --ignore 255",
                                "--ignore 3 --ignore 255"]),
    ],
)  # fmt: skip
def test_labels_of_several_channels(tmp_path, channels, labels, proposed):
    mask = np.array(labels, np.uint8)[blocks(len(labels), 50)]
    pairs = folder_of(tmp_path, [softmax(RNG.normal(0, 1, (channels, *SHAPE)))], [mask])
    hint = the_hint(run(pairs))
    assert [way.removesuffix(", in their order") for way in sorted(ways(hint))] == sorted(proposed)
    for way in proposed:
        if "LABELS" not in way:
            assert run(pairs, typed(way)).failures == ()


@pytest.mark.parametrize("first", ["labels", "places"])
def test_labels_of_tumours_without_a_number(tmp_path, first):
    """0, 1, 2 and 4 in four channels: what agrees with the predictions comes first."""
    stored = np.array([0, 1, 2, 4], np.uint8)
    mask = blocks(4, 51)
    pairs = folder_of(tmp_path, [softmax(noisy(mask, 4, 51))], [stored[mask]])
    if first == "places":
        pairs = folder_of(tmp_path, [softmax(noisy((stored[mask] - 1.0).astype(int), 4, 51))], [stored[mask]])
    proposed = ways(the_hint(run(pairs)))
    if first == "places":
        assert proposed[0] == "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0"
        return
    assert proposed[0] == "--class 0=0 --class 1=1 --class 2=2 --class 4=4"
    chosen = np.load(pairs[0][0]).argmax(0)
    right = [dice(chosen == place, mask == place) for place in range(4)]
    assert [scores.dice for scores in run(pairs, typed(proposed[0])).pooled.classes] == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("given", ["--class lesion=255", "--foreground 255", "--pred-labels",
                                   "--pred-labels --class lesion=255", "--multilabel"])  # fmt: skip
def test_grey_levels_are_cut_first_whatever_was_named(tmp_path, given):
    inside, values = binary(52)
    grey = np.where(inside, 160, 0) + RNG.integers(0, 96, SHAPE)
    stored, prediction = grey.astype(np.uint8), values
    before = typed(given)
    if "--pred-labels" in given:
        prediction = (values * 255).astype(np.uint8)
    if given == "--multilabel":
        stored, prediction = np.stack([stored] * 2), np.stack([values] * 2)
    pairs = folder_of(tmp_path, [prediction], [stored])
    first, *_ = ways(the_hint(run(pairs, before)))
    named, _, cut = first.rpartition("--foreground ")
    assert cut == "'>127'"
    # A class that is cut is named without labels.
    assert named in ("", "--class lesion ", "--class foreground ")
    kept = Settings(prediction=before.prediction, multilabel=before.multilabel)
    cured = run(pairs, typed(f"--foreground {cut}", kept))
    assert cured.failures == ()
    decided = prediction > (127 if "--pred-labels" in given else 0.5)
    assert cured.pooled.classes[0].dice == pytest.approx(dice(decided, stored > 127), abs=1e-12)


def test_void_behind_numbers_of_objects(tmp_path):
    inside, values = binary(53)
    mask = np.where(inside, np.arange(SHAPE[1])[None] + 1, 0).astype(np.uint8)
    mask[:4] = 255
    pairs = folder_of(tmp_path, [values], [mask])
    assert ways(the_hint(run(pairs))) == ["--foreground nonzero --ignore 255"]
    cured = run(pairs, typed("--foreground nonzero --ignore 255"))
    assert cured.pooled.classes[0].dice == pytest.approx(dice(values > 0.5, inside, mask != 255), abs=1e-12)


def test_an_example_of_a_sum_has_no_minus_in_it(tmp_path):
    mask = blocks(3, 54).astype(np.int16)
    mask[mask == 2] = -1
    pairs = folder_of(tmp_path, [softmax(RNG.normal(0, 1, (4, *SHAPE)))], [mask])
    assert "--class NAME=3+4)" in the_hint(run(pairs))


# --- the whole set ---


def test_a_hint_comes_from_all_files_and_is_the_same_for_each(tmp_path):
    """Of 40 crops, some lack the border, and none has all classes: the cure is one, and it is not lost."""
    predictions, masks = [], []
    for index in range(40):
        mask = blocks(11, 100 + index, size=4)[:8, :8].copy()
        # Sky and border are in some crops only.
        if index % 3:
            mask[0, :2] = 11
        masks.append(mask)
        predictions.append(softmax(noisy(mask, 12, 100 + index)[:11]))
    pairs = folder_of(tmp_path, predictions, masks)
    results = run(pairs)
    assert len(results.images) == 14
    assert len(results.failures) == 26
    assert len({failure.error.split(": ", 1)[1] for failure in results.failures}) == 1
    first, _ = ways(the_hint(results))
    assert first == "--ignore 11"
    cured = run(pairs, typed(first))
    assert cured.failures == ()
    chosen, truth = np.stack([p.argmax(0) for p in predictions]), np.stack(masks)
    right = [dice(chosen == label, truth == label, truth != 11) for label in range(11)]
    assert [scores.dice for scores in cured.pooled.classes] == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_hint_of_a_set_does_not_depend_on_the_workers(tmp_path, workers):
    from softdice_cli import evaluate

    predictions, masks = shifted_set(20)
    pairs = folder_of(tmp_path, predictions, masks)
    results = evaluate(pairs, workers=workers)
    assert ways(the_hint(results))[0] == "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0"


def test_the_order_of_the_files_does_not_change_the_cure(tmp_path):
    predictions, masks = shifted_set(20)
    hints = set()
    for step in (1, -1):
        pairs = folder_of(tmp_path, predictions[::step], masks[::step])
        hints.add(the_hint(run(pairs)))
    assert len(hints) == 1


def test_the_order_of_axes_is_that_which_fits_all_masks(tmp_path):
    """Square slices fit two orders; another pair of the set tells which it is, also for them."""
    masks = [np.arange(np.prod(shape)).reshape(shape) % 3 for shape in ((5, 8, 8), (5, 8, 9))]
    values = [softmax(noisy(mask, 3, 99)) for mask in masks]
    reversed_masks = [mask.transpose(2, 1, 0).astype(np.uint8) for mask in masks]
    results = run(folder_of(tmp_path, values, reversed_masks))
    assert the_hint(results) == "the axes of the mask are reversed: save mask.transpose(2, 1, 0)"
    cured = run(folder_of(tmp_path, values, [mask.transpose(2, 1, 0) for mask in reversed_masks]))
    chosen = [value.argmax(0).ravel() for value in values]
    right = [
        dice(np.concatenate(chosen) == label, np.concatenate([mask.ravel() for mask in masks]) == label)
        for label in range(3)
    ]
    assert [scores.dice for scores in cured.pooled.classes] == pytest.approx(right, abs=1e-12)


def test_one_class_that_is_named_by_a_label_of_its_own(tmp_path):
    """The class has the label 2 in this file, but another file holds 1: it is not renamed."""
    masks = [np.array([0, 1], np.uint8)[blocks(2, 80)], np.array([0, 2], np.uint8)[blocks(2, 81)]]
    pairs = folder_of(tmp_path, [map_of_one(mask > 0, 80) for mask in masks], masks)
    hint = the_hint(run(pairs, Settings(classes=(ClassDef("a", 1),))))
    assert ways(hint) == ["--foreground 1vs2", "--class a=1+2"]


# --- labels that may be shifted ---


@pytest.mark.parametrize("shifted", [True, False])
def test_a_shift_that_no_label_contradicts_is_said_at_least(tmp_path, shifted):
    """Without an image of the last label both readings are possible: the results stand, and a warning says more."""
    from softdice_cli import evaluate
    from softdice_cli.render import warnings

    mask = blocks(4, 91)
    values = softmax(noisy(mask.astype(int) - (1 if shifted else 0), 4, 91))
    pairs = folder_of(tmp_path, [values], [mask])
    results = evaluate(pairs)
    assert results.failures == ()
    said = [text for text in warnings(results) if "predicted as the class before" in text]
    if not shifted:
        assert said == []
        return
    cure = "--class 1=1 --class 2=2 --class 3=3 --class 4=4 --ignore 0"
    assert said[0].endswith(cure)
    cured = run(pairs, typed(cure))
    for label, scores in enumerate(cured.pooled.classes, 1):
        right = dice(values.argmax(0) + 1 == label, mask == label, mask > 0)
        assert scores.dice == (None if right is None else pytest.approx(right, abs=1e-12))


# --- independent classes ---


@pytest.mark.parametrize("apart", [False, True])
def test_void_in_the_channels_of_independent_classes(tmp_path, apart):
    """Left out in all channels: beside other pixels in one file, or as the only label of a file."""
    truth = np.stack([blocks(2, 95), blocks(2, 96)])
    values = np.stack([map_of_one(channel, 95 + place) for place, channel in enumerate(truth)])
    void = truth.copy()
    void[:, :4] = 255
    if apart:
        void = np.where(void == 255, 255, 0).astype(np.uint8)
    pairs = folder_of(tmp_path, [values, values], [truth, void])
    before = typed("--multilabel")
    results = run(pairs, before, layout="CHW")
    first, *more = ways(the_hint(results))
    assert (first, more) == ("--ignore 255", ["--foreground nonzero"] if apart else [])
    cured = run(pairs, typed(first, before), layout="CHW")
    assert cured.failures == ()
    chosen, stored = np.stack([values, values]) > 0.5, np.stack([truth, void])
    for place, scores in enumerate(cured.pooled.classes):
        labels = stored[:, place]
        assert scores.dice == pytest.approx(dice(chosen[:, place], labels == 1, labels != 255), abs=1e-12)


def test_a_label_that_no_independent_class_owns(tmp_path):
    mask = blocks(4, 97)
    values = np.stack([map_of_one(mask == label, 97 + label) for label in (1, 2)])
    before = typed("--multilabel --class a=1+2 --class b=2")
    pairs = folder_of(tmp_path, [values], [mask])
    hint = the_hint(run(pairs, before))
    assert hint == "--class NAME=LABEL+LABEL for each class, where 3 is of some class"
    assert run(pairs, typed("--class a=1+2 --class b=2+3", before)).failures == ()
