"""Results → text: returned piece by piece, never printed. No file and no terminal is known here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Literal

from softdice_cli.records import Results
from softdice_cli.render.page import Page
from softdice_cli.render.text import at_line_start, neutral
from softdice_cli.render.warnings import warnings

__all__ = ["Format", "Page", "at_line_start", "neutral", "render", "to_text", "warnings"]

Format = Literal["table", "json", "jsonl", "csv", "csv-summary", "csv-confusion", "markdown", "junit", "github"]

# The module of each format, which is imported when it is asked for, and its function from results
# and page to text.
_DRAWERS: dict[Format, tuple[str, str]] = {
    "table": ("table", "draw"),
    "json": ("documents", "json_text"),
    "jsonl": ("documents", "jsonl_text"),
    "csv": ("spreadsheets", "csv_text"),
    "csv-summary": ("spreadsheets", "csv_summary_text"),
    "csv-confusion": ("spreadsheets", "csv_confusion_text"),
    "markdown": ("markdown", "markdown_text"),
    "junit": ("junit", "junit_text"),
    "github": ("github", "github_text"),
}

_PLAIN = Page()


def render(results: Results, format: Format, page: Page = _PLAIN) -> Iterator[str]:
    """The results in one of the formats, in pieces.

    Args:
        results: what is drawn.
        format: how; outputs for programs do not look at the page.
        page: what it is drawn for, and how much of the results is wanted.
    """
    module, function = _DRAWERS[format]
    yield from getattr(import_module(f"softdice_cli.render.{module}"), function)(results, page)


def to_text(results: Results, format: Format = "table") -> str:
    """The results as one string, in one of the formats; ``json`` is the results file."""
    return "".join(render(results, format))
