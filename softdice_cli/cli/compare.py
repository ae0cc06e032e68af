"""``softdice compare``: what changed between two saved results of the same images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import typer

from softdice_cli.cli import options as o
from softdice_cli.cli.gating import allowance_of
from softdice_cli.cli.input_files import load
from softdice_cli.cli.terminal import Target, page, say
from softdice_cli.errors import ConfigError, ExitCode
from softdice_cli.render.compare import CompareFormat, render_comparison, verdict_text

_COMPARE, _OUT = "Comparison", "Output"

FileA = Annotated[str, typer.Argument(metavar="A", help="Results file (JSON) to compare with; '-' reads stdin.")]
FileB = Annotated[str, typer.Argument(metavar="B", help="Results file (JSON) that is judged; '-' reads stdin.")]
Format = Annotated[CompareFormat, typer.Option(help="For people, or for programs.", rich_help_panel=_OUT)]
Resamples = Annotated[
    int,
    typer.Option(help="Bootstrap resamples, and permutations.", metavar="N", rich_help_panel=_COMPARE),
]
Seed = Annotated[int, typer.Option(help="Of the random numbers.", metavar="N", min=0, rich_help_panel=_COMPARE)]
Metrics = Annotated[
    str | None,
    typer.Option(
        help="The metrics to compare, e.g. dice,iou,precision; hard Dice is among them in any case.",
        metavar="LIST",
        rich_help_panel=_COMPARE,
    ),
]
FailIfWorse = Annotated[
    bool,
    typer.Option(
        "--fail-if-worse",
        help="Exit 1 if the whole 95 % interval of the change of the pooled mean hard Dice lies below "
        "-(--min-effect), or if there is no interval.",
        rich_help_panel=_COMPARE,
    ),
]
MinEffect = Annotated[
    float,
    typer.Option(help="With --fail-if-worse: the drop of Dice that does not matter.", metavar="X", min=0,
                 rich_help_panel=_COMPARE),
]  # fmt: skip
Worst = Annotated[
    int,
    typer.Option(help="How many of the images that changed most to list.", metavar="K", min=0, rich_help_panel=_OUT),
]


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare two saved results of the same images: differences, bootstrap intervals, permutation p-values."""

    a: FileA
    b: FileB
    format: Format = "table"
    metrics: Metrics = None
    resamples: Resamples = 10_000
    seed: Seed = 0
    fail_if_worse: FailIfWorse = False
    min_effect: MinEffect = 0.0
    allow_missing: o.AcceptMissing = None
    worst: Worst = 5
    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Compare the files, write what changed, and give the exit code of the verdict.

        Raises:
            ConfigError: both are standard input, or an option makes no sense.
            InputError: a file cannot be read, is incomplete, or is not of the same images, classes
                and settings.
        """
        if self.a == self.b == "-":
            raise ConfigError("A and B cannot both be standard input", hint="save one of them to a file")
        if self.min_effect and not self.fail_if_worse:
            raise ConfigError("says nothing without --fail-if-worse", option="min_effect", hint="add --fail-if-worse")
        allowed = allowance_of(self.allow_missing, judged=self.fail_if_worse)
        # Imported here, so that --help needs no NumPy.
        from softdice_cli.comparison import compare, judge
        from softdice_cli.gates import over_shared_images

        a, b = (load(path, decides=self.fail_if_worse) for path in (self.a, self.b))
        a, b, shared = over_shared_images(a, b, allowed)
        comparison = compare(
            a,
            b,
            names=(self.a, self.b),
            metrics=_names(self.metrics),
            resamples=self.resamples,
            seed=self.seed,
            worst=self.worst,
        )
        if shared:
            comparison = replace(comparison, notes=(*comparison.notes, shared))
        verdict = None
        if self.fail_if_worse:
            verdict = judge(comparison, self.min_effect, allowed)
        with Target(self.output) as target:
            target.write(render_comparison(comparison, self.format, page(self.output), verdict))
        # Where the notes are not on the screen already.
        if self.format == "csv" or self.output:
            for note in comparison.notes:
                say(note, "warning")
        if verdict is None:
            return ExitCode.DONE
        if verdict.passed:
            say(verdict_text(comparison, verdict))
            return ExitCode.DONE
        say(verdict_text(comparison, verdict), "error")
        return ExitCode.UNMET


def _names(text: str | None) -> list[str] | None:
    """The names in a list with commas."""
    if text is None:
        return None
    return [name.strip() for name in text.split(",")]
