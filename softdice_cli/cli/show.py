"""``softdice show``: results that were saved, without the pixels behind them."""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.cli import options as o
from softdice_cli.cli.gating import Gate
from softdice_cli.cli.input_files import load
from softdice_cli.cli.option_values import columns_from, with_intervals
from softdice_cli.cli.report import Shown, extras, report


@dataclass(frozen=True, kw_only=True)
class Show:
    """Show saved results in any format; every score is computed again from the saved sums."""

    file: o.ResultsFile
    ci: o.Ci = False
    columns: o.Columns = None
    fail_under: o.FailUnder = None
    require: o.Require = None
    baseline: o.Baseline = None
    max_drop: o.MaxDrop = None
    allow_missing: o.AcceptMissing = None
    format: o.Format = "table"
    worst: o.Worst = 5
    per_image: o.PerImage = False
    output: o.Output = None
    report: o.Reports = None
    debug: o.Debug = False

    def run(self) -> int:
        """Render the file; judge it by the gate that is given now, and not by the one that it was made with."""
        gate = Gate.of(self.fail_under, self.require, self.baseline, self.max_drop, self.allow_missing)
        reports = extras(self.report, self.output, [("RESULTS", self.file), ("--baseline", self.baseline)])
        shown = Shown(worst=self.worst, per_image=self.per_image, columns=columns_from(self.columns))
        judged = gate.judge(with_intervals(load(self.file, decides=gate.asks), self.ci, shown.columns))
        return report(judged, self.format, self.output, reports, shown)
