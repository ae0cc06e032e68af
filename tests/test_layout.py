"""Axes follow from the mask; two readings, or none, are refused."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest

from softdice_cli.errors import ConfigError, ShapeError
from softdice_cli.layout import resolve
from softdice_cli.layout.channels import MultiLabel
from softdice_cli.layout.diagnosis import ShapesSeen


@pytest.mark.parametrize(
    ("prediction", "mask", "letters", "channels", "images"),
    [
        ((3, 5, 7), (5, 7), "CHW", 3, None),
        ((5, 7, 3), (5, 7), "HWC", 3, None),
        ((5, 7), (5, 7), "HW", 1, None),  # one channel without an axis of its own
        ((1, 5, 7), (5, 7), "CHW", 1, None),
        ((2, 3, 5, 7), (2, 5, 7), "BCHW", 3, 2),
        ((2, 3, 5, 7), (2, 1, 5, 7), "BCHW", 3, 2),  # (B, 1, H, W) truth is squeezed
        ((2, 1, 5, 7), (2, 1, 5, 7), "BCHW", 1, 2),
        ((4, 2, 5, 7), (2, 5, 7), "CDHW", 4, None),  # a volume against its slices
        ((2, 5, 7, 4), (2, 5, 7), "DHWC", 4, None),
        ((2, 4, 6, 5, 7), (2, 6, 5, 7), "BCDHW", 4, 2),
        ((3, 9), (9,), "CW", 3, None),
        ((6, 5, 7, 3), (6, 1, 5, 7), "BHWC", 3, 6),  # such a mask is a batch, and never a volume
        ((6, 5, 7), (6, 1, 5, 7), "BHW", 1, 6),
        ((1, 3, 5, 7), (5, 7), "1CHW", 3, None),  # a batch of one against a plain mask
        ((1, 5, 7, 3), (5, 7), "1HWC", 3, None),
        ((1, 3, 5, 7), (1, 5, 7), "BCHW", 3, 1),
        ((3, 5, 7), (1, 5, 7), "CHW", 3, None),
        ((1, 1, 5, 7), (1, 5, 7), "CDHW", 1, None),  # two readings that mean the same are one
        ((3, 1, 1), (1, 1), "CHW", 3, None),
    ],
)
def test_one_reading_fits(prediction, mask, letters, channels, images):
    fit = resolve(prediction, mask)
    assert (fit.letters, fit.channels, fit.images) == (letters, channels, images)
    assert sorted(fit.order) == [axis for axis, letter in enumerate(letters) if letter != "1"]


@pytest.mark.parametrize(
    ("prediction", "mask", "named"),
    [
        ((4, 4, 5, 7), (4, 5, 7), ["CDHW", "BCHW"]),  # as many channels as slices
        ((5, 5, 5), (5, 5), ["CHW", "HWC"]),
        ((3, 3, 3, 3), (3, 3, 3), ["CDHW", "DHWC", "BCHW"]),
        ((6, 5, 5, 5), (6, 1, 5, 5), ["BCHW", "BHWC"]),
        ((1, 5, 5, 5), (5, 5), ["BCHW", "BHWC"]),  # all its axes are named, so that the layout can be given
    ],
)
def test_two_readings_are_refused_by_name(prediction, mask, named):
    with pytest.raises(ShapeError, match="more than one way") as caught:
        resolve(prediction, mask)
    assert caught.value.hint == " or ".join(f"--layout {name}" for name in named)
    for name in named:
        assert resolve(prediction, mask, layout=name.lower()).letters == name


@pytest.mark.parametrize(
    ("prediction", "mask", "says"),
    [
        ((3, 7, 5), (5, 7), "its axes in another order"),
        ((3, 6, 7), (5, 7), "does not fit"),
        ((3, 4, 5, 7), (5, 7), "holds several images, and the mask is of one"),
        ((3, 5, 7, 4), (5, 7), "holds several images, and the mask is of one"),
        ((6, 3, 9), (6, 9), "unless as lines of pixels"),  # never read without a word
        ((1, 3, 5, 7), (2, 5, 7), "does not fit"),  # never broadcast over the batch
        ((3, 5, 7), (5, 7, 3), "its axes in another order"),
        ((3, 5, 8), (5, 7, 3), "does not fit"),
        ((5,), (5, 7), "does not fit"),
        ((), (5, 7), "does not fit"),
        ((5, 7), (), "does not fit"),
        ((2, 3, 4, *[1] * 40), (2, 3, 4, *[1] * 40), "as many axes"),  # more axes than there are letters for
    ],
)
def test_no_reading_is_refused(prediction, mask, says):
    with pytest.raises(ShapeError, match=says) as caught:
        resolve(prediction, mask, path="p.npy")
    assert caught.value.path == "p.npy"
    assert str(prediction) in caught.value.found
    assert str(mask) in caught.value.found


@pytest.mark.parametrize(
    ("prediction", "mask", "letters", "images"),
    [
        ((6, 5, 7, 3), (6, 5, 7), "BHWC", 6),  # Keras: images, where a volume is the default
        ((6, 5, 7, 3), (6, 1, 5, 7), "BHWC", 6),
        ((6, 5, 7), (6, 5, 7), "BHW", 6),
        ((1, 3, 5, 7), (5, 7), "BCHW", 1),
        ((6, 3, 9), (6, 9), "BCW", 6),
    ],
)
def test_a_given_layout_is_used(prediction, mask, letters, images):
    assert resolve(prediction, mask, layout=letters).images == images


@pytest.mark.parametrize("letters", ["CXW", "CC", "C", "B", "HCWH", "WHC", "CH", "1CHW", "C HW"])
def test_a_layout_that_is_none_is_a_usage_error(letters):
    with pytest.raises(ConfigError, match="is not a layout"):
        resolve((3, 5, 7), (5, 7), layout=letters)


def test_a_given_layout_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="does not fit"):
        resolve((3, 5, 7), (5, 7), layout="HWC")


@pytest.mark.parametrize(
    ("prediction", "mask", "letters"),
    [((5, 7), (5, 7), "HW"), ((1, 5, 7), (5, 7), "1HW"), ((4, 5, 7), (4, 5, 7), "DHW")],
)
def test_a_label_map_has_no_class_axis(prediction, mask, letters):
    assert resolve(prediction, mask, labels=True).letters == letters
    with pytest.raises(ShapeError, match="does not fit"):
        resolve((3, *mask), mask, labels=True)
    with pytest.raises(ConfigError, match="no class axis"):
        resolve((3, *mask), mask, layout="C" + "DHW"[-len(mask) :], labels=True)


@pytest.mark.parametrize(
    ("prediction", "mask", "given", "hint"),
    [
        ((3, 4, 5, 7), (5, 7), {}, "their masks together as (3, 5, 7)"),
        ((6, 3, 9), (6, 9), {}, "--layout BCW, for lines"),
        ((3, 5, 7), (5, 7), {"labels": True}, "leave out --pred-labels"),  # one-hot, or probabilities
        ((3, 5, 7), (5, 7), {"layout": "HWC"}, "leave out --layout"),
    ],
)
def test_what_to_do_about_it(prediction, mask, given, hint):
    with pytest.raises(ShapeError) as caught:
        resolve(prediction, mask, mask_path="m.npy", **given)
    assert hint in caught.value.hint
    assert caught.value.found == f"prediction {prediction}, mask m.npy {mask}"


@pytest.mark.parametrize(
    ("prediction", "mask", "letters", "channels", "images"),
    [
        # Keras: images of one channel, on one side or on both
        ((6, 5, 7, 1), (6, 5, 7, 1), "BHWC", 1, 6),
        ((6, 5, 7, 3), (6, 5, 7, 1), "BHWC", 3, 6),
        ((6, 3, 5, 7), (6, 5, 7, 1), "BCHW", 3, 6),
        ((6, 5, 7), (6, 5, 7, 1), "BHW", 1, 6),
        ((1, 5, 7, 3), (1, 5, 7, 1), "BHWC", 3, 1),
        ((5, 7, 3), (5, 7, 1), "HWC", 3, None),
        ((5, 7, 1), (5, 7, 1), "HWC", 1, None),
        ((5, 7, 1), (5, 7), "HWC", 1, None),
        ((3, 5, 7), (5, 7, 1), "CHW", 3, None),
        # a slice of a volume, as a network in two dimensions saves it
        ((3, 1, 5, 7), (5, 7), "C1HW", 3, None),
        ((3, 1, 4, 5, 7), (4, 5, 7), "C1DHW", 3, None),
        ((2, 4, 5, 7, 1), (2, 4, 5, 7, 1), "BDHWC", 1, 2),
    ],
)
def test_axes_of_length_1_carry_nothing(prediction, mask, letters, channels, images):
    fit = resolve(prediction, mask)
    assert (fit.letters, fit.channels, fit.images) == (letters, channels, images)


@pytest.mark.parametrize(
    ("prediction", "mask", "images"),
    [
        ((6, 5, 7, 1), (6, 5, 7, 1), 6),
        ((6, 1, 5, 7), (6, 1, 5, 7), 6),
        ((6, 5, 7), (6, 5, 7, 1), 6),
        ((5, 7, 1), (5, 7), None),
        ((5, 7), (5, 7, 1), None),
        ((4, 5, 7), (4, 5, 7), None),
    ],
)
def test_label_maps_with_axes_of_length_1(prediction, mask, images):
    assert resolve(prediction, mask, labels=True).images == images


@pytest.mark.parametrize(
    ("prediction", "mask", "axes", "letters"),
    [
        # what the format says decides between two readings, or names an axis of classes in the middle
        ((4, 4, 5, 7), (4, 5, 7), "CDHW", "CDHW"),
        ((4, 4, 5, 7), (4, 5, 7), "DCHW", "DCHW"),
        ((5, 3, 6, 7), (5, 6, 7), "DCHW", "DCHW"),
        # and does not get in the way where only another reading fits
        ((3, 5, 7), (5, 7), "DHW", "CHW"),
    ],
)
def test_the_format_may_say_which_axis_is_which(prediction, mask, axes, letters):
    assert resolve(prediction, mask, axes=axes).letters == letters


@pytest.mark.parametrize(
    ("prediction", "mask", "known", "letters", "truth"),
    [
        # a channel for each class on both sides
        ((3, 50, 70), (3, 50, 70), (0, False), "CHW", "CHW"),
        ((50, 70, 3), (50, 70, 3), (0, False), "HWC", "HWC"),
        ((3, 50, 70), (50, 70, 3), (0, False), "CHW", "HWC"),
        ((4, 50, 60, 70), (4, 50, 60, 70), (0, False), "CDHW", "CDHW"),
        ((40, 3, 50, 70), (40, 3, 50, 70), (3, False), "BCHW", "BCHW"),
        ((3, 5, 7), (3, 5, 7), (3, False), "CHW", "CHW"),
        # a label map of which each class owns labels
        ((3, 50, 70), (50, 70), (3, True), "CHW", ""),
        ((6, 3, 50, 70), (6, 50, 70), (3, True), "BCHW", ""),
    ],
)
def test_independent_classes_may_have_a_channel_each_in_the_truth(prediction, mask, known, letters, truth):
    fit = resolve(prediction, mask, multilabel=MultiLabel(*known))
    assert (fit.letters, fit.truth) == (letters, truth)


@pytest.mark.parametrize(
    ("shape", "known", "named"),
    [
        # small images could be channels as well
        ((3, 9, 8), (0, False), ["CHW", "HWC"]),
        ((2, 3, 50, 70), (0, False), ["CDHW", "BCHW"]),
    ],
)
def test_two_readings_of_independent_classes_are_refused(shape, known, named):
    with pytest.raises(ShapeError, match="more than one way") as caught:
        resolve(shape, shape, multilabel=MultiLabel(*known))
    assert caught.value.hint == " or ".join(f"--layout {name}" for name in named)
    for name in named:
        fit = resolve(shape, shape, layout=name, multilabel=MultiLabel(*known))
        assert (fit.letters, fit.truth) == (name, name)


TURNED = "np.rot90(mask, 1) or np.rot90(mask, -1)"


@pytest.mark.parametrize(
    ("prediction", "mask", "labels", "hint"),
    [
        # as nibabel gives a volume, and nnU-Net its probabilities
        ((3, 5, 24, 32), (32, 24, 5), False, "the axes of the mask are reversed: save mask.transpose(2, 1, 0)"),
        ((5, 24, 32, 3), (32, 24, 5), False, "the axes of the mask are reversed: save mask.transpose(2, 1, 0)"),
        ((5, 24, 32), (32, 24, 5), True, "the axes of the mask are reversed: save mask.transpose(2, 1, 0)"),
        # slices at the end
        ((3, 5, 24, 32), (24, 32, 5), False, "save mask.transpose(2, 0, 1)"),
        # square slices: two orders fit, and neither is proposed alone
        ((3, 5, 24, 24), (24, 24, 5), False, "mask.transpose(2, 0, 1) or mask.transpose(2, 1, 0) have this shape"),
        # in two dimensions a turned picture has the same shape as a transposed one
        ((3, 7, 5), (5, 7), False, TURNED),
        ((7, 5), (5, 7), True, TURNED),
        # what no order of axes explains
        ((3, 5, 24, 31), (32, 24, 5), False, "softdice never resizes"),
        ((3, 7, 5), (5, 8), False, "softdice never resizes"),
    ],
)
def test_axes_in_another_order_are_named(prediction, mask, labels, hint):
    with pytest.raises(ShapeError) as caught:
        resolve(prediction, mask, labels=labels)
    assert hint in caught.value.hint
    for order in re.findall(r"transpose(\([0-9, ]+\))", caught.value.hint):
        turned = np.empty(mask).transpose(ast.literal_eval(order)).shape
        assert resolve(prediction, turned, labels=labels).channels == (1 if labels else 3)


@pytest.mark.parametrize(
    ("prediction", "mask", "problem", "hint"),
    [
        (
            (5, 7),
            (3, 5, 7),
            "has the shape of a mask, and the mask that of a prediction",
            "--pred and --gt are swapped",
        ),
        ((4, 5, 7), (3, 5, 7), "one fewer than the prediction", "np.argmax(mask, axis=0) + 1"),
        ((5, 7, 4), (5, 7, 3), "one fewer than the prediction", "np.argmax(mask, axis=-1) + 1"),
        ((2, 4, 5, 7), (2, 3, 5, 7), "one fewer than the prediction", "np.argmax(mask, axis=1) + 1"),
        ((2, 3, 4, 5, 7), (2, 3, 4, 5, 7), "as many axes as the prediction", "--multilabel"),
    ],
)
def test_other_shapes_of_a_mask_are_named_as_what_they_are(prediction, mask, problem, hint):
    with pytest.raises(ShapeError, match=problem) as caught:
        resolve(prediction, mask)
    assert hint in caught.value.hint


def test_several_pairs_rule_out_what_fits_one_of_them_by_chance():
    square = ShapesSeen(frozenset([((3, 5, 24, 24), (24, 24, 5))]), "", False)
    other = ShapesSeen(frozenset([((3, 5, 24, 32), (32, 24, 5))]), "", False)
    assert square.kind == other.kind
    assert "and not all are right" in square.hint()
    assert square.joined(other).hint() == "the axes of the mask are reversed: save mask.transpose(2, 1, 0)"
    third = ShapesSeen(frozenset([((3, 5, 24, 32), (24, 5, 32))]), "", False)
    assert "no one order fits all of them" in other.joined(third).hint()


@pytest.mark.parametrize(
    ("prediction", "mask", "labels", "words"),
    [
        # np.save of a picture that was read with three or four equal channels
        ((5, 7), (5, 7, 3), False, ["swapped", "save mask[..., 0]", "save colours as a picture"]),
        ((5, 7), (5, 7, 4), False, ["swapped", "save mask[..., 0]"]),
        ((4, 5, 7), (5, 7, 3), False, ["save mask[..., 0]"]),
        ((5, 7), (5, 7, 3), True, ["save mask[..., 0]"]),
        # the same shapes as a channel for each class
        ((3, 5, 7), (5, 7, 3), False, ["save mask[..., 0]", "save mask.transpose(2, 0, 1)"]),
        # a page for each object
        ((5, 7), (6, 5, 7), False, ["swapped", "np.any(mask, axis=0), if each page"]),
    ],
)  # fmt: skip
def test_masks_with_an_axis_that_no_pixel_needs(prediction, mask, labels, words):
    with pytest.raises(ShapeError) as caught:
        resolve(prediction, mask, labels=labels)
    for word in words:
        assert word in caught.value.hint
    values = np.zeros(mask)
    for line in re.findall(r"save (mask\[[^\]]*\]|np\.any\([^)]*\))", caught.value.hint):
        resolve(prediction, eval(line, {"mask": values, "np": np}).shape, labels=labels)
