"""Processes that work side by side, and hand their results back in order.

Processes and not threads, as most of the work on a small pair is Python, which threads cannot share. They are forked,
so that what was imported is there at once, and hold nothing that would have to be cleared away: one that dies, killed
for its memory or by a broken library, takes with it no more than the item that it was at.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Generic, TypeVar

from softdice_cli.errors import DeviceError

Item = TypeVar("Item")
Result = TypeVar("Result")

_QUEUED = 2
"""Chunks that a worker has at once, so that it never waits for the next one."""

_PR_SET_PDEATHSIG = 1
_INTERRUPT = (signal.SIGINT,)

_AHEAD = 4
"""Chunks a worker that may be finished before the one whose turn it is."""


def can_fork() -> bool:
    """Whether this process may be forked: not on Windows and macOS, nor where other threads may hold locks.

    torch starts threads that Python does not know, and what they are needed for waits for ever in a forked process.
    """
    alone = threading.active_count() == 1 and "torch" not in sys.modules
    return alone and hasattr(os, "fork") and sys.platform != "darwin"


@dataclass
class _Worker:
    """A process, and the chunks that it has not answered yet, as ranges of places."""

    process: int
    pipe: Connection
    chunks: deque[range] = field(default_factory=deque)


class Crew(Generic[Item, Result]):
    """Works on items in forked processes; a context manager that leaves none of them behind.

    Args:
        items: what to work on.
        work: turns an item into a result; both it and the item are inherited, and only results are pickled. What it
            raises is raised here.
        lost: the result of an item that killed its process, given how that ended.
        workers: how many processes.
        chunk: how many items a process is given at once.
    """

    def __init__(
        self,
        items: Sequence[Item],
        work: Callable[[Item], Result],
        lost: Callable[[Item, str], Result],
        *,
        workers: int,
        chunk: int,
    ) -> None:
        self._items, self._work, self._lost = items, work, lost
        self._window = workers * _AHEAD * chunk
        self._todo = deque(range(start, min(start + chunk, len(items))) for start in range(0, len(items), chunk))
        self._results: dict[int, Result] = {}
        self._workers: list[_Worker] = []
        self._program = os.getpid()
        self._wanted = min(workers, len(self._todo))

    def __enter__(self) -> Crew[Item, Result]:
        try:
            for index in range(self._wanted):
                self._hire(needed=not index)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            with suppress(ProcessLookupError):
                os.kill(worker.process, signal.SIGKILL)
            worker.pipe.close()
            _ending(worker.process)
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
        """Give work to those that have little, but none that would be finished long before its turn."""
        for worker in self._workers:
            while self._todo and len(worker.chunks) < _QUEUED and self._todo[0].start < place + self._window:
                try:
                    worker.pipe.send(self._todo[0])
                except OSError:  # it is dead, which `_collect` will see
                    break
                worker.chunks.append(self._todo.popleft())

    def _collect(self) -> None:
        """Wait for an answer, or for the end of a worker."""
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes)):
            worker = pipes[pipe]  # type: ignore[index]
            try:
                answer = worker.pipe.recv()
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if isinstance(answer, _Raised):
                raise answer.error
            self._results.update(zip(worker.chunks.popleft(), answer, strict=True))

    def _replace(self, dead: _Worker) -> None:
        """Go on without a worker that died: what it was at is tried again item by item, or is lost."""
        self._workers.remove(dead)
        dead.pipe.close()
        ended = _ending(dead.process)
        at, *queued = dead.chunks or [range(0)]
        self._todo.extendleft(reversed(queued))
        if len(at) == 1:
            self._results[at.start] = self._lost(self._items[at.start], ended)
        else:
            self._todo.extendleft(range(place, place + 1) for place in reversed(at))
        if self._todo:
            self._hire(needed=not self._workers)

    def _hire(self, *, needed: bool) -> None:
        """Start a worker, or go on with fewer where the system allows no more processes or pipes.

        Raises:
            DeviceError: it allows none, and one is needed.
        """
        try:
            ours, theirs = Pipe()
            process = _fork()
        except OSError as error:
            if not needed:
                return
            raise DeviceError(
                f"no process can be started: {error.strerror}", hint="end some, or raise the limit (ulimit -u, -n)"
            ) from error
        if process:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
            theirs.close()
            self._workers.append(_Worker(process, ours))
            return
        code = 1
        try:  # the worker, which must never go on with the program
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program sees to it
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
            for pipe in (ours, *(worker.pipe for worker in self._workers)):
                pipe.close()  # so that each worker sees when the program is gone
            self._serve(theirs)
        except (EOFError, BrokenPipeError):
            code = 0
        finally:
            os._exit(code)

    def _serve(self, pipe: Connection) -> None:
        """What a worker does until the program is gone."""
        _die_with(self._program)
        gc.freeze()
        while True:
            chunk: range = pipe.recv()
            try:
                answer: object = [self._work(self._items[place]) for place in chunk]
            except Exception as error:  # noqa: BLE001 - raised again where it is seen
                answer = _Raised(_portable(error))
            pipe.send(answer)


def _die_with(program: int) -> None:
    """Let the kernel end this process when the one that forked it ends; where it cannot, the pipe tells, later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != program:  # it has ended already
            os._exit(0)


@dataclass
class _Raised:
    """What a worker raised."""

    error: BaseException


def _portable(error: Exception) -> Exception:
    """The error with where it came from, as one that can be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever an error of a library holds
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"in a worker:\n{traceback.format_exc().partition(chr(10))[2]}")
    return error


def _fork() -> int:
    """Fork, with interrupts held back until each side knows which it is."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads in libraries, which see to themselves
            return os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        raise


def _ending(process: int) -> str:
    """Wait for a process, and say how it ended."""
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    except ChildProcessError:  # where SIGCHLD is ignored, the system does not tell
        return "ended"
    if code >= 0:
        return f"ended with code {code}"
    return f"killed by {signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'}"
