"""Manifests: a list of pairs as CSV, TSV or JSON lines, told apart by content."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

from softdice_cli.errors import UnreadableError
from softdice_cli.formats import stem
from softdice_cli.pairing.pair import STDIN, Pair, Pairing, settle

_EXPECTED = "CSV, TSV or JSON lines with pred and gt, and an id if the truths do not tell the pairs apart"


def pair_manifest(name: str, data: bytes, *, allow_missing: bool = False) -> Pairing:
    """The pairs of a manifest, all of whose files are there.

    Args:
        name: path of the manifest; relative paths in it are relative to its folder. ``-`` is
            standard input, whose paths are relative to the working directory.
        data: its bytes.
        allow_missing: leave out pairs of which a file is missing, and say so.

    Raises:
        UnreadableError: it is not a manifest, or a row lacks a column.
        PairingError: files are missing, or pairs are given twice.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("is not UTF-8", path=name, expected=_EXPECTED, found=str(error)) from error
    folder = "" if name == STDIN else os.path.dirname(name)
    pairs = [_pair(name, line, row, folder) for line, row in _rows(name, text)]
    whole, alone = [], []
    for pair in pairs:
        # A link to nowhere is there; reading it says what is wrong with it.
        missing = [path for path in (pair.pred, pair.gt) if not os.path.lexists(path)]
        if missing:
            alone.append(f"{' and '.join(missing)} (pair {pair.id}) not found")
        else:
            whole.append(pair)
    return settle(whole, alone, allow_missing=allow_missing)


def _rows(name: str, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Line numbers and rows."""
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, _json_row(name, number, line)
        return
    import csv

    header = text.partition("\n")[0]
    delimiter = "\t" if "\t" in header else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = rows.fieldnames or []
        if columns and not {"pred", "gt"} <= set(columns):
            raise UnreadableError(
                "has no header with the columns pred and gt",
                path=name,
                expected=_EXPECTED,
                found=header[:200],
                hint="make pred,gt its first line",
            )
        for row in rows:
            yield rows.line_num, dict(row)
    except csv.Error as error:
        raise UnreadableError(f"is not valid CSV: line {rows.line_num}: {error}", path=name) from error


def _json_row(name: str, number: int, line: str) -> dict[str, object]:
    import json

    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"is not valid JSON lines: line {number}: {error}", path=name) from error
    if not isinstance(row, dict):
        raise UnreadableError(f"line {number} is not an object", path=name, expected=_EXPECTED, found=line[:80])
    return row


def _pair(name: str, line: int, row: dict[str, object], folder: str) -> Pair:
    pred, gt, key = row.get("pred"), row.get("gt"), row.get("id")
    for column, value in (("pred", pred), ("gt", gt)):
        if not isinstance(value, str) or not value:
            raise UnreadableError(f"line {line} has no {column}", path=name, expected=_EXPECTED, found=str(row)[:200])
    # The csv module collects what is beyond the header under None.
    if None in row:
        raise UnreadableError(f"line {line} has more columns than the header", path=name, found=str(row)[:200])
    if not isinstance(key, str | int | None) or isinstance(key, bool):
        raise UnreadableError(f"line {line} has an id that is not a text", path=name, found=repr(key)[:80])
    label = str(key)
    if key in (None, ""):
        label = stem(str(gt))
    return Pair(label, _below(folder, str(pred)), _below(folder, str(gt)))


def _below(folder: str, path: str) -> str:
    """A path of a manifest; a file that is named ``-`` is a file, not standard input."""
    if path == STDIN and not folder:
        folder = "."
    return os.path.join(folder, path)
