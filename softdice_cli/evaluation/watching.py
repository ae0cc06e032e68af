"""Who is told how a run goes on: a progress bar, a stream of rows, or nobody."""

from __future__ import annotations

from typing import Protocol

from softdice_cli.records import Failure, ImageRow, Settings


class Watcher(Protocol):
    """Is told how a run goes on, always in the thread that called `evaluate`."""

    def started(self, pairs: int) -> None:
        """So many pairs will be evaluated."""

    def evaluated(self, settings: Settings, rows: list[ImageRow]) -> None:
        """A pair gave these rows."""

    def failed(self, failure: Failure) -> None:
        """A pair could not be evaluated."""


class Silent:
    """Watches and says nothing."""

    def started(self, pairs: int) -> None:
        """Nothing to do."""

    def evaluated(self, settings: Settings, rows: list[ImageRow]) -> None:
        """Nothing to do."""

    def failed(self, failure: Failure) -> None:
        """Nothing to do."""
