"""A label as a user writes it, an integer or ``#rrggbb``, and the number that stands for it in the masks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softdice_cli.errors import ConfigError

_COLOR = re.compile(r"#([0-9a-fA-F]{6})")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

# How many labels an error lists.
_LISTED = 12


def are_colors(labels: Sequence[str]) -> bool:
    """Whether labels are colours; none of them may be of the other kind.

    Raises:
        ConfigError: some are numbers, and some are colours.
    """
    colors = [label for label in labels if label.startswith("#")]
    if colors and len(colors) < len(labels):
        raise ConfigError(
            "labels are either all numbers or all colours",
            found=", ".join(labels[:_LISTED]),
            hint="write each label as a number, or each as #rrggbb",
        )
    return bool(colors)


def label_of(text: str, option: str, written: str) -> int:
    """The number behind a label; `written` is the whole of what the user wrote, for the message."""
    if match := _COLOR.fullmatch(text):
        return int(match[1], 16)
    try:
        return int(text)
    except ValueError:
        problem = f"{text!r} is not a label"
        if written.endswith(f"={text}"):
            problem = f"{written!r} does not end in a label"
        elif written != text:
            problem = f"{written!r} holds {text!r}, which is not a label"
        hint = ""
        if option == "classes" and "," in text:
            hint = f"several labels of one class are joined by +: {written.replace(',', '+')}"
        raise ConfigError(problem, option=option, expected="an integer or #rrggbb", hint=hint) from None


def reads_as_label(text: str) -> bool:
    """Whether a text is a label: an integer or ``#rrggbb``."""
    return _INTEGER.fullmatch(text) is not None or _COLOR.fullmatch(text) is not None
