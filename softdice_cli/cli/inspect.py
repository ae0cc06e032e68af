"""``softdice inspect``: what is in a file, and how eval would read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from softdice_cli.cli import options as o
from softdice_cli.cli.terminal import Target, say_error
from softdice_cli.errors import ExitCode, InputError, as_flag
from softdice_cli.render import at_line_start

if TYPE_CHECKING:
    from softdice_cli.inspection import Inspection

_LISTED = 40


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Look into files: format, shape, type, range, sums, labels, and what they suggest for eval."""

    files: o.AnyFiles
    key: o.Key = None
    max_pixels: o.MaxPixels = 2**28
    max_bytes: o.MaxBytes = 2**33
    format: o.InspectFormat = "table"
    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Look into each file; the exit code says whether one cannot be read."""
        from softdice_cli.inspection import inspect
        from softdice_cli.readers import ReadOptions

        options = ReadOptions(key=self.key, max_pixels=self.max_pixels, max_bytes=self.max_bytes)
        found: list[Inspection | InputError] = []
        code = ExitCode.DONE
        for path in self.files:
            try:
                found.append(inspect(path, options))
            except InputError as error:
                found.append(error)
                say_error(error)
                code = ExitCode.INPUT
        with Target(self.output) as target:
            if self.format == "json":
                target.write(_json(found))
            else:
                for block in _blocks(found):
                    target.write(block)
        return code


def _json(found: list[Inspection | InputError]) -> str:
    documents = [_document(entry) for entry in found]
    return json.dumps(documents, indent=2, allow_nan=False) + "\n"


def _document(entry: Inspection | InputError) -> dict[str, Any]:
    if isinstance(entry, InputError):
        return {"path": entry.path, "error": entry.headline(as_flag), "hint": entry.next_step(as_flag)}
    return asdict(entry)


def _blocks(found: list[Inspection | InputError]) -> Iterator[str]:
    """A block for each file that could be read; the others were named on standard error."""
    for entry in found:
        if isinstance(entry, InputError):
            continue
        lines = [f"{at_line_start(entry.path)}: {entry.format}, {entry.dtype} {entry.shape}\n"]
        for label, text in _rows(entry):
            lines.append(f"  {label:<8}  {text}\n")
        yield "".join(lines)


def _rows(entry: Inspection) -> Iterator[tuple[str, str]]:
    if entry.low is not None and entry.high is not None:
        yield "range", f"{entry.low:.6g} to {entry.high:.6g}"
    if entry.nonfinite:
        yield "NaN", f"{entry.nonfinite} values are NaN or infinite"
    for sums in entry.sums:
        yield "sums", f"{sums.low:.6g} to {sums.high:.6g} along axis {sums.axis}"
    if entry.labels is not None:
        yield "labels", _labels(entry.labels)
    for note in entry.notes:
        yield "reads as", note


def _labels(labels: Mapping[str, int]) -> str:
    """The labels with their pixel counts, up to a number that can be looked through."""
    shown = [f"{label} ({count} px)" for label, count in labels.items()]
    text = ", ".join(shown[:_LISTED])
    if len(shown) > _LISTED:
        text += f" and {len(shown) - _LISTED} more"
    return text
