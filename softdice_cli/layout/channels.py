"""Independent classes: the truth may have an axis of classes as the prediction has, or be a label map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from softdice_cli.layout.shapes import SPATIAL, Layout, Shape, space

MOST_CHANNELS = 256
"""An axis that is longer holds slices or lines, and not classes that somebody saved one by one."""

# Where several axes could number classes, one of up to so many comes before a longer one.
_FEW_CLASSES = (16, 64)


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
        if dict(zip(truth, mask, strict=True)) == sizes and known.classes in (0, sizes["C"]):
            image = tuple(sizes[letter] for letter in letters if letter in SPATIAL)
            found.append(Layout(letters, prediction, image, truth))
    # Axes in the same order on both sides come before any other reading.
    alike = [fit for fit in found if fit.letters == fit.truth]
    over_maps = [fit for fit in maps if "C" in fit.letters and known.classes in (0, fit.channels)]
    return _likely(alike or found) + over_maps


def _likely(found: list[Layout]) -> list[Layout]:
    """Of several readings those with the fewest classes, by steps in which no axis of an image is mistaken for one."""
    lengths = likely_lengths(fit.channels for fit in found)
    return [fit for fit in found if fit.channels in lengths] or found


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


def likely_lengths(lengths: Iterable[int]) -> set[int]:
    """Of lengths of axes those that are likely numbers of classes; a single class is not one of several."""
    several = {length for length in lengths if length > 1}
    for most in _FEW_CLASSES:
        few = {length for length in several if length <= most}
        if few:
            return few
    return several
