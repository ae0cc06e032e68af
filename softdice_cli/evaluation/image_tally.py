"""The pixels of one image → its tally, tile by tile, by several processes if the image is large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.evaluation.outcomes import killed
from softdice_cli.evaluation.prepared_pair import Image, PreparedPair
from softdice_cli.execution import Grant, Task, executor_within
from softdice_cli.overlap import Decoding, Engine, Tally
from softdice_cli.overlap.codes import IGNORED, INSIDE, OUTSIDE
from softdice_cli.overlap.labels import tally_label_map
from softdice_cli.overlap.tiles import tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    View = tuple[Array, ...]

# Pixels of a tile of a label map.
_LABEL_MAP_TILE = 2**18

# Values of an image that are worth several processes.
_WORTH_PROCESSES = 2**23

# Shares of an image for each process, so that none is left with much work when the others are done.
_SHARES = 4


def tally_image(prepared: PreparedPair, image: Image, engine: Engine, grant: Grant) -> Tally:
    """The tally of an image.

    Args:
        prepared: the pair that the image belongs to.
        image: one of its images.
        engine: adds up the pixels of a tile.
        grant: how many processes may share the tiles of a large image.

    Raises:
        LabelError: a label map holds labels that are not classes.
        UnreadableError: a process that worked on a share of the image died, or the file has shrunk.
        Abandoned: the result is no longer wanted.
    """
    if prepared.settings.prediction == "labels":
        return _tally_label_map(prepared, image, engine, grant)
    views = _views(image, engine.tile_pixels(len(prepared.settings.classes)))
    if grant.workers < 2 or image.values.size < _WORTH_PROCESSES:
        return _tally_views(prepared, views, engine, grant)
    shares = _cut(list(views), grant.workers * _SHARES)
    total = Tally.zero(prepared.decoding)
    with executor_within(grant.workers).run(_TallyShare(prepared, engine), shares) as tallies:
        for tally in tallies:
            total += tally
    return total


def _cut(views: list[View], count: int) -> list[list[View]]:
    """About so many shares of the same length."""
    size = max(1, len(views) // count)
    return [views[start : start + size] for start in range(0, len(views), size)]


@dataclass(frozen=True)
class _TallyShare(Task["list[View]", Tally]):
    """Adds up some of the tiles of an image."""

    prepared: PreparedPair
    engine: Engine

    def __call__(self, item: list[View], grant: Grant) -> Tally:
        """The tally of these tiles together."""
        return _tally_views(self.prepared, item, self.engine, grant)

    def lost(self, item: list[View], ending: str) -> Tally:
        """Without this share the image has no tally, so its pair fails."""
        raise killed(self.prepared.pair, ending)


def _tally_views(prepared: PreparedPair, views: Iterable[View], engine: Engine, grant: Grant) -> Tally:
    total = Tally.zero(prepared.decoding)
    for view in views:
        grant.check()
        values, codes = _read_tile(prepared, view)
        total += engine.tally(values, codes, prepared.decoding)
    return total


def coded_tiles(prepared: PreparedPair, image: Image, pixels: int) -> Iterator[tuple[Array, Array]]:
    """Tiles of an image, ``(C, n)`` as stored, with the codes ``(n,)`` or ``(C, n)`` of their labels."""
    for view in _views(image, pixels):
        yield _read_tile(prepared, view)


def _views(image: Image, pixels: int) -> Iterator[View]:
    """Tiles of an image with the labels and the region of the same pixels, as views."""
    if image.inside is None:
        return tiles(image.values, [image.labels], pixels)
    return tiles(image.values, [image.labels, image.inside], pixels)


def _read_tile(prepared: PreparedPair, view: View) -> tuple[Array, Array]:
    """The values ``(C, n)`` and the codes ``(n,)`` or ``(C, n)`` behind the views of a tile."""
    values, labels, *inside = view
    loaded = prepared.prediction.load(values).reshape(len(values), -1)
    stored = prepared.truth.load(labels)
    # Independent channels have an axis of their own, in front of those of the tile.
    codes = prepared.codes(stored.reshape((len(stored), -1) if stored.ndim == values.ndim else -1))
    if inside:
        codes = _left_out(codes, ~inside[0].reshape(-1), prepared.decoding)
    return loaded, codes


def _left_out(codes: Array, outside: Array, decoding: Decoding) -> Array:
    """The codes, as those of ignored pixels outside the region of interest."""
    classes = 1 if decoding.independent else decoding.classes
    # What is outside is left out whatever its label.
    return np.where(outside, codes.dtype.type(classes + IGNORED), codes)


def _tally_label_map(prepared: PreparedPair, image: Image, engine: Engine, grant: Grant) -> Tally:
    decoding = prepared.decoding
    total = Tally.zero(decoding)
    strays = 0
    for labels, codes in coded_tiles(prepared, image, _LABEL_MAP_TILE):
        grant.check()
        predicted = prepared.predicted_codes(labels[0])
        if decoding.independent:
            tally, unknown = _tally_members(predicted, codes, decoding, engine)
        else:
            tally, unknown = tally_label_map(predicted, codes, decoding)
        total += tally
        strays += unknown
    # Unknown labels of the mask are refused first, with the row.
    if strays and not total.unknown:
        from softdice_cli.evaluation.label_refusals import labels_seen, refuse_labels

        seen = labels_seen(prepared.truth, prepared.prediction, prepared.settings, total)
        raise refuse_labels(prepared.prediction, seen, seen.predicted)
    return total


def _tally_members(predicted: Array, codes: Array, decoding: Decoding, engine: Engine) -> tuple[Tally, int]:
    """The tally of a label map whose labels can be of several classes, and how many of its pixels are in no class."""
    counted = codes[0] <= OUTSIDE
    strays = int(np.count_nonzero((predicted[0] > OUTSIDE) & counted))
    return engine.tally((predicted == INSIDE).view(np.uint8), codes, decoding), strays
