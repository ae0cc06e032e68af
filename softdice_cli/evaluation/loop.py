"""Pairs → rows → results: read, line up, count. The one loop; it prints nothing and judges nothing but its input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli import layout as layouts
from softdice_cli.errors import ConfigError, InputError, UnreadableError
from softdice_cli.evaluation.refusals import refuse_kind, refuse_labels, refuse_many, refuse_one_hot, refuse_values
from softdice_cli.overlap import Engine, Facts, Tally, rule_for, to_pixels
from softdice_cli.overlap.devices import engine_for
from softdice_cli.overlap.labels import LabelCodes, count_labels, tally_label_map
from softdice_cli.overlap.tiles import tiles
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.readers import Blob, ReadOptions, Source, read_array
from softdice_cli.readers.labels import as_labels
from softdice_cli.records import ClassSums, Failure, ImageRow, Results, Settings
from softdice_cli.scores import summarize

Path = str | PathLike[str]
Array = NDArray[Any]

_RELEASE_EVERY = 2**26
"""Bytes of a mapped file that are read before its memory is given back."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read; nothing here changes a score.

    Attributes:
        layout: letters of the axes, or ``""`` to find them from the shape of the mask.
        pred: which array of a prediction, and how large it may be.
        gt: the same of a truth.
        stdin: the bytes behind the path ``-``.
        notify: is told once what a person may want to know about the reading.
    """

    layout: str = ""
    pred: ReadOptions = field(default_factory=ReadOptions)
    gt: ReadOptions = field(default_factory=ReadOptions)
    stdin: bytes | None = None
    notify: Callable[[str], None] = lambda text: None


def evaluate(
    pairs: Iterable[Pair | tuple[Path, Path]],
    *,
    settings: Settings | None = None,
    device: str = "cpu",
    reading: Reading | None = None,
) -> Results:
    """Evaluate saved predictions against their masks.

    Args:
        pairs: `Pair` objects, or (prediction, truth) paths.
        settings: what the scores mean; the defaults take the classes from the first prediction.
        device: ``cpu``, ``auto``, ``cuda``, ``cuda:N`` or ``mps``.
        reading: how files are read.

    Returns:
        The results; pairs that could not be evaluated are in `Results.failures`.

    Raises:
        ConfigError: the settings, the layout or the device cannot be used.
    """
    reading = reading if reading is not None else Reading()
    current, engine = settings or Settings(), engine_for(device)
    rows: list[ImageRow] = []
    failures: list[Failure] = []
    known: set[str] = set()
    for pair in map(_as_pair, pairs):
        if pair.id in known:
            raise ConfigError(f"two pairs have the id {pair.id!r}", found=pair.pred, hint="Pair(id, pred, gt)")
        known.add(pair.id)
        try:
            found, current = _evaluate_pair(pair, current, engine, reading)
            rows += found
        except InputError as error:
            failures.append(Failure(pair.id, error.headline, error.expected, error.found, error.hint))
    return summarize(current, rows, failures)


def _as_pair(pair: Pair | tuple[Path, Path]) -> Pair:
    return pair if isinstance(pair, Pair) else Pair.of_files(fspath(pair[0]), fspath(pair[1]))


def _evaluate_pair(pair: Pair, settings: Settings, engine: Engine, reading: Reading) -> tuple[list[ImageRow], Settings]:
    """The rows of a pair, one an image, and the settings with their classes."""
    prediction = _read(pair.pred, reading, reading.pred)
    truth = as_labels(_read(pair.gt, reading, reading.gt), colors=settings.colors)
    labels = settings.prediction == "labels"
    if labels:
        prediction = as_labels(prediction, colors=settings.colors)
    elif wrong_kind := refuse_kind(prediction, settings):
        raise wrong_kind
    fit = layouts.resolve(
        prediction.array.shape, truth.array.shape, layout=reading.layout, labels=labels, path=prediction.name
    )
    if not reading.layout and "C" not in fit.letters and not labels and (one_hot := refuse_one_hot(truth)):
        raise one_hot
    if "HW" in fit.letters and fit.letters.endswith("C"):
        reading.notify(f"{prediction.name}: {prediction.array.shape} is read as {fit.letters.replace('1', '')}")
    if not labels or not settings.classes:
        settings = settings.resolve(fit.channels, path=prediction.name)
    rows = []
    for name, values, mask in _images(pair.id, fit, prediction.array, truth.array):
        codes = _codes(truth, mask, settings)
        if labels:
            tally = _count_label_map(prediction, values[0], truth, mask, codes, settings)
        else:
            tally = _count(prediction, values, truth, mask, codes, settings, engine)
        rows.append(_row(name, pair, tally))
    return rows, settings


def _read(path: str, reading: Reading, options: ReadOptions) -> Source:
    if path != STDIN:
        return read_array(Blob(path), options)
    if reading.stdin is None:
        raise ConfigError("nothing was passed for the path '-'", hint="Reading(stdin=…)")
    return read_array(Blob(STDIN, reading.stdin), options)


def _images(name: str, fit: layouts.Layout, values: Array, labels: Array) -> Iterator[tuple[str, Array, Array]]:
    """Each image of a file: its id, its values ``(C, *S)`` and its labels ``(*S)``."""
    dropped = tuple(axis for axis, letter in enumerate(fit.letters) if letter == "1")
    kept = [axis - sum(d < axis for d in dropped) for axis in fit.order]
    values = np.squeeze(values, dropped).transpose(kept)
    if "C" not in fit.letters:
        values = values[:, None] if fit.images else values[None]
    if fit.images is None:
        yield name, values, labels.reshape(fit.mask)
        return
    labels = labels.reshape(fit.images, *fit.mask)
    digits = len(str(fit.images - 1))
    for index in range(fit.images):
        yield (f"{name}[{index:0{digits}}]" if fit.images > 1 else name), values[index], labels[index]


def _codes(source: Source, labels: Array, settings: Settings) -> LabelCodes:
    """The translation of a mask's labels; for one class without a value, its one non-zero label is found first."""
    value = None
    if settings.classes[0].value is None:
        counts = count_labels(labels)
        source.release()
        others = [label for label in counts if label not in (0, *settings.ignore)]
        if len(others) > 1:
            raise refuse_many(source, settings, counts)
        value = others[0] if others else None
    return LabelCodes(settings, value)


