"""softdice without torch: the CPU does everything, and what needs torch says so by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT

NEEDED = ("numpy", "pillow", "rich", "tifffile", "typer")
CELLS = ("--pred", ROOT / "sample_data/cells/preds", "--gt", ROOT / "sample_data/cells/masks",
         "--classes", ROOT / "sample_data/cells/classes.json", "--ignore", "255")  # fmt: skip

WITHOUT = [
    # an accelerator, and the torch engine on the CPU
    (("eval", "--pred", "p.pt", "--gt", "m.npy", "--device", "cuda"), "--device 'cuda' needs torch"),
    (("eval", "--pred", "p.pt", "--gt", "m.npy", "--device", "torch:cpu"), "--device 'torch:cpu' needs torch"),
    # the checks of other devices
    (("selfcheck", "--device", "all"), "the check of all devices needs torch"),
    (("selfcheck", "--device", "mps"), "--device 'mps' needs torch"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pair whose prediction is a tensor, and a module that stands in for a torch that is not installed."""
    rng = np.random.default_rng(3)
    raw = rng.random((3, 9, 11)).astype(np.float32)
    values = raw / raw.sum(0)
    torch.save(torch.from_numpy(values), tmp_path / "p.pt")
    np.save(tmp_path / "p.npy", values)
    np.save(tmp_path / "m.npy", rng.integers(0, 3, (9, 11)).astype(np.uint8))
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing/torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    return tmp_path


def run(folder: Path, *arguments: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """A command where torch cannot be imported."""
    paths = [str(folder / "missing"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [python, "-m", "softdice_cli", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def scores(done: subprocess.CompletedProcess[str]) -> object:
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    for image in document["images"]:
        del image["pred"]
    return document


def test_the_cpu_needs_no_torch(folder):
    tensor = run(folder, "eval", "--pred", "p.pt", "--gt", "m.npy", "--format", "json")
    array = run(folder, "eval", "--pred", "p.npy", "--gt", "m.npy", "--format", "json")
    assert scores(tensor) == scores(array)
    assert run(folder, "eval", *CELLS).returncode == 0
    assert run(folder, "inspect", "p.pt").returncode == 0
    check = run(folder, "selfcheck")
    assert (check.returncode, check.stderr) == (0, "")
    assert "1.8738911067978352" in check.stdout


def test_auto_is_the_cpu_and_says_why(folder):
    done = run(folder, "eval", "--pred", "p.pt", "--gt", "m.npy", "--device", "auto")
    assert done.returncode == 0
    assert "device: cpu (torch, which would find an accelerator, is not installed: pip install torch)" in done.stderr


@pytest.mark.parametrize(("arguments", "said"), WITHOUT)
def test_what_needs_torch_says_so(folder, arguments, said):
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "try       pip install torch" in done.stderr
    for wrong in ("a bug in softdice", "save the file again", "Traceback"):
        assert wrong not in done.stderr


@pytest.mark.parametrize("name", ["SoftDiceLoss", "setup_system()"])
def test_a_name_that_needs_torch_says_so(folder, name):
    code = (
        "import softdice_cli\n"
        f"try: softdice_cli.{name}\n"
        "except softdice_cli.SoftdiceError as error: print(error.problem, '|', error.hint)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "missing"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{name.removesuffix('()')} needs torch, which cannot be imported here | pip install torch\n"


def test_a_device_that_is_nowhere_is_not_blamed_on_torch_alone(folder):
    done = run(folder, "eval", "--pred", "p.pt", "--gt", "m.npy", "--device", "toaster")
    assert (done.returncode, done.stdout) == (2, "")
    for words in ("'toaster' is not on this machine", "auto, cpu", "torch is not installed", "--device cpu"):
        assert words in done.stderr


def test_a_large_tensor_is_read_from_its_file(folder):
    values = np.random.default_rng(5).random((3, 600, 500)).astype(np.float32)
    torch.save({"logits": torch.from_numpy(values), "epoch": 3}, folder / "p.pt")
    np.save(folder / "p.npy", values)
    np.save(folder / "m.npy", values.argmax(0).astype(np.uint8))
    tensor, array = (
        run(folder, "eval", "--pred", name, "--gt", "m.npy", "--activation", "softmax", "--format", "json")
        for name in ("p.pt", "p.npy")
    )
    assert scores(tensor) == scores(array)


@pytest.mark.slow
@pytest.mark.network
def test_the_slim_installation(folder):
    """The commands of docs/ci.md, in an environment that never had torch."""
    subprocess.run([sys.executable, "-m", "venv", folder / "slim"], check=True)
    python = str(folder / "slim" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    for packages in (("--no-deps", str(ROOT)), NEEDED):
        command = [python, "-m", "pip", "install", "-q", *packages]
        installed = subprocess.run(command, capture_output=True, text=True, check=False)
        if installed.returncode and not os.environ.get("CI"):
            pytest.skip(f"no package index can be reached: {installed.stderr.strip().splitlines()[-1]}")
        assert installed.returncode == 0, installed.stderr
    (folder / "missing/torch.py").unlink()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def slim(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [python, "-m", "softdice_cli", *map(str, arguments)]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    sample = slim("eval", *CELLS)
    assert (sample.returncode, sample.stderr) == (0, "")
    assert sample.stdout.endswith("|ignore:255\n")
    assert slim("eval", "--pred", "p.pt", "--gt", "m.npy").returncode == 0
    assert slim("selfcheck").returncode == 0
    for arguments, said in WITHOUT:
        assert said in slim(*arguments).stderr
