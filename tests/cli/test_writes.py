"""Results on the disk: the old file or the new one, never half of either, and an error that says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from folders import eval_, write
from systems import POSIX, posix, untraced

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
from softdice_cli.cli import main
main()
"""
"""The command line, on a disk that is full after 600 bytes."""

KILLED = """
import os, signal, sys
from softdice_cli.cli import main
os.replace = os.fsync = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main()
"""
"""The command line, killed when its result is written and about to take the place of the old one."""


def run(folder: Path, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


@posix
@untraced
@pytest.mark.parametrize("option", ["--output", "--report"])
def test_a_full_disk_leaves_the_old_file(folder, option):
    for name in ("old.json", "new.json"):
        (folder / "old.json").write_text("old")
        value = f"json={name}" if option == "--report" else name
        done = run(folder, LIMITED, *eval_("--format", "json" if option == "--output" else "github", option, value))
        assert done.returncode == 2
        assert f"{name}: cannot be written: File too large" in done.stderr
        assert "Traceback" not in done.stderr
    assert (folder / "old.json").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["g", "old.json", "p"]  # and no half of another


@posix
def test_a_run_that_is_killed_while_it_writes_leaves_the_old_file(folder):
    (folder / "r.json").write_text("old")
    assert run(folder, KILLED, *eval_("--format", "json", "--output", "r.json")).returncode == -9
    assert (folder / "r.json").read_text() == "old"
    again = run(folder, "from softdice_cli.cli import main; main()", *eval_("--format", "json", "--output", "r.json"))
    assert again.returncode == 0
    assert json.loads((folder / "r.json").read_text())["complete"]


@posix
def test_a_journal_on_a_full_disk_ends_the_run_and_can_be_resumed(folder):
    done = run(folder, LIMITED, *eval_("--journal", "j", "--format", "github"))
    assert (done.returncode, "j: cannot be written: File too large" in done.stderr) == (3, True)
    resumed = run(folder, "from softdice_cli.cli import main; main()", *eval_("--journal", "j", "--format", "json"))
    plain = run(folder, "from softdice_cli.cli import main; main()", *eval_("--format", "json"))
    assert (resumed.returncode, resumed.stdout) == (0, plain.stdout)


@posix
@pytest.mark.skipif(POSIX and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(folder):
    (folder / "closed").mkdir(mode=0o500)
    done = run(folder, "from softdice_cli.cli import main; main()", *eval_("--output", "closed/r.json"))
    assert (done.returncode, "closed/r.json: cannot be written: Permission denied" in done.stderr) == (2, True)


def test_a_target_that_is_a_folder_or_lies_in_none_is_named(folder):
    (folder / "d").mkdir()
    for target, why in (("d", "is a folder"), ("none/r.json", "folder that is not there")):
        done = run(folder, "from softdice_cli.cli import main; main()", *eval_("--output", target))
        assert (done.returncode, why in done.stderr) == (2, True), done.stderr


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    ("arguments", "stream", "code"),
    [
        (("eval", "--pred", "x", "--gt", "y"), "stderr", 3),
        (("evla",), "stderr", 2),
        (("eval", "--workers", "x"), "stderr", 2),
        (eval_("--fail-under", "0.999"), "stderr", 1),
        (eval_("--fail-under", "0.01"), "stderr", 0),
        (("--help",), "stdout", 2),
        (("--version",), "stdout", 2),
        (eval_(), "stdout", 2),
    ],
)
def test_a_stream_that_cannot_be_written_changes_no_other_code(folder, arguments, stream, code):
    command = [sys.executable, "-m", "softdice_cli", *map(str, arguments)]
    with open("/dev/full", "w") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
        done = subprocess.run(command, cwd=folder, check=False, text=True, **streams)
    assert done.returncode == code
    if stream == "stdout":
        assert "standard output: cannot be written: No space left on device" in done.stderr


@posix
def test_a_working_directory_that_was_removed_is_no_bug(folder):
    code = (
        "import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); from softdice_cli.cli import main; main()"
    )
    done = run(folder, code, "eval", "--pred", "a.npy", "--gt", "b.png")
    assert (done.returncode, "a.npy: there is no such file" in done.stderr) == (3, True)
