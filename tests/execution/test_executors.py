"""The ways of executing, held to one contract: the results of the plainest way, in order, and nothing left behind."""

from __future__ import annotations

import json
import os
import pickle
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from folders import broken, pairs_of
from systems import POSIX, linux, posix

import softdice_cli.evaluation.evaluate_pairs as evaluate_pairs
import softdice_cli.execution.choice as choice
import softdice_cli.execution.machine as machine
from softdice_cli import ConfigError, Reading, Settings, evaluate
from softdice_cli.evaluation.pair_tasks import EvaluatePair
from softdice_cli.execution import Abandoned, Executor, Grant, Task
from softdice_cli.execution.processes import Processes
from softdice_cli.execution.serial import Serial
from softdice_cli.execution.threads import Threads
from softdice_cli.overlap.devices import engine_for


@dataclass(frozen=True)
class Square(Task[int, int]):
    """Squares numbers, some of them slowly."""

    slow: int = 1

    def __call__(self, item: int, grant: Grant) -> int:
        time.sleep(0.01 if item % self.slow == 0 and self.slow > 1 else 0)
        return item * item

    def lost(self, item: int, ending: str) -> int:
        return -1


@dataclass(frozen=True)
class Granted(Task[int, int]):
    """How many workers an item was granted."""

    def __call__(self, item: int, grant: Grant) -> int:
        return grant.workers

    def lost(self, item: int, ending: str) -> int:
        return -1


@dataclass(frozen=True)
class Placed(Task[int, int]):
    """In which process an item was worked on."""

    def __call__(self, item: int, grant: Grant) -> int:
        time.sleep(0.01)
        return os.getpid()

    def lost(self, item: int, ending: str) -> int:
        return -1


WAYS = [Serial(), Threads(1), Threads(3), Processes(1), Processes(3)]


@pytest.fixture(params=WAYS, ids=lambda way: f"{type(way).__name__}{getattr(way, '_workers', '')}")
def way(request) -> Executor:
    if isinstance(request.param, Processes) and not POSIX:
        pytest.skip("no process can be forked here")
    return request.param


@pytest.mark.parametrize("count", [0, 1, 2, 50])
@pytest.mark.parametrize("together", [1, 7, 1000])
def test_every_way_gives_the_results_in_order(way, count, together):
    with way.run(Square(slow=7), range(count), together=together) as results:
        assert list(results) == [item * item for item in range(count)]
    assert threading.active_count() == 1


def test_every_way_can_be_left_early(way):
    with way.run(Square(), range(100)) as results:
        assert [next(results), next(results)] == [0, 1]
    assert threading.active_count() == 1


def test_every_way_raises_what_a_task_raises(way):
    @dataclass(frozen=True)
    class Broken(Square):
        def __call__(self, item: int, grant: Grant) -> int:
            return [10, 20][item]

    with pytest.raises(IndexError), way.run(Broken(), range(3)) as results:
        list(results)
    assert threading.active_count() == 1


@pytest.mark.parametrize(
    ("way", "items", "granted"),
    [
        # an item of few may use what is left over
        pytest.param(Processes(4), 1, 4, marks=posix),
        pytest.param(Processes(4), 2, 2, marks=posix),
        pytest.param(Processes(5), 3, 1, marks=posix),
        pytest.param(Processes(4), 9, 1, marks=posix),
        # threads and the plain way have nothing to give
        (Threads(4), 2, 1),
        (Serial(), 1, 1),
    ],
)
def test_what_an_item_is_granted(way, items, granted):
    with way.run(Granted(), range(items)) as results:
        assert list(results) == [granted] * items


def test_every_process_gets_work_however_small_the_items_are():
    with Processes(2).run(Placed(), range(16), together=1000) as results:
        assert len(set(results)) == 2


def test_threads_give_up_what_nobody_wants_any_more():
    ended: list[str] = []

    @dataclass(frozen=True)
    class Endless(Square):
        def __call__(self, item: int, grant: Grant) -> int:
            try:
                while item:
                    grant.check()
                    time.sleep(0.001)
            except Abandoned:
                ended.append("abandoned")
                raise
            return item

    with Threads(2).run(Endless(), range(50)) as results:
        assert next(results) == 0
    assert set(ended) == {"abandoned"}
    assert threading.active_count() == 1


def test_threads_are_only_a_few_items_ahead_of_what_is_taken():
    begun: list[int] = []

    @dataclass(frozen=True)
    class Noted(Square):
        def __call__(self, item: int, grant: Grant) -> int:
            begun.append(item)
            return item

    with Threads(2).run(Noted(), range(100)) as results:
        assert next(results) == 0
        time.sleep(0.1)
        assert 4 <= len(begun) <= 5


