"""Makes everything in this folder again, byte for byte on the same machine: ``python sample_data/make.py [FOLDER]``.

Needs NumPy and Pillow only. `notebook/` is the example of the notebook that softdice grew from; `cells/` looks like a
real task: eight microscope fields with four classes, one of them rare, a few pixels that nobody could label, and the
probability maps of a model that is good but not perfect.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from softdice_cli.notebook import example

SIZE = (144, 176)
BACKGROUND, CYTOPLASM, NUCLEUS, MITOSIS = range(4)
IGNORE = 255
FIELDS = 8
WITH_MITOSIS = {1, 3, 4, 7}


def main(folder: Path) -> None:
    """Write both data sets below the folder."""
    notebook = folder / "notebook"
    notebook.mkdir(parents=True, exist_ok=True)
    probabilities, labels = example()
    np.save(notebook / "pred.npy", probabilities)
    Image.fromarray(labels).save(notebook / "mask.png")
    for kind in ("images", "masks", "preds"):
        (folder / "cells" / kind).mkdir(parents=True, exist_ok=True)
    for number in range(FIELDS):
        rng = np.random.default_rng(1000 + number)
        labels, image = field(rng, mitosis=number in WITH_MITOSIS)
        name = f"field_{number:02}"
        Image.fromarray(image).save(folder / "cells" / "images" / f"{name}.png")
        Image.fromarray(labels).save(folder / "cells" / "masks" / f"{name}.png")
        np.save(folder / "cells" / "preds" / f"{name}.npy", model(rng, labels))


def field(rng: np.random.Generator, *, mitosis: bool) -> tuple[np.ndarray, np.ndarray]:
    """One field of cells: labels and the grey image, both ``(H, W)`` uint8."""
    labels = np.full(SIZE, BACKGROUND, np.uint8)
    touched = np.zeros(SIZE, np.uint8)
    cells = int(rng.integers(7, 12))
    for cell in range(cells):
        center = rng.uniform((12, 12), (SIZE[0] - 12, SIZE[1] - 12))
        axes, angle = rng.uniform(11, 20, 2), rng.uniform(0, np.pi)
        body = ellipse(center, axes, angle)
        touched += body
        labels[body] = CYTOPLASM
        core = MITOSIS if mitosis and cell == cells - 1 else NUCLEUS
        labels[ellipse(center + rng.uniform(-3, 3, 2), axes * (0.4 if core == MITOSIS else 0.45), angle)] = core
    brightness = np.array([40, 95, 160, 230])[labels] + blur(rng.normal(0, 60, SIZE), 3) + rng.normal(0, 14, SIZE)
    labels[(touched > 1) & (labels == CYTOPLASM) & (rng.random(SIZE) < 0.3)] = IGNORE  # where cells overlap
    return labels, brightness.clip(0, 255).astype(np.uint8)


def ellipse(center: np.ndarray, axes: np.ndarray, angle: float) -> np.ndarray:
    """The pixels inside an ellipse, ``(H, W)`` bool."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(float) - center[:, None, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (along / axes[0]) ** 2 + (across / axes[1]) ** 2 < 1


def model(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Probabilities ``(4, H, W)``, float16, of a model that blurs, shifts and sometimes errs."""
    seen = np.where(labels == IGNORE, CYTOPLASM, labels)
    seen = np.roll(seen, rng.integers(-2, 3, 2), (0, 1))
    evidence = np.stack([blur((seen == label).astype(float), 2) for label in range(4)])
    evidence[MITOSIS] *= 0.85  # rare classes are learned less well
    doubt = np.stack([blur(rng.normal(0, 1, SIZE), 4) for _ in range(4)])
    logits = 9 * evidence + 6 * doubt + rng.normal(0, 0.35, (4, *SIZE))
    raised = np.exp(logits - logits.max(axis=0))
    return (raised / raised.sum(axis=0)).astype(np.float16)


def blur(values: np.ndarray, radius: int) -> np.ndarray:
    """A box blur, twice along each axis."""
    for axis in (0, 1, 0, 1):
        values = sum(np.roll(values, shift, axis) for shift in range(-radius, radius + 1)) / (2 * radius + 1)
    return values


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
