"""Shapes that fit in no way, or in several → the error that a person needs at that moment."""

from __future__ import annotations

from softdice_cli.errors import LayoutError
from softdice_cli.layout.fits import fits
from softdice_cli.layout.shapes import Layout, Shape


def named(mask: Shape, path: str) -> str:
    """The mask and its shape, for a message."""
    if not path:
        return f"mask {mask}"
    return f"mask {path} {mask}"


def ambiguous(readings: list[Layout], mask: Shape, path: str, mask_path: str) -> LayoutError:
    """The error for shapes that fit in several ways."""
    # A dropped axis is named as a batch, so that what is proposed can be given as a layout.
    names = []
    for fit in readings:
        names.append(fit.letters.replace("1", "" if "B" in fit.letters else "B"))
    return LayoutError(
        "the axes can be read in more than one way",
        path=path,
        expected="a shape that fits the mask in one way only",
        found=f"prediction {readings[0].shape} and {named(mask, mask_path)}, which fit {' and '.join(names)}",
        hint=" or ".join(f"--layout {name}" for name in names),
    )


def expected(mask: Shape, layout: str, labels: bool) -> str:
    """The shapes that would fit the mask."""
    inside = ", ".join(map(str, mask))
    if layout:
        return f"a prediction laid out as {layout} over the mask"
    if labels:
        return f"a label map ({inside}), like the mask"
    shapes = [f"(C, {inside})", f"({inside}, C)"]
    if len(mask) > 2:
        shapes.append(f"({mask[0]}, C, {', '.join(map(str, mask[1:]))})")
    return f"{', '.join(shapes)}, or ({inside}) for one channel"


def diagnosis(prediction: Shape, mask: Shape, layout: str, labels: bool) -> tuple[str, str]:
    """Why nothing fits, and what to do about it; the most telling reason first."""
    problem = "the prediction does not fit the mask"
    if layout and fits(prediction, mask, labels):
        return problem, "leave out --layout"
    if labels and fits(prediction, mask, False):
        return problem, "leave out --pred-labels, if one axis numbers the classes; --scale 1 besides, if it is one-hot"
    if len(mask) == 2 and fits(prediction, mask[::-1], labels):
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
    return several and bool(fits(prediction[1:], mask, False))


def _is_lines(prediction: Shape, mask: Shape) -> bool:
    """Whether the shapes fit as a batch of lines, which is read only where it is asked for."""
    return len(mask) == 2 and len(prediction) == 3 and prediction[:1] + prediction[2:] == mask
