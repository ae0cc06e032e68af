"""``softdice inspect``: what is in a file, and how eval would read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

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
        for path in self.files:
            try:
                found.append(inspect(path, options))
            except InputError as error:
                found.append(error)
                say_error(error)
        with Target(self.output) as target:
            for piece in _json(found) if self.format == "json" else _blocks(found):
                target.write(piece)
        return ExitCode.INPUT if any(isinstance(entry, InputError) for entry in found) else ExitCode.DONE


def _json(found: list[Inspection | InputError]) -> Iterator[str]:
    documents = [
        {"path": entry.path, "error": entry.headline(as_flag), "hint": entry.next_step(as_flag)}
        if isinstance(entry, InputError)
        else asdict(entry)
        for entry in found
    ]
    yield json.dumps(documents, indent=2, allow_nan=False) + "\n"


def _blocks(found: list[Inspection | InputError]) -> Iterator[str]:
    for entry in found:
        if not isinstance(entry, InputError):
            rows = "".join(f"  {label:<8}  {text}\n" for label, text in _rows(entry))
            yield f"{at_line_start(entry.path)}: {entry.format}, {entry.dtype} {entry.shape}\n{rows}"


def _rows(entry: Inspection) -> Iterator[tuple[str, str]]:
    if entry.low is not None and entry.high is not None:
        yield "range", f"{entry.low:.6g} to {entry.high:.6g}"
    if entry.nonfinite:
        yield "NaN", f"{entry.nonfinite} values are NaN or infinite"
    for sums in entry.sums:
        yield "sums", f"{sums.low:.6g} to {sums.high:.6g} along axis {sums.axis}"
    if entry.labels is not None:
        shown = [f"{label} ({count} px)" for label, count in list(entry.labels.items())[:_LISTED]]
        yield (
            "labels",
            ", ".join(shown) + (f" and {len(entry.labels) - _LISTED} more" if len(entry.labels) > _LISTED else ""),
        )
    for note in entry.notes:
        yield "reads as", note
