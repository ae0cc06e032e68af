"""What a class, a channel and a label can mean: each kind of run against plain NumPy, however it is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from softdice_cli import ClassDef, InputError, Pair, Reading, Results, Settings, evaluate, restore, to_text
from softdice_cli.records import Region, Shard
from softdice_cli.records.merge import Part, merge
from softdice_cli.scores import summarize

SHAPE = (9, 8)
NAMES = ("a", "b", "c", "d")
EPS = 1e-5

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A kind of run.

    Attributes:
        settings: of the run.
        make: the prediction, the truth and what is expected of one image: for each class (values, inside, decided)
            over the counted pixels.
        roi: pixels outside a region are left out.
    """

    settings: Settings
    make: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, list[Arrays]]]
    roi: bool = False
    label: str = field(default="")


def load(path: Path) -> Results:
    return restore(path.read_bytes(), str(path))


def merged_files(paths: list[Path]) -> Results:
    return summarize(merge([Part(str(path), load(path).run) for path in paths]))


def softmax(rng: np.random.Generator, classes: int) -> np.ndarray:
    raw = rng.random((classes, *SHAPE)) ** 3
    return raw / raw.sum(0)


def classes(*entries: tuple[str, Any]) -> tuple[ClassDef, ...]:
    return tuple(ClassDef(name, value) for name, value in entries)


def merged(rng):
    p, y = softmax(rng, 3), rng.integers(0, 6, SHAPE).astype(np.uint8)
    owners = [(0, 3), (1,), (2, 4, 5)]
    return p, y, [(p[c], np.isin(y, own), p.argmax(0) == c) for c, own in enumerate(owners)]


def regions(rng):
    p, y = softmax(rng, 4), rng.integers(0, 4, SHAPE).astype(np.uint8)
    parts = [(c,) for c in range(4)] + [(1, 2, 3), (2, 3)]
    return p, y, [(p[list(part)].sum(0), np.isin(y, part), np.isin(p.argmax(0), part)) for part in parts]


def channels(rng):
    p, y = rng.random((3, *SHAPE)), rng.integers(0, 2, (3, *SHAPE)).astype(np.uint8) * 255
    return p, y, [(p[c], y[c] > 0, p[c] > limit) for c, limit in enumerate((0.4, 0.4, 0.7))]


def channels_last(rng):
    p, y, expected = channels(rng)
    return np.moveaxis(p, 0, -1).copy(), np.moveaxis(y, 0, -1).copy(), expected


def overlapping(rng):
    p, y = rng.random((3, *SHAPE)), rng.integers(0, 4, SHAPE).astype(np.uint8)
    owners = [(1, 2, 3), (2, 3), (3,)]
    return p, y, [(p[c], np.isin(y, own), p[c] > 0.5) for c, own in enumerate(owners)]


def overlapping_maps(rng):
    q, y = (rng.integers(0, 4, SHAPE).astype(np.uint8) for _ in range(2))
    owners = [(1, 2, 3), (2, 3), (3,)]
    return q, y, [(np.isin(q, own).astype(float), np.isin(y, own), np.isin(q, own)) for own in owners]


def one_of_three(rng):
    p, y = softmax(rng, 3), rng.integers(0, 3, SHAPE).astype(np.uint8)
    return p, y, [(p[1], y == 1, p[1] > 0.25)]


def instances(rng):
    p, y = rng.random(SHAPE), rng.integers(0, 500, SHAPE).astype(np.uint16) * rng.integers(0, 2, SHAPE, np.uint16)
    return p, y, [(p, y > 0, p > 0.5)]


def instance_maps(rng):
    q, y = (rng.integers(0, 9, SHAPE).astype(np.uint8) for _ in range(2))
    return q, y, [((q > 0).astype(float), y > 0, q > 0)]


def graded(rng):
    p, y = rng.random(SHAPE), rng.integers(0, 256, SHAPE).astype(np.uint8)
    return p, y, [(p, y > 127, p > 0.5)]


def fractions(rng):
    p, y = rng.random(SHAPE), rng.random(SHAPE)
    return p, y, [(p, y >= 0.25, p > 0.5)]


def void(rng):
    p, y = rng.random(SHAPE), rng.choice([0, 7, 255], SHAPE).astype(np.uint8)
    keep = y != 255
    return p, y, [(p[keep], y[keep] == 7, p[keep] > 0.5)]


