"""Types what a hint says: the ways that it names, and the settings that their options mean."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np

from softdice_cli import ClassDef, Results, Settings, evaluate
from softdice_cli.evaluation.reading import Reading


def ways(hint: str) -> list[str]:
    """The options of each way that a hint names, without the words around them."""
    found = []
    for part in re.split(r"; |, or ", hint):
        if match := re.search(r"--.*", part):
            found.append(re.split(r",? if |, where |, which | \(", match[0])[0])
    return found


def typed(options: str, before: Settings | None = None) -> Settings:
    """The settings of a run with these options, besides those that were given before."""
    settings = before or Settings()
    classes: list[ClassDef] = []
    words = shlex.split(options)
    flags = {"--pred-labels": {"prediction": "labels"}, "--multilabel": {"multilabel": True}}
    flags["--allow-unnormalized"] = {"normalized": False}
    while words:
        flag = words.pop(0)
        if flag in flags:
            settings = replace(settings, **flags[flag])
            continue
        value = words.pop(0)
        if flag == "--class":
            name, _, labels = value.rpartition("=")
            owned = tuple(map(int, labels.split("+"))) if name else len(classes)
            classes.append(ClassDef(name or value, owned))
        elif flag == "--ignore":
            settings = replace(settings, ignore=(*settings.ignore, int(value)))
        elif flag == "--num-classes":
            classes += [ClassDef(str(label), label) for label in range(int(value))]
        elif flag == "--scale":
            settings = replace(settings, scale=int(value))
        else:
            settings = replace(settings, **{flag.removeprefix("--"): value})
    return replace(settings, classes=tuple(classes)) if classes else settings


def folder_of(folder: Path, predictions: list[np.ndarray], masks: list[np.ndarray]) -> list[tuple[Path, Path]]:
    """Saved pairs of arrays."""
    pairs = []
    for index, (prediction, mask) in enumerate(zip(predictions, masks, strict=True)):
        pair = (folder / f"p{index}.npy", folder / f"m{index}.npy")
        np.save(pair[0], prediction)
        np.save(pair[1], mask)
        pairs.append(pair)
    return pairs


def run(pairs: list[tuple[Path, Path]], settings: Settings | None = None, **reading: str) -> Results:
    return evaluate(pairs, settings=settings, reading=Reading(**reading))


def the_hint(results: Results) -> str:
    """The one hint that all failures of a run have."""
    hints = {failure.hint for failure in results.failures}
    assert len(hints) == 1, hints
    return hints.pop()


def dice(prediction: np.ndarray, truth: np.ndarray, valid: np.ndarray | bool = True) -> float:
    """Hard Dice of boolean masks over the valid pixels, by plain NumPy."""
    prediction, truth = prediction & valid, truth & valid
    return float(2 * (prediction & truth).sum() / (prediction.sum() + truth.sum()))
