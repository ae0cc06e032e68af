"""What text is rendered for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """The medium of a table.

    Attributes:
        width: columns to fold long names at; ``None`` never folds.
        color: whether styles may be used.
        unicode: whether more than ASCII can be shown.
    """

    width: int | None = None
    color: bool = False
    unicode: bool = True
