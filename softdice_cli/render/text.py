"""How single values are written: names made safe to show, whatever they hold, and scores."""

from __future__ import annotations

from collections.abc import Sequence

from softdice_cli.records import ClassScores, Failure

# Unicode categories of control, format (bidi, zero width), surrogate, private, unassigned, line and
# paragraph.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# What begins a line that a CI system obeys, in the log of any step.
_COMMANDS = ("::", "##[")

# What begins a cell that a spreadsheet calculates.
_FORMULAS = ("=", "+", "-", "@")

UNDEFINED = "–"

ADVISED = 10
"""How many failures get what was expected and found, and what to try; in a long list, the others get a line each."""


def neutral(text: str) -> str:
    """The text in one line, with every character that could act on a terminal or hide in it shown as an escape."""
    if text.isascii() and text.isprintable():
        return text
    import unicodedata

    return "".join(c if unicodedata.category(c) not in _HIDDEN else ascii(c)[1:-1] for c in text)


def at_line_start(text: str) -> str:
    """The text, neutral, for the start of a line, where it must not be a command to a CI system."""
    plain = neutral(text)
    begun = plain.lstrip()
    if begun.startswith(_COMMANDS):
        return f"\\x{ord(begun[0]):02x}{begun[1:]}"
    return plain


def in_spreadsheet(text: str) -> str:
    """The text for a cell of CSV: neutral, and never a formula."""
    plain = at_line_start(text)
    if plain.startswith(_FORMULAS):
        return f"'{plain}"
    return plain


def number(value: float | None) -> str:
    """A score as shown; a dash where it is undefined."""
    if value is None:
        return UNDEFINED
    # Adding 0.0 takes the minus off a rounded zero.
    return f"{round(value, 4) + 0.0:.4f}"


def plural(things: Sequence[object], noun: str) -> str:
    """How many there are, with the noun in its number."""
    if len(things) == 1:
        return f"1 {noun}"
    return f"{len(things)} {noun}s"


def depends_only_on_epsilon(scores: ClassScores) -> bool:
    """Whether a loss is −ln(ε/(P+ε)): the class is absent from the truth, but not from the prediction."""
    loss = scores.values["loss"]
    return not scores.truth_pixels and loss is not None and loss > 0


def advice_of(failure: Failure) -> tuple[str, ...]:
    """What was expected and found in a pair that failed, and what to try; not neutral."""
    return tuple(f"{label} {text}" for label, text in failure.details)


# How many names a sentence lists.
_SOME = 12


def some(names: Sequence[str], most: int = _SOME) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(names[:most])
    if len(names) > most:
        text += f" and {len(names) - most} more"
    return text
