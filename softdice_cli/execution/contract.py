"""What an executor takes and gives: one contract, so that nobody who has work to do asks where it is done.

An executor applies a task to each item of a sequence and yields the results in the order of the
items. Tasks and items are ordinary values that can be pickled, so that an executor may send them
anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Abandoned(Exception):  # noqa: N818 - not an error: nobody waits for the result any more
    """A task ended early because its result is no longer wanted."""


def never() -> bool:
    """An answer to whether a result is unwanted, for calls that nobody takes back."""
    return False


@dataclass(frozen=True, slots=True)
class Grant:
    """What an executor grants to one call of a task.

    Attributes:
        workers: how many processes the call may keep busy, its own included; see
            `choice.executor_within`.
        unwanted: whether the result is no longer wanted.
    """

    workers: int = 1
    unwanted: Callable[[], bool] = never

    def check(self) -> None:
        """End the call if its result is no longer wanted; a long task asks now and then.

        Raises:
            Abandoned: it is not wanted.
        """
        if self.unwanted():
            raise Abandoned


class Task(ABC, Generic[Item, Result]):
    """What is done with each item: an ordinary value that can be pickled."""

    @abstractmethod
    def __call__(self, item: Item, grant: Grant) -> Result:
        """The result of an item, in any thread or process.

        What is raised here ends the whole run. So what is wrong with a single item has to be a
        result.
        """

    @abstractmethod
    def lost(self, item: Item, ending: str) -> Result:
        """The result of an item whose process died, given how it ended, such as ``killed by SIGKILL``."""

    def late(self, item: Item, seconds: float) -> Result:
        """The result of an item that was ended because it took longer than so many seconds."""
        return self.lost(item, f"ended after {seconds:g} s")

    def warm(self, item: Item) -> None:
        """Import what such items need; called once before processes are forked, which then inherit it."""
        return


class Executor(Protocol):
    """A way of executing."""

    def run(
        self, task: Task[Item, Result], items: Sequence[Item], *, together: int = 1
    ) -> AbstractContextManager[Iterator[Result]]:
        """Apply a task to each item.

        Args:
            task: what to do.
            items: what to do it with.
            together: how many items are small enough to be handed over at once. An executor may
                hand over fewer.

        Returns:
            A context manager. In it are the results, in the order of the items. When it is left,
            whatever was not finished is ended, and nothing stays behind.
        """
        ...
