"""What is measured on which data, and what is concluded from it: a table each."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import budgets, table
from benchmarks.commands import SCRIPTS, STARTS, Contender, against, module, script, softdice
from benchmarks.data import Data, make
from benchmarks.measure import run
from benchmarks.rounds import Entry, Measured, Say, measure
from benchmarks.table import Table
from benchmarks.workloads import CITY, LATENCY, PATCHES, STREET, Workload, growth


@dataclass(frozen=True)
class Options:
    """What the user chose.

    Attributes:
        scale: how many times the pairs.
        repeats: rounds.
        data: folder that keeps the data, or ``None`` to make them in one that goes away.
        against: names of the contenders, or paths of scripts.
        sklearn_pairs: how many pairs scikit-learn is given.
    """

    scale: float
    repeats: int
    data: Path | None
    against: Sequence[str]
    sklearn_pairs: int | None


@dataclass(frozen=True)
class Outcome:
    """A table, all that was measured for it, and which numbers differ."""

    table: Table
    measured: Sequence[Measured]
    problems: Sequence[str]


LATENCY_ROUNDS = 4
"""So many rounds for each that the user asked for: they are short, and their spread is large beside them."""


def compare(workload: Workload, options: Options, say: Say) -> Outcome:
    """Softdice and the others on one data set; where it is one small pair, against the bare imports as well."""
    latency = workload == LATENCY
    others = against(options.against, options.sklearn_pairs)
    with _data([workload.scaled(options.scale)], options, say) as (data,):
        entries = _entries([softdice(), *(STARTS if latency else ()), *others], data, started=not latency)
        measured, problems = measure(entries, options.repeats * (LATENCY_ROUNDS if latency else 1), say)
        found = budgets.of_latency(measured) if latency else budgets.of_folder(measured)
        return Outcome(table.comparison(data.workload.title, measured, found), measured, problems)


def scaling(options: Options, say: Say) -> Outcome:
    """Ten times the pixels, the pairs and the classes, by one worker, so that more work means more cores nowhere."""
    base, more = growth(options.scale)
    with _data([base, *more], options, say) as sets:
        names = [base.name, *(f"{workload.name} ×10" for workload in more)]
        single = [softdice("--workers", "1", name=name) for name in names]
        entries = [entry for one, data in zip(single, sets, strict=True) for entry in _entries([one], data)]
        measured, problems = measure(entries, options.repeats, say)
    verdicts = [budgets.of_growth(measured[0], m, w.name) for m, w in zip(measured[1:], more, strict=True)]
    rows = list(zip([base.title, *names[1:]], measured, strict=True))
    title = "Growth of the cost, one worker, start-up taken off"
    return Outcome(table.of_ratios(title, rows, [None, *verdicts]), measured, problems)


def workers(options: Options, say: Say) -> Outcome:
    """Two workers against one, start-up taken off."""
    rows: list[tuple[str, Measured]] = []
    verdicts: list[budgets.Budget | None] = []
    problems: list[str] = []
    for workload in (STREET, CITY, PATCHES):
        with _data([workload.scaled(options.scale)], options, say) as (data,):
            crews = [softdice("--workers", str(n), name=f"--workers {n}") for n in (1, 2)]
            (one, two), differ = measure(_entries(crews, data), options.repeats, say)
        rows += [(f"{data.workload.title}, {crew.name}", crew) for crew in (one, two)]
        verdicts += [None, budgets.of_workers(one, two, workload.name)]
        problems += differ
    table_ = table.of_ratios("Two workers against one", rows, verdicts)
    return Outcome(table_, [measured for _, measured in rows], problems)


def accelerator(options: Options, say: Say) -> Outcome | None:
    """The city on a GPU: softdice from end to end, the two libraries, reading alone and copying alone."""
    copied = _copy_rate()
    if copied is None:
        say("there is no CUDA device: nothing to measure")
        return None
    device = ("--device", "cuda")
    others = [script("floor", SCRIPTS["floor"]), *against(["torch", "torchmetrics", "monai"], None, *device)]
    with _data([CITY.scaled(options.scale)], options, say) as (data,):
        measured, problems = measure(_entries([softdice(*device), *others], data), options.repeats, say)
    title = f"{data.workload.title}, on one GPU"
    shown = table.comparison(title, measured, [])
    note = f"pinned memory is copied to the GPU at {copied / 1e9:.2f} GB/s; the floor is reading alone, on the CPU"
    return Outcome(Table(title, shown.columns, shown.rows, notes=[note]), measured, problems)


def _copy_rate() -> float | None:
    with tempfile.TemporaryDirectory() as folder:
        done = run(module("copying"), folder=Path(folder), checkout=True)
    rate: float | None = json.loads(done.out)
    return rate


def _entries(contenders: Sequence[Contender], data: Data, *, started: bool = True) -> list[Entry]:
    tiny = make(data.workload.tiny(), data.folder.parent) if started else None
    return [Entry(contender, data, tiny) for contender in contenders]


@contextmanager
def _data(workloads: Sequence[Workload], options: Options, say: Say) -> Iterator[list[Data]]:
    """The data sets, kept or not as the user chose."""
    with tempfile.TemporaryDirectory(prefix="softdice-benchmark-") as temporary:
        parent = (options.data or Path(temporary)).resolve()
        made = []
        for workload in workloads:
            say(f"{workload.title}: data")
            made.append(make(workload, parent))
        yield made
