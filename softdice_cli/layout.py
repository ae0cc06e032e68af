"""Which axis is which: the shape of the mask decides how a prediction is read, and nothing is guessed.

A layout is written as one letter an axis, as in ``CHW`` or ``BDHWC``: ``B`` numbers images, ``C``
numbers classes, and the rest, in order, are the axes of one image. Axes of length 1 carry nothing,
so they never make two readings differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softdice_cli.errors import ConfigError, LayoutError

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
    """

    letters: str
    shape: Shape
    mask: Shape

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
        batch = [axis for axis, letter in enumerate(self.letters) if letter == "B"]
        channels = [axis for axis, letter in enumerate(self.letters) if letter == "C"]
        space = [axis for axis, letter in enumerate(self.letters) if letter in SPATIAL]
        return (*batch, *channels, *space)

    @property
    def meaning(self) -> tuple[tuple[int, str], ...]:
        """What tells this reading from another: the role of each axis that is longer than 1."""
        roles: list[tuple[int, str]] = []
        for axis, letter in enumerate(self.letters):
            if self.shape[axis] > 1:
                roles.append((axis, letter if letter in "BC" else "S"))
        return tuple(roles)


def resolve(
    prediction: Shape, mask: Shape, *, layout: str = "", labels: bool = False, path: str = "", mask_path: str = ""
) -> Layout:
    """The one way in which a prediction fits a mask.

    Args:
        prediction: shape as stored.
        mask: shape of the truth as stored: ``S``, ``(B, *S)`` or ``(B, 1, *S)``.
        layout: letters that the user gave, or ``""`` to find them.
        labels: the prediction is a label map: it has no class axis.
        path: the prediction, for the message.
        mask_path: the mask, for the message.

    Raises:
        LayoutError: no reading fits, or several do.
        ConfigError: `layout` cannot be read.
    """
    layout = layout.upper()
    if labels and "C" in layout:
        raise ConfigError(
            f"{layout} has a class axis, and a label map has no class axis", option="layout", hint="leave out C"
        )
    fits = _given(prediction, mask, layout) if layout else _fits(prediction, mask, labels)
    distinct = _distinct(fits)
    if len(distinct) == 1:
        return distinct[0]
    if distinct:
        raise _ambiguous(distinct, mask, path, mask_path)
    problem, hint = _diagnosis(prediction, mask, layout, labels)
    raise LayoutError(
        problem,
        path=path,
        expected=_expected(mask, layout, labels),
        found=f"prediction {prediction}, {_named(mask, mask_path)}",
        hint=hint,
    )


def _distinct(fits: list[Layout]) -> list[Layout]:
    """The first of all readings that mean the same."""
    by_meaning: dict[tuple[tuple[int, str], ...], Layout] = {}
    for fit in fits:
        by_meaning.setdefault(fit.meaning, fit)
    return list(by_meaning.values())


def _space(count: int) -> str:
    """The letters of so many axes of one image, or ``""`` where there are too many, or none."""
    if not 0 < count <= len(SPATIAL):
        return ""
    return SPATIAL[-count:]


def _fits(prediction: Shape, mask: Shape, labels: bool) -> list[Layout]:
    """All readings, the strict ones first; an axis of length 1 in front is left out where none of those fits."""
    read = _label_map if labels else _strict
    fits = read(prediction, mask) or _without_first(read, prediction, mask)
    if fits or prediction[:1] != (1,):
        return fits
    inner = read(prediction[1:], mask) or _without_first(read, prediction[1:], mask)
    return [Layout("1" + fit.letters, prediction, fit.mask) for fit in inner]


