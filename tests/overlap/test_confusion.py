"""What is taken for what, over independent channels and over regions: by counting pixel after pixel."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softdice_cli.overlap import Decoding, Tally, confusion, to_pixels
from softdice_cli.overlap.contract import GRID
from softdice_cli.overlap.devices import engine_for
from softdice_cli.overlap.labels import tally_label_map
from softdice_cli.overlap.numpy_engine import NumpyEngine

NUMPY = NumpyEngine()


def decoding(classes: int, **changes: object) -> Decoding:
    plain = {"scale": None, "activation": "none", "thresholds": (), "sum_tolerance": None, "top": 1.0}
    return Decoding(classes=classes, **{**plain, **changes})


def pairs(predicted: np.ndarray, truth: np.ndarray) -> Counter:
    """The wrong pixels by (predicted, true)."""
    found = Counter(zip(predicted.tolist(), truth.tolist(), strict=True))
    return Counter({pair: count for pair, count in found.items() if pair[0] != pair[1]})


@st.composite
def maps(draw):
    """Values (C, n) with many ties, codes (n,) with ignored pixels, and the number of classes."""
    classes, pixels = draw(st.integers(2, 9)), draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.integers(0, draw(st.sampled_from([2, 4, 200])), (classes, pixels)) / 256
    codes = rng.integers(0, classes, pixels).astype(draw(st.sampled_from([np.uint8, np.int32])))
    # Right pixels, which most of them are elsewhere.
    right = rng.random(pixels) < draw(st.sampled_from([0, 0.5, 1]))
    codes[right] = values.argmax(0)[right]
    if draw(st.booleans()):
        codes[rng.random(pixels) < 0.2] = classes + 1
    return values, codes, classes


@settings(deadline=None)
@given(maps(), st.sampled_from([0, 4, 25, 1000]), st.sampled_from([0, 32]))
def test_each_wrong_pixel_is_counted_once(image, few, many):
    values, codes, classes = image
    with pytest.MonkeyPatch.context() as patch:
        # All ways of counting, whatever the number of classes.
        patch.setattr(confusion, "_FEW_PAIRS", few)
        patch.setattr(confusion, "_MANY_CHANNELS", many)
        tally = NUMPY.tally(values, codes, decoding(classes))
    counted = codes < classes
    assert tally.confusion == pairs(values.argmax(0)[counted], codes[counted])
    assert engine_for("torch:cpu").tally(values, codes, decoding(classes)) == tally


@settings(deadline=None)
@given(maps(), st.data())
def test_a_region_is_decided_where_the_greatest_is_one_of_its_classes(image, data):
    values, codes, classes = image
    members = [data.draw(st.sets(st.integers(0, classes - 1), min_size=1).map(sorted).map(tuple)) for _ in range(2)]
    given_decoding = decoding(classes, regions=tuple(members))
    tally = NUMPY.tally(values, codes, given_decoding)
    assert engine_for("torch:cpu").tally(values, codes, given_decoding) == tally
    counted = codes < classes
    values, codes = values[:, counted], codes[counted]
    for chosen, sums in zip(members, tally.region_sums(members), strict=True):
        inside, decided = np.isin(codes, chosen), np.isin(values.argmax(0), chosen)
        # Multiples of 1/256 add up exactly in any way.
        probability = values[list(chosen)].sum(0)
        assert (sums.probability, sums.intersection) == (probability.sum(), probability[inside].sum())
        assert (sums.truth, sums.predicted) == (inside.sum(), decided.sum())
        assert sums.true_positives == (inside & decided).sum()


@settings(deadline=None)
@given(maps(), st.integers(0, 2**32))
def test_independent_channels_are_counted_one_by_one(image, seed):
    values, codes, classes = image
    rng = np.random.default_rng(seed)
    own = rng.integers(0, 2, values.shape).astype(np.uint8)
    left_out = codes > classes
    own[:, left_out] = 2
    limits = tuple(rng.integers(0, 200, classes) / 256)
    given_decoding = decoding(classes, thresholds=limits, independent=True)
    tally = NUMPY.tally(values, own, given_decoding)
    assert engine_for("torch:cpu").tally(values, own, given_decoding) == tally
    assert (tally.pixels, tally.ignored, tally.confusion) == ((~left_out).sum(), left_out.sum(), {})
    for channel in range(classes):
        kept, inside = values[channel, ~left_out], own[channel, ~left_out] == 0
        decided = kept > limits[channel]
        sums = tally.class_sums()[channel]
        assert (sums.probability, sums.intersection) == (kept.sum(), kept[inside].sum())
        assert (sums.truth, sums.predicted) == (inside.sum(), decided.sum())
        assert sums.true_positives == (inside & decided).sum()
        # and the same as one channel by itself
        alone = NUMPY.tally(values[channel : channel + 1], own[channel], decoding(1, thresholds=limits[channel:][:1]))
        assert alone.class_sums()[0] == sums


@given(maps(), st.integers(0, 2**32))
def test_a_label_map_is_counted_as_its_one_hot(image, seed):
    _, codes, classes = image
    predicted = np.random.default_rng(seed).integers(0, classes, codes.size)
    one_hot = (predicted == np.arange(classes)[:, None]).astype(np.float32)
    regions = ((0, 1), (classes - 1,))
    tally, strays = tally_label_map(predicted, codes, decoding(classes, regions=regions))
    as_probabilities = NUMPY.tally(one_hot, codes, decoding(classes, regions=regions))
    assert strays == 0
    assert (tally.class_sums(), tally.region_sums(regions)) == (
        as_probabilities.class_sums(),
        as_probabilities.region_sums(regions),
    )
    assert tally.confusion == as_probabilities.confusion


def test_four_pixels_by_hand():
    """P = (.4, .3, .3), (.1, .7, .2), (.2, .2, .6), (.8, .1, .1) with labels 1, 2, 2, 0, and the region 1 + 2."""
    values = np.array([[0.4, 0.1, 0.2, 0.8], [0.3, 0.7, 0.2, 0.1], [0.3, 0.2, 0.6, 0.1]])
    tally = NUMPY.tally(values, np.array([1, 2, 2, 0]), decoding(3, regions=((1, 2),)))
    (region,) = tally.region_sums([(1, 2)])
    # 1 pixel of class 1 taken for the background, 1 of class 2 taken for class 1
    assert tally.confusion == {(0, 1): 1, (1, 2): 1}
    assert (region.truth, region.predicted, region.true_positives) == (3, 2, 2)
    # P = .6 + .9 + .8 + .2, and I is without the last pixel
    assert region.probability == pytest.approx(2.5, abs=1e-15)
    assert region.intersection == pytest.approx(2.3, abs=1e-15)


def test_tallies_add_up():
    one = Tally((1,), (1,), (1,), (1,), (1,), regions=(GRID,), confusion={(0, 1): 2})
    other = Tally((1,), (1,), (1,), (1,), (1,), regions=(GRID,), confusion={(0, 1): 1, (2, 1): 5})
    total = one + other
    assert (total.regions, total.confusion) == ((2 * GRID,), {(0, 1): 3, (2, 1): 5})
    assert one.confusion == {(0, 1): 2}
    assert to_pixels(total.regions[0]) == Fraction(2)
