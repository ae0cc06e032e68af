"""Results → text: returned piece by piece, never printed. No file and no terminal is known here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Literal

from softdice_cli.records import Results
from softdice_cli.render.page import Page
from softdice_cli.render.text import first, neutral
from softdice_cli.render.warnings import warnings

__all__ = ["Format", "Page", "first", "neutral", "render", "to_text", "warnings"]

Format = Literal["table", "json", "jsonl", "csv", "markdown", "junit", "github"]

_PLAIN = Page()


def render(results: Results, format: Format, page: Page = _PLAIN) -> Iterator[str]:
    """The results in one of the formats, in pieces; only a table looks at the page."""
    if format == "table":
        from softdice_cli.render.table import table_text

        yield table_text(results, page)
        return
    if format == "markdown":
        from softdice_cli.render.markdown import markdown_text

        yield from markdown_text(results, page)
        return
    module = import_module(f"softdice_cli.render.{format if format in ('github', 'junit') else 'documents'}")
    yield from getattr(module, f"{format}_text")(results)


def to_text(results: Results, format: Format = "table") -> str:
    """The results as one string, in one of the formats; ``json`` is the results file."""
    return "".join(render(results, format))
