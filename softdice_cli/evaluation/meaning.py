"""What the labels of a pair mean, and what its files show of that: a run has one meaning, and no file has its own.

A pair is prepared without a look at any other. So what it finds out about the run, such as which label is the
foreground, is noted here with the name of the file, and whoever collects the pairs refuses the ones that disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from softdice_cli.errors import InputError, LabelError
from softdice_cli.overlap.labels import count_labels
from softdice_cli.readers import Source
from softdice_cli.readers.labels import inverted
from softdice_cli.records import MAX_LABEL, ImageRow, Settings

# Colours that a message lists.
_LISTED = 8


class FoundLabel(NamedTuple):
    """The one label besides 0 that a file holds."""

    path: str
    label: int


class FoundPalette(NamedTuple):
    """The colours that a file gives the labels that occur in it: pairs of a label and ``0xRRGGBB``."""

    path: str
    colors: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the files of a pair show of the meaning of the run; all of it is plain data."""

    labels: tuple[FoundLabel, ...] = ()
    palettes: tuple[FoundPalette, ...] = ()


NOTHING = Found()


def whites(source: Source, settings: Settings) -> Source:
    """The values of a file in the meaning that was chosen, where the file says that white is 0.

    Raises:
        LabelError: nobody has said which meaning it is.
    """
    if not source.white_is_zero or settings.white_is_zero == "stored":
        return source
    floats = source.array.dtype.kind == "f"
    if settings.white_is_zero == "inverted" and not floats:
        return inverted(source)
    hint = "--white-is-zero stored, or --white-is-zero inverted; softdice inspect shows both"
    if floats:
        hint = "--white-is-zero stored: floats have no greatest value that could be white"
    raise LabelError(
        "says that white is stored as 0, and programs disagree on what that does to numbers",
        path=source.name,
        expected="the numbers as they are stored (GDAL, rasterio, tifffile), or inverted (Pillow, OpenCV)",
        found=source.describe(),
        hint=hint,
    )


def found_labels(prediction: Source, truth: Source, settings: Settings) -> tuple[FoundLabel, ...]:
    """The one label besides 0 of each file, where the settings leave open which label is foreground.

    Raises:
        LabelError: a file holds several.
        ProbabilityError: and the prediction is a label map, which nobody has said.
    """
    sources = [truth]
    if settings.prediction == "labels":
        sources.append(prediction)
    found = []
    for source in sources:
        counts = count_labels(source.chunks())
        others = [label for label in counts if label not in (0, *settings.ignore)]
        if len(others) > 1 or max(map(abs, others), default=0) > MAX_LABEL:
            raise _refuse_many(source, counts, prediction, truth, settings)
        if others:
            found.append(FoundLabel(source.name, others[0]))
    return tuple(found)


def _refuse_many(
    source: Source, counts: dict[int, int], prediction: Source, truth: Source, settings: Settings
) -> InputError:
    # The sentences are imported here, as most files are not refused.
    from softdice_cli.evaluation.label_refusals import labels_seen, refuse_many
    from softdice_cli.evaluation.value_refusals import refuse_label_map

    if settings.prediction == "labels":
        return refuse_many(source, labels_seen(truth, prediction, settings), counts)
    if error := refuse_label_map(prediction):
        return error
    return refuse_many(source, labels_seen(truth, None, settings), counts)


def agreed_label(found: Iterable[FoundLabel], settings: Settings) -> Settings:
    """The settings with the label that the files of a pair have together.

    Raises:
        LabelError: they have two.
    """
    first: FoundLabel | None = None
    for one in found:
        if first is not None and one.label != first.label:
            raise refuse_labels_of_two(first, one, settings)
        first = first or one
    return settings.with_label(first.label if first else None)


def refuse_labels_of_two(
    first: FoundLabel, other: FoundLabel, settings: Settings, rows: Sequence[ImageRow] = ()
) -> LabelError:
    """The error for two files of a run whose foregrounds have different labels.

    Args:
        first: of a file that came before.
        other: of the file that is refused.
        settings: with the classes resolved.
        rows: of the images of the other file, if they were counted.
    """
    from softdice_cli.evaluation.label_evidence import LabelEvidence

    # How often the first label occurs is not known of a file that was evaluated before.
    labels = dict.fromkeys(sorted({0, first.label, other.label}), 1)
    labels[other.label] = sum(row.sums[0].truth for row in rows) or 1
    hits = {other.label: sum(row.sums[0].true_positives for row in rows)}
    seen = LabelEvidence(settings=_opened(settings), truth=labels, predicted={}, hits=hits)
    return LabelError(
        f"has the label {other.label} where {first.path} has {first.label}",
        path=other.path,
        expected="one label besides 0 in all files of a run, or a word about which of them is the class",
        found=f"{other.label} here, {first.label} in {first.path}",
        hint=seen.hint(),
        evidence=seen,
    )


