"""The exact sums: any order, any tiling, any engine gives the same bits, and they are the right ones."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softdice_cli.errors import DeviceError
from softdice_cli.overlap import TILE_PIXELS, Decoding, Tally, decoding_for, to_pixels
from softdice_cli.overlap.codes import translation
from softdice_cli.overlap.contract import GRID
from softdice_cli.overlap.devices import choose, devices, engine_for
from softdice_cli.overlap.exact import sum_parts, sum_rows
from softdice_cli.overlap.labels import count_labels, tally_label_map
from softdice_cli.overlap.numpy_engine import NumpyEngine, floor_to
from softdice_cli.overlap.tiles import tiles
from softdice_cli.records import ClassDef, Settings

NUMPY = NumpyEngine()
FLOATS = [np.float16, np.float32, np.float64]


def decoding(classes: int, **changes: object) -> Decoding:
    plain = {"scale": None, "activation": "none", "thresholds": (), "sum_tolerance": None, "top": 1.0}
    if classes == 1:
        plain["thresholds"] = (0.5,)
    return Decoding(classes=classes, **{**plain, **changes})


def on_grid(value: float) -> int:
    """A probability in units of 2⁻⁶⁴, by exact arithmetic: two roundings to the nearest even, as the design says."""
    exact = Fraction(float(value)) * 2**32
    high = round(exact)
    return high * 2**32 + round((exact - high) * 2**32)


@st.composite
def images(draw):
    """Values (C, n), codes (n,) and the number of classes; all magnitudes down to subnormals."""
    classes, pixels = draw(st.integers(1, 5)), draw(st.integers(1, 60))
    dtype = draw(st.sampled_from(FLOATS))
    width = np.dtype(dtype).itemsize * 8
    elements = st.floats(0, 1, width=width) | st.floats(0, 2.0**-20, width=width) | st.just(0.0)
    elements = draw(st.sampled_from([elements, *(st.floats(2.0**-least, 1, width=width) for least in (9, 11, 14))]))
    values = draw(hnp.arrays(dtype, (classes, pixels), elements=elements))
    codes = draw(hnp.arrays(draw(st.sampled_from([np.intp, np.uint8])), pixels, elements=st.integers(0, classes + 1)))
    if classes > 1:
        codes[codes == classes] = classes + 1  # "other" exists for one channel only
    return values, codes, classes


@given(images())
def test_sums_are_those_of_exact_arithmetic(image):
    values, codes, classes = image
    tally = NUMPY.tally(values, codes, decoding(classes))
    counted = codes <= classes
    for c in range(classes):
        assert tally.probability[c] == sum(on_grid(p) for p in values[c, counted])
        assert tally.intersection[c] == sum(on_grid(p) for p in values[c, codes == c])
        assert tally.truth[c] == int((codes == c).sum())
    assert (tally.pixels, tally.ignored) == (int(counted.sum()), int((~counted).sum()))


@given(images(), st.data())
def test_order_and_tiling_change_no_bit(image, data):
    values, codes, classes = image
    whole = NUMPY.tally(values, codes, decoding(classes))
    order = data.draw(st.permutations(range(codes.size)))
    cuts = sorted(data.draw(st.lists(st.integers(0, codes.size), max_size=4)))
    parts = np.split(np.array(order, dtype=np.intp), cuts)
    assert reduce(add, (NUMPY.tally(values[:, part], codes[part], decoding(classes)) for part in parts)) == whole


@settings(deadline=None)
@given(images())
def test_the_torch_engine_gives_the_same_bits(image):
    values, codes, classes = image
    assert engine_for("torch:cpu").tally(values, codes, decoding(classes)) == NUMPY.tally(
        values, codes, decoding(classes)
    )


@settings(deadline=None)
@given(st.sampled_from([np.uint8, np.uint16]), st.data())
def test_scaled_integers_give_the_same_bits_on_both_engines(dtype, data):
    top = int(np.iinfo(dtype).max)
    values = data.draw(hnp.arrays(dtype, (1, 40)))
    codes = data.draw(hnp.arrays(np.intp, 40, elements=st.integers(0, 2)))
    scaled = decoding(1, scale=top)
    tally = NUMPY.tally(values, codes, scaled)
    assert tally == engine_for("torch:cpu").tally(values, codes, scaled)
    assert tally.probability[0] == sum(on_grid(int(v) / top) for v in values[0, codes < 2])


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_largest_tile_is_still_exact(dtype):
    values = np.full(TILE_PIXELS, 1, dtype)
    assert sum_rows(values.astype(np.float32)[None]) == (TILE_PIXELS * GRID,)
    third = np.full(TILE_PIXELS, dtype(1 / 3))
    wide = third.astype(np.float64 if dtype is np.float64 else np.float32)
    assert sum_rows(wide[None]) == (TILE_PIXELS * on_grid(float(third[0])),)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pixels", [1, 31, 513, 2**16 + 1, TILE_PIXELS])
@pytest.mark.parametrize(
    ("low", "high"),
    [
        (2.0**-10, 1.0),  # all in one float64 sum, if float32
        (2.0**-38, 1.0),  # int64, which goes round every 4 pixels
        (1 - 2.0**-20, 1.0),  # as often as can be
        (2.0**-41, 2.0**-38),  # two words
    ],
)
def test_long_sums_are_exact_whichever_way_they_are_added(dtype, pixels, low, high):
    rng = np.random.default_rng(pixels)
    values = np.maximum(rng.uniform(low, high, (3, pixels)), low).astype(dtype)
    values[1] = values[1, 0]  # one value throughout: what rounds, rounds the same way every time
    values[2, ::2] = low
    grain = float(np.spacing(dtype(low)))
    every = [[on_grid(v) for v in row] if pixels < 600 else units(row) for row in values.tolist()]
    expected = tuple(map(sum, every))
    assert sum_rows(values, grain) == sum_rows(values) == expected
    assert tuple(sum_parts(list(values), grain)) == tuple(sum_parts(list(values), 0.0)) == expected


def units(row: list[float]) -> list[int]:
    """Multiples of 2⁻⁶⁴, or what is nearest; Python's rounding of a float is exact, and half goes to even."""
    return [round(value * 2.0**64) for value in row]


