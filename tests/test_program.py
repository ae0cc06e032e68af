"""Exit code 1 says that a requirement was not met, and nothing else ends with it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from systems import linux

pytestmark = pytest.mark.slow


def ended(folder, megabytes: int, command: str) -> subprocess.CompletedProcess[str]:
    line = f"ulimit -v {megabytes * 1024}; exec {sys.executable} -m softdice_cli {command}"
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)


# From where Python itself starts up to where everything works.
@linux
@pytest.mark.parametrize("megabytes", [40, 60, 75, 85, 95, 105, 115, 1000])
def test_too_little_memory_is_no_verdict(pair, tmp_path, megabytes):
    done = ended(tmp_path, megabytes, "eval --pred p.npy --gt m.npy")
    assert done.returncode in (0, 3), done.stderr
    assert ("error: " in done.stderr) == (done.returncode == 3)
    if megabytes < 80:
        # NumPy alone takes more.
        assert done.returncode == 3
    if megabytes == 1000:
        assert done.returncode == 0
