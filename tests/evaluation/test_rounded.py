"""Probabilities that were rounded before they were saved: the tolerance follows what the values show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from softdice_cli import Accumulator, Settings, evaluate, to_text

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 5, (2, 20, 30)).astype(np.uint8)


def maps(classes: int) -> np.ndarray:
    raised = np.exp(RNG.normal(0, 2, (2, classes, 20, 30)))
    return raised / raised.sum(1, keepdims=True)


def saved(folder: Path, values: np.ndarray) -> tuple[Path, Path]:
    np.save(folder / "p.npy", values)
    np.save(folder / "m.npy", (LABELS % values.shape[1])[:, None])
    return folder / "p.npy", folder / "m.npy"


def bfloat16(values: np.ndarray) -> np.ndarray:
    return torch.from_numpy(values).bfloat16().float().numpy()


ROUNDINGS = {
    # name of the grid, how it is rounded, and the tolerance that follows
    "2 decimals": (lambda p: np.round(p, 2).astype("f4"), 5 * 0.005 + 1e-6),
    "2 decimals, in float64": (lambda p: np.round(p, 2), 5 * 0.005 + 1e-6),
    "2 decimals, rounded in float32": (lambda p: np.round(p.astype("f4"), 2), 5 * 0.005 + 1e-6),
    "2 decimals, in float16": (lambda p: np.round(p, 2).astype("f2"), 5 * 0.005 + 1e-6),
    "3 decimals": (lambda p: np.round(p, 3).astype("f4"), 5 * 0.0005 + 1e-6),
    "bfloat16": (bfloat16, 2**-6),
    "bfloat16, in float64": (lambda p: bfloat16(p).astype("f8"), 2**-6),
    "steps of 1/255": (lambda p: np.floor(p * 255).astype("f4") / np.float32(255), 5 / 255 + 1e-6),
    "steps of 1/255, in float64": (lambda p: np.round(p * 255) / 255, 5 / 255 + 1e-6),
}


@pytest.mark.parametrize("name", ROUNDINGS)
@pytest.mark.parametrize("way", ["serial", "processes", "torch:cpu", "accumulator"])
def test_the_tolerance_follows_the_rounding_and_a_note_says_so(tmp_path, name, way):
    rounding, widest = ROUNDINGS[name]
    values = rounding(maps(5))
    assert 1e-3 < np.abs(values.sum(1) - 1).max() <= widest
    pair = saved(tmp_path, values)
    notes: list[str] = []
    options = {"torch:cpu": {"device": "torch:cpu"}, "processes": {"workers": 2}}.get(way, {"workers": 1})
    if way == "accumulator":
        accumulator = Accumulator()
        accumulator.update(values, LABELS % 5)
        results = accumulator.compute()
    else:
        results = evaluate([pair], notify=notes.append, **options)
        grid = name.split(",")[0]
        assert notes == [f"{pair[0]}: values are rounded to {grid}, so sums may be off by {widest:.3g}"]
    assert results.failures == ()
    # The numbers are those of the same values where nobody asks for their sum.
    free = evaluate([pair], settings=Settings(normalized=False))
    assert [image.sums for image in results.images] == [image.sums for image in free.images]
    assert to_text(results, "json").count("nan") == 0


@pytest.mark.parametrize(
    "values",
    [
        # on a grid, and further off than its rounding explains
        np.round(maps(5) * 0.96, 2),
        np.round(np.clip(maps(5) * 1.05, 0, 1), 3),
        bfloat16(maps(5) * 0.97),
        # float16 by itself, and values that are on no grid
        (maps(5) * 0.99).astype("f2"),
        # one column that is on no grid
        np.where(np.arange(30) == 7, np.round(maps(5), 2) + 1e-4, np.round(maps(5), 2)),
        # maps of independent classes that happen to be coarse
        np.round(RNG.random((2, 5, 20, 30)), 1),
        RNG.integers(0, 2, (2, 5, 20, 30)).astype("f4"),
    ],
)
def test_what_no_rounding_explains_is_refused(tmp_path, values):
    notes: list[str] = []
    (failure,) = evaluate([saved(tmp_path, values)], notify=notes.append).failures
    assert "the 5 channels do not sum to 1" in failure.error
    assert notes == []


def test_rounded_probabilities_are_not_taken_for_logits(tmp_path):
    pair = saved(tmp_path, np.round(maps(5), 2))
    (failure,) = evaluate([pair], settings=Settings(activation="softmax")).failures
    assert "holds probabilities already" in failure.error
    assert failure.hint == "leave out --activation"


def test_ignored_pixels_may_be_off(tmp_path):
    """What is left out does not count, also not where the image is added up again."""
    values = np.round(maps(5), 2)
    values[0, :, 0, 0] = np.nan
    pair = saved(tmp_path, values)
    mask = np.load(pair[1])
    mask[0, 0, 0, 0] = 255
    np.save(pair[1], mask)
    results = evaluate([pair], settings=Settings(ignore=(255,)))
    assert results.failures == ()
    assert results.images[0].ignored == 1


def test_values_are_looked_at_only_where_sums_are_off(tmp_path, monkeypatch):
    def look(chunks):
        raise AssertionError("looked at")

    monkeypatch.setattr("softdice_cli.overlap.rounding.grid_of", look)
    pair = saved(tmp_path, maps(5))
    assert evaluate([pair], workers=1).failures == ()
    np.save(pair[0], np.log(maps(5)))
    assert evaluate([pair], workers=1, settings=Settings(activation="softmax")).failures == ()
