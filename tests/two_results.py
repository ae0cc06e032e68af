"""Two results of the same images, by hand and by chance, and how to find a score in their comparison."""

from __future__ import annotations

import numpy as np
from builders import image_row, summarized

from softdice_cli.records import ClassDef, Results, Settings

NAMES = ("sky", "tree", "pole")
THREE = Settings(classes=tuple(ClassDef(name, index) for index, name in enumerate(NAMES)))
ONE = Settings(classes=(ClassDef("cell", None),))


def made(settings: Settings, tables: list[list[tuple[float, float, int, int, int]]]) -> Results:
    """Results of images i0, i1, …; a row of a table is P, I, truth, predicted, true positives of a class."""
    return summarized(
        settings,
        [image_row(f"i{i}", *table, pixels=10**6) for i, table in enumerate(tables)],
    )


def hard(*images: tuple[int, int, int]) -> Results:
    """One class; an image is truth, predicted, true positives, and every probability is 0 or 1."""
    return made(ONE, [[(float(p), float(tp), t, p, tp)] for t, p, tp in images])


def random_pair(images: int, seed: int = 0, *, shift: float = 0.0, absent: float = 0.2) -> tuple[Results, Results]:
    """Two models on the same masks; B finds `shift` more of the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(20, 400, (images, 3)) * (rng.random((images, 3)) > absent)
    sides = []
    for side in (0, 1):
        found = np.clip(rng.normal(0.7 + side * shift, 0.15, truth.shape), 0, 1)
        tp = (truth * found).astype(int)
        predicted = tp + rng.integers(0, 60, truth.shape) * (rng.random(truth.shape) > absent)
        inside = truth * rng.random(truth.shape)
        p = inside + rng.random(truth.shape) * 30
        sides.append(
            made(THREE, [[(float(p[i, c]), float(inside[i, c]), int(truth[i, c]), int(predicted[i, c]), int(tp[i, c]))
                          for c in range(3)] for i in range(images)])
        )  # fmt: skip
    return sides[0], sides[1]


def score(c, metric="dice", average="pooled", name="mean"):
    return next(s for s in c.scores if (s.metric, s.average, s.name) == (metric, average, name))


BASE = hard((10, 10, 8), (10, 10, 6))
