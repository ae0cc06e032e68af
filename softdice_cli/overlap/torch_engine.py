"""The engine for accelerators: the same sums with torch, to the same bits.

The words are added as int64, which is exact in any order on any device. A batch is one pass of
kernels and one copy back: nothing in between asks the device for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from softdice_cli.errors import DeviceError
from softdice_cli.overlap.contract import TILE_PIXELS, WORD, Facts, Sums, Tally
from softdice_cli.overlap.decoding import Decoding
from softdice_cli.overlap.labels import IGNORED
from softdice_cli.overlap.numpy_engine import floor_to

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
        return max(1, self._values_at_once() // (classes * pixels))

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
        tiles, pixels = codes.shape
        if not pixels:
            nothing = Tally.of([0] * (decoding.classes + 3), None, Facts())
            return lambda: [nothing] * tiles
        try:
            return self._submitted(values, codes, decoding)
        except torch.OutOfMemoryError as error:
            raise MemoryError(f"{self.name}: {error}") from error

    def _submitted(self, values: NDArray[Any], codes: NDArray[Any], decoding: Decoding) -> Callable[[], list[Tally]]:
        stored = self._floats(values, decoding.scale)
        where = self._send(codes).long()
        keep = (where < decoding.classes + IGNORED).unsqueeze(1)
        every_code = torch.arange(decoding.classes + 3, device=self._device).reshape(1, -1, 1)
        truth = where.unsqueeze(1) == every_code
        seen = _range(stored, keep)
        floats = torch.where(keep, _activate(stored, decoding), 0)
        # Of a softmax, the sums before it tell whether the values were probabilities already.
        summed = stored if decoding.activation == "softmax" else floats
        hard = _hard(floats, truth, keep, decoding)
        exact = _exact(floats, truth, decoding)
        counts = torch.cat([truth.sum(2), *hard, *exact], dim=1)
        facts = torch.stack([*seen, *_channel_sums(summed, keep, decoding)], dim=1)

        def wait() -> list[Tally]:
            # Only here is the device asked for values.
            rows = zip(counts.tolist(), facts.tolist(), strict=True)
            return [_tally(counts_of_tile, facts_of_tile, decoding) for counts_of_tile, facts_of_tile in rows]

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
        return tensor / scale

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
        return torch.sigmoid(wide)
    return torch.softmax(wide, dim=1)


def _channel_sums(values: Tensor, keep: Tensor, decoding: Decoding) -> list[Tensor]:
    """Least and greatest sum over the channels, and how many are out of tolerance, of each tile."""
    sums = values.sum(dim=1)
    counted = keep.squeeze(1)
    off = (counted & ((sums - 1).abs() > (decoding.sum_tolerance or 0))).sum(1)
    low = torch.where(counted, sums, torch.inf).amin(1)
    high = torch.where(counted, sums, -torch.inf).amax(1)
    return _widened(values, low, high, off)


def _hard(values: Tensor, truth: Tensor, keep: Tensor, decoding: Decoding) -> list[Tensor]:
    """Predicted pixels and true positives of each class."""
    predicted = _above_threshold(values, decoding) if decoding.classes == 1 else _first_greatest(values)
    predicted = predicted & keep
    hits = predicted & truth[:, : decoding.classes]
    return [predicted.sum(2), hits.sum(2)]


def _above_threshold(values: Tensor, decoding: Decoding) -> Tensor:
    dtype = np.dtype(np.float64 if values.dtype == torch.float64 else np.float32)
    return values > float(floor_to(dtype, decoding.threshold))


def _first_greatest(values: Tensor) -> Tensor:
    # torch.argmax does not promise the first of equal maxima, so take the least channel that
    # reaches the maximum.
    classes = values.shape[1]
    channels = torch.arange(classes, device=values.device).reshape(1, -1, 1)
    greatest = values == values.amax(dim=1, keepdim=True)
    first = torch.where(greatest, channels, classes).amin(1, keepdim=True)
    return channels == first


def _exact(values: Tensor, truth: Tensor, decoding: Decoding) -> list[Tensor]:
    """The words of Σp and Σp·y of each class."""
    scaled = values * float(WORD)
    rounded = torch.round(scaled)
    low = torch.round((scaled - rounded) * float(WORD)).long()
    high = rounded.long()
    own = truth[:, : decoding.classes]
    return [high.sum(2), low.sum(2), torch.where(own, high, 0).sum(2), torch.where(own, low, 0).sum(2)]


def _tally(counts: list[int], seen: list[float], decoding: Decoding) -> Tally:
    """One tile of a batch, from the numbers that came back."""
    classes = decoding.classes
    pixels = counts[: classes + 3]
    any_counted = any(pixels[: classes + IGNORED])
    low, high, nonfinite, sum_low, sum_high, sum_off = seen
    facts = Facts(low=low, high=high, nonfinite=int(nonfinite))
    if facts.acceptable(decoding) and decoding.sum_tolerance is not None and any_counted:
        facts += Facts(sum_low=sum_low, sum_high=sum_high, sum_off=int(sum_off))
    if not facts.acceptable(decoding) or not any_counted:
        return Tally.of(pixels, None, facts)
    return Tally.of(pixels, _sums(counts[classes + 3 :], classes), facts)


def _sums(numbers: list[int], classes: int) -> Sums:
    """Six numbers of each class, kind by kind, as sums."""
    predicted, hits, high, low, own_high, own_low = (
        numbers[kind * classes : (kind + 1) * classes] for kind in range(6)
    )
    return Sums(_join(high, low), _join(own_high, own_low), tuple(predicted), tuple(hits))


def _join(high: list[int], low: list[int]) -> tuple[int, ...]:
    return tuple(h * WORD + m for h, m in zip(high, low, strict=True))
