"""A pair that takes too long is a failure by name, whatever it hangs in, and the rest is evaluated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from folders import eval_, pairs_of, write
from systems import linux

from softdice_cli import ConfigError, evaluate

SECONDS = 8
"""More than a small pair takes, however busy the machine is."""

HANGING = """
import sys, time
import softdice_cli.evaluation.image_tally as tally
import softdice_cli.evaluation.pair_tasks as tasks
from softdice_cli.cli import main
prepare, read_tile, where = tasks.prepare_pair, tally._read_tile, sys.argv.pop(1)
def hang(name):
    if name.endswith("c.npy"):
        time.sleep(600)
def hanging_reader(pair, *arguments):
    hang(pair.pred)
    return prepare(pair, *arguments)
def hanging_tile(prepared, view):
    hang(prepared.pair.pred)
    return read_tile(prepared, view)
if where == "reader":
    tasks.prepare_pair = hanging_reader
else:
    tally._read_tile, tally._WORTH_PROCESSES = hanging_tile, 0
main()
"""
"""The command line, with a pair that never gets done: in a library, or in the processes that share a large image."""


def hanging(folder: Path, where: str, *more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HANGING, where, *map(str, eval_("--timeout", SECONDS, "--format", "json", *more))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@linux
@pytest.mark.slow
@pytest.mark.parametrize("where", ["reader", "tiles"])
def test_a_pair_that_hangs_fails_and_the_rest_goes_on(tmp_path, where):
    write(tmp_path, list("abcdef"))
    run = hanging(tmp_path, where, "--workers", 2, "--journal", "j")
    assert run.returncode == 3
    document = json.loads(run.stdout)
    assert [image["id"] for image in document["images"]] == list("abdef")
    (failure,) = document["failures"]
    assert (failure["id"], failure["error"]) == ("c", f"p/c.npy: took longer than {SECONDS} s")
    assert failure["hint"].startswith(f"--timeout {2 * SECONDS}, if it only needs more time")
    # It is not noted, and so it is tried again.
    assert '"id": "c"' not in (tmp_path / "j").read_text()


@linux
@pytest.mark.slow
def test_the_processes_that_share_a_large_image_end_with_it(tmp_path):
    write(tmp_path, ["c"])
    run = hanging(tmp_path, "tiles", "--workers", 3)
    assert run.returncode == 3
    assert f"p/c.npy: took longer than {SECONDS} s" in run.stderr


@linux
def test_a_file_that_only_takes_long_is_told_by_its_name(softdice, tmp_path):
    zeros = np.zeros((2, 4000, 5000), np.float32)
    zeros[0] = 1
    np.savez_compressed(tmp_path / "p.npz", zeros)
    np.save(tmp_path / "g.npy", np.zeros((4000, 5000), np.uint8))
    (tmp_path / "softdice.toml").write_text("timeout = 0.01\n")
    command = ("eval", "--pred", "p.npz", "--gt", "g.npy", "--class", "a", "--class", "b")
    run = softdice(*command)
    assert run.code == 3
    assert "p.npz: took longer than 0.01 s" in run.err
    assert "--timeout 0.02" in run.err
    assert softdice(*command, "--timeout", "600").code == 0


def test_where_nothing_can_be_ended_nothing_is_evaluated(softdice, tmp_path):
    write(tmp_path)
    run = softdice(*eval_("--timeout", 30, "--device", "torch:cpu"))
    assert (run.code, run.out) == (2, "")
    assert "--timeout cannot be kept on torch:cpu" in run.err
    assert "--device cpu, or leave out --timeout" in run.err
    # The tests have imported torch, so their process is not forked.
    with pytest.raises(ConfigError, match="timeout"):
        evaluate(pairs_of(tmp_path), timeout=30)


@linux
def test_a_time_that_is_enough_changes_nothing(softdice, tmp_path):
    write(tmp_path)
    usual = softdice(*eval_("--format", "json"))
    assert softdice(*eval_("--format", "json", "--timeout", "600")) == usual
