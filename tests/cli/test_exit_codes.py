"""The exit codes, one row each, as a CI job meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import started, wait_until_reading
from systems import linux

COMMAND = [sys.executable, "-m", "softdice_cli"]
GOOD = np.array([[[0.9, 0.8, 0.2, 0.1]], [[0.1, 0.2, 0.8, 0.9]]], np.float32)
EVAL = "eval --pred p --gt m"


@pytest.fixture
def folder(tmp_path):
    """Two pairs of two classes, `three` with a class that is nowhere, saved results, and what is broken."""
    for name in ("p", "m", "empty", "bad", "three", "turned"):
        (tmp_path / name).mkdir()
    for name, truth in (("a", [[0, 0, 1, 1]]), ("b", [[0, 1, 1, 1]])):
        np.save(tmp_path / f"p/{name}.npy", GOOD)
        np.save(tmp_path / f"m/{name}.npy", np.array(truth, np.uint8))
        np.save(tmp_path / f"turned/{name}.npy", 1 - np.array(truth, np.uint8))
        np.save(tmp_path / f"three/{name}.npy", np.concatenate([GOOD, np.zeros_like(GOOD[:1])]))
    np.save(tmp_path / "bad/a.npy", GOOD)
    (tmp_path / "bad/b.npy").write_bytes(b"\x93NUMPY broken")
    (tmp_path / "broken.json").write_text('{"format": "softdice-results"')
    run(tmp_path, f"{EVAL} --format json -o main.json")
    run(tmp_path, f"{EVAL} --eps 1 --format json -o other.json")
    return tmp_path


def run(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *line.split()], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        # 0: evaluated, every requirement met
        (EVAL, 0, ""),
        (f"{EVAL} --fail-under 0.87", 0, ""),
        (f"{EVAL} --require dice[0]>=0.8 --require loss<=1 --require image_min:dice>0.7", 0, ""),
        (f"{EVAL} --baseline main.json --max-drop 0", 0, ""),
        ("show main.json --fail-under 0.87", 0, ""),
        # 1: just below; the digits explain it
        (f"{EVAL} --fail-under 0.88", 1, "not met: dice>=0.88: 0.8730 is not >= 0.8800"),
        (f"{EVAL} --require dice>=0.8730158730158731", 1, "0.873015873015873"),
        ("show main.json --fail-under 0.88", 1, "not met"),
        ("merge main.json --require loss<=0.01", 1, "not met"),
        # 1: undefined never passes, whatever is asked
        ("eval --pred three --gt m --require dice[2]>0", 1, "dice[2]>0: the score is undefined"),
        ("eval --pred three --gt m --require dice[2]<=0.9", 1, "undefined"),
        # 1: worse than the baseline by more than is allowed
        ("eval --pred three --gt m --baseline main.json --max-drop 0", 3, "has other classes than these results"),
        # 2: a rule that cannot be read, and one of a class that is not there
        (f"{EVAL} --require dice>>0.8", 2, "cannot be read at character"),
        (f"{EVAL} --require dice[cat]>=0.8", 2, "there is no class 'cat'"),
        (f"{EVAL} --class a --class b --require dice[cat]>=0.8", 2, "one of a, b"),
        (f"{EVAL} --max-drop 0.01", 2, "--max-drop needs a baseline"),
        (f"{EVAL} --baseline main.json", 2, "--baseline needs the largest drop that is allowed"),
        (f"{EVAL} --nonsense", 2, "No such option"),
        # 2: a percentage, a shard that is judged as if it were the whole, and a report that could not be written
        (f"{EVAL} --fail-under 85", 2, "a number from 0 to 1"),
        (f"{EVAL} --shard 1/2 --fail-under 0.1", 2, "a shard is not the whole"),
        (f"{EVAL} --report junit=nowhere/x.xml", 2, "nowhere/x.xml: --report junit is in a folder that is not there"),
        (f"{EVAL} -o r.json --report json=r.json", 2, "are the same file"),
        # 2: an output in the place of what is read: a gate that fails must not pass the next time
        (f"{EVAL} --baseline main.json --max-drop 0 -o main.json", 2, "would replace the file of --baseline"),
        ("show main.json --report junit=main.json", 2, "would replace the file of RESULTS"),
        ("merge main.json -o main.json", 2, "would replace the file of RESULTS"),
        (f"{EVAL} -o m/a.npy", 2, "m/a.npy: --output would replace a file that is evaluated"),
        (f"{EVAL} --report json=p/../p/b.npy", 2, "--report json would replace a file that is evaluated"),
        # 3: incomplete; no requirement can pass, and the data are what is wrong
        ("eval --pred bad --gt m --fail-under 0.01", 3, "1 pair failed"),
        # 3: an unreadable baseline, and one of something else
        (f"{EVAL} --baseline broken.json --max-drop 0.1", 3, "broken.json: is not valid JSON"),
        (f"{EVAL} --baseline nowhere.json --max-drop 0.1", 3, "nowhere.json: there is no such file"),
        (f"{EVAL} --baseline other.json --max-drop 0.1", 3, "other.json: has another signature"),
        ("eval --pred p --gt turned --baseline main.json --max-drop 0.9", 3, "main.json: was made with other masks"),
        # 3: partners are missing
        ("eval --pred p --gt empty", 3, "files without a partner"),
        # 5: nothing to evaluate is never a green gate
        ("eval --pred empty --gt empty --fail-under 0.01", 5, "there is nothing to evaluate"),
        ("eval --pred p --gt empty --allow-missing 2 --fail-under 0.01", 5, "there is nothing to evaluate"),
    ],
)
def test_exit_codes(folder, line, code, says):
    done = run(folder, line)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_141_although_the_gate_would_fail(folder):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, *EVAL.split(), "--fail-under", "1"], cwd=folder, stdout=write, check=False)
    os.close(write)
    assert done.returncode == 141


@linux
def test_an_interrupt_is_130(folder):
    large = np.lib.format.open_memmap(folder / "large.npy", "w+", np.float32, (2, 20_000, 20_000))
    mask = np.lib.format.open_memmap(folder / "large_m.npy", "w+", np.uint8, (20_000, 20_000))
    del large, mask
    command = [*COMMAND, "eval", "--pred", "large.npy", "--gt", "large_m.npy", "--allow-unnormalized"]
    with started(command, cwd=folder) as run:
        wait_until_reading(run.pid, "large.npy")
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=10) == 130


def test_the_verdicts_are_in_the_results_file(folder):
    done = run(folder, f"{EVAL} --fail-under 0.5 --require image_min:dice>=0.9 --format json")
    met, unmet = json.loads(done.stdout)["requirements"]
    assert (met["rule"], met["passed"], unmet["passed"]) == ("dice>=0.5", True, False)
    assert unmet["images"] == ["b"]
    assert unmet["margin"] == unmet["value"] - 0.9
    assert done.returncode == 1
