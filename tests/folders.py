"""What several test files share: folders of predictions and masks, good and broken, and how they are evaluated."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from softdice_cli import Pair, to_text

FORMATS = ("table", "json", "jsonl", "csv")
SCORES = ("loss", "soft_dice", "dice", "iou", "precision", "recall")
COUNTS = ("truth_pixels", "predicted_pixels", "true_positives")
NAMES = ("i9", "i10", "i11", "i100", "k", "i8")
FAILED = {"i12": "is truncated", "i3": "does not fit", "nan": "NaN"}
"""What goes wrong in the folder of `broken`, by id."""


def maps(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Probabilities ``(C, *S)`` as float32."""
    raw = rng.random(shape)
    return (raw / raw.sum(0)).astype(np.float32)


def write(folder: Path, names: tuple[str, ...] = NAMES, *, classes: int = 3, seed: int = 5) -> None:
    """Folders ``p`` and ``g`` of maps of several classes; every other image is larger."""
    rng = np.random.default_rng(seed)
    for side in ("p", "g"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        size = (5, 4) if index % 3 else (7, 6)
        np.save(folder / f"p/{name}.npy", maps(rng, classes, *size))
        Image.fromarray(rng.integers(0, classes, size).astype(np.uint8)).save(folder / f"g/{name}.png")


def pairs_of(folder: Path, names: tuple[str, ...] = NAMES) -> list[Pair]:
    return [Pair(name, str(folder / f"p/{name}.npy"), str(folder / f"g/{name}.png")) for name in names]


def broken(folder: Path) -> None:
    """The same with a truncated PNG, a wrong shape, a NaN map, a missing partner, and a file of two images."""
    write(folder)
    write(folder / "more", tuple(FAILED))
    for name in FAILED:
        for side, kind in (("p", "npy"), ("g", "png")):
            (folder / f"more/{side}/{name}.{kind}").rename(folder / f"{side}/{name}.{kind}")
    mask = (folder / "g/i12.png").read_bytes()
    (folder / "g/i12.png").write_bytes(mask[: len(mask) // 2])
    values = np.load(folder / "p/i3.npy")
    np.save(folder / "p/i3.npy", values[:, :-1])
    values = np.load(folder / "p/nan.npy")
    values[0, 0, 0] = np.nan
    np.save(folder / "p/nan.npy", values)
    np.save(folder / "p/alone.npy", values)
    rng = np.random.default_rng(9)
    np.save(folder / "p/two.npy", np.stack([maps(rng, 3, 6, 4), maps(rng, 3, 6, 4)]))
    np.save(folder / "g/two.npy", rng.integers(0, 3, (2, 6, 4)).astype(np.uint8))


def eval_(*extra: object) -> tuple[object, ...]:
    return ("eval", "--pred", "p", "--gt", "g", *extra)


def saved(path: Path, results) -> Path:
    path.write_text(to_text(results, "json"))
    return path


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


SLOW = """
import sys, time
import softdice_cli.evaluation.pair_tasks as tasks
from softdice_cli.cli import main, progress
prepare, name, seconds = tasks.prepare_pair, sys.argv.pop(1), float(sys.argv.pop(1))
def slow(pair, *arguments):
    if name in (pair.id, "*"):
        time.sleep(seconds)
    return prepare(pair, *arguments)
tasks.prepare_pair = slow
progress._EVERY = 0.0
main()
"""
"""The command line with a pause before one pair, or all (``*``), and a line of progress for each pair."""


def slowly(folder: Path, name: str, seconds: float, *arguments: object, **more) -> subprocess.Popen:
    command = [sys.executable, "-c", SLOW, name, str(seconds), *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(command, cwd=folder, **{"stderr": subprocess.DEVNULL, "env": environment, **more})
