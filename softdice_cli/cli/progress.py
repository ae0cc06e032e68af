"""How a run goes on, told on standard error: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from softdice_cli.cli.terminal import say
from softdice_cli.records import Failure, ImageRow, Settings

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

# Seconds between two lines in a log.
_EVERY = 10.0

# Seconds between two states of the bar.
_REDRAWN = 0.1


class Progress:
    """Watches a run; a context manager.

    Args:
        quiet: say nothing.
        bar: whether a bar may be drawn; not where results scroll by on the same terminal.
        on_rows: is given the rows of each pair as it is done.
        on_failure: is given each failure.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        bar: bool,
        on_rows: Callable[[Settings, list[ImageRow]], None] = lambda settings, rows: None,
        on_failure: Callable[[Failure], None] = lambda failure: None,
    ) -> None:
        self._quiet = quiet
        self._wants_bar = bar and sys.stderr.isatty()
        self._on_rows = on_rows
        self._on_failure = on_failure
        self._bar: Bar | None = None
        self._pairs = 0
        self._done = 0
        self._failed = 0
        self._begun = 0.0
        self._told = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def started(self, pairs: int) -> None:
        """So many pairs will be evaluated."""
        self._pairs = pairs
        self._begun = time.monotonic()
        self._told = self._begun
        if pairs > 1 and not self._quiet and self._wants_bar:
            self._draw()

    def evaluated(self, settings: Settings, rows: list[ImageRow]) -> None:
        """A pair gave these rows."""
        self._on_rows(settings, rows)
        self._advance()

    def failed(self, failure: Failure) -> None:
        """A pair could not be evaluated."""
        self._failed += 1
        self._on_failure(failure)
        self._advance()

    def _advance(self) -> None:
        self._done += 1
        if self._bar:
            self._update(self._bar)
        elif not self._quiet and time.monotonic() - self._told > _EVERY:
            self._told = time.monotonic()
            rate = self._rate()
            left = (self._pairs - self._done) / rate
            say(f"{self._done} of {self._pairs} pairs, {rate:.1f}/s, {self._failed} failed, {left:.0f} s left")

    def _update(self, bar: Bar) -> None:
        bar.update(bar.task_ids[0], completed=self._done, failed=self._failed, rate=f"{self._rate():.0f}")
        # Drawing takes longer than evaluating a small pair.
        if time.monotonic() - self._told > _REDRAWN:
            self._told = time.monotonic()
            bar.refresh()

    def _rate(self) -> float:
        return self._done / max(time.monotonic() - self._begun, 1e-9)

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            "evaluating",
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]} failed"),
        )
        # No thread redraws it, because a process with threads cannot be forked.
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
        self._bar.add_task("", total=self._pairs, failed=0, rate="–")
        self._bar.start()
