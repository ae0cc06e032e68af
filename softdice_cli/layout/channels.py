"""Independent classes: the truth may have an axis of classes as the prediction has, or be a label map."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from softdice_cli.layout.shapes import SPATIAL, Layout, Shape, space

MOST_CHANNELS = 256
"""An axis that is longer holds slices or lines, and not classes that somebody saved one by one."""

# An axis that is longer is not taken for one of classes where the classes are not named.
_MOST_UNNAMED = 32


@dataclass(frozen=True, slots=True)
class MultiLabel:
    """What is known of independent classes.

    Attributes:
        classes: how many there are, or 0 where that is not known.
        owned: each class owns labels, so that the truth can be a label map.
    """

    classes: int
    owned: bool


def fits(prediction: Shape, mask: Shape, known: MultiLabel, layout: str, maps: list[Layout]) -> list[Layout]:
    """All readings of a prediction with independent classes.

    Args:
        prediction: shape as stored.
        mask: likewise.
        known: of the classes.
        layout: letters that the user gave, or ``""``.
        maps: the readings over a mask without an axis of classes.
    """
    found = []
    for letters, truth in product([layout] if layout else _letters(len(prediction)), _letters(len(mask))):
        if len(letters) != len(prediction) or "C" not in letters:
            continue
        sizes = dict(zip(letters, prediction, strict=True))
        if dict(zip(truth, mask, strict=True)) == sizes and _possible(sizes["C"], known, layout):
            image = tuple(sizes[letter] for letter in letters if letter in SPATIAL)
            found.append(Layout(letters, prediction, image, truth))
    # Axes in the same order on both sides come before any other reading.
    alike = [fit for fit in found if fit.letters == fit.truth]
    over_maps = [fit for fit in maps if "C" in fit.letters and _possible(fit.channels, known, layout)]
    return (alike or found) + over_maps


def _possible(channels: int, known: MultiLabel, layout: str) -> bool:
    """Whether an axis of this length can be one of classes."""
    if known.classes:
        return channels == known.classes
    # A single class is not one of several.
    return bool(layout) or (channels > 1 and may_be_unnamed(channels))


def _letters(count: int) -> list[str]:
    """The usual layouts with so many axes, one of which numbers the classes."""
    plain, batch = space(count - 1), space(count - 2)
    found = []
    if plain:
        found += ["C" + plain, plain + "C"]
    # Never a batch of lines, which nobody means.
    if len(batch) > 1:
        found += ["BC" + batch, "B" + batch + "C"]
    return found


def possible_class_axes(fit: Layout) -> tuple[int, ...]:
    """The axes of a prediction of one image and one channel that could number classes after all."""
    if fit.channels > 1 or (fit.images or 1) > 1:
        return ()
    return tuple(axis for axis in class_axes(fit.shape) if fit.shape[axis] <= MOST_CHANNELS)


def class_axes(shape: Shape) -> tuple[int, ...]:
    """The axes where classes are usually numbered, of three or more axes.

    They are the first and the last that are longer than 1, and of four or more the second, which stands behind that of
    a batch.
    """
    long = [axis for axis, length in enumerate(shape) if length > 1]
    if not long or long[-1] - long[0] < 2:
        return ()
    second = long[1:2] if len(long) > 2 and long[-1] - long[0] > 2 else []
    return (long[0], *second, long[-1])


def may_be_unnamed(length: int) -> bool:
    """Whether an axis of this length is taken for one of classes where the classes are not named."""
    return length <= _MOST_UNNAMED
