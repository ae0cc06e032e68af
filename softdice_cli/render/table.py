"""Sections → tables and lists on a terminal, in a pipe or in a text file.

Names fold where the page is too narrow, and digits are never cut.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from softdice_cli.records import Results
from softdice_cli.render.content import Cell, Entry, Name, Row, Section, Table
from softdice_cli.render.page import Page
from softdice_cli.render.sections import extent, page_sections
from softdice_cli.render.text import ADVISED, at_line_start, neutral

_UNLIMITED = 10_000
_NAME_WIDTH = 15
_NARROW = 80
_ASCII = str.maketrans({"–": "-", "−": "-", "ε": "eps", "×": "x", "─": "-"})

# The kinds of rows that stand out.
_STRONG = ("mean", "all", "region_mean", "unmet")

# Classes, their means, regions and their mean stand apart from each other.
_PARTS = {"class": 0, "mean": 1, "all": 1, "present": 1, "region": 2, "region_mean": 3}


def draw(results: Results, page: Page) -> Iterator[str]:
    """The results for people, in one piece."""
    yield table_text(results, page)


def table_text(results: Results, page: Page) -> str:
    """The results for people, or nothing where nothing was evaluated."""
    # Warnings are said on standard error.
    sections = [section for section in page_sections(results, page) if section.kind != "warnings"]
    if not results.images:
        return _without_images(results, sections)
    blocks = []
    for section in sections:
        title = _title(section)
        if section.kind == "pooled":
            # The first line of a page also says what the scores are of.
            title = _headline(results)
        blocks.append([title, *section_lines(section, page)])
    blocks[-1].append(neutral(results.settings.signature))
    if results.run.label:
        blocks[-1].append(f"label: {neutral(results.run.label)}")
    return page_text(blocks, page)


def section_lines(section: Section, page: Page) -> Iterator[str]:
    """What stands below the title of a section."""
    if section.table is not None:
        yield _drawn(section.table, page)
    for place, entry in enumerate(section.entries):
        line = _line(entry)
        # These hold names of classes and nothing to be copied, so that they fold as a table does.
        yield _folded(line, page.width) if section.kind == "confusion" else line
        if place < ADVISED:
            yield from (f"    {neutral(text)}" for text in entry.advice)
    yield from section.notes


def page_text(blocks: Iterable[Sequence[str]], page: Page) -> str:
    """Blocks of lines with an empty line between them, in the characters that the page has."""
    text = "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
    if page.unicode:
        return text
    return text.translate(_ASCII)


def _without_images(results: Results, sections: Sequence[Section]) -> str:
    """The lists of what is missing; a single failure is said on standard error."""
    if len(results.failures) < 2:
        return ""
    text = ""
    for section in sections:
        if section.kind in ("failures", "left_out"):
            text += "\n".join([_title(section), *map(_line, section.entries), ""])
    return text


def _headline(results: Results) -> str:
    about = extent(results)
    if about.name is not None:
        return f"{at_line_start(about.name)}: 1 image, {about.size}"
    return f"pooled over {about.images}, {about.size}"


def _title(section: Section) -> str:
    title = section.title
    if section.kind == "failures":
        title = title.replace("incomplete", "INCOMPLETE", 1)
    return f"{title} {section.subtitle}".rstrip()


def _line(entry: Entry) -> str:
    if entry.subject:
        return f"  {at_line_start(entry.subject)}: {neutral(entry.text)}"
    return f"  {at_line_start(entry.text)}"


def _folded(line: str, width: int | None) -> str:
    if width is None or cell_len(line) <= width:
        return line
    folded = Text(line).wrap(Console(width=width), width)
    return "\n".join(text.plain.rstrip() for text in folded)


def _drawn(table: Table, page: Page) -> str:
    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for place, column in enumerate(table.columns):
        title = _safe(column.title)
        if place == 0:
            drawn.add_column(title, overflow="fold", min_width=_NAME_WIDTH)
        elif column.align == "left":
            drawn.add_column(title, no_wrap=True)
        else:
            drawn.add_column(title, justify="right", no_wrap=True)
    broken = table.breakable and _width(table) > (page.width or _NARROW)
    if table.breakable:
        drawn.padding = (0, 0, 0, 0)
        drawn.columns[0].min_width = None
    _add_rows(drawn, table.rows, broken=broken)
    return _printed(drawn, page)


def _add_rows(drawn: RichTable, rows: Iterable[Row], *, broken: bool) -> None:
    before = None
    for row in rows:
        part = _PARTS.get(row.kind)
        if before is not None and part != before:
            drawn.add_section()
        before = part
        head, *rest = row.cells
        cells = list(map(_safe, rest))
        if broken:
            cells = list(map(_in_two_lines, cells))
        drawn.add_row(_head(head), *cells, style="bold" if row.kind in _STRONG else "")
        for name in row.names:
            drawn.add_row(Text(f"  {at_line_start(name.text)}"))


def _head(cell: Cell) -> Text:
    """The first cell of a row, which begins a line."""
    if isinstance(cell, Name):
        return Text(at_line_start(cell.text))
    return Text(cell)


def _safe(cell: Cell) -> Text:
    if isinstance(cell, Name):
        return Text(neutral(cell.text))
    return Text(cell)


def _in_two_lines(cell: Text) -> Text:
    return Text(cell.plain.replace(" ", "\n", 1))


def _width(table: Table) -> int:
    """How wide the table is when no cell is broken, with a space between columns."""
    widths = []
    for place, column in enumerate(table.columns):
        cells = [_safe(cell).plain for cell in (column.title, *(row.cells[place] for row in table.rows))]
        widths.append(max(map(cell_len, cells)))
    return sum(widths) + len(widths) - 1


def _printed(table: RichTable, page: Page) -> str:
    console = Console(
        file=io.StringIO(),
        width=_UNLIMITED,
        force_terminal=page.color,
        color_system="standard" if page.color else None,
        legacy_windows=False,
        emoji=False,
    )
    if not page.unicode:
        table.box = box.ASCII
    if page.width:
        # Names give way, down to their least width, and digits do not.
        natural_width = Measurement.get(console, console.options, table).maximum
        longest = max((cell_len(str(cell)) for cell in table.columns[0].cells), default=0)
        console.width = max(page.width, natural_width - max(0, longest - _NAME_WIDTH))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
