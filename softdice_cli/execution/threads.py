"""Threads that read ahead: for work that waits for files, and for systems where no process can be forked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from softdice_cli.execution.contract import Grant, Item, Result, Task
from softdice_cli.execution.serial import Serial

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# Items that each thread may be ahead of the results that are taken, so that memory does not grow.
_AHEAD = 2


class Threads:
    """Works in threads on a few items before their results are asked for; see `contract.Executor`.

    Args:
        workers: how many threads. A single one is the thread that asks.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    @contextmanager
    def run(self, task: Task[Item, Result], items: Sequence[Item], *, together: int = 1) -> Iterator[Iterator[Result]]:
        """The results, in order; see `contract.Executor.run`."""
        workers = min(self._workers, len(items))
        if workers < 2:
            with Serial().run(task, items) as results:
                yield results
            return
        from concurrent.futures import ThreadPoolExecutor

        stop = Event()
        pool = ThreadPoolExecutor(workers, thread_name_prefix="softdice")
        try:
            yield _in_order(pool, task, items, Grant(unwanted=stop.is_set), ahead=workers * _AHEAD)
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, task: Task[Item, Result], items: Sequence[Item], grant: Grant, ahead: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(task, item, grant))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
