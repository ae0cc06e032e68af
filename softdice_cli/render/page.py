"""What an output is drawn for. It stands alone, because every command needs it and most draw nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """The medium of an output, and how much of the results is wanted.

    Attributes:
        width: columns to fold long names at; ``None`` never folds.
        color: whether styles may be used.
        unicode: whether more than ASCII can be shown.
        worst: how many of the worst images to list.
        per_image: list all images instead.
        columns: names of the columns of the class tables; ``None`` are the usual ones.
    """

    width: int | None = None
    color: bool = False
    unicode: bool = True
    worst: int = 5
    per_image: bool = False
    columns: tuple[str, ...] | None = None
