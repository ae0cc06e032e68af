"""The loop over the pairs of a run: ids that name one image each, notes, and limits at the limit itself."""

from __future__ import annotations

import numpy as np
import pytest
from folders import maps
from PIL import Image

from softdice_cli import ConfigError, Pair, Reading, ReadOptions, evaluate


def write_pair(folder, name: str, *shape: int) -> Pair:
    """A pair of three classes; with a first axis of its own, of several images."""
    rng = np.random.default_rng(3)
    values = np.moveaxis(maps(rng, 3, *shape), 0, -3)
    np.save(folder / f"{name}-p.npy", values)
    np.save(folder / f"{name}-g.npy", rng.integers(0, 3, shape).astype(np.uint8))
    return Pair(name, str(folder / f"{name}-p.npy"), str(folder / f"{name}-g.npy"))


def test_two_pairs_that_give_one_image_id_are_refused_by_name(tmp_path):
    batch = write_pair(tmp_path, "a", 2, 4, 5)
    single = write_pair(tmp_path, "a[1]", 4, 5)
    other = write_pair(tmp_path, "b", 4, 5)
    found = evaluate([batch, single, other], reading=Reading())
    assert [image.id for image in found.images] == ["a[0]", "a[1]", "b"]
    assert {image.pred for image in found.images} == {batch.pred, other.pred}
    (failure,) = found.failures
    assert (failure.id, failure.pred) == (single.id, single.pred)
    assert failure.error == f"{single.pred}: gives image 'a[1]', as another pair did"
    assert "another id" in failure.hint


def test_the_first_pair_of_an_image_id_stays_whatever_it_is(tmp_path):
    single = write_pair(tmp_path, "a[1]", 4, 5)
    batch = write_pair(tmp_path, "a", 2, 4, 5)
    found = evaluate([single, batch])
    assert [image.id for image in found.images] == ["a[1]"]
    assert [failure.id for failure in found.failures] == ["a"]


def test_notes_about_the_reading_come_in_the_order_of_the_pairs(tmp_path):
    pairs = []
    for name in "cab":
        pair = write_pair(tmp_path, name, 4, 5)
        np.save(pair.pred, np.moveaxis(np.load(pair.pred), 0, -1))
        pairs.append(pair)
    pairs.append(write_pair(tmp_path, "plain", 4, 5))
    for workers in (1, 3):
        notes: list[str] = []
        evaluate(pairs, workers=workers, notify=notes.append)
        assert notes == [f"{pair.pred}: (4, 5, 3) is read as HWC" for pair in pairs[:3]]


@pytest.mark.parametrize(("limit", "failed"), [(20, False), (19, True)])
def test_a_mask_may_be_as_large_as_the_limit(tmp_path, limit, failed):
    pair = write_pair(tmp_path, "a", 4, 5)
    Image.fromarray(np.load(pair.gt)).save(tmp_path / "a.png")
    pair = Pair("a", pair.pred, str(tmp_path / "a.png"))
    found = evaluate([pair], reading=Reading(gt=ReadOptions(max_pixels=limit)))
    assert bool(found.failures) == failed
    if failed:
        assert "larger than the limit" in found.failures[0].error
        assert "--max-pixels 20" in found.failures[0].hint


@pytest.mark.parametrize("pair", [None, "p.npy", ("p.npy",), ("p.npy", 5), ("a", "b", "c")])
def test_what_is_not_a_pair_is_refused(pair):
    with pytest.raises(ConfigError, match="is not a pair"):
        evaluate([pair])