def _without_first(read: Callable[[Shape, Shape], list[Layout]], prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings over a mask without its first axis, if that has length 1."""
    if mask[:1] != (1,):
        return []
    return read(prediction, mask[1:])


def _label_map(prediction: Shape, mask: Shape) -> list[Layout]:
    space = _space(len(mask))
    if not space or prediction != mask:
        return []
    return [Layout(space, prediction, mask)]


def _strict(prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings of probabilities in which every axis of both has its place."""
    # (B, 1, *S) is squeezed, never broadcast, and certainly a batch.
    if len(mask) > 3 and mask[1] == 1:
        mask = (mask[0], *mask[2:])
        if batch := _batch(prediction, mask):
            return batch
    space = _space(len(mask))
    if not space:
        return []
    fits = []
    if prediction[1:] == mask:
        fits.append(Layout("C" + space, prediction, mask))
    if prediction[:-1] == mask:
        fits.append(Layout(space + "C", prediction, mask))
    # Never a batch of lines, which nobody means.
    if len(mask) > 2 and prediction[:1] + prediction[2:] == mask:
        fits.append(Layout("BC" + space[1:], prediction, mask[1:]))
    if prediction == mask:
        fits.append(Layout(space, prediction, mask))
    return fits


def _batch(prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings as so many images as the mask ``(B, *S)`` holds."""
    space = _space(len(mask) - 1)
    fits = []
    if len(prediction) > len(mask) and prediction[:1] + prediction[2:] == mask:
        fits.append(Layout("BC" + space, prediction, mask[1:]))
    if prediction[:-1] == mask:
        fits.append(Layout("B" + space + "C", prediction, mask[1:]))
    if prediction == mask:
        fits.append(Layout("B" + space, prediction, mask[1:]))
    return fits


def _given(prediction: Shape, mask: Shape, letters: str) -> list[Layout]:
    """The reading that the user asked for, if the shapes allow it."""
    space = letters.replace("B", "").replace("C", "")
    if sorted(set(letters)) != sorted(letters) or not space or space != _space(len(space)):
        raise ConfigError(
            f"{letters} is not a layout",
            option="layout",
            expected="one letter an axis: B for images, C for classes, and W, HW, DHW or TDHW for one image",
            hint="--layout CHW, --layout HWC, --layout BCHW, --layout BHWC, --layout CDHW, …",
        )
    if len(letters) != len(prediction):
        return []
    sizes = dict(zip(letters, prediction, strict=True))
    image = tuple(sizes[letter] for letter in space)
    batch = (sizes["B"],) if "B" in sizes else ()
    masks = [(*batch, *image), (*batch, 1, *image)]
    if sizes.get("B") == 1:
        masks.append(image)
    if mask not in masks:
        return []
    return [Layout(letters, prediction, image)]


def _named(mask: Shape, path: str) -> str:
    if not path:
        return f"mask {mask}"
    return f"mask {path} {mask}"


def _ambiguous(fits: list[Layout], mask: Shape, path: str, mask_path: str) -> LayoutError:
    # A dropped axis is named as a batch, so that what is proposed can be given as a layout.
    names = []
    for fit in fits:
        names.append(fit.letters.replace("1", "" if "B" in fit.letters else "B"))
    return LayoutError(
        "the axes can be read in more than one way",
        path=path,
        expected="a shape that fits the mask in one way only",
        found=f"prediction {fits[0].shape} and {_named(mask, mask_path)}, which fit {' and '.join(names)}",
        hint=" or ".join(f"--layout {name}" for name in names),
    )


def _expected(mask: Shape, layout: str, labels: bool) -> str:
    inside = ", ".join(map(str, mask))
    if layout:
        return f"a prediction laid out as {layout} over the mask"
    if labels:
        return f"a label map ({inside}), like the mask"
    shapes = [f"(C, {inside})", f"({inside}, C)"]
    if len(mask) > 2:
        shapes.append(f"({mask[0]}, C, {', '.join(map(str, mask[1:]))})")
    return f"{', '.join(shapes)}, or ({inside}) for one channel"


def _diagnosis(prediction: Shape, mask: Shape, layout: str, labels: bool) -> tuple[str, str]:
    """Why nothing fits, and what to do about it; the most telling reason first."""
    problem = "the prediction does not fit the mask"
    if layout and _fits(prediction, mask, labels):
        return problem, "leave out --layout"
    if labels and _fits(prediction, mask, False):
        return problem, "leave out --pred-labels, if one axis numbers the classes; --scale 1 besides, if it is one-hot"
    if len(mask) == 2 and _fits(prediction, mask[::-1], labels):
        return (
            f"the mask is transposed: {mask[0]} × {mask[1]} against a prediction of {mask[1]} × {mask[0]}",
            "save the mask as height × width (in NumPy: mask.T), or check which of the two is right",
        )
    if not labels and _is_batch_of_one_mask(prediction, mask):
        images = ", ".join(map(str, (prediction[0], *mask)))
        return (
            f"the prediction holds {prediction[0]} images, and the mask is of one",
            f"save each image as a file of its own, or their masks together as ({images})",
        )
    if not labels and _is_lines(prediction, mask):
        lines = f"{mask[0]} lines of {mask[1]} pixels and {prediction[1]} classes"
        return f"{problem}, unless as {lines}", "move the axis of the classes to the front; --layout BCW, for lines"
    return (
        problem,
        "bring the prediction to the size of the mask before you save it: softdice never resizes, crops or pads",
    )


def _is_batch_of_one_mask(prediction: Shape, mask: Shape) -> bool:
    """Whether several images of the size of a single mask would fit."""
    several = len(prediction) == len(mask) + 2 and prediction[0] > 1
    return several and bool(_fits(prediction[1:], mask, False))


def _is_lines(prediction: Shape, mask: Shape) -> bool:
    """Whether the shapes fit as a batch of lines, which is read only where it is asked for."""
    return len(mask) == 2 and len(prediction) == 3 and prediction[:1] + prediction[2:] == mask
