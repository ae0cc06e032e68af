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

# The largest whole number up to which float64 has all of them.
_MOST = 2.0**53

# How far above 1 rounding errors may have pushed a fraction.
_SLIP = 1e-3

# Bytes of a colour as one number.
_COLOR_BYTES = 4

# Formats that say themselves whether a pixel is a colour.
_PICTURES = ("png", "tiff")

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
        # Indices and shades of grey take less than the colours that they become.
        size = source.array.nbytes
        if source.palette is not None or _is_grey(source):
            size = source.array.size * _COLOR_BYTES
        check_bytes(source.name, size, options or ReadOptions())
        return _as_colors(source)
    if source.colors:
        source = _equal_channels(source, role)
    if source.array.dtype.kind == "f":
        if not fractions:
            _check_whole(source, role)
        return source
    if source.array.dtype.kind == "b":
        return replace(source, array=source.array.view(np.uint8))
    return source


def inverted(source: Source) -> Source:
    """The values of a picture in which 0 is white, as programs give them that turn them round: 255 for 0.

    Args:
        source: bits or unsigned numbers, in memory.
    """
    array = source.load(source.array)
    if array.dtype.kind == "b":
        turned: Array = ~array
    else:
        greatest = 2 ** (source.bits or 8 * array.dtype.itemsize) - 1
        turned = array.dtype.type(greatest) - array
    return replace(source, array=turned, white_is_zero=False, load=in_memory)


def _as_colors(source: Source) -> Source:
    """The colours of a picture: those of its channels, of its palette, or its shades of grey.

    Raises:
        LabelError: it has none.
    """
    array, axes = source.load(source.array), source.axes
    if source.palette is not None:
        packed = _looked_up(source, array, source.palette)
    elif source.planes and array.dtype == np.uint8:
        _refuse_transparent(source, array)
        packed, axes = _packed(np.moveaxis(array, -3, -1)), ""
    elif _has_channels(source):
        packed, axes = _packed(array), axes[:-1]
    elif _is_grey(source):
        packed = array * np.uint32(0x10101)
    else:
        raise LabelError(
            "does not hold colours, and the classes are named by colour",
            path=source.name,
            expected="an 8-bit RGB image, or one with a palette",
            found=source.describe(),
            hint="name the classes by number: --class NAME=VALUE",
        )
    return replace(
        source,
        array=packed,
        stored="colours",
        colors=False,
        planes=False,
        palette=None,
        samples=1,
        axes=axes,
        load=in_memory,
    )


def _refuse_transparent(source: Source, planes: Array) -> None:
    """Refuses a fourth plane ``(…, 4, H, W)`` that is not opaque all over, and so says something of its own."""
    if planes.shape[-3] == 4 and not (planes[..., 3, :, :] == np.iinfo(planes.dtype).max).all():
        raise LabelError(
            "has transparent pixels",
            path=source.name,
            expected="an opaque image",
            found=source.describe(),
            hint="save it without an alpha channel",
        )


def _has_channels(source: Source) -> bool:
    """Whether the last axis is red, green and blue; of an array, the shape says so."""
    shape = source.array.shape
    picture = source.format in _PICTURES
    return source.array.dtype == np.uint8 and len(shape) > 2 and shape[-1] == 3 and (source.colors or not picture)


def _is_grey(source: Source) -> bool:
    """Whether a picture has shades of grey, 1 of which is the colour ``#010101``."""
    whole_bytes = source.array.dtype == np.uint8 and not source.bits
    return source.format in _PICTURES and whole_bytes and not source.colors and not source.white_is_zero


def _looked_up(source: Source, indices: Array, palette: tuple[int, ...]) -> Array:
    """The colours of these indices.

    Raises:
        LabelError: an index that the palette does not have.
    """
    greatest = int(indices.max())
    if greatest >= len(palette):
        raise LabelError(
            f"holds the index {greatest}, which its palette has no colour for",
            path=source.name,
            expected=f"indices from 0 to {len(palette) - 1}",
            found=f"{int((indices >= len(palette)).sum())} px beyond",
            hint="name the classes by number: --class NAME=VALUE",
        )
    colors: Array = np.array(palette, np.uint32)[indices]
    return colors


def _packed(array: Array) -> Array:
    """The colours ``(*S, 3)`` as one number each; a fourth channel is left out."""
    packed = np.zeros(array.shape[:-1], np.uint32)
    # In place, as a picture is large enough once.
    for channel in range(3):
        packed <<= 8
        packed |= array[..., channel]
    return packed


def _equal_channels(source: Source, role: Role) -> Source:
    """The one channel of a picture whose channels are equal, as some programs save a label map.

    Raises:
        LabelError: there is a colour in it.
    """
    array = source.load(source.array)
    if (array[..., :1] == array[..., 1:]).all():
        return replace(source, array=array[..., 0], colors=False, samples=1, axes=source.axes[:-1], load=in_memory)
    raise LabelError(
        "holds colours, and the classes are numbers",
        path=source.name,
        expected="one label per pixel",
        found=_list_colors(source, array),
        hint=_colors_hint(array, role),
    )


def _list_colors(source: Source, array: Array) -> str:
    if array.dtype != np.uint8 or array.shape[-1] != 3:
        return source.describe()
    values, counts = np.unique(_packed(array), return_counts=True)
    pairs = zip(values[:_LISTED].tolist(), counts[:_LISTED].tolist(), strict=True)
    shown = ", ".join(f"#{value:06x} ({count} px)" for value, count in pairs)
    if len(values) > _LISTED:
        shown += f" and {len(values) - _LISTED} more"
    return shown


def _colors_hint(array: Array, role: Role) -> str:
    """How to name the classes, whose order the colours do not tell."""
    if array.dtype != np.uint8 or array.shape[-1] != 3:
        return "save one channel that holds the labels, or 8-bit RGB without transparency"
    order = ", in the order of the channels of the prediction"
    if role == "prediction":
        order = ""
    return f"name each class by its colour, --class NAME=#rrggbb once a class{order}"


def _check_whole(source: Source, role: Role) -> None:
    """Refuses labels that were saved as floats where one of them has a fraction."""
    low, high = source.span()
    # NaN and infinity fail the first two comparisons.
    if abs(low) <= _MOST and abs(high) <= _MOST and all((part == np.rint(part)).all() for part in source.chunks()):
        return
    problem = "holds fractions, and labels are whole numbers"
    hint = "check that the mask and the prediction are not swapped"
    if low >= 0 and high <= 1 + _SLIP:
        hint += (
            "; --foreground '>=0.5', if these are fractions of one class "
            "(antialiased, resized, or rounded labels such as 0.9999)"
        )
    if role == "prediction":
        hint = "leave out --pred-labels: fractions are probabilities or logits"
    if not abs(low) < np.inf > abs(high):
        problem = "holds NaN or infinity, and labels are whole numbers"
        hint = "save a number of its own in these pixels, as an integer type, and leave that out: --ignore NUMBER"
        if role == "prediction":
            hint = "save a label in each of these pixels, as an integer type"
    raise LabelError(
        problem,
        path=source.name,
        expected="an integer label per pixel",
        found=f"{source.describe()}, from {low:g} to {high:g}",
        hint=hint,
    )