def plain(rng):
    p, y = softmax(rng, 2), rng.integers(0, 2, SHAPE).astype(np.uint8)
    return p, y, [(p[c], y == c, p.argmax(0) == c) for c in range(2)]


WT = (Region("WT", ("ed", "3", "2")), Region("TC", ("2", "3")))
CASES = {
    "classes that own several labels": Case(
        Settings(classes=classes(("bg", (3, 0)), ("a", 1), ("rest", (2, 4, 5)))), merged
    ),
    "regions": Case(
        Settings(classes=classes(("bg", 0), ("ed", 1), ("net", 2), ("et", 3)), regions=WT),
        regions,
        label="regions:WT=ed+net+et;TC=net+et",
    ),
    "independent channels": Case(
        Settings(
            classes=classes(("0", None), ("1", None), ("2", None)),
            multilabel=True,
            threshold=0.4,
            thresholds=(("2", 0.7),),
        ),
        channels,
        label="foreground:255|multilabel:yes|pred:p|decision:p>0.4,2>0.7",
    ),
    "independent channels on the last axis": Case(
        Settings(
            classes=classes(("x", None), ("y", None), ("z", None)),
            multilabel=True,
            threshold=0.4,
            thresholds=(("z", 0.7),),
        ),
        channels_last,
    ),
    "independent classes of a label map": Case(
        Settings(classes=classes(("WT", (1, 2, 3)), ("TC", (2, 3)), ("ET", 3)), multilabel=True),
        overlapping,
        label="labels:1/2/3+2/3+3|multilabel:yes",
    ),
    "overlapping classes of two label maps": Case(
        Settings(classes=classes(("WT", (1, 2, 3)), ("TC", (2, 3)), ("ET", 3)), multilabel=True, prediction="labels"),
        overlapping_maps,
        label="pred:labels|decision:given",
    ),
    "one class of several": Case(
        Settings(classes=classes(("bg", 0), ("cell", 1), ("edge", 2)), only="cell", threshold=0.25),
        one_of_three,
        label="only:cell|pred:p|decision:p>0.25",
    ),
    "instances": Case(Settings(foreground="nonzero"), instances, label="foreground:nonzero"),
    "instances on both sides": Case(Settings(foreground="nonzero", prediction="labels"), instance_maps),
    "grey levels": Case(Settings(foreground=">127"), graded, label="foreground:>127"),
    "fractions": Case(Settings(foreground=">=0.25"), fractions, label="foreground:>=0.25"),
    "a label that was found": Case(Settings(ignore=(255,)), void, label="labels:7"),
    "a region of interest": Case(Settings(roi=True), plain, roi=True, label="roi:yes"),
}


def write(folder: Path, case: Case) -> tuple[list[Pair], list[list[Arrays]]]:
    """The files of a run, and what is expected of each image."""
    pairs, expected = [], []
    for index, name in enumerate(NAMES):
        rng = np.random.default_rng(index)
        prediction, truth, found = case.make(rng)
        np.save(folder / f"{name}.p.npy", prediction)
        np.save(folder / f"{name}.m.npy", truth)
        roi = ""
        if case.roi:
            inside = rng.integers(0, 2, SHAPE).astype(np.uint8) * 255
            roi = str(folder / f"{name}.roi.png")
            Image.fromarray(inside).save(roi)
            found = [tuple(array[inside > 0] for array in entry) for entry in found]
        pairs.append(Pair(name, str(folder / f"{name}.p.npy"), str(folder / f"{name}.m.npy"), roi))
        expected.append(found)
    return pairs, expected


