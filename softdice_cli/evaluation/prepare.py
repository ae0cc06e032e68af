"""One pair of files → images lined up with their labels, ready to be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import softdice_cli.layout as layouts
from softdice_cli.errors import ConfigError
from softdice_cli.overlap import Rule, rule_for
from softdice_cli.overlap.labels import LabelCodes, count_labels
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.readers import Blob, ReadOptions, Source, read_array
from softdice_cli.readers.labels import as_labels
from softdice_cli.records import MAX_LABEL, ImageRow, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from softdice_cli.journal import Stamp

    Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read; nothing here changes a score.

    Attributes:
        layout: letters of the axes, or ``""`` to find them from the shape of the mask.
        pred: which array of a prediction, and how large it may be.
        gt: the same of a truth.
        stdin: the bytes behind the path ``-``.
        notify: is told what a person may want to know about the reading.
    """

    layout: str = ""
    pred: ReadOptions = field(default_factory=ReadOptions)
    gt: ReadOptions = field(default_factory=ReadOptions)
    stdin: bytes | None = None
    notify: Callable[[str], None] = lambda text: None


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a pair: values ``(C, *S)``, or ``(1, *S)`` for a label map, and labels ``(*S)``."""

    id: str
    values: Array
    labels: Array


@dataclass(frozen=True, slots=True)
class Counted:
    """A pair that was evaluated.

    Attributes:
        classes: how many its prediction has.
        rows: one an image.
        stamps: of its two files before they were read, where a journal wants them.
        note: what a person may want to know about the reading.
    """

    classes: int
    rows: list[ImageRow]
    stamps: tuple[Stamp, Stamp] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pair that was read and lined up.

    Attributes:
        pair: the files.
        settings: with the classes resolved.
        prediction: the prediction as read.
        truth: the labels as read.
        images: what the files hold.
        codes: the translation of the truth's labels.
        predicted_codes: that of a label map; the same as `codes` for probabilities.
        rule: what to do with the values of the prediction.
        stamps: of the two files before they were read, where a journal wants them.
        note: what a person may want to know about the reading.
    """

    pair: Pair
    settings: Settings
    prediction: Source
    truth: Source
    images: tuple[Image, ...]
    codes: LabelCodes
    predicted_codes: LabelCodes
    rule: Rule
    stamps: tuple[Stamp, Stamp] | None
    note: str

    def counted(self, rows: list[ImageRow]) -> Counted:
        """What the pair is once its rows are known."""
        return Counted(len(self.settings.classes), rows, self.stamps, self.note)


def prepare(pair: Pair, settings: Settings, reading: Reading, stamps: tuple[Stamp, Stamp] | None = None) -> Prepared:
    """Read a pair and line it up.

    Args:
        pair: the files.
        settings: as asked for; classes that they leave open come from this prediction alone.
        reading: how to read.
        stamps: of the two files, from before.

    Raises:
        InputError: whatever is wrong with the files.
    """
    prediction = _read(pair.pred, reading, reading.pred)
    truth = as_labels(_read(pair.gt, reading, reading.gt), colors=settings.colors, options=reading.gt)
    return line_up(pair, prediction, truth, settings, reading, stamps)


def line_up(
    pair: Pair,
    prediction: Source,
    truth: Source,
    settings: Settings,
    reading: Reading,
    stamps: tuple[Stamp, Stamp] | None = None,
) -> Prepared:
    """Find out how a prediction and its labels belong together.

    Args:
        pair: for the names of the images.
        prediction: as read.
        truth: as labels.
        settings: as asked for.
        reading: for the layout.
        stamps: of the two files, from before they were read.

    Raises:
        InputError: they do not belong together.
    """
    labels = settings.prediction == "labels"
    if labels:
        prediction = as_labels(prediction, colors=settings.colors, role="prediction", options=reading.pred)
    elif prediction.array.dtype.kind in "iub" or settings.scale is not None:
        _check_kind(prediction, settings)
    fit = _fit(prediction, truth, reading, labels=labels)
    if not labels or not settings.classes:
        settings = settings.resolve(fit.channels, path=prediction.name)
    axes = fit.letters.replace("1", "")
    images = tuple(_images(pair.id, fit, prediction.array, truth.array))
    codes = _label_codes(truth, settings)
    return Prepared(
        pair=pair,
        settings=settings,
        prediction=prediction,
        truth=truth,
        images=images,
        codes=codes,
        predicted_codes=_label_codes(prediction, settings) if labels else codes,
        rule=rule_for(settings, prediction.epsilon if settings.scale is None else 1 / settings.scale),
        stamps=stamps,
        note=f"{prediction.name}: {prediction.array.shape} is read as {axes}" if axes.endswith("C") else "",
    )


def _check_kind(prediction: Source, settings: Settings) -> None:
    from softdice_cli.evaluation.refusals import refuse_kind  # here and below, as most files need no refusal

    if error := refuse_kind(prediction, settings):
        raise error


def _check_one_hot(truth: Source) -> None:
    from softdice_cli.evaluation.refusals import refuse_one_hot

    if error := refuse_one_hot(truth):
        raise error


def _fit(prediction: Source, truth: Source, reading: Reading, *, labels: bool) -> layouts.Layout:
    """Which axis of the prediction is which."""
    shapes = prediction.array.shape, truth.array.shape
    fit = layouts.resolve(*shapes, layout=reading.layout, labels=labels, path=prediction.name, mask_path=truth.name)
    if not reading.layout and "C" not in fit.letters and not labels:
        _check_one_hot(truth)
    return fit


def _read(path: str, reading: Reading, options: ReadOptions) -> Source:
    if path != STDIN:
        return read_array(Blob(path), options)
    if reading.stdin is None:
        raise ConfigError("nothing was passed for the path '-'", hint="Reading(stdin=…)")
    return read_array(Blob("standard input", reading.stdin), options)


def _images(name: str, fit: layouts.Layout, values: Array, labels: Array) -> Iterator[Image]:
    dropped = tuple(axis for axis, letter in enumerate(fit.letters) if letter == "1")
    kept = [axis - sum(d < axis for d in dropped) for axis in fit.order]
    values = np.squeeze(values, dropped).transpose(kept)
    if "C" not in fit.letters:
        values = values[None] if fit.images is None else values[:, None]
    if fit.images is None:
        yield Image(name, values, labels.reshape(fit.mask))
        return
    labels = labels.reshape(fit.images, *fit.mask)
    digits = len(str(fit.images - 1))
    for index in range(fit.images):
        yield Image(f"{name}[{index:0{digits}}]" if fit.images > 1 else name, values[index], labels[index])


def _label_codes(source: Source, settings: Settings) -> LabelCodes:
    """The translation of a file's labels; for a class without a value, its one non-zero label is found first.

    Raises:
        LabelError: a class without a value, and several labels that it could have.
    """
    if settings.classes[0].value is not None:
        return LabelCodes.of(settings, None)
    counts = count_labels(source.chunks())
    others = [label for label in counts if label not in (0, *settings.ignore)]
    if len(others) > 1 or max(map(abs, others), default=0) > MAX_LABEL:
        from softdice_cli.evaluation.refusals import refuse_many

        raise refuse_many(source, settings, counts)
    return LabelCodes.of(settings, others[0] if others else None)
