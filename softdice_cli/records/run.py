"""What a run is: everything that is saved, merged, scored again and compared, in one record.

A text that says something about the run is a field of `Run` with a `Member`, which says how it stands in a results file
and what a merge makes of it. Results files, their schema and `merge` follow from that; whoever makes a run fills it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from softdice_cli.errors import InputError
from softdice_cli.records.rows import Failure, ImageRow, natural
from softdice_cli.records.settings import Settings
from softdice_cli.version import __version__


@dataclass(frozen=True, slots=True)
class Member:
    """How a text about a run stands in a results file, and what becomes of it in a merge.

    Attributes:
        name: in the file.
        description: in the schema.
        missing: what it means where a file does not have it.
        joined: the text of the whole from those of its parts.
    """

    name: str
    description: str
    missing: str
    joined: Callable[[Iterable[str]], str]


def every(texts: Iterable[str]) -> str:
    """All different texts, in natural order, with a comma between them."""
    found: set[str] = set()
    for text in texts:
        found.update(text.split(", "))
    return ", ".join(sorted(found, key=natural))


def alike(texts: Iterable[str]) -> str:
    """The text of all parts; `merge` refuses parts that differ in it, by name."""
    return next(iter(texts))


def each(texts: Iterable[str]) -> str:
    """All different clauses, in order, with a semicolon between them."""
    found = {clause for text in texts for clause in text.split("; ") if clause}
    return "; ".join(sorted(found))


def one_palette(texts: Iterable[str]) -> str:
    """The colours of all labels of several palettes, written as ``1=#rrggbb`` with spaces between.

    Raises:
        InputError: they give one label two colours.
    """
    colors: dict[str, str] = {}
    for text in texts:
        for entry in text.split():
            label, _, color = entry.partition("=")
            if colors.setdefault(label, color) != color:
                raise InputError(
                    f"the parts give the label {label} two colours in the palettes of their masks",
                    expected=colors[label],
                    found=color,
                    hint="evaluate all parts with each class named by its colour: --class NAME=#rrggbb",
                )
    return " ".join(f"{label}={colors[label]}" for label in sorted(colors, key=natural))


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of a run this is.

    Attributes:
        index: from 1 to `count`.
        count: into how many parts the run was cut.
        pairs: how many pairs the whole run has.
        run: digest of the ids of all its pairs, the same in every part.
        files: digest of samples of all its files, likewise; empty where they were not looked at, as by softdice 0.1.0.
    """

    index: int
    count: int
    pairs: int
    run: str
    files: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, or a part of one.

    Attributes:
        settings: what the rows mean, with the classes resolved.
        rows: one an image.
        failures: the pairs that have no row.
        left_out: files without a partner that were allowed to be missing, one sentence each.
        shard: which part of a run this is, or ``None`` for the whole.
        palette: the colours of labels in masks with palettes; see `one_palette`.
        label: what the user calls the run or its model, or nothing; no score depends on it.
        unchecked: what a merge could not check of its parts, as clauses that begin with ``whether``.
        software: the version of softdice that counted the rows, or several with a comma between
            them. It is not part of the signature, and runs of different versions may be merged and
            compared.
    """

    settings: Settings
    rows: tuple[ImageRow, ...] = ()
    failures: tuple[Failure, ...] = ()
    left_out: tuple[str, ...] = ()
    shard: Shard | None = None
    software: str = field(
        default=__version__,
        metadata={
            "member": Member(
                name="softdice",
                description="The version of softdice that counted the rows, or several with a comma between.",
                missing="unknown",
                joined=every,
            )
        },
    )

    palette: str = field(
        default="",
        metadata={
            "member": Member(
                name="palette",
                description="The colours of labels, as 1=#rrggbb with spaces between, where masks have palettes.",
                missing="",
                joined=one_palette,
            )
        },
    )

    label: str = field(
        default="",
        metadata={
            "member": Member(
                name="label",
                description="What the user calls the run or its model; the same in all parts of a merge.",
                missing="",
                joined=alike,
            )
        },
    )

    unchecked: str = field(
        default="",
        metadata={
            "member": Member(
                name="unchecked",
                description="What the merge of these results could not check, as clauses with a semicolon between.",
                missing="",
                joined=each,
            )
        },
    )

    @property
    def complete(self) -> bool:
        """Whether every pair was evaluated, and there was one; what was left out was not."""
        return bool(self.rows) and not self.failures and not self.left_out

    @property
    def evaluated(self) -> int:
        """How many pairs the rows are of; the images of one pair have its id, with their places in brackets."""
        return len({(re.sub(r"\[[0-9]+\]$", "", row.id), row.pred, row.gt) for row in self.rows})

    @property
    def pairs(self) -> int:
        """How many pairs there should be: those of the whole run, with those that lack a file."""
        if self.shard is not None:
            return self.shard.pairs + len(self.left_out)
        return self.evaluated + len(self.failures) + len(self.left_out)


def members() -> dict[str, Member]:
    """The texts about a run, by field."""
    found: dict[str, Any] = {}
    for declared in fields(Run):
        if "member" in declared.metadata:
            found[declared.name] = declared.metadata["member"]
    return found
