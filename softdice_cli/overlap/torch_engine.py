"""The engine for accelerators: the same sums with torch, to the same bits.

The words are added as int64, which is exact in any order on any device. A batch is one pass of
kernels and one copy back: nothing in between asks the device for a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from softdice_cli.errors import DeviceError
from softdice_cli.overlap.codes import IGNORED, UNKNOWN
from softdice_cli.overlap.contract import TILE_PIXELS, WORD, Counts, Facts, Pixels, Sums, Tally
from softdice_cli.overlap.decoding import Decoding
from softdice_cli.overlap.numpy_engine import floor_to
from softdice_cli.overlap.sums_to_one import Excess, are_seen, facts_of

# Above the words of every sum, whose high word is at most the number of channels times 2³².
_MOST = 2**62

# What a value takes on the device while it is added up: its floats, its two words and the masks.
_BYTES_PER_VALUE = 64


class TorchEngine:
    """Adds up tiles and batches with torch on one device; see `contract.BatchEngine`."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self.name = f"torch on {self._device}"
        self._copies: torch.cuda.Stream | None = None
        if self._device.type == "cuda":
            self._copies = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def tile_pixels(self, classes: int) -> int:
        """As many pixels as are exact, and no more than fit easily."""
        return max(2**12, min(TILE_PIXELS, self._values_at_once() // classes))

    def batch_size(self, classes: int, pixels: int) -> int:
        """How many tiles of this size to add up at once."""
        # Beside its values, a tile has a count for each pair of classes.
        return max(1, self._values_at_once() // (classes * (pixels + classes)))

    def _values_at_once(self) -> int:
        """How many values to hold on the device: a quarter of its free memory, at most 2²⁷ values."""
        if self._device.type != "cuda":
            return 2**24
        free, _ = torch.cuda.mem_get_info(self._device)
        return int(min(2**27, free // 4 // _BYTES_PER_VALUE))

    def tally(self, values: NDArray[Any], codes: NDArray[Any], decoding: Decoding) -> Tally:
        """The tally of one tile; see `contract.Engine.tally`."""
        wait = self.submit(values[None], codes[None], decoding)
        return wait()[0]

    def submit(self, values: NDArray[Any], codes: NDArray[Any], decoding: Decoding) -> Callable[[], list[Tally]]:
        """Start adding up a batch; see `contract.BatchEngine.submit`."""
        if not codes.shape[-1]:
            nothing = [Tally.zero(decoding)] * len(codes)
            return lambda: nothing
        try:
            return self._submitted(values, codes, decoding)
        except torch.OutOfMemoryError as error:
            raise MemoryError(f"{self.name}: {error}") from error

    def _submitted(self, values: NDArray[Any], codes: NDArray[Any], decoding: Decoding) -> Callable[[], list[Tally]]:
        stored = self._floats(values, decoding.scale)
        labels = _labels(self._send(codes).long(), decoding)
        keep, truth = labels.keep, labels.truth
        seen = _range(stored, keep)
        floats = torch.where(keep, _activate(stored, decoding), 0)
        first = None if decoding.thresholds else _first_greatest(floats)
        hard = _hard(floats, first, labels, decoding)
        words = _words(floats, decoding.words)
        # Of a softmax, the sums before it tell whether the values were probabilities already.
        summed = _words(stored, 2) if decoding.activation == "softmax" else words
        off = _off(summed, keep, decoding)
        counts = torch.cat([truth.sum(2), *labels.counts, *off, *hard, *_exact(words, truth, decoding)], dim=1)
        pairs = _pairs(first, labels, decoding)
        facts = torch.stack(seen, dim=1)

        def wait() -> list[Tally]:
            # Only here is the device asked for values.
            rows = zip(counts.tolist(), facts.tolist(), _confusions(pairs, len(counts), decoding), strict=True)
            return [_tally(*row, decoding) for row in rows]

        return wait

    def _floats(self, values: NDArray[Any], scale: int | None) -> Tensor:
        """Stored values on the device, as float32 or float64, exactly."""
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        needs_float64 = scale is not None or native.dtype.itemsize > 4
        if needs_float64 and self._device.type == "mps":
            raise DeviceError("mps has no float64, which these values need for exact sums", hint="--device cpu")
        # torch cannot compute with the wider unsigned types.
        if native.dtype.kind in "ub" and native.dtype.itemsize > 1:
            native = native.astype(np.int64)
        tensor = self._send(native).to(torch.float64 if needs_float64 else torch.float32)
        if scale is None:
            return tensor
        # By a tensor on the device: dividing by a number, CUDA multiplies with its reciprocal, which rounds twice.
        return tensor / torch.tensor(scale, dtype=tensor.dtype, device=tensor.device)

    def _send(self, array: NDArray[Any]) -> Tensor:
        """A copy on the device; on CUDA from pinned memory and in a stream of its own, beside the batch before."""
        tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
        if self._copies is None:
            return tensor.to(self._device)
        pinned = tensor.pin_memory()
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._copies):
            sent = pinned.to(self._device, non_blocking=True)
        computing.wait_stream(self._copies)
        # The memory is not used again before the computing stream is done with it.
        sent.record_stream(computing)
        return sent


class _Labels(NamedTuple):
    """The labels of a batch.

    Attributes:
        truth: the pixels of each class, ``(B, C, n)``.
        keep: what is counted, ``(B, 1, n)``.
        counts: how many pixels are counted, ignored and unknown, ``(B, 1)`` each.
        codes: the class of each pixel, ``(B, n)``, where it has one.
    """

    truth: Tensor
    keep: Tensor
    counts: list[Tensor]
    codes: Tensor


def _labels(codes: Tensor, decoding: Decoding) -> _Labels:
    """What codes ``(B, n)``, or ``(B, C, n)`` of independent channels, say."""
    if decoding.independent:
        # A pixel that is left out, or has an unknown label, is so in all channels.
        truth, left_out, classes = codes == 0, codes[:, 0], 1
    else:
        channels = torch.arange(decoding.classes, device=codes.device).reshape(1, -1, 1)
        truth, left_out, classes = codes.unsqueeze(1) == channels, codes, decoding.classes
    keep = left_out < classes + IGNORED
    kinds = [keep, left_out == classes + IGNORED, left_out == classes + UNKNOWN]
    return _Labels(truth, keep.unsqueeze(1), [kind.sum(1, keepdim=True) for kind in kinds], left_out)


def _range(values: Tensor, keep: Tensor) -> list[Tensor]:
    """Least and greatest finite value, and how many are not finite, of each tile."""
    finite = torch.isfinite(values)
    seen = finite & keep
    low = torch.where(seen, values, torch.inf).amin((1, 2))
    high = torch.where(seen, values, -torch.inf).amax((1, 2))
    nonfinite = (~finite & keep).sum((1, 2))
    return _widened(values, low, high, nonfinite)


def _widened(values: Tensor, *facts: Tensor) -> list[Tensor]:
    """Facts in the widest float type that the device of the values has."""
    return [fact.to(_widest(values)) for fact in facts]


def _widest(values: Tensor) -> torch.dtype:
    return torch.float32 if values.device.type == "mps" else torch.float64


def _activate(values: Tensor, decoding: Decoding) -> Tensor:
    """Softmax or sigmoid, in float64 where the device has it."""
    if decoding.activation == "none":
        return values
    wide = values.to(_widest(values))
    if decoding.activation == "sigmoid":
        # In the steps of NumPy: at the end of a row, torch.sigmoid has other last digits than within it.
        ratio = torch.exp(-wide.abs())
        return torch.where(wide >= 0, 1.0, ratio) / (1.0 + ratio)
    raised = torch.exp(wide - wide.amax(dim=1, keepdim=True))
    # One channel after the other, as in NumPy: the order in which torch adds depends on the shape of the tile.
    total = raised[:, 0].clone()
    for channel in range(1, raised.shape[1]):
        total += raised[:, channel]
    return raised / total.unsqueeze(1)


def _off(words: list[Tensor], keep: Tensor, decoding: Decoding) -> list[Tensor]:
    """How many sums over the channels are out of tolerance, and their least and greatest excess, ``(B, 1)`` each."""
    if decoding.sum_tolerance is None:
        return []
    excess = Excess.of(words[0].sum(dim=1), words[1].sum(dim=1))
    off = keep.squeeze(1) & excess.out_of(decoding.sum_tolerance)
    high, low = excess
    least = torch.where(off, high, _MOST).amin(1, keepdim=True)
    greatest = torch.where(off, high, -_MOST).amax(1, keepdim=True)
    return [
        off.sum(1, keepdim=True),
        least,
        torch.where(off & (high == least), low, _MOST).amin(1, keepdim=True),
        greatest,
        torch.where(off & (high == greatest), low, -_MOST).amax(1, keepdim=True),
    ]


def _hard(values: Tensor, first: Tensor | None, labels: _Labels, decoding: Decoding) -> list[Tensor]:
    """Predicted pixels and true positives of each class."""
    if first is None:
        predicted = _above_threshold(values, decoding) & labels.keep
    else:
        channels = torch.arange(decoding.classes, device=values.device).reshape(1, -1, 1)
        predicted = (channels == first) & labels.keep
    return [predicted.sum(2), (predicted & labels.truth).sum(2)]


def _pairs(first: Tensor | None, labels: _Labels, decoding: Decoding) -> Tensor | None:
    """The pixels of each predicted and true class, ``(B, C²)``, where each pixel has one of both."""
    if first is None or not decoding.confuses:
        return None
    places = first.squeeze(1) * decoding.classes + labels.codes
    kept = labels.keep.squeeze(1)
    pairs = torch.zeros((len(first), decoding.classes**2), dtype=torch.int64, device=first.device)
    return pairs.scatter_add_(1, torch.where(kept, places, 0), kept.long())


def _confusions(pairs: Tensor | None, tiles: int, decoding: Decoding) -> list[Pixels]:
    """What was taken for what in each tile; of many pairs of classes, only those that occur are looked at."""
    found: list[dict[tuple[int, int], int]] = [{} for _ in range(tiles)]
    if pairs is None:
        return list(found)
    counts = pairs.cpu().numpy()
    where = counts.nonzero()
    for tile, place, pixels in zip(*(axis.tolist() for axis in where), counts[where].tolist(), strict=True):
        chosen, true = divmod(place, decoding.classes)
        if chosen != true:
            found[tile][chosen, true] = pixels
    return list(found)


def _above_threshold(values: Tensor, decoding: Decoding) -> Tensor:
    dtype = np.dtype(np.float64 if values.dtype == torch.float64 else np.float32)
    limits = [float(floor_to(dtype, limit)) for limit in decoding.thresholds]
    return values > torch.tensor(limits, dtype=values.dtype, device=values.device).reshape(1, -1, 1)


def _first_greatest(values: Tensor) -> Tensor:
    """The first channel ``(B, 1, n)`` that reaches the greatest value of its pixel."""
    # torch.argmax does not promise the first of equal maxima, so take the least channel that
    # reaches the maximum.
    classes = values.shape[1]
    channels = torch.arange(classes, device=values.device).reshape(1, -1, 1)
    greatest = values == values.amax(dim=1, keepdim=True)
    # Of values that are not numbers, none is the greatest; their sums are dropped later.
    return torch.where(greatest, channels, classes).amin(1, keepdim=True).clamp(max=classes - 1)


def _words(values: Tensor, count: int) -> list[Tensor]:
    """So many words of each value, the next one of what the last one left over."""
    words = []
    for _ in range(count):
        scaled = values * float(WORD)
        rounded = torch.round(scaled)
        words.append(rounded.long())
        values = scaled - rounded
    return words


def _exact(words: list[Tensor], truth: Tensor, decoding: Decoding) -> list[Tensor]:
    """For each word its sums for Σp and Σp·y of each class, and for each region."""
    sums = [part for word in words for part in (word.sum(2), torch.where(truth, word, 0).sum(2))]
    for members in decoding.regions:
        chosen = list(members)
        region = truth[:, chosen].any(1, keepdim=True)
        sums += [torch.where(region, word[:, chosen], 0).sum((1, 2)).unsqueeze(1) for word in words]
    return sums


def _tally(numbers: list[int], seen: list[float], confusion: Pixels, decoding: Decoding) -> Tally:
    """One tile of a batch, from the numbers that came back."""
    counts = iter(numbers)
    labelled = Counts(_next(counts, decoding.classes), *_next(counts, 3))
    low, high, nonfinite = seen
    facts = Facts(low=low, high=high, nonfinite=int(nonfinite))
    off = _next(counts, 5 if decoding.sum_tolerance is not None else 0)
    if not labelled.pixels or not facts.acceptable(decoding):
        return Tally.of(labelled, None, facts, decoding)
    if are_seen(decoding, facts):
        facts += facts_of(off[0], (off[1], off[2]), (off[3], off[4]))
    if not facts.acceptable(decoding):
        return Tally.of(labelled, None, facts, decoding)
    return Tally.of(labelled, _sums(counts, confusion, decoding), facts, decoding)


def _sums(numbers: Iterator[int], confusion: Pixels, decoding: Decoding) -> Sums:
    """The numbers of a tile as sums, in the order in which `_hard` and `_exact` give them."""
    classes = decoding.classes
    predicted, hits = _next(numbers, classes), _next(numbers, classes)
    probability = intersection = (0,) * classes
    for _ in range(decoding.words):
        probability = _joined(probability, _next(numbers, classes))
        intersection = _joined(intersection, _next(numbers, classes))
    regions: list[int] = []
    for _ in decoding.regions:
        total: tuple[int, ...] = (0,)
        for word in _next(numbers, decoding.words):
            total = _joined(total, (word,))
        regions += total
    return Sums(probability, intersection, predicted, hits, tuple(regions), confusion)


def _next(numbers: Iterator[int], count: int) -> tuple[int, ...]:
    return tuple(islice(numbers, count))


def _joined(totals: Sequence[int], words: Sequence[int]) -> tuple[int, ...]:
    """Sums with their next word."""
    return tuple(total * WORD + word for total, word in zip(totals, words, strict=True))
