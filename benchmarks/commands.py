"""Who is measured, and the command line of each."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.measure import Run, run

RESULTS = "results.json"

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """A program that evaluates a folder, or one that only starts.

    Attributes:
        name: in the tables.
        arguments: the command for a folder of data.
        kind: ``softdice`` writes `RESULTS`, a ``script`` prints numbers, and what is ``bare`` reads no data.
        first: how many pairs it is given; all by default.
    """

    name: str
    arguments: Callable[[Path], list[str]]
    kind: Literal["softdice", "script", "bare"]
    first: int | None = None

    def run(self, data: Path, scratch: Path, *, watched: bool = False) -> Run:
        """Run it once."""
        return run(self.arguments(data), folder=scratch, checkout=self.kind == "script", watched=watched)

    def is_partial(self, pairs: int) -> bool:
        """Whether it is given fewer pairs than there are."""
        return self.first is not None and self.first < pairs


def softdice(*options: str, name: str = "softdice") -> Contender:
    """Softdice as a user runs it; its results go to `RESULTS`."""

    def arguments(data: Path) -> list[str]:
        files = ["--pred", str(data / "preds"), "--gt", str(data / "masks")]
        return [*_MODULE, "softdice_cli", "eval", *files, "--format", "json", "--output", RESULTS, *options]

    return Contender(name, arguments, "softdice")


def module(name: str) -> list[str]:
    """The command for one of `benchmarks.contenders`."""
    return [*_MODULE, f"benchmarks.contenders.{name}"]


def script(name: str, source: str, *options: str, first: int | None = None) -> Contender:
    """One of `benchmarks.contenders`, or a script of the user's that prints the same."""
    start = [sys.executable, source] if source.endswith(".py") else module(source)
    some = [] if first is None else ["--first", str(first)]
    return Contender(name, lambda data: [*start, str(data), *some, *options], "script", first)


def bare(name: str, *arguments: str) -> Contender:
    """Python with these arguments, which reads no data."""
    return Contender(name, lambda data: [sys.executable, *arguments], "bare")


_MODULE = (sys.executable, "-m")

SCRIPTS = {
    "floor": "floor",
    "torch": "notebook",
    "torchmetrics": "with_torchmetrics",
    "monai": "with_monai",
    "sklearn": "with_sklearn",
}
TITLES = {"torch": "notebook's loop", "torchmetrics": "TorchMetrics", "monai": "MONAI", "sklearn": "scikit-learn"}
RIVALS = tuple(TITLES[name] for name in ("torch", "torchmetrics", "monai"))
"""Whose fastest the budget is about."""

HELP, HELP_FLOOR = "softdice --help", "import typer, rich.table"
IMPORTS = "import numpy, PIL.Image, typer, rich.table"
STARTS = (
    bare(IMPORTS, "-c", IMPORTS),
    bare(HELP, "-m", "softdice_cli", "--help"),
    bare(HELP_FLOOR, "-c", HELP_FLOOR),
)
"""What the latency is held against."""


def is_contender(name: str) -> bool:
    """Whether `against` knows it."""
    return name in SCRIPTS or (name.endswith(".py") and Path(name).is_file())


def against(names: Sequence[str], sklearn_pairs: int | None, *options: str) -> list[Contender]:
    """The contenders of these names; a path is a script of the user's own."""
    found = []
    for name in names:
        if name.endswith(".py"):
            found.append(script(Path(name).stem, str(Path(name).resolve()), *options))
        else:
            some = sklearn_pairs if name == "sklearn" else None
            found.append(script(TITLES.get(name, name), SCRIPTS[name], *options, first=some))
    return found


def whereabouts() -> str:
    """The folder of the softdice that is measured: not that of this checkout, if another one is installed."""
    with tempfile.TemporaryDirectory() as folder:
        code = "import softdice_cli; print(softdice_cli.__path__[0])"
        return run([sys.executable, "-c", code], folder=Path(folder)).out.strip()


def results_of(data: Path, scratch: Path, first: int | None = None) -> Numbers:
    """What softdice finds in a data set, or in its first pairs."""
    contender = softdice()
    command = contender.arguments(data)
    if first is not None:
        sides = (sorted((data / side).iterdir())[:first] for side in ("preds", "masks"))
        rows = [json.dumps({"pred": str(p), "gt": str(m)}) for p, m in zip(*sides, strict=True)]
        (scratch / "pairs.jsonl").write_text("\n".join(rows))
        at = command.index("--pred")
        command[at : at + 4] = ["--pairs", "pairs.jsonl"]
    run(command, folder=scratch)
    return read_results(scratch)


def read_results(scratch: Path) -> Numbers:
    """The results that softdice wrote last."""
    found: Numbers = json.loads((scratch / RESULTS).read_text())
    return found
