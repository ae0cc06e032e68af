"""``softdice schema``: what stands in a results file, for programs."""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.cli import options as o
from softdice_cli.cli.terminal import Target
from softdice_cli.errors import ExitCode


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Print the JSON Schema of the results file."""

    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Print it."""
        from softdice_cli.render.schema import schema_text

        with Target(self.output) as target:
            target.write(schema_text())
        return ExitCode.DONE
