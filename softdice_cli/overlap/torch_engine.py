"""The engine for accelerators: the same sums with torch, to the same bits.

The words are added as int64, which is exact in any order on any device. A batch is one pass of kernels and one copy
back: nothing in between asks the device for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from softdice_cli.errors import DeviceError
from softdice_cli.overlap.contract import TILE_PIXELS, WORD, Facts, Rule, Sums, Tally
from softdice_cli.overlap.labels import IGNORED
from softdice_cli.overlap.numpy_engine import floor_to

_BYTES_PER_VALUE = 64
"""What a value takes on the device while it is counted: its floats, its two words and the masks."""


class TorchEngine:
    """Counts tiles and batches with torch on one device; see `contract.BatchEngine`."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self.name = f"torch on {self._device}"
        cuda = self._device.type == "cuda"
        self._copies = torch.cuda.Stream(self._device) if cuda else None  # type: ignore[no-untyped-call]

    def tile_pixels(self, classes: int) -> int:
        """As many pixels as are exact, and no more than fit easily."""
        return max(2**12, min(TILE_PIXELS, self._values() // classes))

    def batch_size(self, classes: int, pixels: int) -> int:
        """How many images of this size to count at once."""
        return max(1, self._values() // (classes * pixels))

    def _values(self) -> int:
        """How many values to hold on the device at once: a quarter of its free memory, at most 2²⁷."""
        if self._device.type != "cuda":
            return 2**24
        free, _ = torch.cuda.mem_get_info(self._device)
        return int(min(2**27, free // 4 // _BYTES_PER_VALUE))

    def count(self, values: NDArray[Any], codes: NDArray[Any], rule: Rule) -> Tally:
        """The tally of one tile; see `contract.Engine.count`."""
        return self.submit(values[None], codes[None], rule)()[0]

    def submit(self, values: NDArray[Any], codes: NDArray[Any], rule: Rule) -> Callable[[], list[Tally]]:
        """Start counting a batch; see `contract.BatchEngine.submit`."""
        if not codes.shape[1]:
            return lambda: [Tally.of([0] * (rule.classes + 3), None, Facts()) for _ in codes]
        try:
            return self._submitted(values, codes, rule)
        except torch.OutOfMemoryError as error:
            raise MemoryError(f"{self.name}: {error}") from error

    def _submitted(self, values: NDArray[Any], codes: NDArray[Any], rule: Rule) -> Callable[[], list[Tally]]:
        floats = self._floats(values, rule.scale)
        where = self._send(codes).long()
        keep = (where < rule.classes + IGNORED).unsqueeze(1)
        seen = _range(floats, keep)
        stored, floats = floats, torch.where(keep, _activate(floats, rule), 0)
        classes = torch.arange(rule.classes + 3, device=self._device).reshape(1, -1, 1)
        truth = where.unsqueeze(1) == classes
        counts = torch.cat([truth.sum(2), *_hard(floats, truth, keep, rule), *_exact(floats, truth, rule)], dim=1)
        facts = torch.stack(
            [*seen, *_channel_sums(stored if rule.activation == "softmax" else floats, keep, rule)], dim=1
        )
        return lambda: [_tally(row, seen, rule) for row, seen in zip(counts.tolist(), facts.tolist(), strict=True)]

    def _floats(self, values: NDArray[Any], scale: int | None) -> Tensor:
        """Stored values on the device, as float32 or float64, exactly."""
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        wide = torch.float64 if scale is not None or native.dtype.itemsize > 4 else torch.float32
        if wide == torch.float64 and self._device.type == "mps":
            raise DeviceError("mps has no float64, which these values need for exact sums", hint="--device cpu")
        if native.dtype.kind in "ub" and native.dtype.itemsize > 1:
            native = native.astype(np.int64)
        tensor = self._send(native).to(wide)
        return tensor if scale is None else tensor / scale

    def _send(self, array: NDArray[Any]) -> Tensor:
        """A copy on the device; on CUDA from pinned memory and in a stream of its own, beside the batch before."""
        tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
        if self._copies is None:
            return tensor.to(self._device)
        pinned, counting = tensor.pin_memory(), torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._copies):
            sent = pinned.to(self._device, non_blocking=True)
        counting.wait_stream(self._copies)
        sent.record_stream(counting)
        return sent


def _range(values: Tensor, keep: Tensor) -> list[Tensor]:
    """Least and greatest finite value, and how many are not finite, of each image."""
    finite = torch.isfinite(values)
    seen = finite & keep
    low = torch.where(seen, values, torch.inf).amin((1, 2))
    high = torch.where(seen, values, -torch.inf).amax((1, 2))
    return [low.to(_wide(values)), high.to(_wide(values)), (~finite & keep).sum((1, 2)).to(_wide(values))]


def _wide(values: Tensor) -> torch.dtype:
    return torch.float32 if values.device.type == "mps" else torch.float64


def _activate(values: Tensor, rule: Rule) -> Tensor:
    """Softmax or sigmoid, in float64 where the device has it."""
    if rule.activation == "none":
        return values
    wide = values.to(_wide(values))
    return torch.sigmoid(wide) if rule.activation == "sigmoid" else torch.softmax(wide, dim=1)


def _channel_sums(values: Tensor, keep: Tensor, rule: Rule) -> list[Tensor]:
    """Least and greatest sum over the channels, and how many are out of tolerance, of each image."""
    sums, keep = values.sum(dim=1), keep.squeeze(1)
    off = (keep & ((sums - 1).abs() > (rule.sum_tolerance or 0))).sum(1)
    low = torch.where(keep, sums, torch.inf).amin(1)
    high = torch.where(keep, sums, -torch.inf).amax(1)
    return [tensor.to(_wide(values)) for tensor in (low, high, off)]


def _hard(values: Tensor, truth: Tensor, keep: Tensor, rule: Rule) -> list[Tensor]:
    """Predicted pixels and true positives of each class."""
    if rule.classes == 1:
        dtype = np.dtype(np.float64 if values.dtype == torch.float64 else np.float32)
        predicted = values > float(floor_to(dtype, rule.threshold))
    else:
        # torch.argmax does not promise the first of equal maxima: take the least channel that reaches the maximum
        channels = torch.arange(rule.classes, device=values.device).reshape(1, -1, 1)
        first = torch.where(values == values.amax(dim=1, keepdim=True), channels, rule.classes).amin(1, keepdim=True)
        predicted = channels == first
    predicted = predicted & keep
    return [predicted.sum(2), (predicted & truth[:, : rule.classes]).sum(2)]


def _exact(values: Tensor, truth: Tensor, rule: Rule) -> list[Tensor]:
    """The words of Σp and Σp·y of each class."""
    scaled = values * float(WORD)
    high = torch.round(scaled)
    low = torch.round((scaled - high) * float(WORD)).long()
    high = high.long()
    own = truth[:, : rule.classes]
    return [high.sum(2), low.sum(2), torch.where(own, high, 0).sum(2), torch.where(own, low, 0).sum(2)]


def _tally(counts: list[int], seen: list[float], rule: Rule) -> Tally:
    """One image of a batch, from what came back."""
    classes = rule.classes
    pixels, rest = counts[: classes + 3], counts[classes + 3 :]
    predicted, hits, high, low, own_high, own_low = (rest[i * classes : (i + 1) * classes] for i in range(6))
    facts = Facts(low=seen[0], high=seen[1], nonfinite=int(seen[2]))
    if facts.acceptable(rule) and rule.sum_tolerance is not None and any(pixels[: classes + IGNORED]):
        facts += Facts(sum_low=seen[3], sum_high=seen[4], sum_off=int(seen[5]))
    if not facts.acceptable(rule) or not any(pixels[: classes + IGNORED]):
        return Tally.of(pixels, None, facts)
    return Tally.of(pixels, Sums(_join(high, low), _join(own_high, own_low), tuple(predicted), tuple(hits)), facts)


def _join(high: list[int], low: list[int]) -> tuple[int, ...]:
    return tuple(h * WORD + m for h, m in zip(high, low, strict=True))
