"""How single values are written: names made safe to show, whatever they hold, and scores."""

from __future__ import annotations

from collections.abc import Sequence

from softdice_cli.records import ClassScores

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of control, format (bidi, zero width), surrogate, private, unassigned, line and paragraph."""


def neutral(text: str) -> str:
    """The text with every character that could act on a terminal or hide in it shown as an escape.

    Line breaks are no exception: what comes out is one line.
    """
    if text.isascii() and text.isprintable():
        return text
    import unicodedata

    return "".join(c if unicodedata.category(c) not in _HIDDEN else ascii(c)[1:-1] for c in text)


_COMMANDS = ("::", "##[")


def first(text: str) -> str:
    """The text, neutral, for the start of a line, where a CI system obeys a command in the log of any step."""
    plain = neutral(text)
    begun = plain.lstrip()
    return f"\\x{ord(begun[0]):02x}{begun[1:]}" if begun.startswith(_COMMANDS) else plain


def number(value: float | None) -> str:
    """A score as shown; a dash where it is undefined."""
    return "–" if value is None else f"{round(value, 4) + 0.0:.4f}"  # + 0.0: no minus before nothing


def count(things: Sequence[object], noun: str) -> str:
    """How many there are, with the noun in its number."""
    return f"1 {noun}" if len(things) == 1 else f"{len(things)} {noun}s"


def spreadsheet(text: str) -> str:
    """The text for a cell of CSV: neutral, and never a formula."""
    plain = first(text)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@")) else plain


def depends_only_on_epsilon(scores: ClassScores) -> bool:
    """Whether a loss is −ln(ε/(P+ε)): the class is absent from the truth, but not from the prediction."""
    loss = scores.values["loss"]
    return not scores.truth_pixels and loss is not None and loss > 0
