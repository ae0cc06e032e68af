"""How many pixels carry which label or code, and what follows from it for a label map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from softdice_cli.overlap.codes import IGNORED, UNKNOWN
from softdice_cli.overlap.contract import Counts, Facts, Pixels, Sums, Tally
from softdice_cli.overlap.decoding import Decoding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

# Distinct labels that are counted: a file in which every pixel had a label of its own would fill
# the memory.
_MOST_LABELS = 2**18

# Up to so many classes, comparing with each of them costs less than one `bincount`.
_FEW_CLASSES = 24


def count_labels(chunks: Iterable[NDArray[Any]]) -> dict[int, int]:
    """How many pixels carry each label, over arrays of whole numbers of any shape.

    Where there are more labels than any mask has, the counting ends with those that were found by
    then.
    """
    counts: dict[int, int] = {}
    for chunk in chunks:
        for value, count in zip(*_distinct(chunk), strict=True):
            counts[value] = counts.get(value, 0) + count
        if len(counts) > _MOST_LABELS:
            break
    return dict(sorted(counts.items()))


def _distinct(chunk: NDArray[Any]) -> tuple[list[int], list[int]]:
    if chunk.dtype in (np.uint8, np.uint16):
        counts = np.bincount(chunk.reshape(-1))
        present = counts.nonzero()[0]
        return present.tolist(), counts[present].tolist()
    values, found = np.unique(chunk, return_counts=True)
    values, found = values[: _MOST_LABELS + 1], found[: _MOST_LABELS + 1]
    return [int(value) for value in values.tolist()], found.tolist()


class Truth(NamedTuple):
    """What the labels of a tile say.

    Attributes:
        counts: how many pixels there are of each kind.
        inside: the pixels ``(n,)`` of each class that is there at all.
    """

    counts: Counts
    inside: dict[int, Mask]


def truth_of(codes: Codes, classes: int) -> Truth:
    """What the codes of a tile say: ``(n,)``, or ``(C, n)`` of independent channels."""
    if codes.ndim == 2:
        return _truth_of_channels(codes)
    found, inside = find_codes(codes, classes)
    counts = Counts(tuple(found[:classes]), sum(found[: classes + 1]), found[classes + 1], found[classes + 2])
    return Truth(counts, inside)


def _truth_of_channels(codes: Codes) -> Truth:
    # A pixel that is left out, or has an unknown label, is so in all channels.
    ignored, unknown = (int(np.count_nonzero(codes[0] == 1 + offset)) for offset in (IGNORED, UNKNOWN))
    masks = [row == 0 for row in codes]
    found = tuple(int(np.count_nonzero(mask)) for mask in masks)
    inside = {channel: mask for channel, mask in enumerate(masks) if found[channel]}
    return Truth(Counts(found, codes.shape[1] - ignored - unknown, ignored, unknown), inside)


def counted(codes: Codes, classes: int) -> Mask:
    """The pixels ``(n,)`` that are neither ignored nor unknown."""
    kept: Mask = codes < classes + IGNORED
    if codes.ndim == 2:
        kept = codes[0] < 1 + IGNORED
    return kept


def find_codes(codes: Codes, classes: int) -> tuple[list[int], dict[int, Mask]]:
    """How many pixels carry each of the C + 3 codes, and where each class is that is there at all."""
    if classes > _FEW_CLASSES:
        counts: list[int] = np.bincount(codes, minlength=classes + 3).tolist()
        return counts, {channel: codes == channel for channel in range(classes) if counts[channel]}
    masks = [codes == code for code in range(classes + IGNORED)]
    counts = [int(np.count_nonzero(mask)) for mask in masks]
    rest = codes.size - sum(counts)
    # Mostly there is no other pixel, and the comparison is saved.
    unknown = int(np.count_nonzero(codes == classes + UNKNOWN)) if rest else 0
    inside = {channel: masks[channel] for channel in range(classes) if counts[channel]}
    return [*counts, rest - unknown, unknown], inside


def tally_label_map(predicted: Codes, truth: Codes, decoding: Decoding) -> tuple[Tally, int]:
    """The tally of a label map, whose one-hot is the probability, and how many of its pixels are in no class.

    Args:
        predicted: codes ``(n,)`` of the label map.
        truth: codes ``(n,)`` of the same pixels in the mask.
        decoding: for the classes and regions.
    """
    classes = decoding.classes
    counts, _ = truth_of(truth, classes)
    if counts.ignored or counts.unknown:
        keep = counted(truth, classes)
        predicted, truth = predicted[keep], truth[keep]
    found, _ = find_codes(predicted, classes)
    right = predicted == truth
    hits = tuple(find_codes(truth[right], classes)[0][:classes])
    pixels = tuple(found[:classes])
    confusion: Pixels = {}
    if classes > 1 and not right.all():
        wrong = ~right
        confusion = pairs_of(predicted[wrong], truth[wrong], classes)
    sums = Sums(
        probability=tuple(count * decoding.grid for count in pixels),
        intersection=tuple(count * decoding.grid for count in hits),
        predicted=pixels,
        true_positives=hits,
        regions=tuple(_inside_region(members, hits, confusion) * decoding.grid for members in decoding.regions),
        confusion=confusion,
    )
    return Tally.of(counts, sums, Facts(), decoding), sum(found[classes + IGNORED :])


def _inside_region(members: Sequence[int], hits: Sequence[int], confusion: Pixels) -> int:
    """How many pixels are of a region in the label map and in the mask."""
    inside = sum(hits[member] for member in members)
    for (predicted, true), pixels in confusion.items():
        if predicted in members and true in members:
            inside += pixels
    return inside


def pairs_of(predicted: Codes, truth: Codes, classes: int) -> Pixels:
    """How many pixels there are of each predicted and true class, over codes ``(n,)``; other codes do not count."""
    # In a type that holds every pair of codes.
    codes = classes + 3
    places = predicted.astype(np.intp)
    places *= codes
    places += truth
    counts = np.bincount(places)
    present = counts.nonzero()[0]
    pairs = {}
    for place, pixels in zip(present.tolist(), counts[present].tolist(), strict=True):
        chosen, true = divmod(place, codes)
        if chosen < classes and true < classes:
            pairs[chosen, true] = pixels
    return pairs
