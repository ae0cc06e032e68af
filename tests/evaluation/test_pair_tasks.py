"""What is done with a pair: what is wrong with it is its error, also a lack of memory and the death of a process."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from folders import eval_, pairs_of, write
from systems import linux, posix

import softdice_cli.evaluation.image_tally as image_tally
import softdice_cli.evaluation.pair_tasks as pair_tasks
from softdice_cli import Pair, Reading, Settings, evaluate
from softdice_cli.evaluation.pair_tasks import EvaluatePair, pairs_together
from softdice_cli.execution import Grant
from softdice_cli.execution.crew import Crew
from softdice_cli.overlap.devices import engine_for

DEADLY = """
import os, signal, sys
import softdice_cli.evaluation.pair_tasks as tasks
from softdice_cli.cli import main
prepare = tasks.prepare_pair
def deadly(pair, *arguments):
    if pair.id == "c":
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare(pair, *arguments)
tasks.prepare_pair = deadly
main()
"""
"""The same, with a pair that the process which evaluates it does not survive."""


@linux
def test_a_pair_that_kills_its_process_is_a_failure_by_name(tmp_path):
    write(tmp_path, list("abcdef"))
    done = subprocess.run(
        [sys.executable, "-c", DEADLY, *map(str, eval_("--format", "json", "--workers", 2))],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [image["id"] for image in document["images"]] == list("abdef")
    (failure,) = document["failures"]
    assert (failure["id"], failure["found"]) == ("c", "killed by SIGKILL")
    assert "p/c.npy: the process that evaluated it died" in done.stderr


@posix
def test_the_tiles_of_a_large_image_are_shared_with_the_same_bits(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    raw = rng.random((3, 300, 301), dtype=np.float32)
    np.save(tmp_path / "p.npy", raw / raw.sum(0))
    np.save(tmp_path / "m.npy", rng.integers(0, 3, (300, 301)).astype(np.uint8))
    pair = Pair("m", str(tmp_path / "p.npy"), str(tmp_path / "m.npy"))
    monkeypatch.setattr("softdice_cli.overlap.numpy_engine._TILE_VALUES", 2**13)
    task = EvaluatePair(Settings(), Reading(), False, engine_for("cpu"))
    whole = task(pair, Grant())
    used: list[int] = []
    enter = Crew.__enter__
    monkeypatch.setattr("softdice_cli.evaluation.image_tally._WORTH_PROCESSES", 0)
    monkeypatch.setattr("softdice_cli.execution.choice.can_fork", lambda: True)
    monkeypatch.setattr(Crew, "__enter__", lambda self: (used.append(self._wanted), enter(self))[1])
    assert task(pair, Grant(workers=3)) == whole
    assert used == [3]


def test_threads_do_where_a_process_may_not_be_forked(tmp_path, monkeypatch):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    one = evaluate(pairs, workers=1)
    monkeypatch.setattr("softdice_cli.execution.choice.can_fork", lambda: False)
    monkeypatch.setattr(Crew, "__enter__", None)
    assert evaluate(pairs, workers=3) == one


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_a_pair_that_needs_too_much_memory_is_a_failure_and_the_rest_goes_on(tmp_path, monkeypatch, device):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    expected = evaluate(pairs)
    prepare = pair_tasks.prepare_pair

    def short_of_memory(pair: Pair, *arguments):
        if pair.id == "k":
            raise MemoryError
        return prepare(pair, *arguments)

    monkeypatch.setattr(pair_tasks, "prepare_pair", short_of_memory)
    found = evaluate(pairs, device=device)
    (failure,) = found.failures
    assert (failure.id, failure.pred) == ("k", pairs[4].pred)
    assert "needs more memory than there is" in failure.error
    assert "--workers 1" in failure.hint
    assert found.images == tuple(image for image in expected.images if image.id != "k")


def test_memory_that_ends_while_pixels_are_added_up_is_a_failure_as_well(tmp_path, monkeypatch):
    write(tmp_path)
    pairs = pairs_of(tmp_path)

    def short_of_memory(*arguments):
        raise MemoryError

    monkeypatch.setattr(image_tally, "_read_tile", short_of_memory)
    assert {failure.error.partition(": ")[2] for failure in evaluate(pairs).failures} == {
        "needs more memory than there is"
    }


@pytest.mark.parametrize(
    ("size", "together"),
    [(2**20 + 1, 1), (2**20, 1), (2**19, 2), (2**10, 2**10), (1, 2**20), (0, 2**20), (None, 2**20)],
)
def test_small_pairs_are_handed_over_together(tmp_path, size, together):
    path = tmp_path / "p.npy"
    if size is not None:
        with path.open("wb") as stream:
            stream.truncate(size)
    assert pairs_together([Pair("a", str(path), "")]) == together


def test_no_pairs_are_handed_over_one_by_one():
    assert pairs_together([]) == 1