def test_more_pixels_than_a_float32_can_count():
    """Float32 sums stop at 2²⁴: 2²⁵ ones are 2²⁵ here."""
    ones = np.ones((1, TILE_PIXELS), np.float32)
    codes = np.zeros(TILE_PIXELS, np.intp)
    tally = reduce(add, (NUMPY.tally(ones, codes, decoding(1)) for _ in range(64)))
    assert to_pixels(tally.probability[0]) == 2.0**25
    assert tally.true_positives == (2**25,)


@pytest.mark.parametrize("engine", ["cpu", "torch:cpu"])
@pytest.mark.parametrize(
    ("values", "codes", "predicted", "hits"),
    [
        ([[0.5, 0.5], [0.5, 0.5]], [0, 1], (2, 0), (1, 0)),  # a tie: the first maximum wins
        ([[0.2, 0.2], [0.4, 0.4], [0.4, 0.4]], [1, 2], (0, 2, 0), (0, 1, 0)),  # a tie further on
        ([[0.5, 0.500001]], [0, 0], (1,), (1,)),  # one channel: strictly above the threshold
        ([[0.9, 0.9]], [0, 1], (2,), (1,)),  # code 1 is the background of a one-channel map
        ([[0.9, 0.9]], [0, 2], (1,), (1,)),  # code 2 is ignored: prediction included
    ],
)
def test_decisions(engine, values, codes, predicted, hits):
    tally = engine_for(engine).tally(np.array(values), np.array(codes, np.intp), decoding(len(values)))
    assert (tally.predicted, tally.true_positives) == (predicted, hits)


@pytest.mark.parametrize("dtype", FLOATS[1:])
@given(threshold=st.floats(0, 1, exclude_max=True), value=st.floats(0, 1, width=32))
def test_the_threshold_is_compared_exactly(dtype, threshold, value):
    assert (dtype(value) > floor_to(np.dtype(dtype), threshold)) == (Fraction(value) > Fraction(threshold))


@pytest.mark.parametrize("engine", ["cpu", "torch:cpu"])
@pytest.mark.parametrize(
    ("values", "changes", "facts"),
    [
        ([[0.5, np.nan]], {}, {"nonfinite": 1, "low": 0.5, "high": 0.5}),
        ([[np.inf, -np.inf]], {}, {"nonfinite": 2}),
        ([[-0.25, 0.5]], {}, {"low": -0.25, "nonfinite": 0}),
        ([[1.5, 0.5]], {}, {"high": 1.5}),
        ([[0.5, 0.5], [0.5, 0.25]], {"sum_tolerance": 1e-3}, {"sum_off": 1, "sum_low": 0.75, "sum_high": 0.75}),
        ([[5.0, np.nan]], {"activation": "sigmoid"}, {"nonfinite": 1}),
    ],
)
def test_facts_are_seen_and_forbid_the_sums(engine, values, changes, facts):
    tally = engine_for(engine).tally(np.array(values), np.zeros(2, np.intp), decoding(len(values), **changes))
    assert {name: getattr(tally.facts, name) for name in facts} == facts
    assert not tally.facts.acceptable(decoding(len(values), **changes))
    assert set(tally.probability) == {0}


