"""Results → text: returned, never printed. No file and no terminal is known here."""

from __future__ import annotations

from typing import Literal

from softdice_cli.records import Results
from softdice_cli.render.page import Page
from softdice_cli.render.text import neutral
from softdice_cli.render.warnings import warnings

__all__ = ["Format", "Page", "neutral", "render", "warnings"]

Format = Literal["table", "json"]

_PLAIN = Page()


def render(results: Results, format: Format, page: Page = _PLAIN) -> str:
    """The results in one of the formats; only a table looks at the page."""
    if format == "json":
        return results.to_json()
    from softdice_cli.render.table import render_table

    return render_table(results, page)
