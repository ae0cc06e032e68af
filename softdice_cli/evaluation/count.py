"""Images → tallies → rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.prepare import Counted, Image, Prepared
from softdice_cli.overlap import Engine, Tally
from softdice_cli.overlap.labels import count_labels, tally_label_map
from softdice_cli.overlap.tiles import tiles
from softdice_cli.pairing import Pair
from softdice_cli.records import ImageRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Stop = Callable[[], bool]

_LABEL_MAP_TILE = 2**18

_WORTH_PROCESSES = 2**23
"""Values of an image that are worth several processes."""

_SHARES = 4
"""Shares of an image that each process gets, so that none is left with much when the others are done."""


Outcome = Counted | InputError


class Stopped(Exception):  # noqa: N818 - not an error: the run was told to end
    """The run was told to end while this pair was counted."""


def rows_of(prepared: Prepared, engine: Engine, stop: Stop, workers: int = 1) -> list[ImageRow]:
    """The rows of a pair, one an image.

    Args:
        prepared: the pair.
        engine: counts its tiles.
        stop: whether to give up.
        workers: how many processes may share the tiles of one large image.

    Raises:
        InputError: the values are no probabilities, or the labels no classes.
        Stopped: `stop` said so.
    """
    return [row(prepared, image, _tally(prepared, image, engine, stop, workers)) for image in prepared.images]


def _tally(prepared: Prepared, image: Image, engine: Engine, stop: Stop, workers: int) -> Tally:
    classes = len(prepared.settings.classes)
    if prepared.settings.prediction == "labels":
        return _tally_label_map(prepared, image, stop)

    def count(share: Iterable[tuple[Array, Array]]) -> Tally:
        total = Tally.zero(classes)
        for tile in share:
            if stop():
                raise Stopped
            total += engine.count(*read_tile(prepared, *tile), prepared.rule)
        return total

    cut = tiles(image.values, image.labels, engine.tile_pixels(classes))
    if workers < 2 or image.values.size < _WORTH_PROCESSES:
        return count(cut)
    from softdice_cli.evaluation.crew import Crew, can_fork

    if not can_fork():
        return count(cut)
    every = list(cut)
    size = max(1, len(every) // (workers * _SHARES))
    shares = [every[start : start + size] for start in range(0, len(every), size)]

    def died(_: object, ended: str) -> Tally:
        raise killed(prepared.pair, ended)

    with Crew(shares, count, died, workers=workers, chunk=1) as crew:
        return sum(crew, Tally.zero(classes))


def killed(pair: Pair, ended: str) -> UnreadableError:
    """The error for a pair whose process did not live to tell what it is."""
    return UnreadableError(
        "the process that evaluated it died",
        path=pair.pred,
        found=ended,
        hint="--workers 1, if memory is short; else one of its files is broken beyond what its library survives",
    )


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
