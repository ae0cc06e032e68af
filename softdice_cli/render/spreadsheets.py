"""Results → CSV for spreadsheets and data frames: the scores of every image, or the averages.

Numbers are unrounded, and an undefined score is an empty cell. No name of a class or file can be a
formula. Rows come one by one, so that a large run is never held as one string.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from softdice_cli.metrics import METRICS, PER_CLASS
from softdice_cli.records import ClassScores, Results, Scores, Summary
from softdice_cli.records.intervals import Average
from softdice_cli.records.to_json import COUNTS
from softdice_cli.render.columns import COLUMNS, Scope, ScoreColumn
from softdice_cli.render.page import Page
from softdice_cli.render.text import in_spreadsheet
from softdice_cli.render.verdicts import failure_text
from softdice_cli.scores import score_image

_SCORES = tuple(metric.name for metric in PER_CLASS)
CSV_COLUMNS = ("id", "pred", "gt", "class", *_SCORES, *COUNTS, "pixels", "ignored", "error")

_METRICS = tuple(metric.name for metric in METRICS)

# The columns about the spread over the images, and how many of them define a score.
_OVER_IMAGES = tuple(name for name, column in COLUMNS.items() if column.metric and name.startswith(column.metric + "_"))

SUMMARY_COLUMNS = ("average", "scope", "class", *_METRICS, "loss_present", *COUNTS, *_OVER_IMAGES, "error")


def csv_text(results: Results, _: Page) -> Iterator[str]:
    """One row an image and class; failures and what was left out have a row each, with the error in it."""
    yield csv_row(CSV_COLUMNS)
    for row in results.images:
        names = list(map(in_spreadsheet, (row.id, row.pred, row.gt)))
        lines = []
        for scores in score_image(results.settings, row):
            values = [number_cell(scores.values[name]) for name in _SCORES]
            counts = [getattr(scores, name) for name in COUNTS]
            lines.append((*names, in_spreadsheet(scores.name), *values, *counts, row.pixels, row.ignored, ""))
        yield csv_rows(lines)
    blank = [""] * (len(CSV_COLUMNS) - 4)
    for failure in results.failures:
        names = list(map(in_spreadsheet, (failure.id, failure.pred, failure.gt)))
        yield csv_row((*names, *blank, in_spreadsheet(failure_text(failure))))
    for text in results.left_out:
        yield csv_row(("", "", "", *blank, in_spreadsheet(f"left out: {text}")))


def csv_summary_text(results: Results, _: Page) -> Iterator[str]:
    """One row a class and mean of each average; failures and what was left out have a row each, with only the error."""
    yield csv_row(SUMMARY_COLUMNS)
    if results.images:
        yield from _average_rows("pooled", results.pooled)
        yield from _average_rows("image_mean", results.image_mean)
    blank = [""] * (len(SUMMARY_COLUMNS) - 1)
    for failure in results.failures:
        yield csv_row((*blank, in_spreadsheet(f"{failure.id}: {failure_text(failure)}")))
    for text in results.left_out:
        yield csv_row((*blank, in_spreadsheet(f"left out: {text}")))


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
