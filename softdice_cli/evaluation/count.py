"""Images → tallies → rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.prepare import Counted, Image, Prepared
from softdice_cli.overlap import Engine, Tally
from softdice_cli.overlap.labels import count_labels, tally_label_map
from softdice_cli.overlap.tiles import tiles
from softdice_cli.records import ImageRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Stop = Callable[[], bool]

_LABEL_MAP_TILE = 2**18

_WORTH_THREADS = 2**22
"""Values of an image whose tiles are worth a thread each."""


Outcome = Counted | InputError


class Stopped(Exception):  # noqa: N818 - not an error: the run was told to end
    """The run was told to end while this pair was counted."""


def rows_of(prepared: Prepared, engine: Engine, stop: Stop, threads: int = 1) -> list[ImageRow]:
    """The rows of a pair, one an image.

    Args:
        prepared: the pair.
        engine: counts its tiles.
        stop: whether to give up.
        threads: how many may count the tiles of one large image.

    Raises:
        InputError: the values are no probabilities, or the labels no classes.
        Stopped: `stop` said so.
    """
    return [row(prepared, image, _tally(prepared, image, engine, stop, threads)) for image in prepared.images]


def _tally(prepared: Prepared, image: Image, engine: Engine, stop: Stop, threads: int) -> Tally:
    classes = len(prepared.settings.classes)
    if prepared.settings.prediction == "labels":
        return _tally_label_map(prepared, image, stop)
    rule = prepared.rule

    def count(tile: tuple[Array, Array]) -> Tally:
        if stop():
            raise Stopped
        return engine.count(*read_tile(prepared, *tile), rule)

    cut = tiles(image.values, image.labels, engine.tile_pixels(classes))
    if threads < 2 or image.values.size < _WORTH_THREADS:
        return sum(map(count, cut), Tally.zero(classes))
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, thread_name_prefix="softdice-tiles")
    try:
        return sum(pool.map(count, cut), Tally.zero(classes))
    finally:
        pool.shutdown(cancel_futures=True)


def coded_tiles(prepared: Prepared, image: Image, pixels: int) -> Iterator[tuple[Array, Array]]:
    """Tiles of an image, ``(C, n)`` as stored, with the codes ``(n,)`` of their labels."""
    for values, labels in tiles(image.values, image.labels, pixels):
        yield read_tile(prepared, values, labels)


def read_tile(prepared: Prepared, values: Array, labels: Array) -> tuple[Array, Array]:
    """The values ``(C, n)`` and the codes ``(n,)`` behind the views of a tile."""
    values = prepared.prediction.load(values).reshape(len(values), -1)
    return values, prepared.codes(prepared.truth.load(labels).reshape(-1))


def _tally_label_map(prepared: Prepared, image: Image, stop: Stop) -> Tally:
    classes = len(prepared.settings.classes)
    total, strays = Tally.zero(classes), 0
    for predicted, codes in coded_tiles(prepared, image, _LABEL_MAP_TILE):
        if stop():
            raise Stopped
        tally, unknown = tally_label_map(prepared.predicted_codes(predicted[0]), codes, classes)
        total, strays = total + tally, strays + unknown
    if strays and not total.unknown:
        from softdice_cli.evaluation.refusals import refuse_labels

        raise refuse_labels(prepared.prediction, prepared.settings, count_labels(prepared.prediction.chunks()))
    return total


def row(prepared: Prepared, image: Image, tally: Tally) -> ImageRow:
    """The row of an image that was counted.

    Raises:
        InputError: what was counted cannot be scored.
    """
    if tally.unknown or not tally.facts.acceptable(prepared.rule) or tally.facts.already(prepared.rule):
        raise _refusal(prepared, tally)
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


def _refusal(prepared: Prepared, tally: Tally) -> InputError:
    """Why what was counted cannot be scored; the sentences are imported where they are needed."""
    from softdice_cli.evaluation.refusals import refuse_labels, refuse_values

    if tally.unknown:
        return refuse_labels(prepared.truth, prepared.settings, count_labels(prepared.truth.chunks()))
    return refuse_values(tally.facts, prepared.rule, prepared.prediction)
