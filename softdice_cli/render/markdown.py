"""Sections → a pull-request comment in GitHub's Markdown.

Names stand in code spans, in which nothing has a meaning: no markup, HTML, link, mention or
reference. A comment can hold 65,536 characters; where the text is longer its lists are shortened
until it fits, and say how much they leave out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from softdice_cli.records import Results
from softdice_cli.render.content import Align, Cell, Entry, Name, Row, RowKind, Section, Table
from softdice_cli.render.page import Page
from softdice_cli.render.sections import comment_sections, extent
from softdice_cli.render.text import neutral
from softdice_cli.render.verdicts import clip, headline

LIMIT = 65_000
"""Characters of the whole: somewhat below what a comment holds, so that a bot can mark it as its own."""

# How many rows of a table and entries of a list are tried, one after the other, until the text
# fits.
_MOST = (100_000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1)

_NAME = 200
_SENTENCE = 600
_WARNING = 2400
_SIGNATURE = 1200

_STRONG = ("mean", "all", "region_mean")

# The rows that stay when a table is shortened.
_KEPT = ("mean", "all", "present", "region_mean")


def markdown_text(results: Results, page: Page) -> Iterator[str]:
    """The results as a comment of at most `LIMIT` characters, in one piece."""
    word, sentence = headline(results)
    sections = list(comment_sections(results, page))
    text = ""
    for most in _MOST:
        blocks = [f"### softdice: {word}", _scope(sentence, results)]
        blocks += [section_text(section, most) for section in sections]
        blocks.append(code(results.settings.signature, most=_SIGNATURE))
        if results.run.label:
            blocks.append(f"label: {code(results.run.label)}")
        text = "\n\n".join(blocks) + "\n"
        if len(text) <= LIMIT:
            break
    yield text


def section_text(section: Section, most: int = _MOST[0], *, strong_cells: bool = True) -> str:
    """A section with no more than so many rows and entries.

    Args:
        section: what is drawn.
        most: how many rows and entries it may have, means not counted.
        strong_cells: whether all cells of a row of means stand out, and not only its name.
    """
    parts = [f"**{section.title}** {section.subtitle}".rstrip()]
    if section.table is not None:
        parts += _table_parts(section.table, most, strong_cells=strong_cells)
    if section.entries:
        longest = _WARNING if section.kind == "warnings" else _SENTENCE
        parts.append("\n".join(f"- {_entry(entry, longest)}" for entry in section.entries[:most]))
        parts += _rest(len(section.entries), max(0, len(section.entries) - most))
    parts += map(_escaped, section.notes)
    return "\n\n".join(parts)


def code(text: str, *, cell: bool = False, most: int = _NAME) -> str:
    r"""Text as a code span that nothing can leave.

    A pipe is escaped in a cell. Long runs of backticks are shown as ``\x60``: GitHub's parser
    (cmark) takes no fence longer than 80.
    """
    plain = clip(neutral(text), most)
    plain = re.sub("`{10,}", lambda run: r"\x60" * len(run[0]), plain)
    runs = [len(run) for run in re.findall("`+", plain)]
    fence = "`" * (max(runs, default=0) + 1)
    pad = " " if _needs_padding(plain) else ""
    if cell:
        plain = plain.replace("|", "\\|")
    return fence + pad + plain + pad + fence


def _needs_padding(plain: str) -> bool:
    """Whether a span needs a space at each end.

    A backtick at an end would join the fence, and a parser takes one space off each end, unless
    there are only spaces.
    """
    if not plain:
        return True
    if not plain.strip(" "):
        return False
    return plain[0] in "` " or plain[-1] in "` "


def _scope(sentence: str, results: Results) -> str:
    if not results.images:
        return sentence
    about = extent(results)
    images = about.images
    if about.name is not None:
        images += f" ({code(about.name)})"
    return f"{sentence}; {images}, {about.size}"


def _table_parts(table: Table, most: int, *, strong_cells: bool) -> Iterator[str]:
    """The table, and how many of its rows are left out; rows of means are always there."""
    rows: list[Row] = []
    seen: Counter[RowKind] = Counter()
    for row in table.rows:
        seen[row.kind] += 1
        if row.kind in _KEPT or seen[row.kind] <= most:
            rows.append(row)
    yield "\n".join(_lines(table, rows, most, strong_cells=strong_cells))
    counted = sum(count for kind, count in seen.items() if kind not in _KEPT)
    yield from _rest(counted, len(table.rows) - len(rows))


def _rest(count: int, left_out: int) -> Iterator[str]:
    if left_out:
        yield f"{left_out} of {count} are left out of this comment"


def _lines(table: Table, rows: Sequence[Row], most: int, *, strong_cells: bool) -> Iterator[str]:
    """Some rows of a table, under its head; each with no more than so many names."""
    titles = [_cell(column.title) for column in table.columns]
    # The first column names the rows.
    rules = ["---"]
    rules += [_RULES[column.align] for column in table.columns[1:]]
    with_names = any(row.names for row in table.rows)
    if with_names:
        titles.append(table.names_title)
        rules.append("---")
    yield _piped(titles)
    yield _piped(rules)
    for row in rows:
        cells = _cells(row, strong_cells=strong_cells)
        if with_names:
            cells.append(_names(row.names, most))
        yield _piped(cells)


_RULES: dict[Align, str] = {"left": "---", "name": "---", "right": "---:"}


def _cells(row: Row, *, strong_cells: bool) -> list[str]:
    cells = list(map(_cell, row.cells))
    if row.kind not in _STRONG:
        return cells
    if not strong_cells:
        return [_strong(cells[0]), *cells[1:]]
    return list(map(_strong, cells))


def _strong(cell: str) -> str:
    return f"**{cell}**" if cell else ""


def _cell(cell: Cell) -> str:
    if isinstance(cell, Name):
        return code(cell.text, cell=True)
    return _escaped(cell)


def _names(names: Sequence[Name], most: int) -> str:
    text = ", ".join(map(_cell, names[:most]))
    if len(names) > most:
        text += f" and {len(names) - most} more"
    return text


def _entry(entry: Entry, longest: int) -> str:
    text = code("; ".join([entry.text, *entry.advice]), most=longest)
    if entry.subject:
        return f"{code(entry.subject)}: {text}"
    return text


def _escaped(text: str) -> str:
    """A text of ours, in which only the asterisk has a meaning in Markdown."""
    return text.replace("*", "\\*")


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
