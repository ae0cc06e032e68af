"""Makes the maps and masks: smooth probabilities as a network gives them, blobs as people draw them.

The logits of a map are a coarse random field, interpolated; the softmax is peaked, with the long tail of tiny
probabilities that real maps have. The mask is what the map decides, shifted by a few pixels. Every class is in every
mask, so that the libraries' conventions for absent classes, which differ, play no part.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.workloads import Workload

_KNOT_EVERY = 32  # pixels: the size of a blob
_PEAK = 4.0  # standard deviation of the logits
_SHIFT = 3  # pixels, along every axis
_MARK = "made.json"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """A made data set.

    Attributes:
        workload: what it was made from.
        folder: holds ``preds`` and ``masks``.
    """

    workload: Workload
    folder: Path

    def bytes(self, first: int | None = None) -> int:
        """Size of the files of the first pairs, or of all."""
        sides = (sorted((self.folder / side).iterdir())[:first] for side in ("preds", "masks"))
        return sum(path.stat().st_size for side in sides for path in side)


def make(workload: Workload, parent: Path) -> Data:
    """The data set below a folder, which is used as it is where it is there already."""
    folder = parent / workload.name
    data, mark = Data(workload, folder), folder / _MARK
    wanted = json.loads(json.dumps(asdict(workload)))
    if not mark.exists() or json.loads(mark.read_text()) != wanted:
        mark.unlink(missing_ok=True)
        _write(workload, folder)
        mark.write_text(json.dumps(wanted))
        os.sync()  # or the disk would still be busy with them while others are timed
    _read_once(folder)
    return data


def _write(workload: Workload, folder: Path) -> None:
    for side in ("preds", "masks"):
        (folder / side).mkdir(parents=True, exist_ok=True)
        for old in (folder / side).iterdir():  # of another size
            old.unlink()
    for index in range(workload.pairs):
        probabilities, labels = pair(workload, index)
        np.save(folder / "preds" / f"{index:05}.npy", probabilities)
        _save_mask(folder / "masks" / f"{index:05}.{workload.mask}", labels)


def _save_mask(path: Path, labels: NDArray[np.uint8]) -> None:
    if path.suffix == ".npy":
        np.save(path, labels)
    elif path.suffix == ".tif":
        Image.fromarray(labels).save(path, compression="tiff_lzw")
    else:
        Image.fromarray(labels).save(path)


def _read_once(folder: Path) -> None:
    """Brings the files into the page cache."""
    for path in folder.rglob("*.*"):
        with path.open("rb") as file:
            while file.read(2**24):
                pass


def pair(workload: Workload, index: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """The map ``(C, *S)`` and the mask ``(*S)`` of this number; the same on every call."""
    rng = np.random.default_rng([index, workload.classes, *workload.shape])
    logits = np.stack([_field(rng, workload.shape) for _ in range(workload.classes)])
    best = logits.max(axis=0)
    labels = np.zeros(workload.shape, np.uint8)
    for channel in range(1, workload.classes):
        labels[logits[channel] == best] = channel
    logits -= best
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    axes = tuple(range(labels.ndim))
    labels = np.roll(labels, [min(_SHIFT, n // 4) for n in labels.shape], axes)
    return logits.astype(workload.dtype, copy=False), _with_every_class(labels, workload.classes)


def _field(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """A smooth random field."""
    knots = [n // _KNOT_EVERY + 2 for n in shape]
    field = (_PEAK * rng.standard_normal(knots)).astype(np.float32)
    for axis, length in enumerate(shape):
        field = np.moveaxis(np.tensordot(_between(length, knots[axis]), field, (1, axis)), 0, axis)
    return np.ascontiguousarray(field)


def _between(length: int, knots: int) -> Floats:
    """The matrix ``(length, knots)`` that interpolates linearly between knots."""
    places = np.linspace(0, knots - 1, length)
    weights = 1 - np.abs(places[:, None] - np.arange(knots))
    return weights.clip(0).astype(np.float32)


def _with_every_class(labels: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """The mask, with a few pixels of each class that it lacks."""
    flat = labels.reshape(-1)
    few = max(1, flat.size // (100 * classes))
    for absent in np.flatnonzero(np.bincount(flat, minlength=classes) == 0):
        start = int(absent) * flat.size // classes
        flat[start : start + few] = absent
    return labels
