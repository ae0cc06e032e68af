"""One pair of files → images lined up with their labels, ready to be added up.

Axes follow from the shape of the mask, values are never changed, and no value is looked at unless a
label or a kind has to be found out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import softdice_cli.layout as layouts
from softdice_cli.errors import ConfigError
from softdice_cli.evaluation.meaning import Found, agreed_label, found_labels, found_palettes, whites
from softdice_cli.evaluation.outcomes import Evaluated
from softdice_cli.evaluation.reading import Reading
from softdice_cli.overlap import Decoding, decoding_for
from softdice_cli.overlap.codes import Translation, translation
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.readers import Blob, ReadOptions, Source, read_array
from softdice_cli.readers.labels import Role, as_labels
from softdice_cli.records import ImageRow, Settings
from softdice_cli.records.classes import is_cut
from softdice_cli.records.rows import image_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from softdice_cli.evaluation.roi import Inside
    from softdice_cli.journal import Stamp

    Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a pair.

    Attributes:
        id: unique name of the image.
        values: ``(C, *S)``, or ``(1, *S)`` for a label map.
        labels: ``(*S)``, or ``(C, *S)`` where the truth has a channel for each class.
        inside: the region of interest ``(*S)``, or ``None`` for all of the image.
    """

    id: str
    values: Array
    labels: Array
    inside: Array | None = None


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
        stamps: of the files before they were read, where a journal wants them.
        note: what a person may want to know about the reading.
        found: what the files show of the meaning of the run.
    """

    pair: Pair
    settings: Settings
    prediction: Source
    truth: Source
    images: tuple[Image, ...]
    codes: Translation
    predicted_codes: Translation
    decoding: Decoding
    stamps: tuple[Stamp, ...] | None
    note: str
    found: Found

    def evaluated(self, rows: list[ImageRow]) -> Evaluated:
        """What the pair is once its rows are known, which is the end of reading.

        Raises:
            UnreadableError: a file changed while it was read.
        """
        self.prediction.check()
        self.truth.check()
        sources = [(self.truth, True)]
        if self.settings.prediction == "labels":
            sources.append((self.prediction, False))
        found = Found(self.found.labels, found_palettes(sources, self.settings, rows))
        return Evaluated(len(self.settings.classes), rows, self._stamps_now(), self.note, found)

    def _stamps_now(self) -> tuple[Stamp, ...] | None:
        """The stamps that still hold after the files were read; ``None`` where one does not, or none is wanted."""
        if self.stamps is None:
            return None
        # Only a run with a journal needs it.
        from softdice_cli.journal import is_unchanged

        if all(map(is_unchanged, self.pair.files, self.stamps)):
            return self.stamps
        return None


def prepare_pair(
    pair: Pair, settings: Settings, reading: Reading, stamps: tuple[Stamp, ...] | None = None
) -> PreparedPair:
    """Read a pair and line it up.

    Args:
        pair: the files.
        settings: as asked for; classes that they leave open come from this prediction alone.
        reading: how to read.
        stamps: of the files, from before.

    Raises:
        InputError: whatever is wrong with the files.
    """
    # Damage that changes a probability a little can change a label into any other.
    pred, gt = reading.pred, replace(reading.gt, verify=True)
    if settings.prediction == "labels":
        pred = replace(pred, verify=True)
    prediction = _read(pair.pred, reading, pred)
    truth = _labels(_read(pair.gt, reading, gt), settings, "truth", gt)
    inside = None
    if pair.roi:
        from softdice_cli.evaluation.roi import region_of

        inside = region_of(_read(pair.roi, reading, ReadOptions(max_bytes=gt.max_bytes, verify=True)), settings)
    return line_up(pair, prediction, truth, settings, reading, stamps, inside)


def line_up(
    pair: Pair,
    prediction: Source,
    truth: Source,
    settings: Settings,
    reading: Reading,
    stamps: tuple[Stamp, ...] | None = None,
    inside: Inside | None = None,
) -> PreparedPair:
    """Find out how a prediction and its labels belong together.

    Args:
        pair: for the names of the images.
        prediction: as read.
        truth: as labels.
        settings: as asked for.
        reading: for the layout.
        stamps: of the files, from before they were read.
        inside: the region of interest, if there is one.

    Raises:
        InputError: they do not belong together.
    """
    labels = settings.prediction == "labels"
    if labels:
        prediction = _labels(prediction, settings, "prediction", reading.pred)
    else:
        _check_kind(prediction, settings, truth)
        prediction = whites(prediction, settings)
    fit = _fit(prediction, truth, settings, reading)
    prediction, truth = _apart(prediction, truth, fit, reading)
    if not labels or not settings.classes:
        settings = settings.resolve(fit.channels, path=prediction.name)
    channels = bool(fit.truth)
    if settings.multilabel and not channels:
        _check_owned(truth, settings)
    settings, found = _meant(prediction, truth, settings)
    return PreparedPair(
        pair=pair,
        settings=settings,
        prediction=prediction,
        truth=truth,
        images=tuple(_images(pair.id, fit, prediction.array, truth.array, inside)),
        codes=translation(settings, channels),
        predicted_codes=translation(settings),
        decoding=decoding_for(settings, _step(prediction, settings)),
        stamps=stamps,
        note=_note(prediction, fit),
        found=found,
    )


def _read(path: str, reading: Reading, options: ReadOptions) -> Source:
    if path != STDIN:
        return read_array(Blob(path), options)
    if reading.stdin is None:
        raise ConfigError("nothing was passed for the path '-'", hint="Reading(stdin=…)")
    return read_array(Blob("standard input", reading.stdin), options)


def _labels(source: Source, settings: Settings, role: Role, options: ReadOptions) -> Source:
    """A file as labels, or as what is cut into a class and its background."""
    if settings.multilabel and source.colors and not settings.colors:
        # Red, green and blue are three classes.
        source = replace(source, colors=False, samples=1, axes="")
    cut = is_cut(settings.foreground)
    return as_labels(whites(source, settings), colors=settings.colors, role=role, options=options, fractions=cut)


def _check_kind(prediction: Source, settings: Settings, truth: Source) -> None:
    """Refuse integers without a scale, and a scale without integers.

    Raises:
        ProbabilityError: with the scale that fits, where there is one.
    """
    if prediction.array.dtype.kind not in "iub" and settings.scale is None:
        return
    # The sentences are imported here and below, as most files are not refused.
    from softdice_cli.evaluation.value_refusals import refuse_kind

    if error := refuse_kind(prediction, settings, truth.array.shape):
        raise error


def _fit(prediction: Source, truth: Source, settings: Settings, reading: Reading) -> layouts.Layout:
    """Which axis of the prediction is which."""
    independent = None
    if settings.multilabel:
        from softdice_cli.layout.channels import MultiLabel

        owned = bool(settings.classes) and not settings.is_open
        independent = MultiLabel(len(settings.classes), owned)
    fit = layouts.resolve(
        prediction.array.shape,
        truth.array.shape,
        layout=reading.layout,
        labels=settings.prediction == "labels",
        axes=prediction.axes,
        multilabel=independent,
        path=prediction.name,
        mask_path=truth.name,
    )
    if not reading.layout and fit.channels == 1 and not fit.truth:
        from softdice_cli.evaluation.volumes import refuse_channels

        if error := refuse_channels(prediction, truth, fit, settings):
            raise error
    return fit


def _apart(prediction: Source, truth: Source, fit: layouts.Layout, reading: Reading) -> tuple[Source, Source]:
    """Both sides with their images one behind the other."""
    if fit.images is None or fit.images == 1:
        return prediction, truth
    from softdice_cli.readers.interleaved import images_apart

    # Axes of length 1 aside, images are numbered by the first axis of labels without an axis of classes.
    batch = fit.truth.index("B") if fit.truth else truth.array.shape.index(fit.images)
    return (
        images_apart(prediction, fit.letters.index("B"), reading.pred),
        images_apart(truth, batch, reading.gt),
    )


def _meant(prediction: Source, truth: Source, settings: Settings) -> tuple[Settings, Found]:
    """The settings with the label of the foreground, which is found in the files where nobody has named it."""
    if not settings.is_open:
        return settings, Found()
    found = found_labels(prediction, truth, settings)
    return agreed_label(found, settings), Found(found)


def _check_owned(truth: Source, settings: Settings) -> None:
    if settings.is_open or not settings.classes[0].labels:
        from softdice_cli.evaluation.label_refusals import refuse_map_of_independent

        raise refuse_map_of_independent(truth, settings)


def _step(prediction: Source, settings: Settings) -> float:
    """How far apart the stored probabilities near 1 are."""
    if settings.scale is not None:
        return 1 / settings.scale
    return prediction.epsilon


def _note(prediction: Source, fit: layouts.Layout) -> str:
    """Classes on the last axis are less usual than in front, so a person may want to know that they are there."""
    axes = fit.letters.replace("1", "")
    if not axes.endswith("C") or fit.channels == 1:
        return ""
    return f"{prediction.name}: {prediction.array.shape} is read as {axes}"


def _images(name: str, fit: layouts.Layout, values: Array, labels: Array, inside: Inside | None) -> Iterator[Image]:
    """The images of a pair, as views: no value is looked at."""
    values = _ordered(fit.letters, values)
    if fit.truth:
        labels = _ordered(fit.truth, labels)
    elif fit.images is None:
        labels = labels.reshape(fit.mask)
    else:
        labels = labels.reshape(fit.images, *fit.mask)
    regions = None if inside is None else inside.over(fit)
    if fit.images is None:
        yield Image(name, values, labels, None if regions is None else regions[0])
        return
    for index, image_name in enumerate(image_ids(name, fit.images)):
        yield Image(image_name, values[index], labels[index], None if regions is None else regions[index])


def _ordered(letters: str, values: Array) -> Array:
    """The axes in the order batch, class, space, with a class axis in any case, and without the dropped axes."""
    order = layouts.order_of(letters)
    dropped = [axis for axis, letter in enumerate(letters) if letter == "1"]
    # Dropped axes go to the end, where they are of length 1 and squeezed away.
    values = np.squeeze(values.transpose(*order, *dropped), axis=tuple(range(len(order), values.ndim)))
    if "C" in letters:
        return values
    return np.expand_dims(values, 1 if "B" in letters else 0)
