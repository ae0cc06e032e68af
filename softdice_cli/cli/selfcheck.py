"""``softdice selfcheck``: does this machine give the digits that it should?"""

from __future__ import annotations

import typer

from softdice_cli.cli.terminal import INTERNAL, emit, say


def selfcheck_command() -> None:
    """Rebuild the notebook's example and compare its numbers on every device present; exit 4 if any differs."""
    from softdice_cli.selfcheck import checks

    failed = 0
    for check in checks():
        failed += not check.agrees
        verdict = "ok" if check.agrees else f"DIFFERS from {check.expected!r}"
        emit(f"{check.what:<42} {check.found!r:<20} {verdict}\n", None)
    if failed:
        say(f"{failed} numbers differ: do not trust scores from this machine, and please report it", "error")
        raise typer.Exit(INTERNAL)
