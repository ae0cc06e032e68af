"""What several test files share: the command line as a user runs it, and the small cases of the definitions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str


@contextmanager
def started(command: Sequence[object], **more: Any) -> Iterator[subprocess.Popen[Any]]:
    """A command that Ctrl-C reaches, and that is ended with all that it has started, however the test ends.

    A shell starts jobs in the background with SIGINT ignored, and whoever ignores it hands that down. Without a reset
    here, tests that are run in the background would wait for interrupts that nobody sees.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **more,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_until_reading(process: int, name: str) -> None:
    """Returns when a process, or one that it has started, has a file open, however slow the machine is."""
    until = time.monotonic() + 30
    while not any(_has_open(one, name) for one in (str(process), *descendants(str(process)))):
        assert time.monotonic() < until, f"{name} is not read"
        time.sleep(0.05)
    time.sleep(0.2)


def descendants(process: str) -> list[str]:
    """The processes that a process has started, and those that they have."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:  # it has ended
        return []
    return children + [inner for child in children for inner in descendants(child)]


def _has_open(process: str, name: str) -> bool:
    try:
        return any(link.readlink().name == name for link in Path(f"/proc/{process}/fd").iterdir())
    except OSError:  # the process has ended, or closed the file in the meantime
        return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs the command in a process of its own is slow, except for the tests of the command line itself."""
    for item in items:
        if "softdice" in getattr(item, "fixturenames", ()) and item.path.name != "test_main.py":
            item.add_marker(pytest.mark.slow)


Softdice = Callable[..., Run]


@pytest.fixture
def softdice(tmp_path: Path) -> Softdice:
    """Runs ``python -m softdice_cli`` with these arguments in an empty folder."""

    def run(*args: object, stdin: bytes = b"", env: dict[str, str] | None = None) -> Run:
        command = [sys.executable, "-m", "softdice_cli", *map(str, args)]
        clean = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
        done = subprocess.run(
            command, input=stdin, capture_output=True, cwd=tmp_path, env={**clean, **(env or {})}, timeout=120
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in err or "--debug" in args, err
        return Run(done.returncode, out, err)

    return run


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A valid pair: three classes over 4 × 6 pixels, in ``p.npy`` and ``m.npy``."""
    rng = np.random.default_rng(7)
    raw = rng.random((3, 4, 6))
    pred, mask = tmp_path / "p.npy", tmp_path / "m.npy"
    np.save(pred, (raw / raw.sum(0)).astype(np.float32))
    np.save(mask, rng.integers(0, 3, (4, 6)).astype(np.uint8))
    return pred, mask
