"""``softdice show``, ``merge`` and ``schema``: results that were saved, without the pixels behind them."""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.cli import options as o
from softdice_cli.cli.report import report
from softdice_cli.cli.terminal import Target, read_stdin
from softdice_cli.records import Results
from softdice_cli.records.merge import Part, merge
from softdice_cli.scores import restore, summarize

_LIMIT = 2**33


def load(path: str) -> Results:
    """The results in a file, or on standard input for ``-``; every score is computed again.

    Raises:
        UnreadableError: it is no results file, or was changed by hand.
    """
    return restore(read_stdin(_LIMIT) if path == "-" else o.read_file(path), path)


@dataclass(frozen=True, kw_only=True)
class Show:
    """Show saved results in any format; every score is computed again from the saved sums."""

    file: o.ResultsFile
    format: o.Format = "table"
    worst: o.Worst = 5
    per_image: o.PerImage = False
    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Render the file, and give the exit code that its evaluation had."""
        return report(load(self.file), self.format, self.output, worst=self.worst, per_image=self.per_image)


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Merge the results of shards, or of separate runs: the same bytes as a single run, in any order."""

    files: o.ResultsFiles
    format: o.Format = "json"
    worst: o.Worst = 5
    per_image: o.PerImage = False
    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Merge the files, and give the exit code of the whole."""
        settings, rows, failures, left_out = merge([Part(path, load(path)) for path in self.files])
        results = summarize(settings, rows, failures, left_out=left_out)
        return report(results, self.format, self.output, worst=self.worst, per_image=self.per_image)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Print the JSON Schema of the results file."""

    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Print it."""
        from importlib.resources import files

        with Target(self.output) as target:
            target.write(files("softdice_cli.records").joinpath("results.schema.json").read_text(encoding="utf-8"))
        return 0