@pytest.mark.parametrize("name", CASES)
def test_every_sum_is_that_of_plain_numpy(tmp_path, name):
    case = CASES[name]
    pairs, expected = write(tmp_path, case)
    results = evaluate(pairs, settings=case.settings)
    assert results.failures == ()
    assert case.label in results.settings.signature
    shown = results.settings.scored
    for row, images in zip(results.images, expected, strict=True):
        counted = [row.sums[index] for index in shown] + list(row.regions)
        for sums, (values, inside, decided) in zip(counted, images, strict=True):
            assert (sums.probability, sums.intersection) == pytest.approx((values.sum(), values[inside].sum()))
            assert (sums.truth, sums.predicted) == (inside.sum(), decided.sum())
            assert (sums.true_positives, sums.pixels) == ((inside & decided).sum(), values.size)
    pooled = [tuple(np.concatenate([array.reshape(-1) for array in parts]) for parts in zip(*entry, strict=True))
              for entry in zip(*expected, strict=True)]  # fmt: skip
    for scores, (values, inside, decided) in zip(results.pooled.named, pooled, strict=True):
        soft = (2 * values[inside].sum() + EPS) / (values.sum() + inside.sum() + EPS)
        assert scores.loss == pytest.approx(-np.log(soft))
        assert scores.dice == pytest.approx(2 * (inside & decided).sum() / (inside.sum() + decided.sum()))


@pytest.mark.parametrize("name", CASES)
def test_however_it_is_run_the_bytes_are_the_same(tmp_path, name):
    case = CASES[name]
    pairs, _ = write(tmp_path, case)
    usual = to_text(evaluate(pairs, settings=case.settings, workers=1), "json")
    assert to_text(evaluate(pairs, settings=case.settings, workers=2), "json") == usual
    assert to_text(evaluate(pairs, settings=case.settings, device="torch:cpu"), "json") == usual
    # Cut off after two pairs, and gone on with.
    journal = tmp_path / "run.journal"
    evaluate(pairs, settings=case.settings, journal=journal)
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:3]))
    assert to_text(evaluate(pairs, settings=case.settings, journal=journal), "json") == usual
    # In two shards, which are saved and merged; and read again.
    paths = []
    for index in (1, 2):
        shard = Shard(index, 2, len(pairs), "r", files="f")
        part = evaluate(pairs[index - 1 :: 2], settings=case.settings, shard=shard)
        paths.append(tmp_path / f"{index}.json")
        paths[-1].write_text(to_text(part, "json"))
    assert to_text(merged_files(paths), "json") == usual
    whole = tmp_path / "whole.json"
    whole.write_text(usual)
    assert to_text(load(whole), "json") == usual


def test_the_matrix_is_what_was_taken_for_what(tmp_path):
    pairs, _ = write(tmp_path, CASES["regions"])
    results = evaluate(pairs, settings=CASES["regions"].settings)
    expected = np.zeros((4, 4), int)
    for pair in pairs:
        np.add.at(expected, (np.load(pair.pred).argmax(0).reshape(-1), np.load(pair.gt).reshape(-1)), 1)
    assert results.confusion == tuple(map(tuple, expected.tolist()))
    assert json.loads(to_text(results, "json"))["confusion"] == expected.tolist()
    for kind in ("independent channels", "one class of several", "instances"):
        pairs, _ = write(tmp_path, CASES[kind])
        assert evaluate(pairs, settings=CASES[kind].settings).confusion is None


@pytest.mark.parametrize("prediction", ["probabilities", "labels"])
def test_two_files_with_two_labels_are_refused_by_name(tmp_path, prediction):
    """Each would be a perfect score by itself: vertebra 19 in one, and 20 in the other."""
    pairs = []
    for name, label in (("a", 19), ("b", 19), ("c", 20)):
        truth = np.array([[0, label]], np.uint8)
        np.save(tmp_path / f"{name}.m.npy", truth)
        np.save(tmp_path / f"{name}.p.npy", truth if prediction == "labels" else truth / label)
        pairs.append(Pair(name, str(tmp_path / f"{name}.p.npy"), str(tmp_path / f"{name}.m.npy")))
    settings = Settings(prediction=prediction)
    results = evaluate(pairs, settings=settings)
    (failure,) = results.failures
    assert failure.error == f"{pairs[2].gt}: has the label 20 where {pairs[0].gt} has 19"
    assert results.settings.label == 19
    assert "labels:19|" in results.settings.signature
    # Shards disagree as files do.
    for index, part in enumerate((pairs[:2], pairs[2:]), 1):
        text = to_text(evaluate(part, settings=settings), "json")
        (tmp_path / f"{index}.json").write_text(text)
    with pytest.raises(InputError, match="has another signature"):
        merged_files([tmp_path / "1.json", tmp_path / "2.json"])


