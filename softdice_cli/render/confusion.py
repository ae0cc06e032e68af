"""Which class is taken for which: in words for every reader, and as a matrix where the classes are few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from softdice_cli.errors import ConfigError
from softdice_cli.records import Matrix, Results, Settings
from softdice_cli.render.content import Column, Entry, Name, Row, Section, Table

# How many classes are told in words, and how many a matrix may have.
_TOLD = 5
_FEW = 8


@dataclass(frozen=True, slots=True)
class Mistake:
    """The class that another one is most often taken for.

    Attributes:
        true: place of the class that it is.
        predicted: place of the class that it is taken for.
        pixels: of the first class that were predicted as the second one.
        of: pixels of the first class.
    """

    true: int
    predicted: int
    pixels: int
    of: int


def confusion_sections(results: Results, matrix: Matrix) -> Iterator[Section]:
    """For the classes that are most often taken for another, how often and for which; nothing where none is."""
    mistakes = _mistakes(results.settings, matrix)
    if not mistakes:
        return
    left_out = ""
    if len(mistakes) > _TOLD:
        left_out = f"({_TOLD} of {len(mistakes)} classes; csv-confusion has all)"
    entries = [_sentence(results.settings, mistake) for mistake in mistakes[:_TOLD]]
    yield Section("confusion", "most often taken for another class", left_out, entries=tuple(entries))


def _mistakes(settings: Settings, matrix: Matrix) -> list[Mistake]:
    """The greatest mistake of each scored class that has one, by its share of the class, the greatest first."""
    found = []
    for true in settings.scored:
        column = [row[true] for row in matrix]
        others = [pixels if place != true else 0 for place, pixels in enumerate(column)]
        most = max(others)
        if most:
            found.append(Mistake(true, others.index(most), most, sum(column)))
    return sorted(found, key=lambda mistake: -mistake.pixels / mistake.of)


def _sentence(settings: Settings, mistake: Mistake) -> Entry:
    true, predicted = _called(settings, mistake.true), _called(settings, mistake.predicted)
    return Entry(f"{mistake.pixels} of {mistake.of} {true} pixels predicted as {predicted}")


def _called(settings: Settings, place: int) -> str:
    """The name of a class within a sentence about numbers."""
    name = settings.classes[place].name
    return f"class {name}" if name.isdecimal() else name


def matrix_sections(results: Results, matrix: Matrix) -> Iterator[Section]:
    """The whole matrix where the classes are few; nothing elsewhere."""
    if len(matrix) > _FEW:
        return
    names = [Name(definition.name) for definition in results.settings.classes]
    rows = [Row("class", (name, *map(str, row))) for name, row in zip(names, matrix, strict=True)]
    table = Table((Column("predicted"), *map(Column, names)), tuple(rows))
    yield Section("confusion", "confusion", "in pixels: predicted class in rows, true class in columns", table)


def refuse_no_confusion(settings: Settings) -> None:
    """Refuses settings with which no pixel can be confused; does nothing until the classes are known.

    Raises:
        ConfigError: there is a single class, or one is decided without the others.
    """
    found = ""
    if settings.multilabel:
        found = "independent channels, of which a pixel can have several"
    elif settings.only:
        found = f"{settings.only}, decided without the other classes"
    elif len(settings.classes) == 1:
        found = f"a single class, {settings.classes[0].name}"
    if found:
        raise _without_matrix(found, "csv-summary in its place, which has the counts of each class")


def known_matrix(results: Results) -> Matrix:
    """The confusion of results that have images.

    Raises:
        ConfigError: they have none.
    """
    refuse_no_confusion(results.settings)
    if results.confusion is None:
        raise _without_matrix("images whose confusion was not counted, by an older softdice", "run softdice eval again")
    return results.confusion


def _without_matrix(found: str, hint: str) -> ConfigError:
    return ConfigError(
        "csv-confusion needs a confusion matrix, and these results have none",
        expected="several classes, of which each pixel has exactly one",
        found=found,
        hint=hint,
    )
