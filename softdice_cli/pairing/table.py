"""The rows of a manifest, whatever program saved it: text from bytes, columns from text.

A spreadsheet of a German office separates columns by semicolons, PowerShell writes UTF-16, a hand
puts spaces after commas. What leaves one reading is read, and what does not is refused by its name.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from softdice_cli.errors import UnreadableError

EXPECTED = "CSV, TSV or JSON lines with pred and gt, and an id if the truths do not tell the pairs apart"

COLUMNS = ("pred", "gt", "id", "roi")
_NEEDED = ("pred", "gt")

# The longest first, as the mark of UTF-32 starts with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_QUOTED = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a manifest.

    Attributes:
        line: its number, from 1.
        values: what stands in the columns that softdice knows.
        text: the line as it may be quoted.
    """

    line: int
    values: Mapping[str, object]
    text: str


def rows(name: str, data: bytes) -> Iterator[Row]:
    """The rows of a manifest; empty ones are left out.

    Args:
        name: path of the manifest.
        data: its bytes.

    Raises:
        UnreadableError: it is not a manifest.
    """
    text = _text(name, data)
    start = text.lstrip()
    if start.startswith("["):
        raise UnreadableError(
            "is one JSON array",
            path=name,
            expected=EXPECTED,
            found=start[:80],
            hint="write one object a line: jq -c '.[]' list.json > list.jsonl",
        )
    if start.startswith("{"):
        return _json_rows(name, text)
    return _csv_rows(name, text)


def _text(name: str, data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise UnreadableError(
            "is an Excel workbook or another archive",
            path=name,
            expected=EXPECTED,
            hint="save the sheet as CSV UTF-8",
        )
    encoding, title = "utf-8", "UTF-8"
    for mark, marked, called in _MARKS:
        if data.startswith(mark):
            encoding, title = marked, called
            break
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8, which Excel calls CSV UTF-8"
        raise UnreadableError(f"is not {title}", path=name, expected=EXPECTED, found=str(error), hint=hint) from error
    if "\0" in text:
        raise UnreadableError(
            "holds zero bytes, as UTF-16 without a byte-order mark does",
            path=name,
            expected=EXPECTED,
            found=repr(data[:20]),
            hint="save it as UTF-8, such as: iconv -f UTF-16LE -t UTF-8 list.csv > list-utf8.csv",
        )
    return text


def _json_rows(name: str, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Row(number, _json_values(name, number, line), line.strip()[:_QUOTED])


def _json_values(name: str, number: int, line: str) -> Mapping[str, object]:
    import json

    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"is not valid JSON lines: line {number}: {error}",
            path=name,
            expected=EXPECTED,
            hint='write one object a line, such as {"pred": "p/a.npy", "gt": "g/a.png"}',
        ) from error
    # An object comes as a list of tuples, and so do no arrays.
    if not line.lstrip().startswith("{"):
        raise UnreadableError(f"line {number} is not an object", path=name, expected=EXPECTED, found=line[:80])
    names = [_column(key) for key, _ in pairs]
    _refuse_repeated(name, names)
    return {column: value for column, (_, value) in zip(names, pairs, strict=True) if column in COLUMNS}


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    # The csv module is imported here, as only a manifest needs it.
    import csv

    lines = io.StringIO(text, newline="").readlines()
    start, delimiter = _preamble(lines)
    if start == len(lines):
        return
    if not delimiter:
        delimiter = _delimiter(name, lines[start])
    body = "".join(lines[start:])
    # A space before a quote would make the quote a part of the text.
    spaced = re.search(rf'{re.escape(delimiter)} +"', body) is not None
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, skipinitialspace=spaced, strict=True)
    columns: list[str] | None = None
    try:
        for fields in reader:
            line = start + reader.line_num
            # A spreadsheet saves empty rows as separators.
            if not any(field.strip() for field in fields):
                continue
            _refuse_line_breaks(name, start + reader.line_num, fields)
            if columns is None:
                columns = _columns(name, fields)
                continue
            yield Row(line, _values(name, line, columns, fields, delimiter), delimiter.join(fields)[:_QUOTED])
    except csv.Error as error:
        hint = "close each quotation mark, and write one inside a quoted text twice"
        raise UnreadableError(
            f"is not valid CSV: line {start + reader.line_num}: {error}", path=name, hint=hint
        ) from error