def test_a_run_without_any_foreground_goes_together_with_one_that_has_some(tmp_path):
    for name, values in (("a", [[0, 0]]), ("b", [[0, 7]])):
        np.save(tmp_path / f"{name}.m.npy", np.array(values, np.uint8))
        np.save(tmp_path / f"{name}.p.npy", np.array([[0.25, 0.75]]))
        pair = Pair(name, str(tmp_path / f"{name}.p.npy"), str(tmp_path / f"{name}.m.npy"))
        (tmp_path / f"{name}.json").write_text(to_text(evaluate([pair]), "json"))
    whole = merged_files([tmp_path / "a.json", tmp_path / "b.json"])
    assert whole.settings.label == 7
    assert [row.sums[0].truth for row in whole.images] == [0, 1]


def test_a_resumed_run_keeps_to_the_label_that_it_found(tmp_path):
    pairs = []
    for name, label in (("a", 1), ("b", 2)):
        np.save(tmp_path / f"{name}.m.npy", np.array([[0, label]], np.uint8))
        np.save(tmp_path / f"{name}.p.npy", np.array([[0.25, 0.75]]))
        pairs.append(Pair(name, str(tmp_path / f"{name}.p.npy"), str(tmp_path / f"{name}.m.npy")))
    evaluate(pairs, journal=tmp_path / "j")
    (failure,) = evaluate(pairs, journal=tmp_path / "j").failures
    assert "has the label 2 where" in failure.error


PALETTE = [0, 0, 0, 200, 0, 0, 0, 200, 0]


@pytest.mark.parametrize(
    ("other", "labels", "refused"),
    [
        (PALETTE, [[0, 1, 2]], ""),
        # classes 1 and 2 have changed places
        ([0, 0, 0, 0, 200, 0, 200, 0, 0], [[0, 1, 2]], "gives the label 1 another colour"),
        # an index that does not occur may have any colour
        ([0, 0, 0, 200, 0, 0, 9, 9, 9], [[0, 1, 1]], ""),
    ],
)
def test_an_index_has_one_colour_in_a_run(tmp_path, other, labels, refused):
    pairs = []
    for name, palette, indices in (("a", PALETTE, [[0, 1, 2]]), ("b", other, labels)):
        picture = Image.fromarray(np.array(indices, np.uint8), "P")
        picture.putpalette(palette)
        picture.save(tmp_path / f"{name}.png")
        np.save(tmp_path / f"{name}.npy", np.full((3, 1, 3), 1 / 3))
        pairs.append(Pair(name, str(tmp_path / f"{name}.npy"), str(tmp_path / f"{name}.png")))
    failures = evaluate(pairs).failures
    assert len(failures) == bool(refused)
    if refused:
        assert refused in failures[0].error
        assert pairs[0].gt in failures[0].error
        assert "#c80000 for 1" in failures[0].expected


@pytest.mark.parametrize(
    ("palette", "refused"),
    [
        # the order of VOC, and colours that nobody knows
        ([0, 0, 0, 128, 0, 0, 0, 128, 0], False),
        ([9, 9, 9, 30, 200, 0, 0, 30, 200], False),
        # the same colours in another order, and black behind
        ([0, 0, 0, 0, 128, 0, 128, 0, 0], True),
        ([250, 0, 0, 0, 0, 0, 0, 0, 250], True),
    ],
)
def test_numbers_that_a_program_gave_to_colours_are_not_taken_for_classes(tmp_path, palette, refused):
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    picture.putpalette(palette)
    picture.save(tmp_path / "m.png")
    np.save(tmp_path / "p.npy", np.array([[[0.8, 0.1, 0.1]], [[0.1, 0.8, 0.1]], [[0.1, 0.1, 0.8]]]))
    pair = (tmp_path / "p.npy", tmp_path / "m.png")
    assert bool(evaluate([pair]).failures) == refused
    # By number as said, and by colour.
    by_number = Settings(classes=classes(("a", 0), ("b", 1), ("c", 2)))
    assert evaluate([pair], settings=by_number).pooled.means.dice == 1
    colors = [int.from_bytes(bytes(palette[place : place + 3])) for place in (3, 0, 6)]
    by_color = Settings(classes=classes(*zip("abc", colors, strict=True)), colors=True)
    results = evaluate([pair], settings=by_color)
    assert [scores.dice for scores in results.pooled.classes] == [0, 0, 1]


