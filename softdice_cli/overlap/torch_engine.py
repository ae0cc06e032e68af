"""The engine for accelerators: the same sums with torch, to the same bits.

The words are added as int64, which is exact in any order on any device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from softdice_cli.errors import DeviceError
from softdice_cli.overlap.contract import TILE_PIXELS, WORD, Facts, Rule, Sums, Tally
from softdice_cli.overlap.labels import IGNORED
from softdice_cli.overlap.numpy_engine import floor_to


class TorchEngine:
    """Counts tiles with torch on one device; see `contract.Engine`."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self.name = f"torch on {self._device}"

    def tile_pixels(self, classes: int) -> int:
        """As many pixels as are exact, but no more than 512 MiB of float64."""
        return max(2**12, min(TILE_PIXELS, 2**26 // classes))

    def count(self, values: NDArray[Any], codes: NDArray[np.intp], rule: Rule) -> Tally:
        """The tally of one tile; see `contract.Engine.count`."""
        floats = self._floats(values, rule.scale)
        where = torch.from_numpy(codes).to(self._device)
        pixels = torch.bincount(where, minlength=rule.classes + 3).tolist()
        if any(pixels[rule.classes + IGNORED :]):
            keep = where < rule.classes + IGNORED
            floats, where = floats[:, keep], where[keep]
        if not where.numel():
            return Tally.of(pixels, None, Facts())
        facts = _range(floats)
        if facts.acceptable(rule):
            floats = _activate(floats, rule)
            facts += _channel_sums(floats, rule)
        sums = Sums(*_exact(floats, where, rule), *_decided(floats, where, rule)) if facts.acceptable(rule) else None
        return Tally.of(pixels, sums, facts)

    def _floats(self, values: NDArray[Any], scale: int | None) -> torch.Tensor:
        """Stored values on the device, as float32 or float64, exactly."""
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        wide = torch.float64 if scale is not None or native.dtype.itemsize > 4 else torch.float32
        if wide == torch.float64 and self._device.type == "mps":
            raise DeviceError("mps has no float64, which these values need for exact sums", hint="--device cpu")
        if native.dtype.kind in "iub":
            native = native.astype(np.int64)
        tensor = torch.from_numpy(native).to(self._device).to(wide)
        return tensor if scale is None else tensor / scale


def _range(values: torch.Tensor) -> Facts:
    finite = torch.isfinite(values)
    nonfinite = int((~finite).sum())
    kept = values[finite] if nonfinite else values
    if not kept.numel():
        return Facts(nonfinite=nonfinite)
    low, high = torch.aminmax(kept)
    return Facts(low=float(low), high=float(high), nonfinite=nonfinite)


def _activate(values: torch.Tensor, rule: Rule) -> torch.Tensor:
    """Softmax or sigmoid, in float64 where the device has it."""
    if rule.activation == "none":
        return values
    wide = values if values.device.type == "mps" else values.double()
    return torch.sigmoid(wide) if rule.activation == "sigmoid" else torch.softmax(wide, dim=0)


def _channel_sums(values: torch.Tensor, rule: Rule) -> Facts:
    if rule.sum_tolerance is None:
        return Facts()
    sums = values.sum(dim=0)
    low, high = torch.aminmax(sums)
    off = int(((sums - 1).abs() > rule.sum_tolerance).sum())
    return Facts(sum_low=float(low), sum_high=float(high), sum_off=off)


def _decided(values: torch.Tensor, codes: torch.Tensor, rule: Rule) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Predicted pixels and true positives of each class."""
    decided = _decide(values, rule)
    predicted = torch.bincount(decided, minlength=rule.classes)
    hits = torch.bincount(codes[decided == codes], minlength=rule.classes)
    return tuple(predicted[: rule.classes].tolist()), tuple(hits[: rule.classes].tolist())


def _decide(values: torch.Tensor, rule: Rule) -> torch.Tensor:
    if rule.classes == 1:
        dtype = np.dtype(np.float64 if values.dtype == torch.float64 else np.float32)
        return (values[0] <= float(floor_to(dtype, rule.threshold))).long()
    # torch.argmax does not promise the first of equal maxima: take the least channel that reaches the maximum
    channels = torch.arange(rule.classes, device=values.device).unsqueeze(1)
    reached = values == values.amax(dim=0)
    return torch.where(reached, channels, rule.classes).amin(dim=0)


def _exact(values: torch.Tensor, codes: torch.Tensor, rule: Rule) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Σp and Σp·y of each class on the 2⁻⁶⁴ grid."""
    high, low = _words(values)
    places = torch.nonzero(codes < rule.classes).squeeze(1)
    inside = codes[places]
    flat = inside * values.shape[1] + places
    empty = torch.zeros(rule.classes, dtype=torch.int64, device=values.device)
    inner = [empty.index_add(0, inside, words.reshape(-1)[flat]) for words in (high, low)]
    return _join(high.sum(dim=1), low.sum(dim=1)), _join(*inner)


def _words(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scaled = values * float(WORD)
    high = torch.round(scaled)
    return high.long(), torch.round((scaled - high) * float(WORD)).long()


def _join(high: torch.Tensor, low: torch.Tensor) -> tuple[int, ...]:
    return tuple(h * WORD + m for h, m in zip(high.tolist(), low.tolist(), strict=True))