def _count(
    prediction: Source, values: Array, truth: Source, mask: Array, codes: LabelCodes, settings: Settings, engine: Engine
) -> Tally:
    """The tally of one image of probabilities."""
    rule = rule_for(settings, prediction.epsilon if settings.scale is None else 1 / settings.scale)
    total, unreleased = Tally.zero(rule.classes), 0
    for tile, labels in tiles(values, mask, engine.tile_pixels(rule.classes)):
        total += engine.count(tile, codes(labels), rule)
        unreleased += tile.nbytes + labels.nbytes
        if unreleased > _RELEASE_EVERY:
            prediction.release()
            truth.release()
            unreleased = 0
    prediction.release()
    if total.unknown:
        raise refuse_labels(truth, settings, count_labels(mask))
    if error := refuse_values(total.facts, rule, prediction):
        raise error
    return _counted(total, truth)


def _count_label_map(
    prediction: Source, values: Array, truth: Source, mask: Array, codes: LabelCodes, settings: Settings
) -> Tally:
    """The tally of one label map."""
    classes = len(settings.classes)
    predicted_codes = _codes(prediction, values, settings)
    total, strays = Tally.zero(classes), 0
    for tile, labels in tiles(values[None], mask, 2**18):
        tally, unknown = tally_label_map(predicted_codes(tile[0]), codes(labels), classes)
        total, strays = total + tally, strays + unknown
    prediction.release()
    if total.unknown:
        raise refuse_labels(truth, settings, count_labels(mask))
    if strays:
        raise refuse_labels(prediction, settings, count_labels(values))
    return _counted(total, truth)


def _counted(total: Tally, truth: Source) -> Tally:
    if not total.pixels:
        raise UnreadableError(
            "has no pixel left to count: all are ignored",
            path=truth.name,
            found=f"{total.ignored} ignored pixels",
            hint="leave out --ignore",
        )
    return replace(total, facts=Facts())


def _row(name: str, pair: Pair, tally: Tally) -> ImageRow:
    columns = zip(
        map(to_pixels, tally.probability),
        map(to_pixels, tally.intersection),
        tally.truth,
        tally.predicted,
        tally.true_positives,
        strict=True,
    )
    sums = tuple(ClassSums(*column) for column in columns)
    return ImageRow(id=name, pred=pair.pred, gt=pair.gt, pixels=tally.pixels, ignored=tally.ignored, sums=sums)
