"""Images → tallies → rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.prepare import Image, Prepared
from softdice_cli.evaluation.refusals import refuse_labels, refuse_values
from softdice_cli.journal import Stamp
from softdice_cli.overlap import Engine, Tally
from softdice_cli.overlap.labels import count_labels, tally_label_map
from softdice_cli.overlap.tiles import tiles
from softdice_cli.records import ImageRow

Array = NDArray[Any]
Stop = Callable[[], bool]

_RELEASE_EVERY = 2**26
"""Bytes of a mapped file that are read before its memory is given back."""

_LABEL_MAP_TILE = 2**18


@dataclass(frozen=True, slots=True)
class Counted:
    """A pair that was evaluated.

    Attributes:
        classes: how many its prediction has.
        rows: one an image.
        stamps: of its two files before they were read, where a journal wants them.
    """

    classes: int
    rows: list[ImageRow]
    stamps: tuple[Stamp, Stamp] | None


Outcome = Counted | InputError


class Stopped(Exception):  # noqa: N818 - not an error: the run was told to end
    """The run was told to end while this pair was counted."""


def rows_of(prepared: Prepared, engine: Engine, stop: Stop) -> list[ImageRow]:
    """The rows of a pair, one an image.

    Raises:
        InputError: the values are no probabilities, or the labels no classes.
        Stopped: `stop` said so.
    """
    return [row(prepared, image, _tally(prepared, image, engine, stop)) for image in prepared.images]


def _tally(prepared: Prepared, image: Image, engine: Engine, stop: Stop) -> Tally:
    classes = len(prepared.settings.classes)
    total = Tally.zero(classes)
    if prepared.settings.prediction == "labels":
        return _tally_label_map(prepared, image, stop)
    rule = prepared.rule
    for values, codes in coded_tiles(prepared, image, engine.tile_pixels(classes)):
        if stop():
            raise Stopped
        total += engine.count(values, codes, rule)
    return total


def coded_tiles(prepared: Prepared, image: Image, pixels: int) -> Iterator[tuple[Array, Array]]:
    """Tiles of an image, ``(C, n)`` as stored, with the codes ``(n,)`` of their labels."""
    unreleased = 0
    for values, labels in tiles(image.values, image.labels, pixels, prepared.check):
        yield values, prepared.codes(labels)
        unreleased += values.nbytes + labels.nbytes
        if unreleased > _RELEASE_EVERY:
            prepared.release()
            unreleased = 0


def _tally_label_map(prepared: Prepared, image: Image, stop: Stop) -> Tally:
    classes = len(prepared.settings.classes)
    total, strays = Tally.zero(classes), 0
    for predicted, codes in coded_tiles(prepared, image, _LABEL_MAP_TILE):
        if stop():
            raise Stopped
        tally, unknown = tally_label_map(prepared.predicted_codes(predicted[0]), codes, classes)
        total, strays = total + tally, strays + unknown
    if strays and not total.unknown:
        raise refuse_labels(prepared.prediction, prepared.settings, count_labels(prepared.prediction.chunks()))
    return total


def row(prepared: Prepared, image: Image, tally: Tally) -> ImageRow:
    """The row of an image that was counted.

    Raises:
        InputError: what was counted cannot be scored.
    """
    prepared.release()
    if tally.unknown:
        raise refuse_labels(prepared.truth, prepared.settings, count_labels(prepared.truth.chunks()))
    if error := refuse_values(tally.facts, prepared.rule, prepared.prediction):
        raise error
    if not tally.pixels:
        raise UnreadableError(
            "has no pixel left to count: all are ignored",
            path=prepared.truth.name,
            found=f"{tally.ignored} ignored pixels",
            hint="leave the pair out, or leave out --ignore",
        )
    return ImageRow(
        id=image.id,
        pred=prepared.pair.pred,
        gt=prepared.pair.gt,
        pixels=tally.pixels,
        ignored=tally.ignored,
        sums=tally.class_sums(),
    )
