"""Tables of what was measured, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.budgets import Budget, quotient
from benchmarks.rounds import Measured

DEFINITIONS = (
    "median: seconds of the whole process, start-up included; range: its fastest and slowest round",
    "start-up: median of the same command on one tiny pair (3 × 8 in each axis), in the same rounds",
    "× softdice: median against softdice's, start-up included",
    "× floor: against the floor, start-up taken off both",
    "GB/s: bytes of the files, over the median with the start-up taken off",
    "peak: greatest memory of all processes of the command, a shared page counted once, in a run that is not timed; "
    "anonymous: without the pages of files, which the system can drop",
)
_COLUMNS = ("contender", "median s", "range s", "start-up s", "× softdice", "× floor", "GB/s", "peak MiB", "anonymous")


@dataclass(frozen=True)
class Table:
    """A table whose first column is text and whose others are numbers, with verdicts below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    budgets: Sequence[Budget] = ()
    notes: Sequence[str] = field(default=())


def comparison(title: str, measured: Sequence[Measured], budgets: Sequence[Budget]) -> Table:
    """A row a contender. One that was given fewer pairs has no ratios: nothing is extrapolated."""
    by_name = {result.name: result for result in measured}
    ours, floor = by_name["softdice"], by_name.get("floor")
    rows = [_row(result, ours, floor) for result in measured]
    return Table(title, _COLUMNS, rows, budgets)


def _row(result: Measured, ours: Measured, floor: Measured | None) -> list[str]:
    against_us = None if result.partial else result.median / ours.median
    against_floor = None if result.partial or floor is None else quotient(result.net, floor.net)
    return [
        result.label,
        _number(result.median, 3),
        f"{min(result.seconds):.3f}–{max(result.seconds):.3f}",
        _number(result.start, 3),
        _number(against_us, 2),
        _number(against_floor, 2),
        _number(rate(result), 2),
        _memory(result),
        _number(result.anonymous_mib, 0),
    ]


def rate(result: Measured) -> float | None:
    """Gigabytes a second, start-up taken off."""
    return result.bytes / result.net / 1e9 if result.net and result.bytes else None


def _memory(result: Measured) -> str:
    """The peak; where only the largest process could be seen, its own."""
    return f"> {result.largest_mib:.0f}" if result.peak_mib is None else f"{result.peak_mib:.0f}"


def of_ratios(title: str, measured: Sequence[tuple[str, Measured]], budgets: Sequence[Budget | None]) -> Table:
    """A row a run, with the ratio that its budget is about."""
    columns = ("run", "median s", "start-up s", "net s", "GB/s", "ratio")
    rows = [
        [
            name,
            _number(result.median, 3),
            _number(result.start, 3),
            _number(result.net, 3),
            _number(rate(result), 2),
            _number(budget.ratio if budget else None, 2),
        ]
        for (name, result), budget in zip(measured, budgets, strict=True)
    ]
    return Table(title, columns, rows, [budget for budget in budgets if budget])


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def show(table: Table, console: Console) -> None:
    """Print it."""
    grid = RichTable(title=Text(table.title), title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if place else "left", no_wrap=bool(place))
    for row in table.rows:
        grid.add_row(*map(Text, row))
    console.print(grid)
    for line in (*map(str, table.budgets), *table.notes):
        console.print(Text(line))
    console.print()


def markdown(table: Table) -> str:
    """The same for a page of the docs."""
    bar = ["---", *["--:"] * (len(table.columns) - 1)]
    lines = [f"| {' | '.join(cells)} |" for cells in (table.columns, bar, *table.rows)]
    below = [f"- {line}" for line in (*map(str, table.budgets), *table.notes)]
    return "\n".join([f"### {table.title}", "", *lines, *([""] if below else []), *below, ""])
