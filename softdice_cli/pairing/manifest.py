"""Manifests: a list of pairs as CSV, TSV or JSON lines, told apart by content."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from softdice_cli.errors import UnreadableError
from softdice_cli.pairing.names import forms, stem_of
from softdice_cli.pairing.pair import STDIN, Pair, Pairing, PairingError, beyond, first_of, leave_out, settle
from softdice_cli.pairing.table import EXPECTED, Row, rows
from softdice_cli.records import Allowance
from softdice_cli.records.allowance import NONE_MISSING

_MOST = 0.5


def pair_manifest(name: str, data: bytes, *, allowed: Allowance = NONE_MISSING) -> Pairing:
    """The pairs of a manifest, all of whose files are there.

    Args:
        name: path of the manifest; relative paths in it are relative to its folder. ``-`` is
            standard input, whose paths are relative to the working directory.
        data: its bytes.
        allowed: how many pairs may lack a file; they are left out, and the pairing says so.

    Raises:
        UnreadableError: it is not a manifest, or a row lacks a column.
        PairingError: files are missing, or pairs are given twice.
    """
    folder = "" if name == STDIN else os.path.dirname(name)
    pairs = [_pair(name, row, folder) for row in rows(name, data)]
    _refuse_gaps(name, pairs)
    whole, alone, lost = [], [], []
    for pair in pairs:
        # A link to nowhere is there; reading it says what is wrong with it.
        missing = [path for path in (pair.pred, pair.gt, pair.roi) if path and not os.path.lexists(path)]
        if missing:
            alone.append(f"{' and '.join(missing)} (pair {pair.id}) not found")
            lost += missing
        else:
            whole.append(pair)
    if not allowed.permits(len(alone), len(pairs)):
        raise PairingError(
            f"files of {len(alone)} of {len(pairs)} pairs are missing",
            path=name,
            found=first_of(alone),
            expected=beyond(allowed),
            hint=_hint(name, folder, len(alone), lost, len(whole) >= _MOST * len(pairs)),
        )
    return settle(whole, alone)


def _hint(name: str, folder: str, missing: int, lost: Sequence[str], most_are_there: bool) -> str:
    """What to type where files of a manifest are missing."""
    below = [os.path.relpath(path, folder or ".") for path in lost]
    if folder and all(os.path.lexists(path) for path in below):
        import shlex

        return f"its paths are relative to the working directory: --pairs - < {shlex.quote(name)}"
    if most_are_there:
        return leave_out(missing)
    if folder:
        return f"check its paths, which are relative to {folder}"
    return "check its paths, which are relative to the working directory"


def _pair(name: str, row: Row, folder: str) -> Pair:
    paths = {}
    for column in ("pred", "gt", "roi"):
        value = row.values.get(column)
        if column == "roi" and value is None:
            value = ""
        if not isinstance(value, str) or not (value.strip() or column == "roi"):
            raise UnreadableError(
                f"line {row.line} has no {column}",
                path=name,
                expected=EXPECTED,
                found=row.text,
                hint="complete the line",
            )
        paths[column] = _there(folder, value) if value.strip() else ""
    key = row.values.get("id")
    if not isinstance(key, str | int | None) or isinstance(key, bool):
        raise UnreadableError(
            f"line {row.line} has an id that is not a text", path=name, found=repr(key)[:80], hint="put it in quotes"
        )
    label = str(key)
    if key in (None, ""):
        label = stem_of(paths["gt"])
    return Pair(label, paths["pred"], paths["gt"], paths["roi"])


def _refuse_gaps(name: str, pairs: Sequence[Pair]) -> None:
    """Raises PairingError where only some pairs have a region of interest: none could mean all of the image."""
    without = [pair.id for pair in pairs if not pair.roi]
    if without and len(without) < len(pairs):
        raise PairingError(
            f"{len(without)} of {len(pairs)} pairs have no region of interest",
            path=name,
            expected="a path in the column roi for each pair, or for none",
            found=first_of(without),
            hint="name a mask of the whole image where all of it counts",
        )


def _there(folder: str, path: str) -> str:
    """The path of a file, as it is written if it is there, else in the one other spelling that is."""
    for spelling in _spellings(path):
        below = _below(folder, spelling)
        if os.path.lexists(below):
            return below
    return _below(folder, path)


def _spellings(path: str) -> Iterator[str]:
    """A path as written, without spaces around it, with slashes for backslashes, and in both Unicode forms."""
    yield path
    stripped = path.strip()
    for text in (stripped, stripped.replace("\\", "/")):
        yield from forms(text)


def _below(folder: str, path: str) -> str:
    """A path of a manifest; a file that is named ``-`` is a file, not standard input."""
    if path == STDIN and not folder:
        folder = "."
    return os.path.join(folder, path)
