"""Counting on an accelerator: workers read ahead, images of one shape are counted together, and nobody waits.

A batch is handed to the device before the result of the one before it is asked for, so reading, copying and counting
overlap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.count import Outcome, coded_tiles, row
from softdice_cli.evaluation.prepare import Image, Prepared
from softdice_cli.overlap import BatchEngine, Rule, Tally

Array = NDArray[Any]

_READ_AHEAD = 2**26
"""Bytes of an image that is read as a whole before its turn."""


@dataclass
class _Part:
    """One tile of an image that waits for its batch."""

    values: Array
    codes: Array
    rule: Rule
    owner: _Open

    def fits(self, other: _Part) -> bool:
        """Whether two tiles can be counted in one batch."""
        same = self.values.shape == other.values.shape and self.values.dtype == other.values.dtype
        return same and self.rule == other.rule


@dataclass
class _Open:
    """An image of which some tiles are not counted yet, or that the device has no memory for."""

    image: Image
    tally: Tally
    waiting: int = 0
    too_large: bool = False


@dataclass(frozen=True)
class Ready:
    """A pair that was lined up, and the tiles of each image: read already, but for images that are large."""

    prepared: Prepared
    tiles: list[Iterable[tuple[Array, Array]]]

    @staticmethod
    def of(prepared: Prepared, engine: BatchEngine) -> Ready:
        """A pair with its tiles; in any thread."""
        pixels = engine.tile_pixels(len(prepared.settings.classes))
        cut = [coded_tiles(prepared, image, pixels) for image in prepared.images]
        small = [image.values.nbytes <= _READ_AHEAD for image in prepared.images]
        return Ready(prepared, [list(tiles) if s else tiles for tiles, s in zip(cut, small, strict=True)])


@dataclass
class _Job:
    """A pair whose images are being counted, or that failed before."""

    prepared: Prepared | InputError
    images: list[_Open] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return all(not image.waiting for image in self.images)

    def outcome(self) -> Outcome:
        """The rows of the pair, or its error."""
        if isinstance(self.prepared, InputError):
            return self.prepared
        if any(image.too_large for image in self.images):
            problem, hint = "the device has too little memory for one tile of it", "--device cpu"
            return UnreadableError(problem, path=self.prepared.pair.pred, hint=hint)
        try:
            rows = [row(self.prepared, open_.image, open_.tally) for open_ in self.images]
        except InputError as error:
            return error
        return self.prepared.counted(rows)


class Batcher:
    """Feeds an engine with batches, and hands out pairs in the order in which they came.

    Args:
        engine: counts batches.
        batch_size: greatest number of images in a batch, or ``None`` for as many as the engine likes.
    """

    def __init__(self, engine: BatchEngine, batch_size: int | None) -> None:
        self._engine = engine
        self._batch_size = batch_size
        self._batch: list[_Part] = []
        self._pending: deque[tuple[list[_Part], Callable[[], list[Tally]]]] = deque()

    def run(self, pairs: Iterable[Ready | InputError]) -> Iterator[Outcome]:
        """The outcome of each pair, in order."""
        jobs: deque[_Job] = deque()
        for entry in pairs:
            jobs.append(self._job(entry))
            while jobs and jobs[0].done:
                yield jobs.popleft().outcome()
        self._flush()
        while self._pending:
            self._collect()
        yield from (job.outcome() for job in jobs)

    def _job(self, entry: Ready | InputError) -> _Job:
        if isinstance(entry, InputError):
            return _Job(entry)
        prepared, job = entry.prepared, _Job(entry.prepared)
        try:
            for image, tiles in zip(prepared.images, entry.tiles, strict=True):
                open_ = _Open(image, Tally.zero(len(prepared.settings.classes)))
                job.images.append(open_)
                for values, codes in tiles:
                    open_.waiting += 1
                    self._add(_Part(values, codes, prepared.rule, open_))
        except InputError as error:
            return _Job(error)
        return job

    def _add(self, part: _Part) -> None:
        if self._batch and not self._batch[0].fits(part):
            self._flush()
        self._batch.append(part)
        if len(self._batch) >= self._size(part):
            self._flush()

    def _size(self, part: _Part) -> int:
        return self._batch_size or self._engine.batch_size(*part.values.shape)

    def _flush(self) -> None:
        """Hand the batch to the device, and collect the one before the last."""
        if not self._batch:
            return
        parts, self._batch = self._batch, []
        self._submit(parts)
        while len(self._pending) > 1:
            self._collect()

    def _submit(self, parts: list[_Part]) -> None:
        """Hand a batch to the device; where its memory is too small, half by half."""
        values, codes = np.stack([p.values for p in parts]), np.stack([p.codes for p in parts])
        try:
            self._pending.append((parts, self._engine.submit(values, codes, parts[0].rule)))
        except MemoryError:
            del values, codes
            while self._pending:  # what is done frees its memory
                self._collect()
            if len(parts) == 1:
                parts[0].owner.too_large = True
                parts[0].owner.waiting -= 1
                return
            middle = len(parts) // 2
            self._batch_size = middle
            for half in (parts[:middle], parts[middle:]):
                self._submit(half)

    def _collect(self) -> None:
        parts, result = self._pending.popleft()
        for part, tally in zip(parts, result(), strict=True):
            part.owner.tally += tally
            part.owner.waiting -= 1
