"""A training loop: batches of arrays and tensors give the numbers of the files."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
import torch
from scipy import sparse

from softdice_cli import Accumulator, ClassDef, ConfigError, LabelError, Reading, Settings, SoftdiceError, evaluate


def batches(count: int = 3, size: int = 2, classes: int = 3):
    rng = np.random.default_rng(11)
    for _ in range(count):
        raw = rng.random((size, classes, 5, 4))
        yield (raw / raw.sum(1, keepdims=True)).astype(np.float32), rng.integers(0, classes, (size, 5, 4))


def filled(data, settings: Settings | None = None, name: str = "") -> Accumulator:
    accumulator = Accumulator(settings, name=name)
    for probabilities, labels in data:
        accumulator.update(probabilities, labels)
    return accumulator


def sums_of(results):
    return [row.sums for row in results.images]


def test_an_accumulator_gives_the_numbers_of_the_files(tmp_path):
    pairs = []
    for index, (probabilities, labels) in enumerate(batches()):
        for image in range(len(labels)):
            name = f"{index}{image}"
            np.save(tmp_path / f"p{name}.npy", probabilities[image])
            np.save(tmp_path / f"g{name}.npy", labels[image])
            pairs.append((tmp_path / f"p{name}.npy", tmp_path / f"g{name}.npy"))
    from_files, from_arrays = evaluate(pairs), filled(batches()).compute()
    assert sums_of(from_arrays) == sums_of(from_files)
    assert from_arrays.pooled == from_files.pooled
    assert from_arrays.image_mean == from_files.image_mean
    assert from_arrays.settings == from_files.settings
    assert [row.id for row in from_arrays.images] == [f"{index:06}" for index in range(6)]


@pytest.mark.parametrize(
    "change",
    [
        # a channel axis on the labels is squeezed, never broadcast
        lambda p, y: (p, y[:, None]),
        # other types
        lambda p, y: (p.astype(np.float64).astype(np.float32), y.astype(np.uint8)),
        lambda p, y: (p, y.astype(np.float32)),
        # torch, with a graph behind it
        lambda p, y: (torch.from_numpy(p), torch.from_numpy(y)),
        lambda p, y: (torch.from_numpy(p).requires_grad_() * 1, torch.from_numpy(y)[:, None]),
        # not contiguous
        lambda p, y: (np.ascontiguousarray(p.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1), y),
        # batches of one
        lambda p, y: [(p[:1], y[:1]), (p[1:], y[1:])],
    ],
)  # fmt: skip
def test_an_accumulator_takes_arrays_and_tensors(change):
    expected = filled(batches()).compute()
    changed = [change(*batch) for batch in batches()]
    data = [entry for batch in changed for entry in (batch if isinstance(batch, list) else [batch])]
    assert filled(data).compute() == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda p, y: (p.astype(">f4"), y.astype(">i4")),
        lambda p, y: (np.asfortranarray(p), y[::-1].copy()[::-1]),
        lambda p, y: (p.tolist(), y.tolist()),
        # a masked array that masks nothing
        lambda p, y: (np.ma.array(p), np.ma.array(y)),
        # the sign and the conjugation are flags, and the values in memory are others
        lambda p, y: (torch.complex(torch.from_numpy(p), torch.from_numpy(-p)).conj().imag, y),
        lambda p, y: (p, torch.from_numpy(y.copy()).to(torch.uint16)),
    ],
)
def test_an_accumulator_takes_any_order_of_bytes_and_axes(change):
    data = [(p.astype(np.float64), y) for p, y in batches()]
    for array in data[0]:
        array.flags.writeable = False
    expected = filled(data).compute()
    assert sums_of(filled([change(p.astype(np.float32), y) for p, y in data]).compute()) == sums_of(expected)


def test_an_accumulator_takes_bfloat16_like_a_file(tmp_path):
    data = [(torch.from_numpy(p).bfloat16(), y) for p, y in batches()]
    torch.save(torch.cat([p for p, _ in data]), tmp_path / "p.pt")
    np.save(tmp_path / "g.npy", np.concatenate([y for _, y in data]))
    reading = Reading(layout="BCHW")
    assert sums_of(filled(data).compute()) == sums_of(
        evaluate([(tmp_path / "p.pt", tmp_path / "g.npy")], reading=reading)
    )


def test_accumulators_are_pickled_and_merged():
    data = list(batches(4))
    ids = [[f"{index}{image}" for image in range(2)] for index in range(4)]
    whole, parts = Accumulator(), [Accumulator(), Accumulator(), Accumulator()]
    for index, (batch, names) in enumerate(zip(data, ids, strict=True)):
        whole.update(*batch, ids=names)
        parts[index % 2].update(*batch, ids=names)
    for order in itertools.permutations(parts):  # one of them is empty
        total = Accumulator()
        for part in order:
            total.merge(pickle.loads(pickle.dumps(part)))
        assert total.compute() == whole.compute()


def test_accumulators_with_names_of_their_own_merge():
    total = filled(batches(1), name="rank0-")
    total.merge(filled(batches(1), name="rank1-"))
    total.update(*next(batches(1)))
    ids = [row.id for row in total.compute().images]
    assert len(set(ids)) == 6
    assert ids[0] == "rank0-000000"


P, Y = next(batches(1))
tensor = torch.from_numpy


class Broken:
    def __array__(self, *_, **__):
        raise RuntimeError("no values here")


def test_a_mask_is_kept_by_what_the_refusal_proposes():
    mask = Y > 1
    expected = Accumulator(Settings(ignore=(255,)))
    expected.update(P, np.where(mask, 255, Y))
    given = Accumulator(Settings(ignore=(255,)))
    given.update(P, np.ma.array(Y, mask=mask).filled(255))
    assert given.compute() == expected.compute()


@pytest.mark.parametrize(
    ("update", "said"),
    [
        # ids that are there already, twice, or not as many as images
        (lambda a: a.update(P, Y, ids=["000000", "x"]), "ids do not name each image once"),
        (lambda a: a.update(P, Y, ids=["x", "x"]), "ids do not name each image once"),
        (lambda a: a.update(P, Y, ids=["x"]), "2 new ids"),
        # accumulators that share ids, or differ in settings
        (lambda a: a.merge(filled(batches(1))), "is in both accumulators"),
        (lambda a: a.merge(filled(batches(1), Settings(eps=1.0), name="x")), "other settings"),
        (lambda a: a.merge(filled(batches(1, classes=2), name="x")), "other settings"),
        # shapes that do not belong together
        (lambda a: a.update(P, Y[:1]), "does not fit"),
        (lambda a: a.update(P, Y[:, :-1]), "does not fit"),
        (lambda a: a.update(P.transpose(0, 2, 3, 1), Y), "does not fit"),
        (lambda a: a.update(P[0], Y[0]), ""),
        (lambda a: a.update(P[0, 0, 0], Y[0, 0]), ""),
        (lambda a: a.update(P, Y[:, None].repeat(3, 1)), ""),
        # other classes than before
        (lambda a: a.update(*next(batches(1, classes=2))), "3 channels"),
        # values that are no probabilities, and labels that are no classes
        (lambda a: a.update(P * 2, Y), "sum to 1"),
        (lambda a: a.update(np.where(P > 0.5, np.nan, P), Y), "NaN"),
        (lambda a: a.update(P, Y + 1), "3 ("),
        (lambda a: a.update(P, Y + 0.5), "whole numbers"),
        (lambda a: a.update((P * 255).astype(np.uint8), Y), "integers"),
        (lambda a: a.update([["a"]], Y), "do not hold numbers"),
        # what would be cut, or has no values of its own; P is float32
        (lambda a: a.update(P.astype(np.longdouble), Y), "try       probabilities.astype(np.float64)"),
        (lambda a: a.update(P, Y.astype(np.longdouble)), "labels are "),
        (lambda a: a.update(tensor(P).to(torch.float8_e4m3fn), Y), "are float8_e4m3fn, which NumPy does not have"),
        (lambda a: a.update(P, tensor(Y).to(torch.float8_e5m2)), "are float8_e5m2"),
        (lambda a: a.update(tensor(P).to_sparse(), Y), "float32, sparse_coo, on cpu"),
        (lambda a: a.update(P, tensor(Y).to_sparse()), "try       to_dense() it"),
        (lambda a: a.update(tensor(P).to("meta"), Y), "on meta"),
        (lambda a: a.update(sparse.csr_matrix(P[0, 0]), Y), "csr_matrix of object"),
        (lambda a: a.update(P + 0j, Y), "ndarray of complex64"),
        (lambda a: a.update(tensor(P) + 0j, Y), "Tensor of complex64"),
        (lambda a: a.update(P.astype(object), Y), "ndarray of object"),
        (lambda a: a.update(np.ma.array(P, mask=P > 0.5), Y), "probabilities.data, labels of 255"),
        (lambda a: a.update(P, np.ma.array(Y, mask=Y > 1)), "labels.filled(255), with Settings(ignore=(255,))"),
        (lambda a: a.update(None, Y), "NoneType of object"),
        (lambda a: a.update([[0.5], [0.5, 0.5]], Y), "cannot be read as an array"),
        (lambda a: a.update(Broken(), Y), "cannot be read as an array: no values here"),
        # nothing to count
        (lambda a: a.update(P[:0], Y[:0]), "try       leave out the update for a batch that is empty"),
        (lambda a: a.update(P[:, :0], Y), "found     (2, 0, 5, 4)"),
        (lambda a: a.update(P[..., :0], Y[..., :0]), "probabilities hold no values"),
        (lambda a: a.update(0.5, 0), "labels (B, *S) or (B, 1, *S)"),
        # a text of two letters is not a list of two ids
        (lambda a: a.update(P, Y, ids="xy"), "ids are not texts"),
        (lambda a: a.update(P, Y, ids=[1, 2]), "a list of 2 texts"),
    ],
)  # fmt: skip
def test_an_accumulator_refuses_and_stays_as_it_was(update, said):
    accumulator = filled(batches(1))
    before = accumulator.compute()
    with pytest.raises(SoftdiceError) as caught:
        update(accumulator)
    assert said in str(caught.value)
    assert accumulator.compute() == before


def test_an_accumulator_of_label_maps():
    settings = Settings(prediction="labels", classes=tuple(ClassDef(str(i), i) for i in range(3)))
    results = filled([(Y, Y), (np.zeros_like(Y), Y[:, None])], settings).compute()
    assert len(results.images) == 4
    assert results.images[0].sums[0].true_positives == int((Y[0] == 0).sum())


def test_an_accumulator_without_images_has_no_scores():
    results = Accumulator().compute()
    assert (results.complete, results.pooled.means.dice, results.images) == (False, None, ())


def test_an_accumulator_does_not_name_options_that_it_does_not_have():
    with pytest.raises(SoftdiceError) as caught:
        filled([(P.transpose(0, 2, 3, 1), Y)])
    assert "--layout" not in str(caught.value)


@pytest.mark.parametrize("option", [{"roi": True}, {"colors": True}, {"white_is_zero": "stored"}])
def test_what_only_files_have_is_refused(option):
    with pytest.raises(ConfigError, match="is about files"):
        Accumulator(Settings(**option))


def test_fractions_are_cut():
    one = Accumulator(Settings(foreground=">0.5"))
    one.update(np.array([[[[0.9, 0.8, 0.2]]]]), np.array([[[0.7, 0.5, 0.6]]]))
    assert one.compute().pooled.classes[0].truth_pixels == 2


def test_independent_channels_and_a_label_that_is_found_later():
    rng = np.random.default_rng(4)
    values, truth = rng.random((2, 3, 6, 5)), rng.integers(0, 2, (2, 3, 6, 5)) * 255
    one, other = (Accumulator(Settings(multilabel=True), name=name) for name in "ab")
    one.update(values, truth * 0)
    other.update(values, truth)
    assert one.compute().settings.label is None
    one.merge(other)
    results = one.compute()
    assert results.settings.label == 255
    expected = [int((truth[:, channel] > 0).sum()) for channel in range(3)]
    assert [scores.truth_pixels for scores in results.pooled.classes] == expected
    with pytest.raises(LabelError, match="labels that are not classes"):
        one.update(values, truth // 255)
