"""The one way in which a prediction and its truth fit together, or the error that says why there is not one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softdice_cli.errors import ConfigError, LayoutError
from softdice_cli.layout.fits import fits, given
from softdice_cli.layout.shapes import Layout, Shape, distinct

if TYPE_CHECKING:
    from softdice_cli.layout.channels import MultiLabel


def resolve(
    prediction: Shape,
    mask: Shape,
    *,
    layout: str = "",
    labels: bool = False,
    axes: str = "",
    multilabel: MultiLabel | None = None,
    path: str = "",
    mask_path: str = "",
) -> Layout:
    """The one way in which a prediction fits a mask.

    Args:
        prediction: shape as stored.
        mask: shape of the truth as stored: ``S``, ``(B, *S)``, ``(B, 1, *S)`` or ``(B, *S, 1)``; where classes are
            independent, also with an axis of classes.
        layout: letters that the user gave, or ``""`` to find them.
        labels: the prediction is a label map: it has no class axis.
        axes: letters that the format of the prediction gives its axes, or ``""``.
        multilabel: what is known of independent classes, or ``None`` where classes are exclusive.
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
    found = given(prediction, mask, layout) if layout else fits(prediction, mask, labels)
    if multilabel is not None and not labels:
        from softdice_cli.layout import channels

        found = channels.fits(prediction, mask, multilabel, layout, found)
    if axes and not layout:
        found = _told(found, prediction, mask, axes)
    readings = distinct(found)
    if len(readings) == 1:
        return readings[0]
    from softdice_cli.layout import diagnosis

    if readings:
        raise diagnosis.ambiguous(readings, mask, path, mask_path)
    seen = diagnosis.ShapesSeen(frozenset([(prediction, mask)]), layout, labels)
    raise LayoutError(
        seen.problem,
        path=path,
        expected=diagnosis.expected(mask, layout, labels),
        found=f"prediction {prediction}, {diagnosis.named(mask, mask_path)}",
        hint=seen.hint(),
        evidence=seen,
    )


def _told(found: list[Layout], prediction: Shape, mask: Shape, axes: str) -> list[Layout]:
    """What the format says of the axes decides between readings, or is the reading where it names the classes."""
    if "C" in axes and len(axes) == len(prediction):
        image = tuple(length for letter, length in zip(axes, prediction, strict=True) if letter not in "BC")
        batch = tuple(length for letter, length in zip(axes, prediction, strict=True) if letter == "B")
        if mask in ((*batch, *image), (1, *batch, *image)):
            return [Layout(axes, prediction, image)]
    told = [fit for fit in found if fit.letters == axes]
    return told or found