def _refuse_line_breaks(name: str, line: int, fields: Sequence[str]) -> None:
    """Two stray quotation marks make one field of the rows between them, which would be lost without a word."""
    for field in fields:
        if "\n" in field or "\r" in field:
            raise UnreadableError(
                f"has a line break inside a field that ends in line {line}",
                path=name,
                expected="each pair on a line of its own",
                found=repr(field[:_QUOTED]),
                hint="close each quotation mark, and write one inside a quoted text twice",
            )


def _preamble(lines: Sequence[str]) -> tuple[int, str]:
    """How many lines stand before the header, and the delimiter that one of them names.

    Excel reads and writes ``sep=;``, and Export-Csv of PowerShell starts with ``#TYPE``.
    """
    delimiter = ""
    for number, line in enumerate(lines):
        named = re.fullmatch(r'"?sep=([^\w\s"]|\t)"?', line.strip("\r\n"), re.IGNORECASE)
        if named:
            delimiter = named[1]
        elif not line.startswith("#TYPE ") and line.strip(" ,;\t\r\n"):
            return number, delimiter
    return len(lines), delimiter


def _delimiter(name: str, header: str) -> str:
    """What separates the columns of a header.

    Raises:
        UnreadableError: nothing that makes columns pred and gt of it.
    """
    fitting = [mark for mark in _DELIMITERS if set(_NEEDED) <= {_column(text) for text in header.split(mark)}]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        named = " and ".join(_DELIMITERS[mark] for mark in fitting)
        raise UnreadableError(
            f"has a header that could be separated by {named}",
            path=name,
            expected=EXPECTED,
            found=header.strip()[:_QUOTED],
            hint="use one kind of separator",
        )
    words = {word.casefold() for word in re.findall(r"\w+", header)}
    if set(_NEEDED) <= words:
        problem, hint = "has columns that neither commas, semicolons nor tabs separate", "separate them by commas"
    elif re.search(r"\.\w+|[/\\]", header):
        problem = "has no header with the columns pred and gt"
        mark = next((mark for mark in (";", "\t") if mark in header), ",")
        hint = f"make pred{mark}gt its first line"
    else:
        problem = "has no header with the columns pred and gt"
        hint = "call the column of the predictions pred, and that of the truths gt"
    raise UnreadableError(problem, path=name, expected=EXPECTED, found=header.strip()[:_QUOTED], hint=hint)


def _column(text: str) -> str:
    """The name of a column, which may be written in capitals, with spaces or in quotes."""
    return text.strip().strip('"').strip().casefold()


def _columns(name: str, fields: Sequence[str]) -> list[str]:
    columns = [_column(field) for field in fields]
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise UnreadableError(
            f"has no column {' and '.join(missing)}",
            path=name,
            expected=EXPECTED,
            found=", ".join(columns)[:_QUOTED],
            hint="call the column of the predictions pred, and that of the truths gt",
        )
    _refuse_repeated(name, columns)
    return columns


def _refuse_repeated(name: str, columns: Sequence[str]) -> None:
    for column in COLUMNS:
        if columns.count(column) > 1:
            raise UnreadableError(
                f"has several columns {column}", path=name, expected=EXPECTED, hint="remove or rename all but one"
            )


def _values(
    name: str, line: int, columns: Sequence[str], fields: Sequence[str], delimiter: str
) -> Mapping[str, object]:
    if any(field.strip() for field in fields[len(columns) :]):
        raise UnreadableError(
            f"line {line} has more columns than the header",
            path=name,
            found=delimiter.join(fields)[:_QUOTED],
            hint="put a text that holds the separator in quotes",
        )
    known: dict[str, object] = {}
    for column, field in zip(columns, fields, strict=False):
        if column in COLUMNS:
            known[column] = field.strip() if column == "id" else field
    return known