def test_ignored_pixels_are_not_even_looked_at():
    for stray in (np.nan, np.inf, -np.inf, -3, 7):
        tally = NUMPY.tally(np.array([[0.25, stray]]), np.array([0, 2], np.intp), decoding(1))
        assert tally.facts.acceptable(decoding(1))
        assert to_pixels(tally.probability[0]) == 0.25


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_activations_agree_to_rounding_with_exact_arithmetic_and_each_other(activation):
    logits = np.array([[-800.0, 0, 3, 700], [1.0, 0, -3, 710]])
    codes = np.array([0, 1, 0, 1], np.intp)
    given_decoding = decoding(2, activation=activation)
    tallies = [engine_for(e).tally(logits, codes, given_decoding) for e in ("cpu", "torch:cpu")]
    with np.errstate(over="ignore", under="ignore"):
        raised = np.exp(logits - logits.max(0))
        expected = raised / raised.sum(0) if activation == "softmax" else 1 / (1 + np.exp(-logits))
    for tally in tallies:
        assert [to_pixels(p) for p in tally.probability] == pytest.approx(expected.sum(1).tolist(), rel=1e-14)


@given(
    st.sampled_from([(3, 4, 5, 6), (2, 7, 3), (1, 1, 50), (4, 9)]),
    st.permutations(range(4)),
    st.integers(1, 70),
)
def test_tiles_hold_every_pixel_once_with_its_label(shape, axes, pixels):
    order = [axis for axis in axes if axis < len(shape)]
    values = np.arange(np.prod(shape), dtype=np.float64).reshape([shape[a] for a in order]).transpose(np.argsort(order))
    labels = values[0].copy()
    seen = []
    for tile, codes in tiles(values, [labels], pixels):
        assert tile.shape == (shape[0], *codes.shape)
        assert codes.size <= pixels
        assert (tile[0] == codes).all()
        seen += codes.reshape(-1).tolist()
    assert sorted(seen) == sorted(labels.reshape(-1).tolist())


SIX = Settings(
    classes=tuple(ClassDef(str(i), v) for i, v in enumerate([0, 7, 200, 65535, -5, 70000])), ignore=(255, -1)
)


@pytest.mark.parametrize(
    ("dtype", "labels", "codes"),
    [
        ("u1", [0, 7, 200, 255, 9], [0, 1, 2, 7, 8]),
        ("i1", [0, 7, -5, -1, 9], [0, 1, 4, 7, 8]),
        ("<u2", [0, 65535, 255, 256], [0, 3, 7, 8]),
        (">u2", [0, 65535, 255, 7], [0, 3, 7, 1]),  # big-endian
        (">i2", [-5, -1, 7, 300], [4, 7, 1, 8]),
        ("i4", [70000, -5, 2**31 - 1], [5, 4, 8]),
        (">i4", [70000, -1], [5, 7]),
        ("u8", [2**64 - 1, 2**64 - 5, 7], [8, 8, 1]),  # not −1 and not −5
        ("i8", [2**40, 0], [8, 0]),
    ],
)
def test_labels_become_codes_whatever_their_type(dtype, labels, codes):
    assert translation(SIX)(np.array(labels, dtype)).tolist() == codes


def test_one_class_takes_zero_as_background():
    one = Settings(classes=(ClassDef("foreground", 255),), ignore=(128,))
    assert translation(one)(np.array([0, 255, 128, 1], np.uint8)).tolist() == [1, 0, 2, 3]


def test_labels_are_counted():
    labels = np.array([[3, 3, 255], [0, 3, 0]], np.uint8)
    assert count_labels(labels) == count_labels(labels.T.astype(np.int64)) == {0: 2, 3: 3, 255: 1}


def test_a_label_map_is_its_own_one_hot():
    truth, predicted = np.array([0, 1, 1, 3, 0], np.intp), np.array([0, 1, 0, 1, 4], np.intp)
    tally, strays = tally_label_map(predicted, truth, decoding(2))
    # one pixel of class 1 was taken for class 0, and the ignored one, decided for class 1, does not count
    pairs = {(0, 1): 1}
    assert tally == Tally((2 * GRID, GRID), (GRID, GRID), (2, 2), (2, 1), (1, 1), pixels=4, ignored=1, confusion=pairs)
    assert strays == 1


