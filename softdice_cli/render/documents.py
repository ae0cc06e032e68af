"""Results → JSON for programs: the results file, and JSON lines with one line an image.

The same results give the same bytes. Text comes piece by piece, so that a large run is never held
as one string.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from softdice_cli.records import FORMAT, FORMAT_VERSION, Failure, ImageRow, Results, Settings, natural
from softdice_cli.records.digest import Digest
from softdice_cli.records.to_json import (
    class_to_json,
    failure_to_json,
    interval_to_json,
    matrix_to_json,
    row_to_json,
    run_to_json,
    summary_to_json,
    verdict_to_json,
)
from softdice_cli.render.page import Page
from softdice_cli.scores import score_image, score_regions


def json_text(results: Results, _: Page) -> Iterator[str]:
    """The results file: one JSON document, with one line an image, and a digest of it all."""
    digest = Digest()

    def told(name: str, value: Any) -> str:
        digest.add(name, value)
        return f"  {json.dumps(name)}: {_indented(value)}"

    yield "{\n"
    for name, value in {**_head(results), **_scores(results)}.items():
        yield told(name, value) + ",\n"
    if results.confusion is not None:
        # A row a line, as there may be many classes.
        digest.add("confusion", results.confusion)
        rows = ",\n    ".join(_line(list(row)) for row in results.confusion)
        yield f'  "confusion": [\n    {rows}\n  ],\n'
    yield '  "images": ['
    separator = "\n    "
    for row in results.images:
        image = image_to_json(results.settings, row)
        digest.add_image(image)
        yield separator + _line(image)
        separator = ",\n    "
    yield "\n  ],\n" if results.images else "],\n"
    yield told("failures", [failure_to_json(failure) for failure in results.failures]) + ",\n"
    yield told("requirements", _verdicts(results)) + ",\n"
    yield f'  "digest": {_line(digest.text())}\n}}\n'


def jsonl_text(results: Results, _: Page) -> Iterator[str]:
    """One line an image and one a failure, in natural order as a run writes them, and a summary."""
    entries: list[ImageRow | Failure] = [*results.images, *results.failures]
    for entry in sorted(entries, key=lambda entry: (natural(entry.id), entry.id)):
        if isinstance(entry, ImageRow):
            yield image_line(results.settings, entry)
        else:
            yield failure_line(entry)
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
    parts = {**_head(results), **_scores(results)}
    if results.confusion is not None:
        parts["confusion"] = matrix_to_json(results.confusion)
    parts |= {**counts, "requirements": _verdicts(results)}
    return _line({"type": "summary", **parts}) + "\n"


def _verdicts(results: Results) -> list[dict[str, Any]]:
    return [verdict_to_json(verdict) for verdict in results.requirements]


# json.dumps would make an encoder for each image.
_encode = json.JSONEncoder(allow_nan=False, check_circular=False).encode


def _line(value: Any) -> str:
    return _encode(value)


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False).replace("\n", "\n  ")


def _head(results: Results) -> dict[str, Any]:
    return {"format": FORMAT, "version": FORMAT_VERSION, **run_to_json(results.run)}


def _scores(results: Results) -> dict[str, Any]:
    """The two averages, and the intervals where there are any."""
    averages: dict[str, Any] = {
        "pooled": summary_to_json(results.pooled),
        "image_mean": summary_to_json(results.image_mean),
    }
    if not results.intervals:
        return averages
    return {**averages, "intervals": [interval_to_json(entry) for entry in results.intervals]}


def image_to_json(settings: Settings, row: ImageRow) -> dict[str, Any]:
    """An image as it stands in a results file: its sums, and the scores that they give."""
    scores = {"classes": [class_to_json(scores) for scores in score_image(settings, row)]}
    if row.regions:
        scores["regions"] = [class_to_json(scores) for scores in score_regions(settings, row.regions)]
    return {**row_to_json(row), **scores}
