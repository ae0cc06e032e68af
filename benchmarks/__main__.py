"""The command: ``python -m benchmarks [NAME …]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from benchmarks import plans, table
from benchmarks.commands import SCRIPTS, is_contender, whereabouts
from benchmarks.measure import CommandError
from benchmarks.plans import Options, Outcome
from benchmarks.rounds import Say
from benchmarks.workloads import WORKLOADS

_DISAGREE = 1
_WIDTH = 128
_LIBRARIES = ("softdice-cli", "numpy", "pillow", "tifffile", "torch", "torchmetrics", "monai", "scikit-learn")

Plan = Callable[[Options, Say], Outcome | None]

EXTRAS: dict[str, Plan] = {"scaling": plans.scaling, "workers": plans.workers, "accelerator": plans.accelerator}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 1 if a contender failed or its numbers differ from softdice's."""
    given = _parser().parse_args(arguments)
    strange = [name for name in given.names if name not in (*WORKLOADS, *EXTRAS)]
    strange += [name for name in given.against if not is_contender(name)]
    if strange:
        _parser().error(f"no such thing to measure: {', '.join(strange)}")
    options = Options(given.scale, given.repeats, given.data, given.against, given.sklearn_pairs)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    for line in (_machine(), *table.DEFINITIONS):
        console.print(Text(line))
    console.print()
    _progress(f"softdice is that of {whereabouts()}")
    found, problems = {}, []
    for name in given.names or [*WORKLOADS, *EXTRAS]:
        try:
            outcome = _plan(name)(options, _progress)
        except CommandError as error:
            problems.append(f"{name}: {error}")
            continue
        if outcome is not None:
            found[name] = outcome
            problems += [f"{name}: {line}" for line in outcome.problems]
            table.show(outcome.table, console)
    _save(given.json, given.markdown, found, problems)
    for line in problems:
        print(line, file=sys.stderr)
    return _DISAGREE if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure softdice beside other evaluators, alternately, on the same files.",
        epilog="Exit code 1: a contender failed, or its numbers differ. A budget that is not met fails nothing.",
    )
    names = ", ".join([*WORKLOADS, *EXTRAS])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure, all by default: {names}")
    parser.add_argument("--scale", type=_positive, default=1.0, help="times the pairs, or the slices of the volume")
    parser.add_argument("--repeats", type=_whole, default=5, help="rounds, in each of which every contender runs once")
    parser.add_argument("--data", type=Path, help="folder that keeps the data, and has them from before")
    parser.add_argument(
        "--against",
        type=lambda text: [name for name in text.split(",") if name],
        default=list(SCRIPTS),
        help=f"others to run: {','.join(SCRIPTS)} (the default), or .py files that print the same",
    )
    parser.add_argument(
        "--sklearn-pairs", type=_whole, metavar="N", help="give scikit-learn the first N pairs only; no ratio then"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every time there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _plan(name: str) -> Plan:
    if name in EXTRAS:
        return EXTRAS[name]
    return lambda options, say: plans.compare(WORKLOADS[name], options, say)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _machine() -> str:
    """What the numbers were measured on, and with which versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    installed = ", ".join(f"{name} {found}" for name in _LIBRARIES if (found := _version(name)))
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}; {installed}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _save(as_json: Path | None, as_markdown: Path | None, found: dict[str, Outcome], problems: list[str]) -> None:
    if as_json:
        document: dict[str, Any] = {"machine": _machine(), "problems": problems}
        document["measured"] = {name: [asdict(result) for result in o.measured] for name, o in found.items()}
        document["budgets"] = {name: [_verdict(b) for b in o.table.budgets] for name, o in found.items()}
        as_json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_markdown:
        pages = [_machine(), "", *(f"- {line}" for line in table.DEFINITIONS), ""]
        pages += [table.markdown(outcome.table) for outcome in found.values()]
        as_markdown.write_text("\n".join(pages), encoding="utf-8")


def _verdict(budget: Any) -> dict[str, Any]:
    return {**asdict(budget), "met": budget.met}


if __name__ == "__main__":
    sys.exit(main())
