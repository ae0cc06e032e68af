"""One item after the other, in the thread that asks: the plainest way of executing, which the others are held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from softdice_cli.execution.contract import Grant, Item, Result, Task


class Serial:
    """Works on an item when its result is asked for; see `contract.Executor`."""

    @contextmanager
    def run(self, task: Task[Item, Result], items: Sequence[Item], *, together: int = 1) -> Iterator[Iterator[Result]]:
        """The results, in order; see `contract.Executor.run`."""
        grant = Grant()
        yield (task(item, grant) for item in items)
