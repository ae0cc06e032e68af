"""Types what a hint says: the ways that it names, and the settings that their options mean."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np

from softdice_cli import ClassDef, Results, Settings, evaluate
from softdice_cli.evaluation.reading import Reading

SHAPE = (24, 32)


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


def blocks(count: int, seed: int, size: int = 8) -> np.ndarray:
    """A mask of labels 0 to count − 1 in blocks, each of which occurs."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, count, (SHAPE[0] // size, SHAPE[1] // size))
    coarse.flat[:count] = np.arange(count)
    return coarse.repeat(size, 0).repeat(size, 1).astype(np.uint8)


def noisy(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Logits ``(C, *S)`` of a model that is mostly right."""
    rng = np.random.default_rng(seed)
    right = np.arange(count).reshape(-1, *[1] * labels.ndim) == labels
    return rng.normal(0, 1, right.shape) + 2 * right


def softmax(logits: np.ndarray, dtype: str = "f4") -> np.ndarray:
    raised = np.exp(logits - logits.max(0))
    return (raised / raised.sum(0)).astype(dtype)


def map_of_one(mask: np.ndarray, seed: int) -> np.ndarray:
    return softmax(noisy(mask.astype(int), 2, seed))[1]


def binary(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the class is, and a one-channel map of it."""
    inside = blocks(2, seed) == 1
    return inside, map_of_one(inside, seed)
