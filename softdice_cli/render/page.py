"""What text is rendered for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """The medium of a table, and how much of it is wanted.

    Attributes:
        width: columns to fold long names at; ``None`` never folds.
        color: whether styles may be used.
        unicode: whether more than ASCII can be shown.
        worst: how many of the worst images to list.
        per_image: list all images instead.
    """

    width: int | None = None
    color: bool = False
    unicode: bool = True
    worst: int = 5
    per_image: bool = False