@pytest.mark.parametrize(
    ("shape", "letters", "refused"),
    [
        # a volume of one class, or a channel for each of three classes
        ((3, 6, 5), "DHW", True),
        ((6, 5, 3), "DHW", True),
        ((2, 3, 6, 5), "TDHW", True),
        ((1, 3, 6, 5), "TDHW", True),
        # an image, and images
        ((1, 6, 5), "DHW", False),
        ((6, 5, 1), "DHW", False),
        ((4, 6, 5, 1), "", False),
        ((4, 1, 6, 5), "", False),
        # nobody saves so many classes one by one
        ((300, 2, 300), "DHW", False),
    ],
)
def test_a_truth_with_the_shape_of_the_prediction_is_not_taken_for_a_volume(tmp_path, shape, letters, refused):
    rng = np.random.default_rng(3)
    np.save(tmp_path / "p.npy", rng.random(shape))
    np.save(tmp_path / "m.npy", rng.integers(0, 2, shape).astype(np.uint8))
    pair = (tmp_path / "p.npy", tmp_path / "m.npy")
    results = evaluate([pair])
    assert bool(results.failures) == refused
    if refused:
        assert f"--layout {letters}" in results.failures[0].hint
        assert "--multilabel" in results.failures[0].hint
        (image,) = evaluate([pair], reading=Reading(layout=letters)).images
        assert image.pixels == np.prod(shape)
        # One class by name is one class.
        assert evaluate([pair], settings=Settings(classes=classes(("cell", 1)))).failures == ()


def test_what_white_means_has_to_be_said(tmp_path):
    import tifffile

    stored = np.array([[0, 255, 255, 0]], np.uint8)
    tifffile.imwrite(tmp_path / "m.tif", stored, photometric="miniswhite")
    np.save(tmp_path / "p.npy", np.array([[0.9, 0.8, 0.2, 0.1]]))
    pair = (tmp_path / "p.npy", tmp_path / "m.tif")
    (failure,) = evaluate([pair]).failures
    assert "white is stored as 0" in failure.error
    for meaning, hits in (("stored", 1), ("inverted", 1)):
        results = evaluate([pair], settings=Settings(white_is_zero=meaning))
        inside = stored > 0 if meaning == "stored" else stored == 0
        assert results.images[0].sums[0].intersection == pytest.approx(np.load(pair[0])[inside].sum())
        assert results.images[0].sums[0].true_positives == hits
        assert f"white:{meaning}" in results.settings.signature


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        # two sizes, several values, nothing inside
        (np.ones((3, 3), np.uint8), "region of interest of another shape"),
        (np.array([[0, 1, 2, 3]], np.uint8), "region of interest with several values"),
        (np.zeros((1, 4), np.uint8), "has no pixel left to count"),
    ],
)
def test_a_region_of_interest_that_cannot_be_used_is_refused(tmp_path, values, problem):
    np.save(tmp_path / "p.npy", np.array([[0.9, 0.8, 0.2, 0.1]]))
    np.save(tmp_path / "m.npy", np.array([[0, 1, 1, 0]], np.uint8))
    np.save(tmp_path / "r.npy", values)
    paths = [str(tmp_path / f"{name}.npy") for name in "pmr"]
    (failure,) = evaluate([Pair("x", *paths)], settings=Settings(roi=True)).failures
    assert problem in failure.error


def test_a_cut_is_of_real_numbers_whatever_the_type(tmp_path):
    """The float32 nearest to 0.7 is below 0.7, and the one nearest to 0.3 is above 0.3."""
    np.save(tmp_path / "p.npy", np.full((1, 3), 0.75))
    values = np.array([[0.7, 0.3, 0.5]], np.float32)
    for rule, pixels in ((">=0.7", 0), (">0.3", 3), (">=0.5", 2), (">0.5", 1)):
        found = []
        for dtype in (np.float32, np.float64):
            np.save(tmp_path / "m.npy", values.astype(dtype))
            results = evaluate([(tmp_path / "p.npy", tmp_path / "m.npy")], settings=Settings(foreground=rule))
            found.append(results.images[0].sums[0].truth)
        assert found == [pixels, pixels]


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_cut_of_what_is_not_finite_fails_one_pair(tmp_path, multilabel):
    shape = (2, 4, 5) if multilabel else (4, 5)
    values = np.random.default_rng(1).random(shape)
    pairs = []
    for name in "ab":
        truth = values.copy()
        if name == "b":
            truth.flat[:2] = np.nan, np.inf
        np.save(tmp_path / f"{name}.npy", truth)
        np.save(tmp_path / f"p{name}.npy", values)
        pairs.append((tmp_path / f"p{name}.npy", tmp_path / f"{name}.npy"))
    names = classes(("x", None), ("y", None)) if multilabel else ()
    results = evaluate(pairs, settings=Settings(classes=names, foreground=">0.5", multilabel=multilabel))
    assert len(results.images) == 1
    assert "holds NaN or infinity" in results.failures[0].error
    assert "2 px that are not finite" in results.failures[0].found


