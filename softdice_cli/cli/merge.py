"""``softdice merge``: the results of shards, or of separate runs, as one."""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.cli import options as o
from softdice_cli.cli.gating import Gate
from softdice_cli.cli.input_files import load
from softdice_cli.cli.option_values import columns_from, with_intervals
from softdice_cli.cli.report import Shown, extras, report
from softdice_cli.records.merge import Part, merge
from softdice_cli.scores import summarize


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Merge the results of shards, or of separate runs: the same bytes as a single run, in any order."""

    files: o.ResultsFiles
    ci: o.Ci = False
    columns: o.Columns = None
    fail_under: o.FailUnder = None
    require: o.Require = None
    baseline: o.Baseline = None
    max_drop: o.MaxDrop = None
    allow_missing: o.AcceptMissing = None
    format: o.Format = "json"
    worst: o.Worst = 5
    per_image: o.PerImage = False
    output: o.Output = None
    report: o.Reports = None
    debug: o.Debug = False

    def run(self) -> int:
        """Merge the files, and give the exit code of the whole."""
        gate = Gate.of(self.fail_under, self.require, self.baseline, self.max_drop, self.allow_missing)
        inputs = [("RESULTS", file) for file in self.files]
        reports = extras(self.report, self.output, [*inputs, ("--baseline", self.baseline)])
        shown = Shown(worst=self.worst, per_image=self.per_image, columns=columns_from(self.columns))
        whole = merge([Part(path, load(path, decides=gate.asks).run) for path in self.files])
        judged = gate.judge(with_intervals(summarize(whole), self.ci, shown.columns))
        return report(judged, self.format, self.output, reports, shown)
