"""One pair of files → images lined up with their labels, ready to be added up.

Axes follow from the shape of the mask, values are never changed, and no value is looked at unless a
label or a kind has to be found out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import softdice_cli.layout as layouts
from softdice_cli.errors import ConfigError
from softdice_cli.evaluation.outcomes import Evaluated
from softdice_cli.evaluation.reading import Reading
from softdice_cli.overlap import Decoding, decoding_for
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
class Image:
    """One image of a pair: values ``(C, *S)``, or ``(1, *S)`` for a label map, and labels ``(*S)``."""

    id: str
    values: Array
    labels: Array


@dataclass(frozen=True, slots=True)
class PreparedPair:
    """A pair that was read and lined up.

    Attributes:
        pair: the files.
        settings: with the classes resolved.
        prediction: the prediction as read.
        truth: the labels as read.
        images: what the files hold.
        codes: the translation of the truth's labels.
        predicted_codes: that of a label map; the same as `codes` for probabilities.
        decoding: what the values of the prediction mean.
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
    decoding: Decoding
    stamps: tuple[Stamp, Stamp] | None
    note: str

    def evaluated(self, rows: list[ImageRow]) -> Evaluated:
        """What the pair is once its rows are known."""
        return Evaluated(len(self.settings.classes), rows, self.stamps, self.note)


def prepare_pair(
    pair: Pair, settings: Settings, reading: Reading, stamps: tuple[Stamp, Stamp] | None = None
) -> PreparedPair:
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
) -> PreparedPair:
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
    else:
        _check_kind(prediction, settings)
    fit = _fit(prediction, truth, reading, labels=labels)
    if not labels or not settings.classes:
        settings = settings.resolve(fit.channels, path=prediction.name)
    codes = _label_codes(truth, settings)
    predicted_codes = _label_codes(prediction, settings) if labels else codes
    return PreparedPair(
        pair=pair,
        settings=settings,
        prediction=prediction,
        truth=truth,
        images=tuple(_images(pair.id, fit, prediction.array, truth.array)),
        codes=codes,
        predicted_codes=predicted_codes,
        decoding=decoding_for(settings, _step(prediction, settings)),
        stamps=stamps,
        note=_note(prediction, fit),
    )


def _read(path: str, reading: Reading, options: ReadOptions) -> Source:
    if path != STDIN:
        return read_array(Blob(path), options)
    if reading.stdin is None:
        raise ConfigError("nothing was passed for the path '-'", hint="Reading(stdin=…)")
    return read_array(Blob("standard input", reading.stdin), options)


def _check_kind(prediction: Source, settings: Settings) -> None:
    """Refuse integers without a scale, and a scale without integers.

    Raises:
        ProbabilityError: with the scale that fits, where there is one.
    """
    if prediction.array.dtype.kind not in "iub" and settings.scale is None:
        return
    # The sentences are imported here and below, as most files are not refused.
    from softdice_cli.evaluation.value_refusals import refuse_kind

    if error := refuse_kind(prediction, settings):
        raise error


def _fit(prediction: Source, truth: Source, reading: Reading, *, labels: bool) -> layouts.Layout:
    """Which axis of the prediction is which."""
    fit = layouts.resolve(
        prediction.array.shape,
        truth.array.shape,
        layout=reading.layout,
        labels=labels,
        path=prediction.name,
        mask_path=truth.name,
    )
    if not reading.layout and "C" not in fit.letters and not labels:
        _check_one_hot(truth)
    return fit


def _check_one_hot(truth: Source) -> None:
    from softdice_cli.evaluation.label_refusals import refuse_one_hot

    if error := refuse_one_hot(truth):
        raise error


def _step(prediction: Source, settings: Settings) -> float:
    """How far apart the stored probabilities near 1 are."""
    if settings.scale is not None:
        return 1 / settings.scale
    return prediction.epsilon


def _note(prediction: Source, fit: layouts.Layout) -> str:
    """Classes on the last axis are less usual than in front, so a person may want to know that they are there."""
    axes = fit.letters.replace("1", "")
    if not axes.endswith("C"):
        return ""
    return f"{prediction.name}: {prediction.array.shape} is read as {axes}"


def _images(name: str, fit: layouts.Layout, values: Array, labels: Array) -> Iterator[Image]:
    """The images of a pair, as views: no value is looked at."""
    values = _ordered(fit, values)
    if fit.images is None:
        yield Image(name, values, labels.reshape(fit.mask))
        return
    labels = labels.reshape(fit.images, *fit.mask)
    digits = len(str(fit.images - 1))
    for index in range(fit.images):
        image_name = f"{name}[{index:0{digits}}]" if fit.images > 1 else name
        yield Image(image_name, values[index], labels[index])


def _ordered(fit: layouts.Layout, values: Array) -> Array:
    """The axes in the order batch, class, space, with a class axis in any case, and without the dropped axes."""
    dropped = [axis for axis, letter in enumerate(fit.letters) if letter == "1"]
    # Dropped axes go to the end, where they are of length 1 and squeezed away.
    values = np.squeeze(values.transpose(*fit.order, *dropped), axis=tuple(range(len(fit.order), values.ndim)))
    if "C" in fit.letters:
        return values
    class_axis = 0 if fit.images is None else 1
    return np.expand_dims(values, class_axis)


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
        from softdice_cli.evaluation.label_refusals import refuse_many

        raise refuse_many(source, settings, counts)
    return LabelCodes.of(settings, others[0] if others else None)
