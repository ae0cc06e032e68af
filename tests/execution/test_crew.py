"""Processes side by side: the same results in the same order, a death that costs one pair, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import descendants, started
from folders import eval_, write
from systems import linux

from softdice_cli import DeviceError
from softdice_cli.execution.crew import Crew, Limit

pytestmark = linux


class TwoWords(Exception):  # noqa: N818 - it is named in a message
    """An error that cannot be made again from its arguments."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one)


def crew(items, work, *, workers: int = 2, chunk: int = 1, seconds: float | None = None) -> Crew:
    limit = None if seconds is None else Limit(seconds, lambda item: f"{item} late")
    return Crew(items, work, lambda item, ended: f"{item} {ended}", workers=workers, chunk=chunk, limit=limit)


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize(("workers", "chunk"), [(1, 1), (2, 1), (3, 2), (2, 5), (8, 100)])
def test_results_come_in_the_order_of_the_items(workers, chunk):
    def work(item: int) -> int:
        time.sleep(0.01 if item % 3 == 0 else 0)
        return item * item

    with crew(range(23), work, workers=workers, chunk=chunk) as found:
        assert list(found) == [item * item for item in range(23)]
    assert not children()


@pytest.mark.parametrize("chunk", [1, 3, 20])
def test_a_process_that_dies_takes_one_item_with_it(chunk):
    def work(item: int) -> str:
        if item in (4, 9):
            os.kill(os.getpid(), signal.SIGKILL)
        return str(item)

    with crew(range(12), work, chunk=chunk) as found:
        assert list(found) == [f"{i} killed by SIGKILL" if i in (4, 9) else str(i) for i in range(12)]


@pytest.mark.parametrize("chunk", [1, 3, 20])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.slow
def test_an_item_that_takes_too_long_is_ended_and_the_others_are_not(chunk, workers):
    def work(item: int) -> str:
        if item in (4, 9):
            time.sleep(600)
        if item == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return str(item)

    with crew(range(12), work, chunk=chunk, workers=workers, seconds=3) as found:
        expected = [f"{i} late" if i in (4, 9) else str(i) for i in range(12)]
        expected[5] = "5 killed by SIGKILL"
        assert list(found) == expected
    assert not children()


@pytest.mark.slow
def test_the_time_of_an_item_begins_when_it_is_begun():
    """Together they take longer than one may, and those that wait for their turn or to be taken are not late."""

    def work(item: int) -> int:
        time.sleep(0.4)
        return item

    with crew(range(12), work, workers=1, seconds=4) as found:
        taken = iter(found)
        assert next(taken) == 0
        time.sleep(4.5)
        assert list(taken) == list(range(1, 12))


@pytest.mark.slow
def test_a_chunk_may_take_longer_than_an_item():
    with crew(range(9), lambda item: time.sleep(0.4) or item, workers=1, chunk=9, seconds=3) as found:
        assert list(found) == list(range(9))


def test_an_end_without_a_signal_is_told_as_well():
    with crew([1], lambda item: os._exit(7)) as found:
        assert list(found) == ["1 ended with code 7"]


def test_what_is_raised_is_raised_here_with_where_it_came_from():
    def work(item: int) -> int:
        return [10, 20][item]

    with crew(range(3), work) as found, pytest.raises(IndexError) as caught:
        list(found)
    assert "in work" in "".join(caught.value.__notes__)
    assert not children()


@pytest.mark.parametrize("broken", [ValueError, TwoWords])
def test_what_cannot_be_sent_is_told_in_words(broken):
    def work(item: int) -> int:
        error = broken() if broken is ValueError else broken("a", "b")
        error.function = lambda: 0
        raise error

    with crew([1], work) as found, pytest.raises(RuntimeError, match=broken.__name__):
        list(found)


def test_a_signal_without_a_name_is_told_by_its_number():
    with crew([1], lambda item: os.kill(os.getpid(), 40)) as found:
        assert list(found) == ["1 killed by signal 40"]


def test_no_more_processes_than_the_system_allows(monkeypatch):
    fork, allowed = os.fork, iter([True, False, True])

    def limited() -> int:
        if not next(allowed, True):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", limited)
    with crew(range(9), lambda item: item, workers=3) as found:
        assert list(found) == list(range(9))
        assert len(found._workers) == 2
    monkeypatch.setattr(os, "fork", lambda: (_ for _ in ()).throw(BlockingIOError(11, "not now")))
    with pytest.raises(DeviceError, match="no process can be started"), crew(range(9), lambda item: item):
        pass


