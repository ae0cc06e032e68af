"""``softdice eval``: predictions and truths → results and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softdice_cli.cli import options as o
from softdice_cli.cli.gating import Gate, Judged
from softdice_cli.cli.input_files import MOST_OF_LIST, STDIN, read_file, read_stdin
from softdice_cli.cli.option_values import (
    Notes,
    columns_from,
    label_of,
    refuse_combinations,
    shard_of,
    with_intervals,
)
from softdice_cli.cli.progress import Progress
from softdice_cli.cli.report import Shown, check_formats, conclude, extras, refuse_to_replace, report
from softdice_cli.cli.task import Task, said_by_options, task_from
from softdice_cli.cli.terminal import Target, say
from softdice_cli.errors import ConfigError, EmptyError
from softdice_cli.records import Allowance, Failure, ImageRow, Prediction, Results, Settings, Shard

if TYPE_CHECKING:
    from softdice_cli.evaluation import Reading
    from softdice_cli.pairing import Pairing


@dataclass(frozen=True, kw_only=True)
class Eval:
    """Evaluate saved predictions against their masks: per-class soft-Dice loss and hard Dice.

    --pred and --gt are two files, two folders (paired by stem) or two quoted patterns; --pairs is a list instead.
    """

    pred: o.Pred = None
    gt: o.Gt = None
    pairs: o.Pairs = None
    recursive: o.Recursive = False
    pred_prefix: o.PredPrefix = ""
    gt_prefix: o.GtPrefix = ""
    pred_suffix: o.PredSuffix = ""
    gt_suffix: o.GtSuffix = ""
    allow_missing: o.AllowMissing = None
    shard: o.ShardOf = None
    label: o.Label = None
    key: o.Key = None
    gt_key: o.GtKey = None
    layout: o.Layout = ""
    scale: o.Scale = None
    pred_labels: o.PredLabels = False
    activation: o.Activate = "none"
    allow_unnormalized: o.Unnormalized = False
    white_is_zero: o.WhiteIsZero = None
    max_pixels: o.MaxPixels = 2**28
    max_bytes: o.MaxBytes = 2**33
    verify: o.Verify = False
    class_: o.Class = None
    num_classes: o.NumClasses = None
    classes: o.ClassFile = None
    region: o.Region = None
    multilabel: o.Multilabel = False
    only: o.Only = None
    foreground: o.Foreground = None
    ignore: o.Ignore = None
    roi: o.Roi = None
    no_background: o.NoBackground = False
    eps: o.Eps = 1e-5
    threshold: o.Threshold = None
    empty: o.EmptyScore = "skip"
    ci: o.Ci = False
    columns: o.Columns = None
    fail_under: o.FailUnder = None
    require: o.Require = None
    baseline: o.Baseline = None
    max_drop: o.MaxDrop = None
    device: o.Device = "cpu"
    workers: o.Workers = None
    batch_size: o.BatchSize = None
    journal: o.JournalFile = None
    timeout: o.Timeout = None
    fail_fast: o.FailFast = False
    format: o.Format = "table"
    worst: o.Worst = 5
    per_image: o.PerImage = False
    output: o.Output = None
    report: o.Reports = None
    quiet: o.Quiet = False
    debug: o.Debug = False

    def run(self) -> int:
        """Evaluate, and give the exit code."""
        label_of(self.label)
        task = self._task()
        settings = task.settings
        gate = Gate.of(self.fail_under, self.require, self.baseline, self.max_drop, self.allow_missing)
        gate.check(settings)
        shown = Shown(worst=self.worst, per_image=self.per_image, columns=columns_from(self.columns))
        reports = extras(self.report, self.output, self._inputs(task))
        check_formats([self.format, *(other for other, _ in reports)], settings)
        found = self._pairing(task, gate.allowed)
        refuse_to_replace((path for pair in found.pairs for path in pair.files), self.output, reports)
        if self.shard is not None and gate.asks:
            raise ConfigError("a shard is not the whole, and cannot be judged", hint="softdice merge … with the gate")
        part = shard_of(self.shard, found.pairs, (self.layout, self.key, self.gt_key))
        notes = Notes()
        reading = self._reading()
        if self.format == "jsonl":
            code = conclude(self._stream(settings, found, part, reading, gate, notes), reports, shown)
        else:
            with Progress(quiet=self.quiet, bar=True) as progress:
                results = self._evaluate(settings, found, part, reading, progress, notes)
            judged = gate.judge(with_intervals(results, self.ci, shown.columns))
            code = report(judged, self.format, self.output, reports, shown)
        if not self.quiet:
            notes.tell(say)
        return code

    def _task(self) -> Task:
        """What the files mean, and which of their pixels count."""
        said = said_by_options(
            classes=self.class_,
            count=self.num_classes,
            regions=self.region,
            ignore=self.ignore,
            thresholds=self.threshold,
            multilabel=self.multilabel,
            only=self.only,
            foreground=self.foreground,
            white_is_zero=self.white_is_zero,
            roi=self.roi,
        )
        prediction: Prediction = "labels" if self.pred_labels else "probabilities"
        return task_from(
            said,
            self.classes,
            prediction=prediction,
            scale=self.scale,
            activation=self.activation,
            eps=self.eps,
            empty=self.empty,
            background=not self.no_background,
            normalized=not self.allow_unnormalized,
        )

    def _pairing(self, task: Task, allowed: Allowance) -> Pairing:
        """The pairs, decided before any pixel is read."""
        from softdice_cli.pairing import Pair, Pairing, is_many

        refuse_combinations(self.pairs, self.pred, self.gt)
        if self.pairs is not None:
            from softdice_cli.pairing import pair_manifest

            found = pair_manifest(self.pairs, self._manifest(self.pairs), allowed=allowed)
            self._refuse_none(found)
        elif is_many(str(self.pred)) or is_many(str(self.gt)):
            from softdice_cli.pairing import refuse_mixture

            refuse_mixture(str(self.pred), str(self.gt))
            found = self._folders(allowed)
        else:
            found = Pairing((Pair.of_files(str(self.pred), str(self.gt)),))
        if task.roi is not None:
            from softdice_cli.pairing import with_regions

            found = with_regions(found, task.roi, recursive=self.recursive)
        if self.quiet:
            return found
        for text in found.notes:
            say(text, "warning")
        if found.clutter:
            others = "1 other file" if len(found.clutter) == 1 else f"{len(found.clutter)} other files"
            say(f"ignored {others}, e.g. {found.clutter[0]}")
        return found

    def _folders(self, allowed: Allowance) -> Pairing:
        """The pairs of two folders or patterns."""
        from softdice_cli.pairing import Side, nothing_found, pair_folders

        pred = Side(str(self.pred), self.pred_suffix, self.pred_prefix)
        gt = Side(str(self.gt), self.gt_suffix, self.gt_prefix)
        found = pair_folders(pred, gt, recursive=self.recursive, allowed=allowed)
        if not found.pairs:
            raise nothing_found(pred, gt, recursive=self.recursive)
        return found

    def _refuse_none(self, found: Pairing) -> None:
        """Raises EmptyError where a list has no pair that can be evaluated."""
        if found.pairs:
            return
        hint = "give it a line for each pair"
        if found.left_out:
            hint = "check its paths, which are relative to its folder"
        raise EmptyError(
            "there is nothing to evaluate",
            expected="at least one pair of a prediction and a truth",
            found="; ".join([f"none in {self.pairs}", *found.left_out[:1]]),
            hint=hint,
        )

    def _manifest(self, path: str) -> bytes:
        """The bytes of the list of pairs."""
        if path == STDIN:
            return read_stdin(MOST_OF_LIST, hint="a list of pairs has a line for each")
        return read_file(path, MOST_OF_LIST, hint="a list of pairs has a line for each")

    def _inputs(self, task: Task) -> list[tuple[str, str | Path | None]]:
        """Files that no output may replace."""
        return [
            ("--pred", self.pred),
            ("--gt", self.gt),
            ("--pairs", self.pairs),
            ("--journal", self.journal),
            ("--baseline", self.baseline),
            ("--classes", self.classes),
            ("--roi", task.roi),
            ("--roi", self.roi),
        ]

    def _reading(self) -> Reading:
        from softdice_cli.evaluation import Reading
        from softdice_cli.readers import ReadOptions

        stdin = None
        if STDIN in (self.pred, self.gt):
            stdin = read_stdin(self.max_bytes, hint="--max-bytes, or save it to a file")
        return Reading(
            layout=self.layout,
            pred=ReadOptions(key=self.key, max_pixels=self.max_pixels, max_bytes=self.max_bytes, verify=self.verify),
            gt=ReadOptions(key=self.gt_key, option="gt_key", max_pixels=self.max_pixels, max_bytes=self.max_bytes),
            stdin=stdin,
        )

    def _evaluate(
        self,
        settings: Settings,
        found: Pairing,
        part: Shard | None,
        reading: Reading,
        progress: Progress,
        notes: Notes,
    ) -> Results:
        from softdice_cli.evaluation import evaluate
        from softdice_cli.overlap.devices import choose

        pairs = found.pairs
        if part is not None:
            pairs = pairs[part.index - 1 :: part.count]
        return evaluate(
            pairs,
            settings=settings,
            device=choose(self.device, say),
            reading=reading,
            workers=self.workers,
            batch_size=self.batch_size,
            journal=self.journal,
            timeout=self.timeout,
            fail_fast=self.fail_fast,
            left_out=found.left_out,
            shard=part,
            label=label_of(self.label),
            watcher=progress,
            notify=notes.add,
            warn=notes.warn,
        )

    def _stream(
        self,
        settings: Settings,
        found: Pairing,
        part: Shard | None,
        reading: Reading,
        gate: Gate,
        notes: Notes,
    ) -> Judged:
        """JSON lines: each image as it is done, then the summary."""
        from softdice_cli.render.documents import failure_line, image_line, summary_line

        with Target(self.output) as target:

            def write_rows(current: Settings, rows: Sequence[ImageRow]) -> None:
                for row in rows:
                    target.write(image_line(current, row))
                target.flush()

            def write_failure(failure: Failure) -> None:
                target.write(failure_line(failure))
                target.flush()

            progress = Progress(
                quiet=self.quiet, bar=not target.is_terminal, on_rows=write_rows, on_failure=write_failure
            )
            with progress:
                results = self._evaluate(settings, found, part, reading, progress, notes)
            judged = gate.judge(with_intervals(results, self.ci, columns_from(self.columns)))
            target.write(summary_line(judged.results))
        return judged
