"""What is done with one pair, and how many are worked on at once: here, in processes, or in threads."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.count import Outcome, killed, rows_of
from softdice_cli.evaluation.prepare import Counted, Prepared, Reading, prepare
from softdice_cli.overlap import BatchEngine, Engine
from softdice_cli.pairing import Pair
from softdice_cli.records import Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from softdice_cli.evaluation.batches import Ready
    from softdice_cli.journal import Stamp

T = TypeVar("T")

_AHEAD = 2
"""How many pairs a thread may be ahead of the rows that are taken."""

_WORTH_PROCESSES = 0.02
"""Seconds that a run takes before it gets processes: about what it takes to start them."""

_LARGE = 2**22
"""Bytes of a first prediction that say as much before it is read."""

_CHUNK = 0.005
"""Seconds of work that a process is given at once."""


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

    def read(self, pair: Pair) -> Prepared | InputError:
        """A pair, lined up."""
        return _guarded(pair, lambda: self._prepared(pair))

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


def count_all(work: Work, pairs: list[Pair], workers: int, stack: ExitStack) -> Iterator[Outcome]:
    """The outcome of each pair, in order: the first ones here and, if that takes time, the rest side by side."""
    seconds = spent = 0.0
    if workers > 1 and len(pairs) > 1 and _size(pairs[0]) > _LARGE:
        seconds = spent = _WORTH_PROCESSES * 2
        work.read(pairs[0])  # so that the processes inherit what it imports
    for done, pair in enumerate(pairs):
        if workers > 1 and spent > _WORTH_PROCESSES and len(pairs) - done > 1:
            rest = pairs[done:]
            yield from _count_side_by_side(work, rest, min(workers, len(rest)), seconds, stack)
            return
        begun = time.monotonic()
        outcome = work.count(pair, workers)
        seconds = time.monotonic() - begun
        spent += seconds if done else 0.0  # the first one imports
        yield outcome


def _size(pair: Pair) -> int:
    try:
        return os.stat(pair.pred).st_size
    except (OSError, ValueError):
        return 0


def _count_side_by_side(
    work: Work, pairs: list[Pair], workers: int, seconds: float, stack: ExitStack
) -> Iterator[Outcome]:
    """The same from processes, or threads where there are none; a pair takes about so many seconds."""
    from softdice_cli.evaluation.crew import Crew, can_fork

    if not can_fork():
        return ahead(work, work.count, pairs, workers, stack)
    chunk = max(1, min(int(_CHUNK / max(seconds, 1e-6)), len(pairs) // (4 * workers)))
    return iter(stack.enter_context(Crew(pairs, work.count, killed, workers=workers, chunk=chunk)))


def ahead(work: Work, task: Callable[[Pair], T], pairs: list[Pair], workers: int, stack: ExitStack) -> Iterator[T]:
    """The outcome of a task for each pair, in order, from threads that work on a few before they are asked for."""
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
