"""All the ways in which the shapes of a prediction and of a mask fit together."""

from __future__ import annotations

from collections.abc import Callable

from softdice_cli.errors import ConfigError
from softdice_cli.layout.shapes import Layout, Shape, space


def fits(prediction: Shape, mask: Shape, labels: bool) -> list[Layout]:
    """All readings, the strict ones first; an axis of length 1 in front is left out where none of those fits."""
    read = _label_map if labels else _strict
    found = read(prediction, mask) or _without_first(read, prediction, mask)
    if found or prediction[:1] != (1,):
        return found
    inner = read(prediction[1:], mask) or _without_first(read, prediction[1:], mask)
    return [Layout("1" + fit.letters, prediction, fit.mask) for fit in inner]


def _without_first(read: Callable[[Shape, Shape], list[Layout]], prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings over a mask without its first axis, if that has length 1."""
    if mask[:1] != (1,):
        return []
    return read(prediction, mask[1:])


def _label_map(prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings of a label map: it has the shape of the mask, but for axes of length 1."""
    images, one = _batched(mask)
    if images:
        letters = "B" + space(len(one))
        tails = {(images, *one): letters, (images, *one, 1): letters + "1", (images, 1, *one): "B1" + letters[1:]}
        return [Layout(tails[prediction], prediction, one)] if prediction in tails else []
    if mask[-1:] == (1,) and len(mask) > 2:
        mask = mask[:-1]
    letters = space(len(mask))
    if letters and prediction == mask:
        return [Layout(letters, prediction, mask)]
    if letters and prediction == (*mask, 1):
        return [Layout(letters + "1", prediction, mask)]
    return []


def _batched(mask: Shape) -> tuple[int, Shape]:
    """How many images a mask certainly holds, and the shape of one: ``(B, 1, *S)`` or ``(B, *S, 1)``; else 0."""
    # An image has no more axes than there are letters for.
    if len(mask) < 4 or not space(len(mask) - 2):
        return 0, mask
    if mask[-1] == 1:
        return mask[0], mask[1:-1]
    if mask[1] == 1:
        return mask[0], mask[2:]
    return 0, mask


def _strict(prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings of probabilities in which every axis of both has its place."""
    # (B, 1, *S) and (B, *S, 1) are squeezed, never broadcast, and certainly a batch.
    images, one = _batched(mask)
    if images and (found := _batch(prediction, (images, *one))):
        return found
    if mask[-1:] == (1,) and len(mask) > 2:
        # An image with an axis of length 1 for what each pixel holds.
        mask = mask[:-1]
    letters = space(len(mask))
    if not letters:
        return []
    found = []
    if prediction[1:] == mask:
        found.append(Layout("C" + letters, prediction, mask))
    if prediction[:-1] == mask:
        found.append(Layout(letters + "C", prediction, mask))
    # As a network in two dimensions saves a slice of a volume.
    if len(prediction) == len(mask) + 2 and prediction[0] > 1 and prediction[1:] == (1, *mask):
        found.append(Layout("C1" + letters, prediction, mask))
    # Never a batch of lines, which nobody means.
    if len(mask) > 2 and prediction[:1] + prediction[2:] == mask:
        found.append(Layout("BC" + letters[1:], prediction, mask[1:]))
    if prediction == mask:
        found.append(Layout(letters, prediction, mask))
    return found


def _batch(prediction: Shape, mask: Shape) -> list[Layout]:
    """Readings as so many images as the mask ``(B, *S)`` holds."""
    letters = space(len(mask) - 1)
    found = []
    if len(prediction) > len(mask) and prediction[:1] + prediction[2:] == mask:
        found.append(Layout("BC" + letters, prediction, mask[1:]))
    if prediction[:-1] == mask:
        found.append(Layout("B" + letters + "C", prediction, mask[1:]))
    if prediction == mask:
        found.append(Layout("B" + letters, prediction, mask[1:]))
    return found


def given(prediction: Shape, mask: Shape, letters: str) -> list[Layout]:
    """The reading that the user asked for, if the shapes allow it."""
    spatial = letters.replace("B", "").replace("C", "")
    if sorted(set(letters)) != sorted(letters) or not spatial or spatial != space(len(spatial)):
        raise ConfigError(
            f"{letters} is not a layout",
            option="layout",
            expected="one letter an axis: B for images, C for classes, and W, HW, DHW or TDHW for one image",
            hint="--layout CHW, --layout HWC, --layout BCHW, --layout BHWC, --layout CDHW, …",
        )
    if len(letters) != len(prediction):
        return []
    sizes = dict(zip(letters, prediction, strict=True))
    image = tuple(sizes[letter] for letter in spatial)
    batch = (sizes["B"],) if "B" in sizes else ()
    masks = [(*batch, *image), (*batch, 1, *image), (*batch, *image, 1)]
    if sizes.get("B") == 1:
        masks.append(image)
    if mask not in masks:
        return []
    return [Layout(letters, prediction, image)]
