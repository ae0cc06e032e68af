"""What cannot be compared, because the difference would not mean what it seems to mean, and what could mislead.

The first is refused, and the error names it. The second is said in notes beside the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from softdice_cli.errors import ConfigError, EmptyError, InputError
from softdice_cli.gates.truths import other_truths, unknown_truths
from softdice_cli.records import ClassDef, ClassScores, Results, Settings, natural
from softdice_cli.records.settings import aligned
from softdice_cli.records.signature import parts_beyond

RESAMPLES_RANGE = (100, 100_000)

# How many images a message names.
_NAMED = 5


def check_options(resamples: int, seed: int, worst: int) -> None:
    """Refuse what is out of range.

    Raises:
        ConfigError: `resamples`, `seed` or `worst` is.
    """
    low, high = RESAMPLES_RANGE
    if not low <= resamples <= high:
        raise ConfigError(f"{resamples} is out of range", option="resamples", expected=f"{low} to {high}")
    for option, value in (("seed", seed), ("worst", worst)):
        if value < 0:
            raise ConfigError(f"{value} is below 0", option=option, expected="0 or greater")


def refuse_difference(a: Results, b: Results, names: tuple[str, str]) -> None:
    """Refuse results that are not of the same images, masks, classes and settings.

    Raises:
        EmptyError: there is no image.
        InputError: pairs failed, or the classes, signatures, images or masks differ.
    """
    _refuse_incomplete(a, names[0])
    _refuse_incomplete(b, names[1])
    # Classes come before signatures, as their names say more than the part of a signature.
    mine, theirs = aligned(a.settings, b.settings)
    _refuse_other_classes(mine, theirs, names)
    _refuse_other_signature(mine.signature, theirs.signature, names)
    _refuse_other_images(a, b, names)
    if other := other_truths(a, b):
        raise InputError(
            f"was made with other masks than {names[0]}",
            path=names[1],
            expected="the same pixels and labels in each image",
            found=f"differences in {_count(len(other), 'image')}: {_some(other)}",
            hint="evaluate both predictions with the same masks",
        )


def _refuse_incomplete(results: Results, name: str) -> None:
    if results.failures:
        raise InputError(
            f"is incomplete: {_count(len(results.failures), 'pair')} failed",
            path=name,
            found=_some([failure.id for failure in results.failures]),
            hint="fix them and run softdice eval again; a difference would be that of the missing images",
        )
    if not results.images:
        raise EmptyError("holds no image", path=name, hint="run softdice eval again")


def _refuse_other_classes(a: Settings, b: Settings, names: tuple[str, str]) -> None:
    shown = _shown_classes(a), _shown_classes(b)
    for index, (mine, theirs) in enumerate(zip_longest(*shown, fillvalue="no class")):
        if mine != theirs:
            raise InputError(
                f"has other classes than {names[0]}",
                path=names[1],
                expected=f"{mine} as class {index}",
                found=theirs,
                hint="evaluate both with the same --class options, in the same order",
            )


def _shown_classes(settings: Settings) -> list[str]:
    return [f"{entry.name}={_shown_label(settings, entry)}" for entry in settings.classes]


def _shown_label(settings: Settings, entry: ClassDef) -> str:
    return "+".join(map(settings.label_text, entry.labels)) or "any"


def _refuse_other_signature(mine: str, theirs: str, names: tuple[str, str]) -> None:
    if mine == theirs:
        return
    raise InputError(
        f"has another signature than {names[0]}",
        path=names[1],
        expected=parts_beyond(mine, theirs),
        found=parts_beyond(theirs, mine),
        hint="evaluate both with the same options",
    )


def _refuse_other_images(a: Results, b: Results, names: tuple[str, str]) -> None:
    mine = [row.id for row in a.images]
    theirs = [row.id for row in b.images]
    # Images are paired by their place, so a double id would pair whatever comes next to it.
    _refuse_double_ids(mine, names[0])
    _refuse_double_ids(theirs, names[1])
    if mine == theirs:
        return
    raise InputError(
        f"has other images than {names[0]}",
        path=names[1],
        expected=_images_beyond(mine, theirs),
        found=_images_beyond(theirs, mine),
        hint=f"evaluate the same images with both, or --allow-missing {len(set(mine) ^ set(theirs))} to compare those "
        "that both have",
    )


def _refuse_double_ids(ids: list[str], name: str) -> None:
    if len(set(ids)) < len(ids):
        raise InputError("holds two images of one id", path=name, hint="run softdice eval again")


def _images_beyond(ids: list[str], others: list[str]) -> str:
    """How many images there are, and which of them the other side does not have."""
    count = _count(len(ids), "image")
    only = sorted(set(ids) - set(others), key=natural)
    if not only:
        return count
    return f"{count}, also {_some(only)}"


def notes_on(a: Results, b: Results) -> Iterator[str]:
    """What would mislead if it were not said."""
    if len(a.images) == 1:
        yield "a single image cannot be resampled: there are no intervals and no p-values"
    yield from shards_among(a, b)
    if unknown := unknown_truths(b, a, "A"):
        yield unknown
    for average, mine, theirs in (("pooled", a.pooled, b.pooled), ("image-mean", a.image_mean, b.image_mean)):
        yield from _class_notes(f"{average} mean", mine.classes, theirs.classes)
        yield from _class_notes(f"{average} region mean", mine.regions, theirs.regions)


def shards_among(a: Results, b: Results) -> Iterator[str]:
    """Which of the two is not the whole of a run."""
    for side, results in (("A", a), ("B", b)):
        if results.shard:
            yield f"{side} is shard {results.shard.index} of {results.shard.count}, not the whole run"


def _class_notes(mean: str, a: Sequence[ClassScores], b: Sequence[ClassScores]) -> Iterator[str]:
    """A mean that is over other classes, or regions, in one of the two, so that the two are not compared."""
    if difference := other_classes(a, b):
        yield f"the {mean} of hard Dice has no difference, as it would be of other classes: {difference}"


def other_classes(a: Sequence[ClassScores], b: Sequence[ClassScores]) -> str:
    """The classes, or regions, whose hard Dice one of the two alone defines; an empty text where there are none."""
    parts = []
    for side, mine, theirs in (("A", a, b), ("B", b, a)):
        only = [one.name for one, other in zip(mine, theirs, strict=True) if other.dice is None is not one.dice]
        if only:
            parts.append(f"{_some(only)} defined in {side} alone")
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun}s"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    left = len(names) - _NAMED
    if left > 0:
        return f"{shown} and {left} more"
    return shown
