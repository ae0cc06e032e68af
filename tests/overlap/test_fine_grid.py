"""A small ε asks for a finer grid than 2⁻⁶⁴: the same bits from every engine, and a loss that is right to 1e-12."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softdice_cli import Accumulator, ClassDef, Settings, evaluate
from softdice_cli.errors import ConfigError
from softdice_cli.overlap import Decoding, decoding_for
from softdice_cli.overlap.decoding import LOSS_ERROR, MOST_PIXELS, words_for
from softdice_cli.overlap.devices import engine_for
from softdice_cli.overlap.exact import sum_parts, sum_rows
from softdice_cli.records import Region

ENGINES = [engine_for("cpu"), engine_for("torch:cpu")]
SMALL = [9.9e-6, 1e-9, 1e-12, 2.0**-52, 1e-20, 1e-30, 1e-100]


def bfloat16(values: np.ndarray) -> np.ndarray:
    """What a bfloat16 file is read as: float32 whose last bits are 0."""
    return (values.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)


def exact(values: np.ndarray, words: int) -> int:
    """The sum on the grid by exact arithmetic: word after word, each rounded to the nearest even."""
    total = 0
    for value in values.ravel().tolist():
        rest, units = Fraction(value), 0
        for _ in range(words):
            rest *= 2**32
            units = units * 2**32 + round(rest)
            rest -= round(rest)
        # However it is rounded, it is at most half a unit away.
        assert abs(Fraction(value) * 2 ** (32 * words) - units) <= Fraction(1, 2)
        total += units
    return total


@st.composite
def tiles(draw):
    """Values ``(C, n)`` of every magnitude down to denormals, and codes ``(n,)``."""
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    width = np.dtype(dtype).itemsize * 8
    shape = draw(st.integers(2, 4)), draw(st.integers(1, 30))
    tiny = st.floats(0, 2.0 ** -min(width, 60) / 2, width=width)
    values = draw(hnp.arrays(dtype, shape, elements=st.floats(0, 1, width=width) | tiny | st.just(0.0)))
    if draw(st.booleans()) and dtype == np.float32:
        values = bfloat16(values)
    codes = draw(hnp.arrays(np.uint8, shape[1], elements=st.sampled_from([*range(shape[0]), shape[0] + 1])))
    return values, codes


def plain(classes: int, words: int, **changes: object) -> Decoding:
    return Decoding(**{
        "classes": classes, "scale": None, "activation": "none", "thresholds": (), "sum_tolerance": None, "top": 1.0,
        "regions": ((0, 1),), "words": words, **changes,
    })  # fmt: skip


@settings(deadline=None)
@given(tiles(), st.sampled_from([2, *sorted(set(map(words_for, SMALL)))]))
def test_the_sums_of_every_engine_are_those_of_exact_arithmetic(tile, words):
    values, codes = tile
    decoding = plain(len(values), words)
    one, other = (engine.tally(values, codes, decoding) for engine in ENGINES)
    assert one == other
    assert one.grid == 2 ** (32 * words)
    counted = codes < len(values)
    assert one.probability == tuple(exact(row[counted], words) for row in values)
    assert one.intersection == tuple(exact(row[codes == c], words) for c, row in enumerate(values))
    assert one.regions == (exact(values[:2, codes <= 1], words),)
    if counted.any():
        (region,) = one.region_sums([(0, 1)])
        assert region.probability == sum(one.probability[:2]) / one.grid
        assert [sums.probability for sums in one.class_sums()] == [total / one.grid for total in one.probability]


@settings(deadline=None)
@given(tiles(), st.sampled_from([4, 5, 14]))
def test_the_sums_of_independent_channels_are_exact_as_well(tile, words):
    values, codes = tile
    inside = np.stack([codes, *[codes[::-1]] * (len(values) - 1)]) % 2
    decoding = plain(len(values), words, thresholds=(0.5,) * len(values), independent=True, regions=())
    one, other = (engine.tally(values, inside, decoding) for engine in ENGINES)
    assert one == other
    assert one.intersection == tuple(exact(row[own == 0], words) for own, row in zip(inside, values, strict=True))


@pytest.mark.parametrize("low", [2.0**-10, 2.0**-38, 2.0**-41, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("words", [4, 7])
def test_values_on_the_usual_grid_are_added_as_usual(low, dtype, words):
    """Each of the ways of adding that `exact` has, where the values allow it, and the same number."""
    values = np.maximum(np.random.default_rng(1).uniform(0, low * 99, (3, 300)), low).clip(0, 1).astype(dtype)
    grain = float(np.spacing(dtype(low)))
    expected = tuple(exact(row, words) for row in values)
    assert sum_rows(values, grain, words) == sum_rows(values, 0.0, words) == expected
    assert tuple(sum_parts(list(values), grain, words)) == tuple(sum_parts(list(values), 0.0, words)) == expected


@pytest.mark.parametrize("eps", [*SMALL, float(np.nextafter(1e-5, 0))])
def test_the_grid_is_as_fine_as_the_loss_needs_and_no_finer(eps):
    def error(words: int) -> Fraction:
        return 2 * MOST_PIXELS / (2 ** (32 * words) * Fraction(eps))

    assert error(words_for(eps)) <= Fraction(LOSS_ERROR) < error(words_for(eps) - 1)


@pytest.mark.parametrize("eps", [1e-5, 2e-5, 1.0, 1e6])
def test_from_the_default_on_the_grid_is_the_usual_one(eps):
    assert words_for(eps) == 2
    assert decoding_for(Settings(classes=(ClassDef("a", 1),), eps=eps), 2.0**-23).grid == 2**64


def true_loss(values: np.ndarray, inside: np.ndarray, eps: float) -> Decimal:
    """The definition, in rational numbers and a logarithm of 60 digits."""
    total = sum(map(Fraction, values.ravel().tolist()))
    own = sum(map(Fraction, values[inside].tolist()))
    numerator = 2 * own + Fraction(eps)
    denominator = total + int(inside.sum()) + Fraction(eps)
    ratio = numerator / denominator
    with localcontext() as context:
        context.prec = 60
        return -(Decimal(ratio.numerator) / Decimal(ratio.denominator)).ln()


def saved(folder, probability: np.ndarray, truth: np.ndarray):
    np.save(folder / "p.npy", probability)
    np.save(folder / "m.npy", truth.astype(np.uint8))
    return [(folder / "p.npy", folder / "m.npy")]


def near(found: float | None, expected: Decimal) -> bool:
    return found is not None and abs(Decimal(found) - expected) <= Decimal("1e-12")


@pytest.mark.parametrize("eps", SMALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "tiny",
    [
        # below 2⁻⁶⁵, where the usual grid ends
        1e-22,
        # a little below 2⁻⁶⁵, the worst for it
        float(np.nextafter(np.float32(2.0**-65), np.float32(0))),
        # a denormal of float32
        1e-40,
    ],
)
@pytest.mark.parametrize("inside", ["absent", "present"])
def test_the_loss_is_right_where_the_usual_grid_has_nothing_left(tmp_path, eps, dtype, tiny, inside):
    probability = np.full((64, 64), tiny, dtype)
    truth = np.full((64, 64), inside == "present")
    pairs = saved(tmp_path, probability, truth)
    options = Settings(eps=eps, foreground="nonzero")
    for device in ("cpu", "torch:cpu"):
        found = evaluate(pairs, settings=options, device=device)
        assert near(found.pooled.classes[0].loss, true_loss(probability, truth, eps))
    accumulator = Accumulator(options)
    accumulator.update(probability[None, None], truth[None].astype(np.uint8))
    assert accumulator.compute().pooled.classes[0].loss == found.pooled.classes[0].loss


def test_the_loss_of_only_one_class_and_of_a_region_is_right_as_well(tmp_path):
    rng = np.random.default_rng(8)
    logits = rng.normal(size=(4, 40, 40)) * 40
    raised = np.exp(logits - logits.max(0))
    probability = raised / raised.sum(0)
    truth = np.ones((40, 40), int)
    pairs, eps = saved(tmp_path, probability, truth), 1e-30
    four = tuple(ClassDef(name, value) for value, name in enumerate("abcd"))
    only = evaluate(pairs, settings=Settings(classes=four, eps=eps, only="c"))
    assert near(only.pooled.classes[0].loss, true_loss(probability[2], truth == 2, eps))
    results = evaluate(pairs, settings=Settings(classes=four, eps=eps, regions=(Region("cd", ("c", "d")),)))
    assert near(results.pooled.regions[0].loss, true_loss(probability[2:], np.zeros((2, 40, 40), bool), eps))


def test_what_the_default_promises_and_no_more(tmp_path):
    """A million pixels of the worst value: off by less than n·2⁻⁶⁴/ε, which is 5.4e-9."""
    worst = float(np.nextafter(2.0**-65, 0))
    probability, truth = np.full((1000, 1000), worst), np.ones((1000, 1000), bool)
    found = evaluate(saved(tmp_path, probability, truth), settings=Settings(foreground="nonzero"))
    expected = true_loss(probability, truth, 1e-5)
    off = abs(Decimal(found.pooled.classes[0].loss) - expected)
    assert Decimal("5e-9") < off <= Decimal(1e6 * 2.0**-64 / 1e-5) + Decimal("1e-14")


@pytest.mark.parametrize("eps", [0.0, 1e-101, -1.0, math.nan, math.inf, 1e7])
def test_what_is_out_of_range_says_why(eps):
    with pytest.raises(ConfigError) as caught:
        Settings(eps=eps)
    assert "from 1e-100 to 1e+06: for a smaller one, sums are not fine enough" in caught.value.expected
    assert "try       eps 1e-05, the default" in str(caught.value)
    assert Settings(eps=float(np.finfo(np.float64).eps)).eps == 2.0**-52
