"""Results → CSV for spreadsheets and data frames: the scores of every image, or the averages.

Numbers are unrounded, and an undefined score is an empty cell. No name of a class or file can be a
formula. Rows come one by one, so that a large run is never held as one string.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from softdice_cli.metrics import METRICS, PER_CLASS
from softdice_cli.records import ClassScores, ImageRow, Results, Scores, Settings, Summary
from softdice_cli.records.intervals import Average
from softdice_cli.records.to_json import COUNTS
from softdice_cli.render.columns import COLUMNS, Scope, ScoreColumn
from softdice_cli.render.confusion import known_matrix
from softdice_cli.render.page import Page
from softdice_cli.render.text import in_spreadsheet
from softdice_cli.render.verdicts import failure_text
from softdice_cli.scores import score_image, score_regions

_SCORES = tuple(metric.name for metric in PER_CLASS)
CSV_COLUMNS = ("id", "pred", "gt", "class", *_SCORES, *COUNTS, "pixels", "ignored", "error", "scope")

_METRICS = tuple(metric.name for metric in METRICS)

# The columns about the spread over the images, and how many of them define a score.
_OVER_IMAGES = tuple(name for name, column in COLUMNS.items() if column.metric and name.startswith(column.metric + "_"))

CONFUSION_COLUMNS = ("predicted", "truth", "pixels", "error")
SUMMARY_COLUMNS = ("average", "scope", "class", *_METRICS, "loss_present", *COUNTS, *_OVER_IMAGES, "error")


def csv_text(results: Results, _: Page) -> Iterator[str]:
    """One row an image and class, and an image and region; failures and what was left out have a row each."""
    yield csv_row(CSV_COLUMNS)
    for row in results.images:
        yield csv_rows(_image_rows(results.settings, row))
    blank = [""] * (len(CSV_COLUMNS) - 5)
    for failure in results.failures:
        names = list(map(in_spreadsheet, (failure.id, failure.pred, failure.gt)))
        yield csv_row((*names, *blank, in_spreadsheet(failure_text(failure)), ""))
    for text in results.left_out:
        yield csv_row(("", "", "", *blank, in_spreadsheet(f"left out: {text}"), ""))


def _image_rows(settings: Settings, row: ImageRow) -> Iterator[tuple[object, ...]]:
    """The rows of an image: its classes, then its regions, which the last column tells apart."""
    names = list(map(in_spreadsheet, (row.id, row.pred, row.gt)))
    named = {"class": score_image(settings, row), "region": score_regions(settings, row.regions)}
    for scope, entries in named.items():
        for scores in entries:
            values = [number_cell(scores.values[name]) for name in _SCORES]
            counts = [getattr(scores, name) for name in COUNTS]
            yield (*names, in_spreadsheet(scores.name), *values, *counts, row.pixels, row.ignored, "", scope)


def csv_summary_text(results: Results, _: Page) -> Iterator[str]:
    """One row a class, mean and region of each average; failures and what was left out have a row with their error."""
    yield csv_row(SUMMARY_COLUMNS)
    if results.images:
        yield from _average_rows("pooled", results.pooled)
        yield from _average_rows("image_mean", results.image_mean)
    yield from _missing_rows(results, len(SUMMARY_COLUMNS))


def _missing_rows(results: Results, columns: int) -> Iterator[str]:
    """A row for each failure and for what was left out, with nothing but the error in its last column."""
    blank = [""] * (columns - 1)
    for failure in results.failures:
        yield csv_row((*blank, in_spreadsheet(f"{failure.id}: {failure_text(failure)}")))
    for text in results.left_out:
        yield csv_row((*blank, in_spreadsheet(f"left out: {text}")))


def csv_confusion_text(results: Results, _: Page) -> Iterator[str]:
    """One row a predicted and a true class, with the pixels of both; failures and what was left out as in the others.

    Raises:
        ConfigError: the results have no confusion matrix.
    """
    # Nothing is written before it is known that there is a matrix.
    matrix = known_matrix(results) if results.images else ()
    names = [in_spreadsheet(definition.name) for definition in results.settings.classes]
    yield csv_row(CONFUSION_COLUMNS)
    for place, row in enumerate(matrix):
        yield csv_rows((names[place], true, pixels, "") for true, pixels in zip(names, row, strict=True))
    yield from _missing_rows(results, len(CONFUSION_COLUMNS))


def csv_rows(rows: Iterable[Iterable[object]]) -> str:
    """Lines of CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def csv_row(values: Iterable[object]) -> str:
    """A line of CSV."""
    return csv_rows([values])


def _average_rows(average: Average, summary: Summary) -> Iterator[str]:
    for scores in summary.classes:
        yield _summary_row(average, "class", in_spreadsheet(scores.name), scores, "")
    yield _summary_row(average, "mean", "mean", summary.means, number_cell(summary.loss_present))
    if summary.foreground is not None:
        yield _summary_row(average, "foreground", "foreground mean", summary.foreground, "")
    for scores in summary.regions:
        yield _summary_row(average, "region", in_spreadsheet(scores.name), scores, "")
    if summary.region_means is not None:
        yield _summary_row(average, "region_mean", "region mean", summary.region_means, "")


def _summary_row(average: Average, scope: str, name: str, scores: Scores, present: str) -> str:
    metrics = [number_cell(scores.values.get(metric)) for metric in _METRICS]
    counts = [""] * len(COUNTS)
    if isinstance(scores, ClassScores):
        counts = [number_cell(getattr(scores, name)) for name in COUNTS]
    over_images = [""] * len(_OVER_IMAGES)
    if average == "image_mean":
        over_images = [_over_images(COLUMNS[name], scores) for name in _OVER_IMAGES]
    return csv_row((average, scope, name, *metrics, present, *counts, *over_images, ""))


def _over_images(column: ScoreColumn, scores: Scores) -> str:
    """A column of the image mean; empty where such a row does not have it."""
    # A row of means also holds the scores without a class.
    scopes: tuple[Scope, ...] = ("mean", "all")
    if isinstance(scores, ClassScores):
        scopes = ("class",)
    has_it = column.metric in scores.values and any(scope in column.scopes for scope in scopes)
    if not has_it:
        return ""
    return number_cell(column.value(scores))


def number_cell(value: float | None) -> str:
    """A number with all its digits; an empty cell where it is undefined."""
    if value is None:
        return ""
    return repr(value)
