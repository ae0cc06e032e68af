"""Numbers that explain a verdict."""

from __future__ import annotations


def verdict_number(value: float | None, bound: float) -> tuple[str, str]:
    """The value and the bound, with as few digits as tell them apart; undefined is a dash."""
    for digits in range(4, 18):
        shown = "–" if value is None else f"{value:.{digits}f}", f"{bound:.{digits}f}"
        if value is None or value == bound or shown[0] != shown[1]:
            return shown
    return repr(value), repr(bound)
