"""What is done with one pair, and how many are worked on at once: here, in processes, or in threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.count import Outcome, killed, rows_of
from softdice_cli.evaluation.prepare import Counted, Prepared, Reading, prepare
from softdice_cli.overlap import BatchEngine, Engine
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.readers import Blob, warm
from softdice_cli.records import Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from softdice_cli.evaluation.batches import Ready
    from softdice_cli.journal import Stamp

T = TypeVar("T")

_AHEAD = 2
"""How many pairs a thread may be ahead of the rows that are taken."""

_CHUNK_BYTES = 2**20
"""Bytes of predictions that a process is given at once."""

_CHUNKS = 4
"""Chunks that each process has at least, so that none is left with much when the others are done."""


@dataclass(frozen=True)
class Work:
    """What to do with a pair, in any thread or process; what is wrong with the input is an outcome.

    Attributes:
        settings: as asked for.
        reading: how files are read.
        engine: counts.
        journaled: whether files are stamped before they are read.
        stop: set to give up.
    """

    settings: Settings
    reading: Reading
    engine: Engine
    journaled: bool
    stop: threading.Event = field(default_factory=threading.Event)

    def count(self, pair: Pair, workers: int = 1) -> Outcome:
        """The rows of a pair, by so many processes if it is large."""

        def count() -> Counted:
            prepared = self._prepared(pair)
            return prepared.counted(rows_of(prepared, self.engine, self.stop.is_set, workers))

        return _guarded(pair, count)

    def read_tiles(self, engine: BatchEngine, pair: Pair) -> Ready | InputError:
        """A pair with its tiles, for batches."""
        from softdice_cli.evaluation.batches import Ready

        return _guarded(pair, lambda: Ready.of(self._prepared(pair), engine))

    def _prepared(self, pair: Pair) -> Prepared:
        return prepare(pair, self.settings, self.reading, self._stamps(pair) if self.journaled else None)

    @staticmethod
    def _stamps(pair: Pair) -> tuple[Stamp, Stamp]:
        from softdice_cli.journal import stamp

        return stamp(pair.pred), stamp(pair.gt)


def _guarded(pair: Pair, work: Callable[[], T]) -> T | InputError:
    try:
        return work()
    except InputError as error:
        return error
    except MemoryError:
        hint = "--workers 1, or a machine with more"
        return UnreadableError("needs more memory than there is", path=pair.pred, hint=hint)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_all(work: Work, pairs: list[Pair], workers: int | None, stack: ExitStack) -> Iterator[Outcome]:
    """The outcome of each pair, in order, from processes, or from threads where none may be forked.

    A single pair has a process of its own as well: what kills it is then an outcome, and not the end of the program.
    """
    from softdice_cli.evaluation.crew import Crew, can_fork

    if not pairs:
        return
    if not can_fork():
        yield from ahead(work, work.count, pairs, workers or 1, stack)
        return
    workers = workers or cores()
    processes = min(workers, len(pairs))
    for path in (pairs[0].pred, pairs[0].gt):  # torch, where they need it, is imported here but does nothing yet
        if path != STDIN:
            warm(Blob(path))
    chunk = max(1, min(_CHUNK_BYTES // _size(pairs[0]), len(pairs) // (_CHUNKS * workers)))
    count = partial(work.count, workers=workers // processes)
    yield from stack.enter_context(Crew(pairs, count, killed, workers=processes, chunk=chunk))


def _size(pair: Pair) -> int:
    """Bytes of the prediction, and at least 1."""
    try:
        return max(1, os.stat(pair.pred).st_size)
    except (OSError, ValueError):
        return 1


def ahead(work: Work, task: Callable[[Pair], T], pairs: list[Pair], workers: int, stack: ExitStack) -> Iterator[T]:
    """The outcome of a task for each pair, in order, from threads that work on a few before they are asked for."""
    workers = min(workers, len(pairs))
    if workers < 2:
        yield from map(task, pairs)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers, thread_name_prefix="softdice")
    stack.callback(pool.shutdown, cancel_futures=True)
    stack.callback(work.stop.set)
    waiting: deque[Future[T]] = deque()
    for pair in pairs:
        waiting.append(pool.submit(task, pair))
        if len(waiting) > workers * _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
