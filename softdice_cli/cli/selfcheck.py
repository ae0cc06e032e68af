"""``softdice selfcheck``: does this machine give the digits that it should?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from softdice_cli.cli import options as o
from softdice_cli.cli.terminal import Target, say
from softdice_cli.errors import ExitCode

CheckDevice = Annotated[
    str,
    typer.Option(
        help="cpu, cuda[:N], mps or torch:cpu; all checks every device here, and SoftDiceLoss. All but cpu need torch.",
        metavar="NAME",
        rich_help_panel="Run",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Selfcheck:
    """Rebuild a known example and compare its numbers on a device; exit 4 if any differs."""

    device: CheckDevice = "cpu"
    debug: o.Debug = False

    def run(self) -> int:
        """Check, and give the exit code."""
        from softdice_cli.selfcheck import checks

        failed = 0
        with Target(None) as target:
            for check in checks(self.device):
                verdict = "ok"
                if not check.agrees:
                    verdict = f"DIFFERS from {check.expected!r}"
                    failed += 1
                target.write(f"{check.what:<42} {check.found!r:<20} {verdict}\n")
        if failed:
            say(_warning(failed), "error")
            return ExitCode.BUG
        return ExitCode.DONE


def _warning(failed: int) -> str:
    numbers = "1 number differs"
    if failed > 1:
        numbers = f"{failed} numbers differ"
    return f"{numbers}: do not trust scores from this machine, and please report it"
