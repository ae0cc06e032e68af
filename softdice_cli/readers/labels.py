"""Arrays as stored → integer labels: one number per pixel, a colour as ``0xRRGGBB``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from softdice_cli.errors import LabelError
from softdice_cli.readers.source import ReadOptions, Source, check_bytes, in_memory

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# Colours that a message lists.
_LISTED = 8

# Colours that a hint names classes by.
_NAMED = 12

# The largest whole number up to which float64 has all of them.
_MOST = 2.0**53

Role = Literal["truth", "prediction"]


def as_labels(
    source: Source,
    *,
    colors: bool,
    role: Role = "truth",
    options: ReadOptions | None = None,
    fractions: bool = False,
) -> Source:
    """The labels of a mask or of a label map.

    Args:
        source: as read; ``(*S)``, or ``(*S, 3)`` for colours.
        colors: the classes are named by colour.
        role: what the file is, for the message.
        options: how large colours may be, which are held in memory even where the file is not.
        fractions: values are cut later, and need not be whole numbers.

    Raises:
        UnreadableError: colours that are larger than allowed.
        LabelError: colours where numbers are expected or the other way round, or fractions.
    """
    if source.samples > 1 and not source.colors:
        raise LabelError(
            f"has {source.samples} samples a pixel",
            path=source.name,
            expected="one label per pixel",
            found=source.describe(),
            hint="save one channel that holds the labels",
        )
    if colors:
        check_bytes(source.name, source.array.nbytes, options or ReadOptions())
        return replace(source, array=_packed(source), stored="colours", colors=False, load=in_memory)
    if source.colors:
        raise LabelError(
            "holds colours, and the classes are numbers",
            path=source.name,
            expected="one label per pixel",
            found=_list_colors(source),
            hint=_colors_hint(source),
        )
    if source.array.dtype.kind == "f":
        if not fractions:
            _check_whole(source, role)
        return source
    if source.array.dtype.kind == "b":
        return replace(source, array=source.array.view(np.uint8))
    return source


def _packed(source: Source) -> Array:
    array = source.load(source.array)
    if array.dtype != np.uint8 or array.ndim < 3 or array.shape[-1] != 3:
        raise LabelError(
            "does not hold colours, and the classes are named by colour",
            path=source.name,
            expected="an 8-bit RGB image",
            found=source.describe(),
            hint="name the classes by number: --class NAME=VALUE",
        )
    packed = np.zeros(array.shape[:-1], np.uint32)
    # In place, as a picture is large enough once.
    for channel in range(3):
        packed <<= 8
        packed |= array[..., channel]
    return packed


def _list_colors(source: Source) -> str:
    if source.array.dtype != np.uint8 or source.array.shape[-1] != 3:
        return source.describe()
    values, counts = np.unique(_packed(source), return_counts=True)
    pairs = zip(values[:_LISTED].tolist(), counts[:_LISTED].tolist(), strict=True)
    shown = ", ".join(f"#{value:06x} ({count} px)" for value, count in pairs)
    if len(values) > _LISTED:
        shown += f" and {len(values) - _LISTED} more"
    return shown


def _colors_hint(source: Source) -> str:
    array = source.load(source.array)
    if (array[..., :1] == array[..., 1:]).all():
        return "the three channels are equal: save one of them, mask[..., 0]"
    if array.dtype != np.uint8 or array.shape[-1] != 3:
        return "save one channel that holds the labels, or 8-bit RGB without transparency"
    values = np.unique(_packed(source)).tolist()
    if len(values) > _NAMED:
        return "name each class by its colour, e.g. --class background=#000000"
    named = " ".join(f"--class class{index}=#{value:06x}" for index, value in enumerate(values))
    return f"name each class by its colour, in the order of the channels: {named}"


def _check_whole(source: Source, role: Role) -> None:
    """Refuses labels that were saved as floats where one of them has a fraction."""
    low, high = source.span()
    # NaN and infinity fail the first two comparisons.
    if abs(low) <= _MOST and abs(high) <= _MOST and all((part == np.rint(part)).all() for part in source.chunks()):
        return
    hint = "check that the mask and the prediction are not swapped"
    if role == "prediction":
        hint = "leave out --pred-labels: fractions are probabilities or logits"
    raise LabelError(
        "holds fractions, NaN or infinity, and labels are whole numbers",
        path=source.name,
        expected="an integer label per pixel",
        found=f"{source.describe()}, from {low:g} to {high:g}",
        hint=hint,
    )
