"""``softdice selfcheck``: does this machine give the digits that it should?"""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.cli import options as o
from softdice_cli.cli.terminal import Target, say
from softdice_cli.errors import ExitCode


@dataclass(frozen=True, kw_only=True)
class Selfcheck:
    """Rebuild the notebook's example and compare its numbers on every device here; exit 4 if any differs."""

    debug: o.Debug = False

    def run(self) -> int:
        """Check, and give the exit code."""
        from softdice_cli.selfcheck import checks, left_out

        failed = 0
        with Target(None) as target:
            for check in checks():
                failed += not check.agrees
                verdict = "ok" if check.agrees else f"DIFFERS from {check.expected!r}"
                target.write(f"{check.what:<42} {check.found!r:<20} {verdict}\n")
        if note := left_out():
            say(note)
        if failed:
            say(f"{failed} numbers differ: do not trust scores from this machine, and please report it", "error")
        return ExitCode.BUG if failed else ExitCode.DONE
