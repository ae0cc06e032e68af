"""How axes are written: one letter an axis, as in ``CHW`` or ``BDHWC``.

``B`` numbers images, ``C`` numbers classes, and the rest, in order, are the axes of one image. Axes of length 1 carry
nothing, so they never make two readings differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Shape = tuple[int, ...]

SPATIAL = "TDHW"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a prediction lines up with a mask.

    Attributes:
        letters: one an axis of the prediction as stored, e.g. ``"BCHW"``; a dropped axis of length
            1 is ``"1"``.
        shape: of the prediction as stored.
        mask: of one image's truth.
        truth: the letters of the truth, where it has a channel for each class; else empty.
    """

    letters: str
    shape: Shape
    mask: Shape
    truth: str = ""

    @property
    def channels(self) -> int:
        """How many classes the prediction has; 1 where it has no such axis."""
        return self.shape[self.letters.index("C")] if "C" in self.letters else 1

    @property
    def images(self) -> int | None:
        """How many images are in the file, or ``None`` where there is no batch axis."""
        return self.shape[self.letters.index("B")] if "B" in self.letters else None

    @property
    def order(self) -> tuple[int, ...]:
        """The axes of the prediction in the order batch, class, space; ``1`` axes are left out."""
        return order_of(self.letters)

    @property
    def meaning(self) -> tuple[tuple[int, str], ...]:
        """What tells this reading from another: the role of each axis that is longer than 1."""
        roles: list[tuple[int, str]] = []
        for axis, letter in enumerate(self.letters):
            if self.shape[axis] > 1:
                roles.append((axis, letter if letter in "BC" else "S"))
        return tuple(roles)


def order_of(letters: str) -> tuple[int, ...]:
    """The places of letters in the order batch, class, space; ``1`` axes are left out."""
    batch = [axis for axis, letter in enumerate(letters) if letter == "B"]
    channels = [axis for axis, letter in enumerate(letters) if letter == "C"]
    space = [axis for axis, letter in enumerate(letters) if letter in SPATIAL]
    return (*batch, *channels, *space)


def space(count: int) -> str:
    """The letters of so many axes of one image, or ``""`` where there are too many, or none."""
    if not 0 < count <= len(SPATIAL):
        return ""
    return SPATIAL[-count:]


def distinct(fits: Iterable[Layout]) -> list[Layout]:
    """The first of all readings that mean the same."""
    by_meaning: dict[object, Layout] = {}
    for fit in fits:
        by_meaning.setdefault((fit.meaning, fit.truth), fit)
    return list(by_meaning.values())