@pytest.mark.parametrize(
    ("forks", "workers", "expected"),
    [(True, 3, Processes), (True, None, Processes), (False, 3, Threads), (False, None, Threads)],
)
def test_processes_where_they_can_be_forked_and_threads_elsewhere(monkeypatch, forks, workers, expected):
    monkeypatch.setattr(choice, "can_fork", lambda: forks)
    monkeypatch.setattr(choice, "cores", lambda: 5)
    chosen = choice.executor_for(workers)
    assert type(chosen) is expected
    assert chosen._workers == (workers or (5 if forks else 1))


@dataclass(frozen=True)
class Endless(Square):
    """Never gets done with the number 1."""

    def __call__(self, item: int, grant: Grant) -> int:
        time.sleep(600 if item == 1 else 0)
        return item * item


@dataclass(frozen=True)
class Noticed(Endless):
    """The same, with a result of its own for what took too long."""

    def late(self, item: int, seconds: float) -> int:
        return -int(seconds)


@linux
@pytest.mark.parametrize(("task", "expected"), [(Endless(), -1), (Noticed(), -2)])
def test_an_item_that_takes_too_long_has_a_result(task, expected):
    with Processes(2, timeout=2).run(task, range(4)) as results:
        assert list(results) == [0, expected, 4, 9]


@linux
def test_an_item_whose_time_is_limited_is_not_looked_at_in_the_program():
    @dataclass(frozen=True)
    class Eager(Square):
        def warm(self, item: int) -> None:
            raise AssertionError

    with Processes(1, timeout=60).run(Eager(), range(3)) as results:
        assert list(results) == [0, 1, 4]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_time_has_to_be_above_zero(timeout):
    with pytest.raises(ConfigError, match=r"timeout .* is out of range"):
        choice.executor_for(1, timeout)


def test_no_time_is_promised_where_nothing_can_be_ended(monkeypatch):
    monkeypatch.setattr(choice, "can_fork", lambda: False)
    with pytest.raises(ConfigError, match="timeout cannot be kept here, as threads cannot be ended"):
        choice.executor_for(2, 30)


@pytest.mark.parametrize(
    ("forks", "workers", "expected"), [(True, 2, Processes), (True, 1, Serial), (False, 2, Serial)]
)
def test_within_a_task_there_are_processes_or_nothing(monkeypatch, forks, workers, expected):
    monkeypatch.setattr(choice, "can_fork", lambda: forks)
    assert type(choice.executor_within(workers)) is expected


@posix
@pytest.mark.parametrize("missing", ["fork", "alone", "macos"])
def test_where_no_process_can_be_forked(monkeypatch, missing):
    monkeypatch.delitem(machine.sys.modules, "torch", raising=False)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    assert machine.can_fork()
    if missing == "fork":
        monkeypatch.delattr(machine.os, "fork")
    elif missing == "alone":
        monkeypatch.setattr(machine.threading, "active_count", lambda: 2)
    else:
        monkeypatch.setattr(machine.sys, "platform", "darwin")
    assert not machine.can_fork()


def test_cores_are_counted_where_the_system_does_not_say_which_are_ours(monkeypatch):
    monkeypatch.delattr(machine.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 6)
    assert machine.cores() == 6
    monkeypatch.setattr(machine.os, "cpu_count", lambda: None)
    assert machine.cores() == 1


class Spawned:
    """Another way of executing, as somebody might add one: new interpreters, to which tasks and items are sent."""

    @contextmanager
    def run(self, task: Task, items: Sequence, *, together: int = 1) -> Iterator[Iterator]:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            yield pool.map(partial(task, grant=Grant()), items, chunksize=together)


def test_another_way_of_executing_needs_nothing_from_whoever_evaluates(tmp_path, monkeypatch):
    broken(tmp_path)
    pairs = [*pairs_of(tmp_path), *pairs_of(tmp_path, ("i3", "nan", "i12"))]
    expected = evaluate(pairs, journal=tmp_path / "one")
    assert len(expected.failures) == 3
    monkeypatch.setattr(evaluate_pairs, "executor_for", lambda workers, timeout: Spawned())
    assert evaluate(pairs, journal=tmp_path / "other") == expected
    assert noted(tmp_path / "one") == noted(tmp_path / "other")


def noted(journal: Path) -> list[object]:
    """The rows in a journal. The files of a young one are stamped in another way than those of an older one."""
    return [json.loads(line).get("rows") for line in journal.read_text().splitlines()]


def test_what_is_sent_to_a_worker_is_an_ordinary_value():
    task = EvaluatePair(Settings(), Reading(stdin=b"x"), True, engine_for("cpu"))
    assert pickle.loads(pickle.dumps(task)).reading == task.reading
