"""For programs: the results file (JSON), one line an image (JSON lines), and one row an image and class (CSV).

The same results give the same bytes. Text comes piece by piece, so that a large run is never held as one string.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from softdice_cli.metrics import PER_CLASS
from softdice_cli.records import (
    FORMAT,
    FORMAT_VERSION,
    Failure,
    ImageRow,
    Results,
    Settings,
    natural,
)
from softdice_cli.records.to_json import (
    COUNTS,
    class_to_json,
    failure_to_json,
    interval_to_json,
    row_to_json,
    run_to_json,
    summary_to_json,
    verdict_to_json,
)
from softdice_cli.render.text import spreadsheet
from softdice_cli.render.verdicts import failure_text
from softdice_cli.scores import score_image

_SCORES = tuple(metric.name for metric in PER_CLASS)
CSV_COLUMNS = ("id", "pred", "gt", "class", *_SCORES, *COUNTS, "pixels", "ignored", "error")


def json_text(results: Results) -> Iterator[str]:
    """The results file: one JSON document, an image a line."""
    head = {**_head(results), **_scores(results)}
    yield "{\n" + "".join(f"  {json.dumps(name)}: {_indented(value)},\n" for name, value in head.items())
    yield '  "images": ['
    for index, row in enumerate(results.images):
        yield ("," if index else "") + "\n    " + _line(image_to_json(results.settings, row))
    yield "\n  ],\n" if results.images else "],\n"
    yield f'  "failures": {_indented([failure_to_json(failure) for failure in results.failures])},\n'
    yield f'  "requirements": {_indented(_verdicts(results))}\n}}\n'


def jsonl_text(results: Results) -> Iterator[str]:
    """One line an image, one a failure, in natural order as a run writes them, and a summary."""
    entries: list[ImageRow | Failure] = [*results.images, *results.failures]
    for entry in sorted(entries, key=lambda entry: (natural(entry.id), entry.id)):
        yield image_line(results.settings, entry) if isinstance(entry, ImageRow) else failure_line(entry)
    yield summary_line(results)


def image_line(settings: Settings, row: ImageRow) -> str:
    """An image as a line of JSON."""
    return _line({"type": "image", **image_to_json(settings, row)}) + "\n"


def failure_line(failure: Failure) -> str:
    """A pair that could not be evaluated as a line of JSON."""
    return _line({"type": "failure", **failure_to_json(failure)}) + "\n"


def summary_line(results: Results) -> str:
    """Everything but the rows as a line of JSON."""
    counts = {"images": len(results.images), "failures": len(results.failures)}
    parts = {**_head(results), **_scores(results), **counts, "requirements": _verdicts(results)}
    return _line({"type": "summary", **parts}) + "\n"


def csv_text(results: Results) -> Iterator[str]:
    """One row an image and class; failures and what was left out have a row each, with the error in it."""
    yield _csv_row(CSV_COLUMNS)
    for row in results.images:
        for scores in score_image(results.settings, row):
            values = [getattr(scores, name) for name in (*_SCORES, *COUNTS)]
            texts = [spreadsheet(text) for text in (row.id, row.pred, row.gt, scores.name)]
            yield _csv_row((*texts, *("" if v is None else repr(v) for v in values), row.pixels, row.ignored, ""))
    blank = [""] * (len(CSV_COLUMNS) - 4)
    for failure in results.failures:
        names = map(spreadsheet, (failure.id, failure.pred, failure.gt))
        yield _csv_row((*names, *blank, spreadsheet(failure_text(failure))))
    for text in results.left_out:
        yield _csv_row(("", "", "", *blank, spreadsheet(f"left out: {text}")))


def _csv_row(values: tuple[object, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()


def _verdicts(results: Results) -> list[dict[str, Any]]:
    return [verdict_to_json(verdict) for verdict in results.requirements]


def _line(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False).replace("\n", "\n  ")


def _head(results: Results) -> dict[str, Any]:
    return {"format": FORMAT, "version": FORMAT_VERSION, **run_to_json(results.run)}


def _scores(results: Results) -> dict[str, Any]:
    """The two averages, and the intervals where there are any."""
    averages = {"pooled": summary_to_json(results.pooled), "image_mean": summary_to_json(results.image_mean)}
    entries = [interval_to_json(entry) for entry in results.intervals]
    return {**averages, "intervals": entries} if entries else averages


def image_to_json(settings: Settings, row: ImageRow) -> dict[str, Any]:
    """An image as it stands in a results file: its sums, and the scores that they give."""
    return {**row_to_json(row), "classes": [class_to_json(scores) for scores in score_image(settings, row)]}