def _opened(settings: Settings) -> Settings:
    """The settings without the label that was found for the foreground."""
    if settings.multilabel:
        return replace(settings, foreground="")
    return replace(settings, classes=(replace(settings.classes[0], value=None),))


def found_palettes(
    sources: Iterable[tuple[Source, bool]], settings: Settings, rows: list[ImageRow]
) -> tuple[FoundPalette, ...]:
    """The palettes of the files of a pair, with the labels that the counted pixels have.

    Args:
        sources: each file, and whether it is the truth.
        settings: with the classes resolved.
        rows: of the images of the pair.
    """
    found = []
    for source, is_truth in sources:
        if source.palette is None or settings.colors:
            continue
        labels: set[int] = set()
        if len(settings.classes) == 1:
            # The background.
            labels.add(0)
        if any(row.ignored for row in rows):
            labels.update(settings.ignore)
        for index, definition in enumerate(settings.classes):
            if any(_occurs(row, index, is_truth) for row in rows):
                labels.update(definition.labels)
        known = sorted(label for label in labels if 0 <= label < len(source.palette))
        found.append(FoundPalette(source.name, tuple((label, source.palette[label]) for label in known)))
    return tuple(found)


def _occurs(row: ImageRow, index: int, is_truth: bool) -> bool:
    sums = row.sums[index]
    return bool(sums.truth if is_truth else sums.predicted)


def _usual_colors() -> dict[int, int]:
    """The number of each colour in the palette of PASCAL VOC, which many tools give label pictures."""
    numbers = {}
    for number in range(256):
        # Bit by bit, the number is spread over the high bits of red, green and blue.
        channels = [0, 0, 0]
        for bit in range(8):
            channels[bit % 3] |= (number >> bit & 1) << (7 - bit // 3)
        numbers[channels[0] << 16 | channels[1] << 8 | channels[2]] = number
    return numbers


def refuse_order(palette: FoundPalette, settings: Settings) -> LabelError | None:
    """The error for a palette whose numbers can hardly be the classes; ``None`` for any other.

    A program that counts the colours of a picture gives them numbers of its own. Then black, or the usual colours of
    labels, stand at other places than usual.
    """
    import shlex

    colors = dict(palette.colors)
    usual = _usual_colors()
    places = [usual.get(color, -1) for color in colors.values()]
    black_moved = colors.get(0, 0) != 0 and 0 in colors.values()
    permuted = sorted(places) == list(colors) != places
    if not black_moved and not permuted:
        return None
    listed = ", ".join(f"{label} #{color:06x}" for label, color in list(colors.items())[:_LISTED])
    numbers = f"--num-classes {len(settings.classes)}"
    if len(settings.classes) == 1:
        numbers = f"--class {shlex.quote(settings.classes[0].name)}={max(colors)}"
    return LabelError(
        "is a picture of colours, and the numbers of its palette stand in an unusual order",
        path=palette.path,
        expected="a word about whether its colours or its numbers are the classes",
        found=f"{listed}",
        hint=f"--class NAME=#rrggbb once a class, in the order of the channels, for colours; {numbers}, for numbers",
    )


class Meaning:
    """What the labels mean in a run, as far as its files have shown it.

    Args:
        named: somebody has named the classes, by their numbers or by their colours.
    """

    def __init__(self, *, named: bool) -> None:
        self._named = named
        self._label: FoundLabel | None = None
        self._colors: dict[int, tuple[int, str]] = {}

    def take(self, found: Found, settings: Settings, rows: Sequence[ImageRow]) -> InputError | None:
        """Take in what a pair shows; the error where it contradicts an earlier one.

        Args:
            found: what its files show.
            settings: with the classes resolved.
            rows: of its images.
        """
        first = self._label
        for label in found.labels:
            first = first or label
            if label.label != first.label:
                return refuse_labels_of_two(first, label, settings, rows)
        for palette in found.palettes:
            error = None if self._named else refuse_order(palette, settings)
            error = error or self._contradiction(palette)
            if error:
                return error
        # Only what fits as a whole says what the others have to be.
        self._label = first
        for palette in found.palettes:
            for index, color in palette.colors:
                self._colors.setdefault(index, (color, palette.path))
        return None

    @property
    def palette(self) -> str:
        """The colours of the labels in pictures with palettes, as results hold them."""
        return " ".join(f"{label}=#{color:06x}" for label, (color, _) in sorted(self._colors.items()))

    def _contradiction(self, palette: FoundPalette) -> LabelError | None:
        for index, color in palette.colors:
            known, path = self._colors.get(index, (color, ""))
            if known != color:
                return LabelError(
                    f"gives the label {index} another colour than {path}",
                    path=palette.path,
                    expected=f"#{known:06x} for {index} in the palette, as in {path}",
                    found=f"#{color:06x}",
                    hint="name each class by its colour, in the order of the channels: --class NAME=#rrggbb",
                )
        return None
