"""How files are read: options that change no score, as plain data that can be sent to any process."""

from __future__ import annotations

from dataclasses import dataclass, field

from softdice_cli.readers import ReadOptions


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read; nothing here changes a score.

    Attributes:
        layout: letters of the axes, or ``""`` to find them from the shape of the mask.
        pred: which array of a prediction, and how large it may be.
        gt: the same for a truth.
        stdin: the bytes behind the path ``-``.
    """

    layout: str = ""
    pred: ReadOptions = field(default_factory=ReadOptions)
    gt: ReadOptions = field(default_factory=ReadOptions)
    stdin: bytes | None = None
