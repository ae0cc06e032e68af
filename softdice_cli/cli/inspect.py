"""``softdice inspect``: what is in a file, and how eval would read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from softdice_cli.cli import options as o
from softdice_cli.cli.terminal import Target, say_error
from softdice_cli.errors import ExitCode, InputError, as_flag
from softdice_cli.render import at_line_start, neutral

if TYPE_CHECKING:
    from softdice_cli.inspection import Contents, Found, Inspection, Inverted
    from softdice_cli.readers import Entry

_LISTED = 40


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Look into files: format, shape, type, range, sums, labels, and what they suggest for eval."""

    files: o.AnyFiles
    key: o.Key = None
    max_pixels: o.MaxPixels = 2**28
    max_bytes: o.MaxBytes = 2**33
    timeout: o.Timeout = None
    format: o.InspectFormat = "table"
    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Look into each file; the exit code says whether one cannot be read."""
        from softdice_cli.inspection import inspect_files
        from softdice_cli.readers import ReadOptions

        options = ReadOptions(key=self.key, max_pixels=self.max_pixels, max_bytes=self.max_bytes)
        found: list[Found] = []
        code = ExitCode.DONE
        for entry in inspect_files(self.files, options, timeout=self.timeout):
            found.append(entry)
            if isinstance(entry, InputError):
                say_error(entry)
                code = ExitCode.INPUT
        with Target(self.output) as target:
            if self.format == "json":
                target.write(_json(found))
            else:
                for block in _blocks(found):
                    target.write(block)
        return code


def _json(found: list[Found]) -> str:
    documents = [_document(entry) for entry in found]
    return json.dumps(documents, indent=2, allow_nan=False) + "\n"


def _document(entry: Found) -> dict[str, Any]:
    if isinstance(entry, InputError):
        return {"path": entry.path, "error": entry.headline(as_flag), "hint": entry.next_step(as_flag)}
    return asdict(entry)


def _blocks(found: list[Found]) -> Iterator[str]:
    """A block for each file that could be read; the others were named on standard error."""
    from softdice_cli.inspection import Contents

    for entry in found:
        if isinstance(entry, InputError):
            continue
        if isinstance(entry, Contents):
            yield _contents(entry)
            continue
        lines = [f"{at_line_start(entry.path)}: {entry.format}, {entry.dtype} {entry.shape}\n"]
        for label, text in _rows(entry):
            lines.append(f"  {label:<8}  {text}\n")
        yield "".join(lines)


def _contents(found: Contents) -> str:
    """The arrays of a file, up to a number that can be looked through."""
    lines = [f"{at_line_start(found.path)}: {found.format}, {len(found.arrays)} arrays: look into one with --key\n"]
    width = max(len(entry.key) for entry in found.arrays[:_LISTED])
    for entry in found.arrays[:_LISTED]:
        lines.append(f"  {neutral(entry.key):<{width}}  {_array(entry)}\n")
    if len(found.arrays) > _LISTED:
        lines.append(f"  and {len(found.arrays) - _LISTED} more\n")
    return "".join(lines)


def _array(entry: Entry) -> str:
    if entry.shape is None:
        return neutral(entry.stored)
    return f"{entry.stored} {entry.shape}"


def _rows(entry: Inspection) -> Iterator[tuple[str, str]]:
    if len(entry.axes) > 2:
        yield "axes", f"{entry.axes}, as the format says"
    if entry.low is not None and entry.high is not None:
        yield "range", f"{entry.low:.6g} to {entry.high:.6g}"
    if entry.nonfinite:
        yield "NaN", f"{entry.nonfinite} values are NaN or infinite"
    for sums in entry.sums:
        yield "sums", f"{sums.low:.6g} to {sums.high:.6g} along axis {sums.axis}"
    if entry.labels is not None:
        yield "labels", _labels(entry.labels)
    if entry.inverted is not None:
        yield "inverted", _inverted(entry.inverted)
    if entry.palette:
        yield "palette", _palette(entry.palette)
    for note in entry.notes:
        yield "reads as", note


def _inverted(turned: Inverted) -> str:
    text = f"{turned.low:.6g} to {turned.high:.6g}"
    if turned.labels is not None:
        text += f"; {_labels(turned.labels)}"
    return text


def _palette(colors: Mapping[str, str]) -> str:
    shown = [f"{label} = {color}" for label, color in colors.items()]
    return _first(shown)


def _labels(labels: Mapping[str, int]) -> str:
    """The labels with their pixel counts, up to a number that can be looked through."""
    return _first([f"{label} ({count} px)" for label, count in labels.items()])


def _first(shown: list[str]) -> str:
    text = ", ".join(shown[:_LISTED])
    if len(shown) > _LISTED:
        text += f" and {len(shown) - _LISTED} more"
    return text
