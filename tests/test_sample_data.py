"""The sample data: what its script makes, and what it is there to show."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from conftest import ROOT
from PIL import Image

from softdice_cli import ClassDef, Settings, evaluate, score_image

SAMPLE = ROOT / "sample_data"
NAMES = ("background", "cytoplasm", "nucleus", "mitosis")


def test_the_script_makes_what_is_there(tmp_path):
    subprocess.run([sys.executable, SAMPLE / "make.py", tmp_path], check=True)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert len(made) == 2 + 3 * 8
    for path in made:
        if path.suffix == ".npy":
            old, new = np.load(SAMPLE / path), np.load(tmp_path / path)
            assert np.allclose(old, new, rtol=0, atol=1e-3), path  # exp may differ in the last bit elsewhere
        elif path.parts[1] != "images":
            assert (np.asarray(Image.open(SAMPLE / path)) == np.asarray(Image.open(tmp_path / path))).all(), path
    assert (np.load(SAMPLE / "notebook/pred.npy") == np.load(tmp_path / "notebook/pred.npy")).all()


def test_it_is_small():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*.*")) < 5_000_000


def test_the_cells_look_like_a_real_task():
    preds = sorted((SAMPLE / "cells/preds").glob("*.npy"))
    settings = Settings(classes=tuple(ClassDef(name, i) for i, name in enumerate(NAMES)), ignore=(255,))
    results = evaluate([(p, SAMPLE / "cells/masks" / f"{p.stem}.png") for p in preds], settings=settings)
    assert len(results.images) == 8
    assert results.failures == ()
    assert all(image.ignored > 0 for image in results.images)
    mitosis = [score_image(results.settings, image)[3].truth_pixels for image in results.images]
    assert 0 in mitosis
    assert max(mitosis) > 0
    assert 0.7 < results.pooled.means.dice < 0.95  # good, and not perfect
