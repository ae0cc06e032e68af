"""What a batch for an accelerator is made of: tiles of images, and pairs that wait until all their tiles are added up.

The order of the pairs, and what happens when the device is short of memory, is up to
`execution.batching`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli.errors import InputError
from softdice_cli.evaluation.image_tally import coded_tiles
from softdice_cli.evaluation.outcomes import Outcome, out_of_device_memory, out_of_memory
from softdice_cli.evaluation.pair_tasks import PairTask
from softdice_cli.evaluation.prepared_pair import PreparedPair
from softdice_cli.evaluation.settling import settled_rows
from softdice_cli.execution import Grant
from softdice_cli.execution.batching import Batcher, Device, Job
from softdice_cli.execution.machine import cores
from softdice_cli.execution.threads import Threads
from softdice_cli.overlap import BatchEngine, Decoding, Tally
from softdice_cli.pairing import Pair

Array = NDArray[Any]

# Largest size in bytes of an image that is read as a whole before its turn.
_READ_AHEAD = 2**26


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of an image.

    Attributes:
        values: ``(C, n)`` as stored.
        codes: ``(n,)`` of its labels, or ``(C, n)`` of independent classes.
        decoding: what the values mean.
        image: which image of its pair it belongs to.
    """

    values: Array
    codes: Array
    decoding: Decoding
    image: int


@dataclass(frozen=True, slots=True)
class PairTiles:
    """A pair that was lined up, and the tiles of each of its images."""

    prepared: PreparedPair
    tiles: list[Iterable[tuple[Array, Array]]]

    @staticmethod
    def of(prepared: PreparedPair, engine: BatchEngine) -> PairTiles:
        """A pair with its tiles. They are read now, or if the image is large, when they are asked for."""
        pixels = engine.tile_pixels(len(prepared.settings.classes))
        of_images: list[Iterable[tuple[Array, Array]]] = []
        for image in prepared.images:
            tiles = coded_tiles(prepared, image, pixels)
            of_images.append(list(tiles) if image.values.nbytes <= _READ_AHEAD else tiles)
        return PairTiles(prepared, of_images)


@dataclass(frozen=True)
class ReadTiles(PairTask[PairTiles]):
    """Reads a pair and cuts it into tiles, for a device that adds up the pixels later.

    Attributes:
        engine: of the device.
    """

    engine: BatchEngine

    def use(self, prepared: PreparedPair, grant: Grant) -> PairTiles:
        """The tiles of each image."""
        return PairTiles.of(prepared, self.engine)


class TileDevice(Device[Tile, Tally]):
    """Adds up batches of tiles; see `execution.batching.Device`.

    Args:
        engine: of the device.
        batch_size: greatest number of tiles in a batch, or ``None`` for as many as the engine
            likes.
    """

    def __init__(self, engine: BatchEngine, batch_size: int | None) -> None:
        self._engine = engine
        self._batch_size = batch_size

    def fit_together(self, one: Tile, other: Tile) -> bool:
        """Whether two tiles have one shape, one type, and mean the same."""
        same_shape = one.values.shape == other.values.shape and one.values.dtype == other.values.dtype
        return same_shape and one.decoding == other.decoding

    def batch_size(self, part: Tile) -> int:
        """How many such tiles go into a batch."""
        return self._batch_size or self._engine.batch_size(*part.values.shape)

    def submit(self, parts: list[Tile]) -> Callable[[], list[Tally]]:
        """Start a batch; see `overlap.BatchEngine.submit`."""
        values = np.stack([part.values for part in parts])
        codes = np.stack([part.codes for part in parts])
        return self._engine.submit(values, codes, parts[0].decoding)


class PairJob(Job[Tile, Tally, Outcome]):
    """A pair whose tiles are being added up, or that failed before; see `execution.batching.Job`.

    Args:
        read: the pair with its tiles, or its error.
        engine: adds up an image again where that is needed.
    """

    def __init__(self, read: PairTiles | InputError, engine: BatchEngine) -> None:
        self._read = read
        self._engine = engine
        self._failure: InputError | None = None
        self._tallies: list[Tally] = []

    def parts(self) -> Iterator[Tile]:
        """The tiles of all images, until one of them cannot be read."""
        if isinstance(self._read, InputError):
            return
        prepared = self._read.prepared
        try:
            for index, tiles in enumerate(self._read.tiles):
                self._tallies.append(Tally.zero(prepared.decoding))
                for values, codes in tiles:
                    yield Tile(values, codes, prepared.decoding, index)
        except InputError as error:
            self._failure = error
        except MemoryError:
            self._failure = out_of_memory(prepared.pair)

    def take(self, part: Tile, answer: Tally) -> None:
        """Add the tally of a tile to that of its image."""
        self._tallies[part.image] += answer

    def refuse(self, part: Tile) -> None:
        """Fail, as the device has too little memory for this tile alone."""
        if self._failure is None and isinstance(self._read, PairTiles):
            self._failure = out_of_device_memory(self._read.prepared.pair)

    def result(self) -> Outcome:
        """The rows of the pair, or its error."""
        if isinstance(self._read, InputError):
            return self._read
        if self._failure is not None:
            return self._failure
        prepared = self._read.prepared
        try:
            settled, rows = settled_rows(prepared, self._tallies, self._engine, Grant())
            return settled.evaluated(rows)
        except InputError as error:
            return error
        except MemoryError:
            return out_of_device_memory(prepared.pair)


@contextmanager
def evaluate_on_device(
    task: ReadTiles, pairs: Sequence[Pair], workers: int | None, batch_size: int | None
) -> Iterator[Iterator[Outcome]]:
    """What becomes of each pair, in order; on leaving, whatever is not finished is ended.

    Args:
        task: reads a pair.
        pairs: what to evaluate.
        workers: how many threads read for the device, by default one for each core. They are
            threads even where processes could be forked, because tiles are too large to be sent
            from one process to another.
        batch_size: greatest number of tiles in a batch, or ``None`` for as many as the engine
            likes.
    """
    batcher: Batcher[Tile, Tally, Outcome] = Batcher(TileDevice(task.engine, batch_size))
    with Threads(workers or cores()).run(task, pairs) as read:
        yield batcher.run(PairJob(pair, task.engine) for pair in read)
