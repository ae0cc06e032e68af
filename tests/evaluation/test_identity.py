"""The digest of a truth: what changes it, and what does not."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from builders import signed
from PIL import Image as Picture

from softdice_cli import Accumulator, Settings, evaluate
from softdice_cli.evaluation import identity
from softdice_cli.evaluation.identity import truth_of
from softdice_cli.evaluation.prepared_pair import Image
from softdice_cli.readers import Source
from softdice_cli.records import ClassDef

RNG = np.random.default_rng(7)
LABELS = RNG.integers(0, 4, (6, 10)).astype(np.uint8)
LABEL_MAPS = Settings(prediction="labels", classes=(ClassDef("a", 0), ClassDef("b", 1)))
VOLUME = RNG.integers(0, 300, (33, 40, 70)).astype(np.uint16)


def digest(labels, inside=None, *, channels: bool = False) -> str:
    values = np.zeros(labels.shape if channels else (1, *labels.shape), np.float32)
    return truth_of(Source(name="m", format="npy", array=labels, stored=""), Image("x", values, labels, inside))


def test_the_digest_is_frozen():
    """Baselines live for years: another digest of the same labels would refuse all of them."""
    assert digest(np.arange(12, dtype=np.uint8).reshape(3, 4)) == "68f01e09dbd5e890"
    assert digest(np.arange(-6, 6).reshape(3, 4)) == "3e44b0ce1f5328e5"
    assert digest(np.array([0.25, 0.5, 1.0])) == "e35f27f08ed885af"
    assert digest(np.arange(12, dtype=np.uint8).reshape(3, 2, 2), channels=True) == "12c956b4a1eca02d"
    assert digest(np.arange(3 * 2**20, dtype=np.uint32).reshape(3, 1024, 1024) % 7) == "8e1a2ccbe55dd5b5"


@pytest.mark.parametrize("kind", ["u1", "<i2", ">i2", "<u4", ">i8", "<f2", ">f4", "<f8"])
def test_the_type_in_which_a_label_is_stored_does_not_matter(kind):
    assert digest(LABELS.astype(kind)) == digest(LABELS)


def test_true_and_false_are_1_and_0():
    assert digest(LABELS > 1) == digest((LABELS > 1).astype(np.int64))


@pytest.mark.parametrize("labels", [VOLUME, VOLUME[0], VOLUME[0, 0], LABELS.astype(np.int64) - 5])
def test_the_order_in_memory_and_axes_of_length_1_do_not_matter(labels):
    expected = digest(np.ascontiguousarray(labels))
    for axes in itertools.permutations(range(labels.ndim)):
        stored = np.ascontiguousarray(labels.transpose(axes)).transpose(np.argsort(axes))
        assert digest(stored) == expected
    assert digest(labels[None]) == digest(labels[..., None]) == digest(np.expand_dims(labels, (0, 1))) == expected


@pytest.mark.parametrize("at_once", [1, 2**10, 2**14, 2**30])
def test_how_much_is_read_at_once_does_not_matter(monkeypatch, at_once):
    monkeypatch.setattr(identity, "_LABELS", 12)
    monkeypatch.setattr(identity, "_LENGTH", 5)
    expected = {order: digest(np.array(VOLUME, order=order)) for order in "CF"}
    assert len(set(expected.values())) == 1
    monkeypatch.setattr(identity, "_AT_ONCE", at_once)
    assert {order: digest(np.array(VOLUME, order=order)) for order in "CF"} == expected


def test_other_labels_have_another_digest():
    """Turned, flipped, two labels swapped, another shape, one pixel: each digest is different from all others."""
    swapped = np.array([0, 2, 1, 3], np.uint8)[LABELS]
    pixel = LABELS.copy()
    pixel[3, 3] ^= 1
    wide, negative = LABELS.astype(np.int64) + 256, LABELS.astype(np.int64) - 1
    half = LABELS / 2
    others = [
        LABELS,
        LABELS[::-1, ::-1],
        LABELS[::-1],
        LABELS[:, ::-1],
        LABELS.T,
        swapped,
        LABELS.reshape(10, 6),
        pixel,
    ]
    others += [LABELS.ravel(), wide, wide + 2**31, wide + 2**53, negative, half]
    assert len({digest(np.ascontiguousarray(other)) for other in others}) == len(others)


def test_channels_are_a_truth_of_their_own():
    stack = np.stack([LABELS > 0, LABELS > 1, LABELS > 2]).astype(np.uint8)
    found = digest(stack, channels=True)
    assert found == digest(np.moveaxis(np.ascontiguousarray(np.moveaxis(stack, 0, -1)), -1, 0), channels=True)
    assert len({found, digest(stack[[1, 0, 2]], channels=True), digest(stack[:2], channels=True)}) == 3
    # a single channel is what a pixel with one label is
    assert digest(stack[:1], channels=True) == digest(stack[0])


def test_the_region_of_interest_is_part_of_the_truth():
    inside = np.ones(LABELS.shape, bool)
    part = inside.copy()
    part[0, 0] = False
    assert len({digest(LABELS), digest(LABELS, inside), digest(LABELS, part), digest(LABELS, part[::-1, ::-1])}) == 4


def write(folder, labels, probabilities) -> None:
    np.save(folder / "p.npy", probabilities)
    np.save(folder / "c.npy", labels)
    np.save(folder / "f.npy", np.asfortranarray(labels.astype(np.int32)))
    np.savez(folder / "z.npz", labels.astype(np.float32))
    Picture.fromarray(labels).save(folder / "m.png")
    Picture.fromarray(labels.astype(np.int32)).save(folder / "t.tif")
    Picture.fromarray(np.stack([labels] * 3, axis=-1)).save(folder / "equal.png")


def test_files_of_any_format_and_size_show_one_truth(tmp_path):
    """Larger than what a file is read at once for, so that tiles of it are read in its own order."""
    labels = np.random.default_rng(1).integers(0, 2, (1100, 2100)).astype(np.uint8)
    write(tmp_path, labels, np.broadcast_to(np.float32(0.5), (2, *labels.shape)))
    names = ("c.npy", "f.npy", "z.npz", "m.png", "t.tif", "equal.png")
    for workers in (1, 2):
        found = evaluate([(tmp_path / "p.npy", tmp_path / name) for name in names], workers=workers)
        assert found.failures == ()
        assert [row.truth for row in found.images] == [digest(labels)] * len(names)
    maps = evaluate([(tmp_path / "c.npy", tmp_path / "m.png")], settings=LABEL_MAPS)
    assert maps.images[0].truth == digest(labels)


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_a_batch_an_accelerator_and_an_accumulator_show_the_same_truths(tmp_path, device):
    if device != "cpu":
        pytest.importorskip("torch")
    labels = np.random.default_rng(2).integers(0, 3, (4, 20, 30)).astype(np.uint8)
    maps = np.full((4, 3, 20, 30), 1 / 3)
    np.save(tmp_path / "p.npy", maps)
    np.save(tmp_path / "m.npy", labels[:, None])
    expected = [digest(image) for image in labels]
    found = evaluate([(tmp_path / "p.npy", tmp_path / "m.npy")], device=device)
    assert [row.truth for row in found.images] == expected
    scores = Accumulator()
    scores.update(maps, labels)
    assert [row.truth for row in scores.compute().images] == expected


def test_a_cut_truth_is_known_by_its_values_and_colours_by_their_numbers(tmp_path):
    """Before anything is cut, and before a class is named."""
    shades = np.array([[0.0, 0.25], [0.75, 1.0]])
    np.save(tmp_path / "p.npy", np.full((2, 2), 0.5))
    np.save(tmp_path / "m.npy", shades)
    (row,) = evaluate([(tmp_path / "p.npy", tmp_path / "m.npy")], settings=Settings(foreground=">0.5")).images
    assert row.truth == digest(shades)
    assert row.truth != digest((shades > 0.5).astype(np.uint8))
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    Picture.fromarray(grey).save(tmp_path / "m.png")
    (row,) = evaluate([(tmp_path / "p.npy", tmp_path / "m.png")], settings=Settings(foreground=">127")).images
    assert row.truth == digest(grey)
    colors = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    Picture.fromarray(colors).save(tmp_path / "rgb.png")
    np.save(tmp_path / "two.npy", np.full((2, 1, 2), 0.5))
    named = Settings(classes=(ClassDef("red", 0xFF0000), ClassDef("blue", 0xFF)), colors=True)
    (row,) = evaluate([(tmp_path / "two.npy", tmp_path / "rgb.png")], settings=named).images
    assert row.truth == digest(np.array([[0xFF0000, 0xFF]]))


def test_a_truth_that_is_not_a_digest_is_refused(softdice, tmp_path):
    np.save(tmp_path / "p.npy", np.full((2, 3, 4), 0.5))
    np.save(tmp_path / "m.npy", np.eye(3, 4, dtype=np.uint8))
    document = json.loads(softdice("eval", "--pred", "p.npy", "--gt", "m.npy", "--format", "json").out)
    assert document["images"][0]["truth"] == digest(np.eye(3, 4, dtype=np.uint8))
    for value in ("", "0123", "x" * 16, 1, None):
        document["images"][0]["truth"] = value
        (tmp_path / "r.json").write_bytes(signed(document))
        assert softdice("show", "r.json").code == 3
    # rows of 0.1.0 have none
    del document["images"][0]["truth"]
    (tmp_path / "r.json").write_bytes(signed(document))
    assert softdice("show", "r.json").code == 0
