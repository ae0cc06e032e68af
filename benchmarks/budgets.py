"""The budgets, each as a number, its limit and a verdict. They are shown; they fail nothing, for machines differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.commands import HELP, HELP_FLOOR, IMPORTS, RIVALS
from benchmarks.rounds import Measured

START_LIMIT = 1.3
FLOOR_LIMIT = 1.5
RIVAL_LIMIT = 8.0
GROWTH_LIMIT = 11.0
WORKERS_LIMIT = 1.7


@dataclass(frozen=True)
class Budget:
    """A ratio and what it may be.

    Attributes:
        text: what is held against what, with the seconds of both.
        ratio: ``None`` where there is nothing left to divide by.
        limit: the greatest ratio, or the least.
        at_most: which of the two.
    """

    text: str
    ratio: float | None
    limit: float
    at_most: bool = True

    @property
    def met(self) -> bool | None:
        """The verdict, on the unrounded ratio."""
        if self.ratio is None:
            return None
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit

    def __str__(self) -> str:
        verdict = {True: "met", False: "NOT met", None: "cannot be said"}[self.met]
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        return f"{verdict}: {self.text}: {ratio} (budget {'≤' if self.at_most else '≥'} {self.limit:g})"


def of_latency(measured: Sequence[Measured]) -> list[Budget]:
    """One pair against the bare imports, and ``--help`` against its own."""
    by_name = {result.name: result for result in measured}
    couples = (("softdice", IMPORTS), (HELP, HELP_FLOOR))
    return [_start(by_name[name], by_name[floor]) for name, floor in couples if {name, floor} <= by_name.keys()]


def _start(of: Measured, floor: Measured) -> Budget:
    text = f"{of.name} ({of.median:.3f} s) against python -c '{floor.name}' ({floor.median:.3f} s)"
    return Budget(text, of.median / floor.median, START_LIMIT)


def of_folder(measured: Sequence[Measured]) -> list[Budget]:
    """Softdice against the floor, start-up taken off both; and the fastest of the others against softdice, with it."""
    by_name = {result.name: result for result in measured if not result.partial}
    ours = by_name["softdice"]
    return [*_against_floor(ours, by_name.get("floor")), *_against_rivals(ours, by_name)]


def _against_floor(ours: Measured, floor: Measured | None) -> list[Budget]:
    if floor is None:
        return []
    text = f"softdice ({_seconds(ours.net)}) against the floor ({_seconds(floor.net)}), start-up taken off"
    return [Budget(text, quotient(ours.net, floor.net), FLOOR_LIMIT)]


def _against_rivals(ours: Measured, by_name: Mapping[str, Measured]) -> list[Budget]:
    rivals = [by_name[name] for name in RIVALS if name in by_name]
    if not rivals:
        return []
    fastest = min(rivals, key=lambda result: result.median)
    of = "the fastest of the others" if len(rivals) == len(RIVALS) else "of those that ran, the fastest"
    text = f"{of}, {fastest.name} ({fastest.median:.3f} s), against softdice ({ours.median:.3f} s)"
    return [Budget(text, fastest.median / ours.median, RIVAL_LIMIT, at_most=False)]


def of_growth(base: Measured, more: Measured, what: str) -> Budget:
    """Ten times as much of something against once, start-up taken off."""
    text = f"{what} ×10 ({_seconds(more.net)}) against {_seconds(base.net)}"
    return Budget(text, quotient(more.net, base.net), GROWTH_LIMIT)


def of_workers(one: Measured, two: Measured, what: str) -> Budget:
    """One worker against two, start-up taken off."""
    text = f"{what}: one worker ({_seconds(one.net)}) against two ({_seconds(two.net)})"
    return Budget(text, quotient(one.net, two.net), WORKERS_LIMIT, at_most=False)


def quotient(a: float | None, b: float | None) -> float | None:
    """Their ratio, where both are known."""
    return None if a is None or not b else a / b


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f} s"