def palettes(folder: Path, others: list[list[int]]) -> list[Pair]:
    pairs = []
    for index, palette in enumerate(others):
        picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
        picture.putpalette(palette)
        picture.save(folder / f"{index}.png")
        np.save(folder / f"{index}.npy", np.full((3, 1, 3), 1 / 3))
        pairs.append(Pair(str(index), str(folder / f"{index}.npy"), str(folder / f"{index}.png")))
    return pairs


OTHER = [0, 0, 0, 0, 200, 0, 200, 0, 0]


def test_a_resumed_run_and_a_merge_keep_to_the_colours_that_they_found(tmp_path):
    pairs = palettes(tmp_path, [PALETTE, PALETTE, OTHER])
    whole = evaluate(pairs)
    assert [failure.id for failure in whole.failures] == ["2"]
    assert whole.run.palette == "0=#000000 1=#c80000 2=#00c800"
    journal = tmp_path / "j"
    evaluate(pairs[:2], journal=journal)
    assert to_text(evaluate(pairs, journal=journal), "json") == to_text(whole, "json")
    for name, part in (("a", pairs[:1]), ("b", pairs[1:2]), ("c", pairs[2:])):
        (tmp_path / f"{name}.json").write_text(to_text(evaluate(part), "json"))
    together = merged_files([tmp_path / "a.json", tmp_path / "b.json"])
    assert together.run.palette == whole.run.palette
    with pytest.raises(InputError, match="give the label 1 two colours"):
        merged_files([tmp_path / "b.json", tmp_path / "c.json"])


def test_a_pair_that_is_refused_says_nothing_of_the_run(tmp_path):
    """Its palette contradicts, and so its label does not bind those that follow."""
    pairs = []
    for name, palette, label in (("a", PALETTE, 0), ("b", [9, 9, 9, 0, 0, 0, 0, 0, 0], 2), ("c", PALETTE, 1)):
        picture = Image.fromarray(np.array([[0, label]], np.uint8), "P")
        picture.putpalette(palette)
        picture.save(tmp_path / f"{name}.png")
        np.save(tmp_path / f"{name}.npy", np.array([[0.25, 0.75]]))
        pairs.append(Pair(name, str(tmp_path / f"{name}.npy"), str(tmp_path / f"{name}.png")))
    results = evaluate(pairs)
    assert [failure.id for failure in results.failures] == ["b"]
    assert results.settings.label == 1


def test_a_region_that_leaves_nothing_is_named(tmp_path):
    np.save(tmp_path / "p.npy", np.array([[0.9, 0.1]]))
    np.save(tmp_path / "m.npy", np.array([[0, 1]], np.uint8))
    np.save(tmp_path / "r.npy", np.zeros((1, 2), np.uint8))
    paths = [str(tmp_path / f"{name}.npy") for name in "pmr"]
    (failure,) = evaluate([Pair("x", *paths)]).failures
    assert "outside the region of interest" in failure.error
    assert failure.hint.startswith(f"check that {paths[2]} is 0 outside")


def test_a_pixel_is_left_out_of_all_channels_or_of_none(tmp_path):
    truth = np.zeros((2, 4, 5), np.uint8)
    truth[0, 0, 0] = 255
    np.save(tmp_path / "p.npy", np.full((2, 4, 5), 0.25))
    np.save(tmp_path / "m.npy", truth)
    names = classes(("x", None), ("y", None))
    settings = Settings(classes=names, multilabel=True, ignore=(255,))
    (failure,) = evaluate([(tmp_path / "p.npy", tmp_path / "m.npy")], settings=settings).failures
    assert "in some channels of a pixel, and not in all of them" in failure.error