def test_a_program_that_ignores_the_end_of_its_children_is_served(tmp_path):
    write(tmp_path, list("ab"))
    code = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); from softdice_cli.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *map(str, eval_())], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_nobody_runs_far_ahead_of_an_item_that_takes_long(tmp_path):
    def work(item: int) -> int:
        if item == 0:
            # Until the other worker has nothing more to do.
            wait_for(lambda: len(list(tmp_path.iterdir())) > 2 * 4, seconds=0.5)
        (tmp_path / str(item)).touch()
        return item

    with crew(range(200), work, workers=2, chunk=1) as found:
        taken = iter(found)
        assert next(taken) == 0
        time.sleep(0.2)
        assert len(list(tmp_path.iterdir())) == 2 * 4
        assert list(taken) == list(range(1, 200))


def test_nobody_runs_far_ahead_of_what_is_taken(tmp_path):
    def work(item: int) -> int:
        (tmp_path / str(item)).touch()
        return item

    with crew(range(200), work, workers=2, chunk=1) as found:
        taken = iter(found)
        next(taken)
        time.sleep(0.3)
        assert len(list(tmp_path.iterdir())) <= 1 + 2 * 4
        assert list(taken) == list(range(1, 200))


@pytest.mark.parametrize("chunk", ["0", "1000000"])
def test_processes_give_the_bytes_of_one(softdice, tmp_path, chunk):
    write(tmp_path, [f"i{index}" for index in range(30)])
    (tmp_path / "p/i7.npy").write_bytes(b"")
    outputs = {
        subprocess.run(
            [sys.executable, "-c", EAGER, chunk, *map(str, eval_("--format", "json", "--workers", workers))],
            cwd=tmp_path, capture_output=True, check=False,
        ).stdout
        for workers in (1, 2, 3)
    }  # fmt: skip
    assert len(outputs) == 1
    document = json.loads(outputs.pop())
    assert (len(document["images"]), [failure["id"] for failure in document["failures"]]) == (29, ["i7"])


EAGER = """
import sys
import softdice_cli.evaluation.pair_tasks as tasks
from softdice_cli.cli import main
tasks._BYTES_TOGETHER = int(sys.argv.pop(1))
main()
"""
"""The command line, with chunks of another size."""


def test_an_interrupt_ends_all_processes_at_once(tmp_path):
    large = np.lib.format.open_memmap(tmp_path / "p.npy", "w+", np.float32, (2, 30_000, 30_000))  # sparse, never filled
    mask = np.lib.format.open_memmap(tmp_path / "m.npy", "w+", np.uint8, (30_000, 30_000))
    del large, mask
    command = [sys.executable, "-m", "softdice_cli", "eval", "--pred", "p.npy", "--gt", "m.npy", "--workers", "3"]
    with started([*command, "--allow-unnormalized"], cwd=tmp_path, stderr=subprocess.DEVNULL) as run:
        wait_for(lambda: len(descendants(str(run.pid))) >= 4)
        workers = descendants(str(run.pid))
        assert len(workers) == 4  # one for the pair, and three for its tiles
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=30) == 130
        assert time.monotonic() - began < 1
        wait_for(lambda: not any(map(alive, workers)), seconds=1)
        assert not any(map(alive, workers))


def test_workers_end_when_the_program_is_killed():
    code = (
        "import sys, time\nfrom softdice_cli.execution.crew import Crew\n"
        "crew = Crew(range(9), lambda item: time.sleep(0.05), None, workers=2, chunk=1)\n"
        "with crew:\n    print(*(worker.process for worker in crew._workers), flush=True)\n    time.sleep(60)"
    )
    with started([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        workers = run.stdout.readline().split()
        assert len(workers) == 2
        run.kill()
        run.wait(30)
        wait_for(lambda: not any(map(alive, workers)))
        assert not any(map(alive, workers))


def wait_for(ready, seconds: float = 30) -> None:
    """Returns when something is so, or after so long in any case."""
    until = time.monotonic() + seconds
    while not ready() and time.monotonic() < until:
        time.sleep(0.02)


def alive(process: str) -> bool:
    """Whether a process is there, and no zombie that nobody has asked for yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
