"""A comparison for people (table, Markdown) and for programs (JSON, CSV): returned as text, never printed.

People get the sections of `changes`, drawn as those of results are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from softdice_cli.records import Verdict
from softdice_cli.render.changes import comparison_sections, headline, legend, verdict_text
from softdice_cli.render.content import Section
from softdice_cli.render.page import Page
from softdice_cli.render.text import in_spreadsheet, neutral

if TYPE_CHECKING:
    # Its NumPy is not needed to show what was found.
    from softdice_cli.comparison.shapes import Comparison, ScoreChange

__all__ = ["CSV_COLUMNS", "CompareFormat", "render_comparison", "verdict_text"]

CompareFormat = Literal["table", "json", "csv", "markdown"]

FORMAT = "softdice-comparison"
FORMAT_VERSION = 1
CSV_COLUMNS = (
    "metric", "average", "scope", "class", "a", "b", "difference", "low", "high", "resamples", "p", "permutations",
    "better", "worse", "tied", "undefined",
)  # fmt: skip
_LEVEL = 0.95
_PLAIN = Page()


def render_comparison(
    comparison: Comparison, format: CompareFormat = "table", page: Page = _PLAIN, verdict: Verdict | None = None
) -> str:
    """The comparison in one of the formats, with the verdict on it if there is one; only a table looks at the page.

    CSV has one row a score and nothing else; a caller says the notes elsewhere.
    """
    if format == "csv":
        return "".join(_csv(comparison))
    if format == "json":
        return _json(comparison, verdict)
    if format == "markdown":
        return _markdown(comparison, verdict)
    return _table(comparison, page, verdict)


def _json(comparison: Comparison, verdict: Verdict | None) -> str:
    requirements = []
    if verdict:
        requirements.append(asdict(verdict))
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "a": comparison.a,
        "b": comparison.b,
        "signature": comparison.signature,
        "images": comparison.images,
        "left_out": list(comparison.left_out),
        "level": _LEVEL,
        "resamples": comparison.resamples,
        "seed": comparison.seed,
        "scores": [asdict(score) for score in comparison.scores],
        "changed": [asdict(change) for change in comparison.changed],
        "notes": list(comparison.notes),
        "requirements": requirements,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _csv(comparison: Comparison) -> Iterator[str]:
    from softdice_cli.render.spreadsheets import csv_row, number_cell

    yield csv_row(CSV_COLUMNS)
    for score in comparison.scores:
        texts = (score.metric, score.average, score.scope, in_spreadsheet(score.name))
        yield csv_row((*texts, *map(number_cell, _numbers(score))))


def _numbers(score: ScoreChange) -> tuple[float | None, ...]:
    low = high = resamples = None
    if score.interval:
        low, high, resamples = score.interval.low, score.interval.high, score.interval.resamples
    drawn = (low, high, resamples, score.p, score.permutations)
    return (score.a, score.b, score.difference, *drawn, score.better, score.worse, score.tied, score.undefined)


def _table(comparison: Comparison, page: Page, verdict: Verdict | None) -> str:
    from softdice_cli.render.table import page_text, section_lines

    blocks = [[headline(comparison, neutral)]]
    for section in comparison_sections(comparison):
        blocks.append([section.title, *section_lines(section, page)])
    tail = [*legend(comparison), *map(neutral, comparison.notes)]
    if verdict:
        tail.append(neutral(verdict_text(comparison, verdict)))
    blocks.append([*tail, neutral(comparison.signature)])
    return page_text(blocks, page)


def _markdown(comparison: Comparison, verdict: Verdict | None) -> str:
    from softdice_cli.render.markdown import code

    blocks = [f"### {headline(comparison, code)}"]
    if verdict:
        blocks.append(f"**{verdict_text(comparison, verdict)}**")
    blocks += [_in_markdown(section) for section in comparison_sections(comparison)]
    blocks += [*legend(comparison), *map(code, comparison.notes), code(comparison.signature)]
    return "\n\n".join(blocks) + "\n"


def _in_markdown(section: Section) -> str:
    """All of a table, without bold scores, as several of these tables stand below each other."""
    from softdice_cli.render.markdown import section_text

    return section_text(section, strong_cells=False)
