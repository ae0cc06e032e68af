"""Files that are exchanged while a run goes on, and pairs of a single file, are failures by name."""

from __future__ import annotations

import os

import numpy as np

from softdice_cli import Settings, evaluate
from softdice_cli.evaluation import Reading
from softdice_cli.evaluation.watching import Silent
from softdice_cli.readers import ReadOptions
from softdice_cli.records import Prediction

LABELS: Prediction = "labels"


def write(folder, count):
    pairs = []
    for number in range(count):
        np.save(folder / f"p{number}.npy", np.full((2, 3, 4), 0.5))
        np.save(folder / f"g{number}.npy", np.eye(3, 4, dtype=np.uint8))
        pairs.append((folder / f"p{number}.npy", folder / f"g{number}.npy"))
    return pairs


class Exchanging(Silent):
    """Puts another file in the place of the last prediction once the first pair was evaluated."""

    def __init__(self, path):
        self.path = path

    def evaluated(self, settings, rows):
        other = self.path.with_name("other.npy")
        np.save(other, np.full((2, 3, 4), 0.25) * [[[1]], [[3]]])
        os.replace(other, self.path)


def test_a_prediction_that_is_exchanged_before_it_is_read_is_a_failure(tmp_path):
    pairs = write(tmp_path, 12)
    results = evaluate(pairs, workers=1, watcher=Exchanging(pairs[-1][0]))
    (failure,) = results.failures
    assert failure.pred == str(pairs[-1][0])
    assert "changed after the run had begun" in failure.error
    assert len(results.images) == 11


def test_a_file_is_not_compared_with_itself(tmp_path):
    ((pred, truth),) = write(tmp_path, 1)
    os.link(truth, tmp_path / "link.npy")
    (tmp_path / "soft.npy").symlink_to(truth)
    for other in (truth, tmp_path / "link.npy", tmp_path / "soft.npy"):
        results = evaluate([(other, truth)], settings=Settings(prediction=LABELS))
        assert "is prediction and truth at once" in results.failures[0].error
    assert not evaluate([(pred, truth)]).failures


def test_two_arrays_of_one_file_are_compared(tmp_path):
    np.savez(tmp_path / "both.npz", probs=np.full((2, 3, 4), 0.5), labels=np.eye(3, 4, dtype=np.uint8))
    reading = Reading(pred=ReadOptions(key="probs"), gt=ReadOptions(key="labels", option="gt_key"))
    assert evaluate([(tmp_path / "both.npz", tmp_path / "both.npz")], reading=reading).complete
