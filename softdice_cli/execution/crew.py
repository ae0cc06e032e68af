"""Processes that work side by side, and hand their results back in order.

Processes and not threads, because most of the work on a small item is Python, which threads cannot
share. They are forked, so everything that was imported is there at once. They hold nothing that
would have to be cleaned up: a process that dies, killed for its memory or by a broken library,
costs only the item that it was working on.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Generic

from softdice_cli.errors import DeviceError
from softdice_cli.execution.contract import Item, Result
from softdice_cli.execution.forking import die_with, ending_of, fork

# Chunks that a worker has at once, so that it never waits for the next one.
_QUEUED = 2

# Chunks per worker that may be finished before the chunk whose turn it is, so that results do not
# pile up.
_AHEAD = 4


@dataclass
class _Worker:
    """A process, and the chunks that it has not answered yet, as ranges of places."""

    process: int
    pipe: Connection
    chunks: deque[range] = field(default_factory=deque)
    # When it began with the first of its chunks; a clock without a date.
    began: float = 0.0


@dataclass(frozen=True)
class Limit(Generic[Item, Result]):
    """How long an item may take.

    Attributes:
        seconds: until its process is ended.
        late: the result of an item that took longer.
    """

    seconds: float
    late: Callable[[Item], Result]


@dataclass
class _Raised:
    """What a worker raised."""

    error: BaseException


class Crew(Generic[Item, Result]):
    """Works on items in forked processes; a context manager that leaves none of them behind.

    Args:
        items: what to work on.
        work: turns an item into a result. Both it and the item are inherited by the processes, and
            only results are pickled. What it raises is raised here.
        lost: the result of an item that killed its process, given how the process ended.
        workers: how many processes.
        chunk: how many items a process is given at once.
        limit: how long an item may take, or ``None`` for any time.
    """

    def __init__(
        self,
        items: Sequence[Item],
        work: Callable[[Item], Result],
        lost: Callable[[Item, str], Result],
        *,
        workers: int,
        chunk: int,
        limit: Limit[Item, Result] | None = None,
    ) -> None:
        self._items = items
        self._work = work
        self._lost = lost
        self._limit = limit
        self._window = workers * _AHEAD * chunk
        self._todo: deque[range] = deque()
        for start in range(0, len(items), chunk):
            self._todo.append(range(start, min(start + chunk, len(items))))
        self._wanted = min(workers, len(self._todo))
        self._results: dict[int, Result] = {}
        self._workers: list[_Worker] = []
        self._program = os.getpid()

    def __enter__(self) -> Crew[Item, Result]:
        try:
            for index in range(self._wanted):
                self._hire(needed=index == 0)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            with suppress(ProcessLookupError):
                os.kill(worker.process, signal.SIGKILL)
            worker.pipe.close()
            ending_of(worker.process)
        self._workers.clear()

    def __iter__(self) -> Iterator[Result]:
        """The results, in the order of the items."""
        for place in range(len(self._items)):
            self._hand_out(place)
            while place not in self._results:
                self._collect()
                self._hand_out(place)
            yield self._results.pop(place)

    def _hand_out(self, place: int) -> None:
        """Give chunks to workers that have few, but no chunk that would be finished long before its turn."""
        for worker in self._workers:
            while self._may_have_more(worker, place):
                try:
                    worker.pipe.send(self._todo[0])
                except OSError:
                    # It is dead, which `_collect` will see.
                    break
                if not worker.chunks:
                    worker.began = time.monotonic()
                worker.chunks.append(self._todo.popleft())

    def _may_have_more(self, worker: _Worker, place: int) -> bool:
        if not self._todo or len(worker.chunks) >= _QUEUED:
            return False
        return self._todo[0].start < place + self._window

    def _collect(self) -> None:
        """Wait for an answer, for the end of a worker, or until one is late."""
        ready = wait([worker.pipe for worker in self._workers], self._patience())
        for worker in list(self._workers):
            if worker.pipe in ready:
                self._take_answer(worker)
            elif self._limit is not None and _left(worker, self._limit.seconds) < 0:
                os.kill(worker.process, signal.SIGKILL)
                self._replace(worker, self._limit.late)

    def _patience(self) -> float | None:
        """Seconds until the next worker is late, or ``None`` where none can be."""
        if self._limit is None:
            return None
        return max(0.0, min(_left(worker, self._limit.seconds) for worker in self._workers))

    def _take_answer(self, worker: _Worker) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return
        if isinstance(answer, _Raised):
            raise answer.error
        self._results.update(zip(worker.chunks.popleft(), answer, strict=True))
        worker.began = time.monotonic()

    def _replace(self, dead: _Worker, late: Callable[[Item], Result] | None = None) -> None:
        """Go on without a worker that died: its chunk is tried again item by item, and a chunk of one item has failed.

        Args:
            dead: the worker.
            late: the result of an item, if the worker was ended because it took too long.
        """
        self._workers.remove(dead)
        dead.pipe.close()
        ending = ending_of(dead.process)
        if dead.chunks:
            current, *queued = dead.chunks
            self._todo.extendleft(reversed(queued))
            self._retry(current, late or (lambda item: self._lost(item, ending)))
        if self._todo:
            self._hire(needed=not self._workers)

    def _retry(self, chunk: range, failed: Callable[[Item], Result]) -> None:
        if len(chunk) == 1:
            self._results[chunk.start] = failed(self._items[chunk.start])
            return
        for place in reversed(chunk):
            self._todo.appendleft(range(place, place + 1))

    def _hire(self, *, needed: bool) -> None:
        """Start a worker, or go on with fewer where the system allows no more processes or pipes.

        Raises:
            DeviceError: it allows none, and one is needed.
        """
        try:
            ours, theirs = Pipe()
            process = fork(lambda: self._serve(theirs, ours))
        except OSError as error:
            if not needed:
                return
            raise DeviceError(
                f"no process can be started: {error.strerror}", hint="end some, or raise the limit (ulimit -u, -n)"
            ) from error
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _serve(self, pipe: Connection, other_end: Connection) -> None:
        """What a worker does until the program is gone."""
        # Only the program holds the other ends now, so each worker sees when the program is gone.
        for connection in (other_end, *(worker.pipe for worker in self._workers)):
            connection.close()
        die_with(self._program)
        gc.freeze()
        while True:
            chunk: range = pipe.recv()
            try:
                answer: object = [self._work(self._items[place]) for place in chunk]
            except Exception as error:  # noqa: BLE001 - raised again in the program
                answer = _Raised(_portable(error))
            pipe.send(answer)


def _left(worker: _Worker, seconds: float) -> float:
    """Seconds that a worker still has, if its first chunk may take so many."""
    if not worker.chunks:
        return seconds
    return worker.began + seconds - time.monotonic()


def _portable(error: Exception) -> Exception:
    """The error with a note of where it was raised, as an error that can be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - errors of libraries may hold anything
        error = RuntimeError(f"{type(error).__name__}: {error}")
    _, _, frames = traceback.format_exc().partition("\n")
    error.add_note(f"in a worker:\n{frames}")
    return error