@pytest.mark.parametrize(
    ("options", "epsilon", "tolerance"),
    [
        ({}, 2.0**-23, 1e-3),  # float32
        ({}, 2.0**-10, 2.0**-9),  # float16
        ({}, 2.0**-7, 2.0**-6),  # bfloat16
        ({"activation": "softmax"}, 2.0**-23, 1e-3),  # asked before it: what sums to 1 needs none
        ({"activation": "softmax", "normalized": False}, 2.0**-23, 1e-3),
        ({"normalized": False}, 2.0**-23, None),
        ({"scale": 255}, 1 / 255, 1e-6 + 3 / 255),  # a step for each of three channels: rounded or cut off
        ({"scale": 20}, 1 / 20, 0.1),  # and never more than that
    ],
)
def test_tolerances(options, epsilon, tolerance):
    three = Settings(classes=tuple(ClassDef(str(i), i) for i in range(3)), **options)
    assert decoding_for(three, epsilon).sum_tolerance == tolerance


@pytest.mark.parametrize(
    ("options", "epsilon", "top"),
    [
        ({}, 2.0**-52, 1 + 1e-6),  # float64
        ({}, 2.0**-10, 1 + 2.0**-10),  # float16: the next number above 1
        ({"scale": 255}, 1 / 255, 1.0),  # integers are never rounded above 1
    ],
)
def test_the_greatest_value_that_is_a_probability(options, epsilon, top):
    given = decoding_for(Settings(classes=(ClassDef("a", 1),), **options), epsilon)
    assert given.top == top
    for engine in (NUMPY, engine_for("torch:cpu")):
        code = np.zeros(1, np.intp)
        plain = decoding(1, top=given.top)
        assert engine.tally(np.array([[top]]), code, plain).facts.acceptable(plain)
        assert not engine.tally(np.array([[np.nextafter(top, 2)]]), code, plain).facts.acceptable(plain)


@pytest.mark.parametrize(
    ("second", "off"),
    [
        # sums of 1 ± 0.25, which is the tolerance
        (0.25, 0),
        (0.75, 0),
        # and one step further
        (0.25 - 2.0**-50, 1),
        (0.75 + 2.0**-50, 1),
    ],
)
def test_sums_pass_up_to_the_tolerance(second, off):
    values = np.array([[0.5, 0.5], [0.5, second]])
    given = decoding(2, sum_tolerance=0.25)
    for engine in (NUMPY, engine_for("torch:cpu")):
        facts = engine.tally(values, np.zeros(2, np.intp), given).facts
        assert (facts.sum_off, facts.acceptable(given)) == (off, not off)


def test_devices_that_are_not_there_are_named_errors():
    assert devices()[-2:] == ["cpu", "torch:cpu"]
    with pytest.raises(DeviceError, match="cuda:99") as caught:
        engine_for("cuda:99")
    assert "cpu" in caught.value.expected
    said: list[str] = []
    assert choose("cpu", said.append) == "cpu"
    assert said == []
    assert choose("auto", said.append) == devices()[0]
    assert said == [f"device: {devices()[0]}"]


def test_whole_numbers_saved_as_floats_are_labels():
    assert translation(SIX)(np.array([0, 7, -5, 70000, 255, 9], np.float32)).tolist() == [0, 1, 4, 5, 7, 8]


@pytest.mark.parametrize("classes", [1, 2, 19, 150, 1000, 10**6])
def test_no_engine_asks_for_more_pixels_than_float64_holds_exactly(classes):
    for engine in (NUMPY, engine_for("torch:cpu")):
        assert 0 < engine.tile_pixels(classes) <= TILE_PIXELS


def test_softmax_of_what_sums_to_one_already_is_seen():
    probabilities = np.array([[0.25, 0.5], [0.75, 0.5]])
    codes = np.array([0, 1], np.intp)
    asked = decoding(2, activation="softmax", sum_tolerance=1e-3)
    for engine in (NUMPY, engine_for("torch:cpu")):
        assert engine.tally(probabilities, codes, asked).facts.already(asked)
        assert not engine.tally(probabilities * 3, codes, asked).facts.already(asked)
        assert not engine.tally(probabilities, codes, decoding(2)).facts.already(decoding(2))


def test_a_batch_gives_the_tallies_of_its_images():
    rng = np.random.default_rng(5)
    values, codes = rng.random((4, 3, 50)), rng.integers(0, 6, (4, 50))
    codes[codes == 3] = 4
    batch = engine_for("torch:cpu").submit(values, codes, decoding(3))()
    assert batch == [NUMPY.tally(v, c, decoding(3)) for v, c in zip(values, codes, strict=True)]
