"""What is said while a run goes on: in a log, on a terminal, or not at all."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from folders import eval_, slowly, write
from systems import terminal

from softdice_cli import Failure, Settings
from softdice_cli.cli import progress as progress_module
from softdice_cli.cli.progress import Progress


def test_progress_in_a_log(capsys, monkeypatch):
    monkeypatch.setattr(progress_module, "_EVERY", -1.0)
    with Progress(quiet=False, bar=True) as progress:
        progress.started(3)
        progress.evaluated(Settings(), [])
        progress.failed(Failure("x", "p", "g", "broken", "", "", ""))
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["softdice: 1 of 3 pairs", "softdice: 2 of 3 pairs"]
    assert "1 failed" in lines[1]
    assert "s left" in lines[1]


@pytest.mark.parametrize("quiet", [False, True])
def test_a_log_gets_a_line_now_and_then_or_none(tmp_path, quiet):
    write(tmp_path, ("a", "b"))
    extra = ["--quiet"] if quiet else []
    process = slowly(tmp_path, "*", 0.01, *eval_("--format", "json", *extra), stdout=-1, stderr=-1)
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["complete"] is True
    assert err == b"" if quiet else b"1 of 2 pairs" in err


def test_a_short_run_says_nothing(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    assert softdice(*eval_()).err == ""


def read_all(master: int) -> bytes:
    """What is written on a terminal until its other side is closed."""
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:  # how Linux says that it is closed
        pass
    finally:
        os.close(master)
    return shown


@terminal
@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_gets_a_bar_and_the_pipe_the_result(tmp_path, quiet):
    import pty

    write(tmp_path, ("a", "b", "c"))
    (tmp_path / "p/b.npy").write_bytes(b"")
    master, slave = pty.openpty()
    extra = ["--quiet"] if quiet else []
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = slowly(
        tmp_path, "*", 0.3, *eval_("--format", "json", "--workers", 1, *extra), stdout=-1, stderr=slave, env=environment
    )
    os.close(slave)
    shown = read_all(master)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 3
    assert json.loads(out)["complete"] is False
    assert (b"evaluating" in shown) is not quiet
    assert (b"1 failed" in shown) is not quiet
    assert b"is empty" in shown  # an error is said all the same


def test_quiet_keeps_notes_back(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    for name in ("a", "b"):
        np.save(tmp_path / f"p/{name}.npy", np.load(tmp_path / f"p/{name}.npy").transpose(1, 2, 0))
    assert "is read as HWC" in softdice(*eval_()).err
    assert "1 more" in softdice(*eval_()).err
    assert softdice(*eval_("--quiet")).err == ""
