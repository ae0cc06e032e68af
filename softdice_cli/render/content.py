"""What an output draws, as data: sections with a title, a table or a list, and notes.

The scores are turned into sections once, in `sections`. A drawer knows only these shapes: it
decides how they look and makes the untrusted texts in them safe for its medium, so a new output
needs to know nothing about results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SectionKind = Literal[
    "pooled",
    "image_mean",
    "intervals",
    "confusion",
    "images",
    "requirements",
    "failures",
    "left_out",
    "warnings",
    "changes",
]
"""What a section is about."""

RowKind = Literal["class", "mean", "present", "all", "region", "region_mean", "image", "met", "unmet"]
"""What a row is about: ``present`` is the mean over what is present, ``all`` holds scores that have no class."""

Align = Literal["left", "right", "name"]
"""Where the cells of a column stand. Names stand left in a text, and on a terminal in line with the numbers."""


@dataclass(frozen=True, slots=True)
class Name:
    """A text that softdice did not write, such as the name of a class, an image or a file."""

    text: str


Cell = str | Name
"""A text of ours, which is safe everywhere, or one that a drawer has to make safe."""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column, and where its cells stand."""

    title: Cell
    align: Align = "right"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        kind: what it is about.
        cells: one a column.
        names: what belongs to the row as a whole and needs no columns; see `Table.names_title`.
    """

    kind: RowKind
    cells: tuple[Cell, ...]
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows.

    Attributes:
        columns: the first one names the rows.
        rows: classes or images first, then means, then regions and their mean.
        names_title: what the `Row.names` are.
        breakable: whether cells may be broken at their first space where the table is wider than
            the page.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    names_title: str = ""
    breakable: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list; all of its texts are untrusted.

    Attributes:
        text: the sentence.
        subject: what the sentence is about, or empty.
        advice: more about it, for outputs that have the room.
    """

    text: str
    subject: str = ""
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an output; any of its parts may be missing.

    Attributes:
        kind: what it is about.
        title: what stands out.
        subtitle: the rest of the title.
        table: of scores, images or requirements.
        entries: a list.
        notes: what is needed to read the table; texts of ours.
    """

    kind: SectionKind
    title: str
    subtitle: str = ""
    table: Table | None = None
    entries: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()
