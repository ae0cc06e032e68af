"""softdice without torch: everything on the CPU works, and what needs torch says so by name and how to install it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, Run
from PIL import Image

PACKAGES = ("numpy", "pillow", "rich", "tifffile", "typer")

HIDE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
"""

Python = Callable[..., Run]


def _run(folder: Path, *command: object) -> Run:
    env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=folder, env=env, timeout=600)
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has softdice and what it needs on the CPU, and no torch."""
    folder = tmp_path_factory.mktemp("slim")
    subprocess.run([sys.executable, "-m", "venv", "env"], cwd=folder, check=True)
    python = folder / "env" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for what in (PACKAGES, ("hatchling",), ("--no-deps", "--no-build-isolation", ROOT)):
        done = _run(folder, *pip, *what)
        if done.code and "CI" not in os.environ:
            pytest.skip(f"nothing can be installed here: {done.err[-300:]}")
        assert done.code == 0, done.err
    # It only builds the package.
    _run(folder, python, "-m", "pip", "uninstall", "-q", "-y", "hatchling", "pathspec", "pluggy", "trove-classifiers")
    return python


@pytest.fixture(params=["hidden", pytest.param("installed", marks=[pytest.mark.network, pytest.mark.slow])])
def python(request: pytest.FixtureRequest, tmp_path: Path) -> Python:
    """Runs a program where torch cannot be imported: because it is hidden, or because it is not installed."""

    def run(program: str) -> Run:
        if request.param == "hidden":
            return _run(tmp_path, sys.executable, "-c", HIDE + program)
        return _run(tmp_path, request.getfixturevalue("installed"), "-c", program)

    return run


def softdice(python: Python, *arguments: object) -> Run:
    words = ["softdice", *map(str, arguments)]
    run = python(f"import sys; sys.argv = {words!r}; from softdice_cli.__main__ import program; sys.exit(program())")
    assert "Traceback" not in run.err, run.err
    assert "a bug" not in run.err
    assert "save" not in run.err
    return run


@pytest.fixture
def files(tmp_path: Path) -> None:
    """A pair of tensors, and the same pair as arrays."""
    rng = np.random.default_rng(5)
    raw = rng.random((3, 600, 500)).astype(np.float32)
    p, m = raw / raw.sum(0), rng.integers(0, 3, (600, 500)).astype(np.uint8)
    torch.save({"probs": torch.from_numpy(p), "epoch": 3}, tmp_path / "p.pt")
    torch.save(torch.from_numpy(m), tmp_path / "m.pt")
    np.save(tmp_path / "p.npy", p)
    Image.fromarray(m).save(tmp_path / "m.png")


def test_the_sample_is_evaluated(python: Python):
    cells = ROOT / "sample_data" / "cells"
    sides = ["--pred", cells / "preds", "--gt", cells / "masks"]
    run = softdice(python, "eval", *sides, "--classes", cells / "classes.json", "--ignore", 255)
    assert (run.code, run.err) == (0, "")
    assert "mitosis" in run.out


def test_a_pair_of_tensors_is_evaluated(python: Python, files: None):
    runs = [
        softdice(python, "eval", "--pred", pred, "--gt", gt, "--format", "json")
        for pred, gt in (("p.pt", "m.pt"), ("p.npy", "m.png"))
    ]
    assert [run.code for run in runs] == [0, 0], runs
    pooled = [json.loads(run.out)["pooled"] for run in runs]
    assert pooled[0] == pooled[1]
    run = softdice(python, "inspect", "p.pt")
    assert (run.code, run.err) == (0, "")
    assert "sum to 1 along axis 0" in run.out


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps", "torch:cpu"])
def test_a_device_that_needs_torch_says_so(device: str, python: Python, files: None):
    run = softdice(python, "eval", "--pred", "p.npy", "--gt", "m.png", "--device", device)
    assert (run.code, run.out) == (2, "")
    for words in (f"--device '{device}' needs torch", "No module named 'torch'", "pip install torch, or --device cpu"):
        assert words in run.err


def test_a_device_that_is_nowhere_is_not_blamed_on_torch_alone(python: Python, files: None):
    run = softdice(python, "eval", "--pred", "p.npy", "--gt", "m.png", "--device", "toaster")
    assert run.code == 2
    for words in ("'toaster' is not on this machine", "auto, cpu", "torch is not installed", "--device cpu"):
        assert words in run.err


def test_auto_is_the_cpu_and_says_why(python: Python, files: None):
    run = softdice(python, "eval", "--pred", "p.npy", "--gt", "m.png", "--device", "auto")
    assert run.code == 0
    assert "softdice: device: cpu (torch, which would find an accelerator, is not installed" in run.err
    assert "pip install torch" in run.err


def test_selfcheck_checks_the_cpu_and_needs_torch_for_the_rest(python: Python):
    run = softdice(python, "selfcheck")
    assert (run.code, run.err) == (0, "")
    lines = run.out.splitlines()
    assert len(lines) == 7
    assert all("numpy" in line and line.endswith(" ok") for line in lines)
    for device, what in (("all", "the check of all devices needs torch"), ("mps", "--device 'mps' needs torch")):
        run = softdice(python, "selfcheck", "--device", device)
        assert (run.code, run.out) == (2, "")
        assert what in run.err
        assert "pip install torch" in run.err


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("from softdice_cli import SoftDiceLoss", "SoftDiceLoss"),
        ("from softdice_cli import setup_system; setup_system()", "setup_system"),
        ("from softdice_cli import evaluate; evaluate([('p.npy', 'm.png')], device='cuda')", "device 'cuda'"),
    ],
)
def test_python_names_what_needs_torch(program: str, what: str, python: Python, files: None):
    run = python(
        "from softdice_cli.errors import MissingLibraryError\n"
        f"try:\n    {program}\nexcept MissingLibraryError as error:\n    print(error)"
    )
    assert run.out.startswith(f"{what} needs torch, which cannot be imported here"), run
    assert "No module named 'torch'" in run.out
    assert "pip install torch" in run.out


def test_settings_of_the_system_need_no_torch(python: Python):
    assert python("from softdice_cli import SystemConfig; print(SystemConfig().seed)").out == "42\n"
