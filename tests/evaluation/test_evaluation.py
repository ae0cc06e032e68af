"""From files to results: the design's cases and the known digits, through every way of storing them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from softdice_cli import (
    ClassDef,
    ConfigError,
    Pair,
    Reading,
    ReadOptions,
    Settings,
    evaluate,
    notebook,
    score_image,
    to_text,
)
from softdice_cli.readers import stored as stored_arrays

T4 = [[[0.9, 0.4], [0.1, 0.6]], [[0.7, 0.8], [0.3, 0.2]]]


def saved(folder: Path, name: str, values: object, dtype: str = "f8") -> Path:
    path = folder / f"{name}.npy"
    np.save(path, np.array(values, dtype))
    return path


def scores_of(results):
    return [score_image(results.settings, image) for image in results.images]


def row(values: list[list[float]]) -> list[list[list[float]]]:
    """Pixels in a row as an image of height 1."""
    return [[channel] for channel in values]


@pytest.mark.parametrize(
    ("values", "labels", "ignore", "losses", "dice"),
    [
        # T1
        ([[0.8, 0.3], [0.2, 0.7]], [0, 1], (), [0.271932227396597, 0.30537976986359344], [1, 1]),
        # T2: one-hot perfect, class 2 absent
        ([[1, 0, 0], [0, 1, 1], [0, 0, 0]], [0, 1, 1], (), [0, 0, 0], [1, 1, None]),
        # T3: class 2 absent but predicted
        ([[0.6, 0.1], [0.2, 0.2], [0.2, 0.7]], [0, 1], (),
         [0.34830424330524473, 1.2527451116394954, 11.407576060361786], [1, 0, 0]),
        # T5: T4's first image and a third pixel that is ignored
        ([[0.9, 0.4, 0.5], [0.1, 0.6, 0.5]], [0, 1, 255], (255,), [0.24512125030949664, 0.34830424330524473], [1, 1]),
        # T6: all ties
        ([[0.5, 0.5], [0.5, 0.5]], [0, 1], (), [0.6931421805974449, 0.6931421805974449], [2 / 3, 0]),
    ],
)  # fmt: skip
def test_reference_cases(tmp_path, values, labels, ignore, losses, dice):
    pair = (saved(tmp_path, "p", row(values)), saved(tmp_path, "m", [labels], "u1"))
    results = evaluate([pair], settings=Settings(ignore=ignore))
    assert results.failures == ()
    assert [c.loss for c in results.pooled.classes] == pytest.approx(losses, abs=1e-15)
    assert [c.dice for c in results.pooled.classes] == dice


def test_t1_exactly(tmp_path):
    pair = (saved(tmp_path, "p", row([[0.8, 0.3], [0.2, 0.7]])), saved(tmp_path, "m", [[0, 1]], "u1"))
    pooled = evaluate([pair]).pooled
    assert [c.soft_dice for c in pooled.classes] == [0.761905895686211, 0.7368434902974195]
    assert pooled.means.loss == pytest.approx(0.2886559986300952, abs=1e-15)


def test_t4_as_two_files_and_as_one_batch(tmp_path):
    labels = [[[0, 1]], [[0, 0]]]
    pairs = [(saved(tmp_path, f"p{i}", row(T4[i])), saved(tmp_path, f"m{i}", labels[i], "u1")) for i in range(2)]
    batch = (saved(tmp_path, "p", [row(image) for image in T4]), saved(tmp_path, "m", labels, "u1"))
    two, one = evaluate(pairs), evaluate([batch], reading=Reading(layout="BCHW"))
    assert [c.loss for c in two.pooled.classes] == pytest.approx([0.18924164044380992, 0.6061320157159193], abs=1e-15)
    assert [[c.dice for c in image] for image in scores_of(two)] == [[1, 1], [1, None]]
    assert (one.pooled, one.image_mean, scores_of(one)) == (two.pooled, two.image_mean, scores_of(two))
    assert [image.id for image in one.images] == ["m[0]", "m[1]"]


@pytest.fixture(scope="module")
def example() -> tuple[np.ndarray, np.ndarray]:
    return notebook.example()


def test_the_notebooks_digits(tmp_path, example):
    pair = (saved(tmp_path, "p", example[0], "f4"), saved(tmp_path, "m", example[1], "u1"))
    pooled = evaluate([pair]).pooled
    assert pooled.means.loss == pytest.approx(1.873891106797835, abs=1e-12)
    assert tuple(c.loss for c in pooled.classes) == notebook.CLASS_LOSSES
    assert tuple(c.dice for c in pooled.classes) == notebook.DICE


def stored(kind: str, folder: Path, p: np.ndarray) -> tuple[Path, ReadOptions]:
    """The same float32 probabilities in one of many containers."""
    path, options = folder / f"p.{kind}", ReadOptions()
    if kind == "npy-fortran":
        np.save(path.with_suffix(".npy"), np.asfortranarray(p))
    elif kind == "npy-big-endian":
        np.save(path.with_suffix(".npy"), p.astype(">f4"))
    elif kind == "npy-float64":
        np.save(path.with_suffix(".npy"), p.astype("f8"))
    elif kind == "npy-hwc":
        np.save(path.with_suffix(".npy"), np.ascontiguousarray(p.transpose(1, 2, 0)))
    elif kind == "npy-batch":
        np.save(path.with_suffix(".npy"), p[None])
    elif kind == "npz":
        np.savez_compressed(path.with_suffix(".npz"), p=p, other=p[:1])
        options = ReadOptions(key="p")
    elif kind == "pt":
        torch.save({"p": torch.from_numpy(p), "epoch": 3}, path.with_suffix(".pt"))
    elif kind == "pt-permuted":
        torch.save(
            torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1))).permute(1, 2, 0), path.with_suffix(".pt")
        )
    elif kind == "tiff":
        import tifffile

        tifffile.imwrite(path.with_suffix(".tif"), p, photometric="minisblack")
    return next(folder.glob("p.*")), options


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
@pytest.mark.parametrize(
    "kind",
    ["npy-fortran", "npy-big-endian", "npy-float64", "npy-hwc", "npy-batch", "npz", "pt", "pt-permuted", "tiff"],
)
def test_the_same_numbers_in_another_container_give_the_same_bits(tmp_path, example, kind, device):
    mask = saved(tmp_path, "m", example[1], "u1")
    path, options = stored(kind, tmp_path, example[0])
    image = evaluate([(path, mask)], device=device, reading=Reading(pred=options)).images[0]
    plain = evaluate([(saved(tmp_path, "plain", example[0], "f4"), mask)]).images[0]
    assert image.sums == plain.sums


@pytest.mark.parametrize("dtype", ["f2", "bf16"])
def test_half_precision_is_read_as_it_is(tmp_path, example, dtype):
    mask = saved(tmp_path, "m", example[1], "u1")
    halves = torch.from_numpy(example[0]).to(torch.float16 if dtype == "f2" else torch.bfloat16)
    torch.save(halves, tmp_path / "p.pt")
    wide = saved(tmp_path, "wide", halves.double().numpy())
    settings = Settings(normalized=False)
    assert (
        evaluate([(tmp_path / "p.pt", mask)], settings=settings).images[0].sums
        == evaluate([(wide, mask)], settings=settings).images[0].sums
    )
    assert evaluate([(tmp_path / "p.pt", mask)]).failures == ()  # and its sums pass as 1, within its rounding


def test_a_file_read_tile_by_tile_gives_the_same_bits(tmp_path, example, monkeypatch):
    pair = (saved(tmp_path, "p", example[0], "f4"), saved(tmp_path, "m", example[1], "u1"))
    whole = evaluate([pair])
    monkeypatch.setattr(stored_arrays, "WHOLE", 0)
    monkeypatch.setattr("softdice_cli.overlap.numpy_engine._TILE_VALUES", 2**13)
    assert evaluate([pair]) == whole


def test_scaled_png_and_tiff_and_a_binary_mask(tmp_path):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    mask = np.where(values > 100, 255, 0).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "p.png")
    Image.fromarray(values.astype(np.uint16) * 257).save(tmp_path / "p.tif")
    Image.fromarray(mask).save(tmp_path / "m.png")
    Image.fromarray(mask > 0).save(tmp_path / "bits.png")
    for pred, scale in (("p.png", 255), ("p.tif", 65535)):
        for gt in ("m.png", "bits.png"):
            results = evaluate([(tmp_path / pred, tmp_path / gt)], settings=Settings(scale=scale))
            (scores,) = results.pooled.classes
            assert scores.name == "foreground"
            assert (scores.truth_pixels, scores.predicted_pixels, scores.true_positives) == (155, 128, 128)
            assert results.images[0].sums[0].probability == 128.0  # Σ v/255 over 0 … 255


def test_label_maps(tmp_path):
    pred, gt = saved(tmp_path, "p", [[0, 1, 2, 2, 9]], "u1"), saved(tmp_path, "m", [[0, 1, 1, 2, 255]], "u1")
    settings = Settings(prediction="labels", classes=tuple(ClassDef(n, i) for i, n in enumerate("abc")), ignore=(255,))
    results = evaluate([(pred, gt)], settings=settings)
    assert results.failures == ()
    assert [c.dice for c in results.pooled.classes] == [1, 2 / 3, 2 / 3]
    assert [(s.probability, s.intersection) for s in results.images[0].sums] == [(1, 1), (1, 1), (2, 1)]


def test_binary_label_maps_with_other_numbers_are_refused_until_somebody_says_that_both_are_the_class(tmp_path):
    pair = (saved(tmp_path, "p", [[0, 1, 1]], "u1"), saved(tmp_path, "m", [[0, 255, 0]], "u1"))
    (failure,) = evaluate([pair], settings=Settings(prediction="labels")).failures
    assert failure.error == f"{pair[0]}: has the label 1 where {pair[1]} has 255"
    assert "--foreground nonzero, if both are foreground" in failure.hint
    (scores,) = evaluate([pair], settings=Settings(prediction="labels", foreground="nonzero")).pooled.classes
    assert (scores.true_positives, scores.predicted_pixels, scores.truth_pixels) == (1, 2, 1)


def test_classes_by_color(tmp_path):
    colors = np.array([[[0, 0, 0], [128, 64, 0], [128, 64, 0], [255, 0, 255]]], np.uint8)
    Image.fromarray(colors).save(tmp_path / "m.png")
    pred = saved(tmp_path, "p", row([[0.8, 0.3, 0.4, 1], [0.2, 0.7, 0.6, 0]]))
    settings = Settings(classes=(ClassDef("void", 0), ClassDef("road", 0x804000)), colors=True, ignore=(0xFF00FF,))
    results = evaluate([(pred, tmp_path / "m.png")], settings=settings)
    assert results.failures == ()
    assert [c.truth_pixels for c in results.pooled.classes] == [1, 2]
    document = json.loads(to_text(results, "json"))
    assert document["classes"][1] == {"name": "road", "value": "#804000"}
    assert document["settings"]["ignore"] == ["#ff00ff"]


def test_a_volume_is_one_image_and_a_batch_is_many(tmp_path):
    rng = np.random.default_rng(1)
    raw = rng.random((3, 4, 5, 6))
    volume = raw / raw.sum(0)
    labels = rng.integers(0, 3, (4, 5, 6)).astype(np.uint8)
    Image.fromarray(labels[0]).save(
        tmp_path / "m.tif", save_all=True, append_images=[Image.fromarray(page) for page in labels[1:]]
    )
    one = evaluate([(saved(tmp_path, "p", volume), tmp_path / "m.tif")])
    many = evaluate([(saved(tmp_path, "b", volume.swapaxes(0, 1)), saved(tmp_path, "bm", labels[:, None], "u1"))])
    assert [image.id for image in one.images] == ["m"]
    assert [image.id for image in many.images] == ["bm[0]", "bm[1]", "bm[2]", "bm[3]"]
    assert [c.true_positives for c in one.pooled.classes] == [c.true_positives for c in many.pooled.classes]
    assert one.pooled.means.loss == pytest.approx(many.pooled.means.loss, abs=1e-15)


def test_a_failed_pair_is_a_row_and_the_rest_is_evaluated(tmp_path, pair):
    broken = tmp_path / "broken.npy"
    broken.write_bytes(pair[0].read_bytes()[:-1])
    results = evaluate([Pair("z", str(broken), str(pair[1])), Pair("a", str(pair[0]), str(pair[1]))])
    assert [image.id for image in results.images] == ["a"]
    assert [failure.id for failure in results.failures] == ["z"]
    assert "truncated" in results.failures[0].error
    assert not results.complete


def test_one_number_of_classes_for_all_pairs(tmp_path, pair):
    other = (saved(tmp_path, "q", np.full((2, 4, 6), 0.5)), saved(tmp_path, "n", np.zeros((4, 6)), "u1"))
    results = evaluate([pair, other])
    assert len(results.images) == 1
    assert "2 channels, and the settings hold 3 classes" in results.failures[0].error


def test_a_one_hot_truth_is_not_taken_for_a_volume(tmp_path):
    probabilities = np.array([[[0.9, 0.2, 0.3]], [[0.1, 0.8, 0.7]]])
    one_hot = np.array([[[1, 0, 0]], [[0, 1, 1]]])
    for p, m, axis in ((probabilities, one_hot, 0), (probabilities.T, one_hot.T, -1)):
        pair = (saved(tmp_path, "p", p), saved(tmp_path, "m", m, "u1"))
        (failure,) = evaluate([pair]).failures
        assert "looks one-hot" in failure.error
        assert f"np.argmax(mask, axis={axis})" in failure.hint
        assert evaluate([pair], reading=Reading(layout="DHW")).failures == ()  # said to be a volume


def test_two_pairs_of_one_id_are_refused(pair):
    with pytest.raises(ConfigError, match="two pairs have the id 'm'"):
        evaluate([pair, pair])
