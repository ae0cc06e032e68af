"""The data sets that are measured, and how a flag makes them larger or smaller."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod


@dataclass(frozen=True)
class Workload:
    """Pairs of one kind.

    Attributes:
        name: on the command line.
        classes: channels of each map.
        shape: of one image, *S.
        pairs: how many maps and masks.
        dtype: of the maps.
        mask: suffix of the masks; ``tif`` is compressed with LZW.
    """

    name: str
    classes: int
    shape: tuple[int, ...]
    pairs: int
    dtype: str = "float32"
    mask: str = "png"

    @property
    def title(self) -> str:
        """What a reader of the table must know of it."""
        each = "×".join(map(str, (self.classes, *self.shape)))
        masks = {"png": "PNG", "tif": "LZW TIFF", "npy": ".npy"}[self.mask]
        return f"{self.name}: {self.pairs} × {each} {self.dtype}, {masks} masks"

    @property
    def values(self) -> int:
        """Probabilities in all maps."""
        return self.pairs * self.classes * prod(self.shape)

    def scaled(self, scale: float) -> Workload:
        """So many times the pairs; of a single volume, so many times the slices; a single image stays."""
        if self.pairs > 1:
            return replace(self, pairs=max(2, round(self.pairs * scale)))
        if len(self.shape) > 2:
            return replace(self, shape=(max(2, round(self.shape[0] * scale)), *self.shape[1:]))
        return self

    def tiny(self) -> Workload:
        """One pair of the same kind, so small that what it costs is start-up."""
        return replace(self, name=f"{self.name}-tiny", classes=3, shape=(8,) * len(self.shape), pairs=1)


LATENCY = Workload("latency", 3, (224, 224), 1)
STREET = Workload("street", 11, (360, 480), 200)
CITY = Workload("city", 19, (1024, 2048), 10)
PATCHES = Workload("patches", 2, (128, 128), 2000)

WORKLOADS = {
    workload.name: workload
    for workload in (
        LATENCY,
        STREET,
        CITY,
        Workload("volume", 4, (256, 512, 512), 1, mask="npy"),
        PATCHES,
        Workload("float16", 11, (360, 480), 100, dtype="float16"),
        Workload("float64", 11, (360, 480), 100, dtype="float64"),
        Workload("lzw", 11, (360, 480), 100, mask="tif"),
    )
}

_BASE = Workload("base", 4, (512, 512), 30)
_MORE = 10


def growth(scale: float) -> tuple[Workload, tuple[Workload, ...]]:
    """A data set, and others with ten times its pixels, its pairs and its classes."""
    base = _BASE.scaled(scale)
    height, width = base.shape
    return base, (
        replace(base, name="pixels", shape=(height, _MORE * width)),
        replace(base, name="pairs", pairs=_MORE * base.pairs),
        replace(base, name="classes", classes=_MORE * base.classes),
    )
