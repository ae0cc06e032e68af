"""What the scripts share: their arguments, how they read a pair, and how they say what they found."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EPS = 1e-5
STARTED = "BENCHMARK_STARTED"
"""Environment variable with the monotonic clock, in seconds, at which the process was asked for."""


class Task:
    """A folder with ``preds`` and ``masks``, from the command line; made when the imports are done.

    Attributes:
        device: for the libraries that know devices.
    """

    def __init__(self) -> None:
        self._imports = time.monotonic() - float(os.environ.get(STARTED, "nan"))
        parser = argparse.ArgumentParser()
        parser.add_argument("folder", type=Path)
        parser.add_argument("--first", type=int, help="so many pairs only")
        parser.add_argument("--device", default="cpu")
        given = parser.parse_args()
        self._folder: Path = given.folder
        self._first: int | None = given.first
        self.device: str = given.device
        self._pairs = 0

    def pairs(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Each map ``(C, *S)`` and mask ``(*S)``."""
        preds, masks = (sorted((self._folder / side).iterdir()) for side in ("preds", "masks"))
        for pred, mask in islice(zip(preds, masks, strict=True), self._first):
            self._pairs += 1
            yield np.load(pred), labels_of(mask)

    def report(self, numbers: Mapping[str, Sequence[float]]) -> None:
        """Print the numbers, one a class; their names are those of softdice's results."""
        print(json.dumps({"pairs": self._pairs, "imports_s": self._imports, "numbers": dict(numbers)}))


def labels_of(path: Path) -> NDArray[Any]:
    """A mask as it is stored."""
    if path.suffix == ".npy":
        labels: NDArray[Any] = np.load(path)
        return labels
    with Image.open(path) as image:
        return np.array(image)
