"""Results → output, warnings and an exit code, the same for every command that has results."""

from __future__ import annotations

from pathlib import Path

from softdice_cli.cli.terminal import Target, page, say, say_error
from softdice_cli.records import Results
from softdice_cli.render import Format, render, warnings
from softdice_cli.render.text import count

FAILED, EMPTY = 3, 5


def report(results: Results, format: Format, output: Path | None, *, worst: int, per_image: bool) -> int:
    """Write the results, say what needs saying, and give the exit code that they mean."""
    with Target(output) as target:
        for piece in render(results, format, page(output, worst=worst, per_image=per_image)):
            target.write(piece)
    return conclude(results, listed=format == "table" and output is None)


def conclude(results: Results, *, listed: bool = False) -> int:
    """Warnings and failures on standard error, and the exit code; `listed` says that the output named the failures."""
    for text in warnings(results):
        say(text, "warning")
    if results.images and listed:
        if results.failures:
            say(f"{count(results.failures, 'pair')} failed", "error")
    else:
        for failure in results.failures:
            say_error(failure)
    return FAILED if results.failures else 0 if results.images else EMPTY
