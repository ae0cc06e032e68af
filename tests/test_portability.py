"""Where a system lacks what Linux has, the results are the same bytes: tried by taking the functions away."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from folders import FORMATS, eval_, maps, write
from systems import posix

from softdice_cli.cli import streams
from softdice_cli.cli.streams import prepare, reader_is_gone
from softdice_cli.cli.terminal import Target
from softdice_cli.errors import ConfigError

pytestmark = pytest.mark.slow

NOTEBOOK = ("--pred", ROOT / "sample_data/notebook/pred.npy", "--gt", ROOT / "sample_data/notebook/mask.png")
MAIN = "from softdice_cli.cli import main\nmain()\n"

# What a system may lack, as code that takes it away before softdice is imported.
WITHOUT = {
    "fork": "import os\nif hasattr(os, 'fork'): del os.fork\n",
    "preadv": "import os\nif hasattr(os, 'preadv'): del os.preadv\n",
    "anonymous maps": "import mmap\nif hasattr(mmap, 'MAP_ANONYMOUS'): del mmap.MAP_ANONYMOUS\n",
    "fcntl": "import sys\nsys.modules['fcntl'] = None\n",
    "affinity": "import os\nif hasattr(os, 'sched_getaffinity'): del os.sched_getaffinity\n",
    "signals": (
        "import os, signal\n"
        "if hasattr(os, 'fork'): del os.fork\n"
        "for name in ('pthread_sigmask', 'SIGKILL', 'SIGPIPE', 'SIGCHLD', 'SIG_BLOCK', 'SIG_UNBLOCK'):\n"
        "    if hasattr(signal, name): delattr(signal, name)\n"
    ),
}
WITHOUT["all of it"] = "".join(WITHOUT.values())
WITHOUT["fork, as on macOS"] = "import softdice_cli.execution.machine as machine\nmachine.can_fork = lambda: False\n"


def run(folder: Path, code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pairs, one that fails, and one that is large enough to be read tile by tile."""
    folder = tmp_path_factory.mktemp("portable")
    write(folder)
    (folder / "g/k.png").write_bytes(b"broken")
    rng = np.random.default_rng(3)
    np.save(folder / "p/large.npy", np.asfortranarray(maps(rng, 3, 400, 300)))
    np.save(folder / "g/large.npy", rng.integers(0, 3, (400, 300)).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> bytes:
    done = run(folder, MAIN, *eval_("--format", "json"))
    assert done.returncode == 3
    assert len(json.loads(done.stdout)["images"]) == 6
    return done.stdout


@pytest.mark.parametrize("missing", WITHOUT)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_folder_gives_the_same_bytes_without(folder, expected, missing, workers):
    done = run(folder, WITHOUT[missing] + MAIN, *eval_("--format", "json", "--workers", workers))
    assert (done.returncode, done.stdout) == (3, expected), done.stderr


@pytest.mark.parametrize("missing", ["fcntl", "all of it"])
def test_a_journal_gives_the_same_bytes_without(folder, expected, tmp_path, missing):
    arguments = eval_("--format", "json", "--journal", tmp_path / "journal")
    for _ in range(2):
        done = run(folder, WITHOUT[missing] + MAIN, *arguments)
        assert (done.returncode, done.stdout) == (3, expected), done.stderr


def test_only_a_run_that_forks_imports_what_forks(folder):
    code = WITHOUT["fork"] + "import sys\n" + MAIN.replace("main()", "try: main()\nfinally: print(*sys.modules)")
    done = run(folder, code, *eval_("--format", "json", "--output", os.devnull))
    modules = done.stdout.decode().split()
    assert "softdice_cli.execution.threads" in modules
    assert not {"softdice_cli.execution.crew", "softdice_cli.execution.forking"} & set(modules)


# Encodings and line ends


@pytest.mark.parametrize("output", [*FORMATS, "markdown", "junit", "github"])
@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_every_output_fits_an_old_code_page(tmp_path, output, encoding):
    names = ["--class", "größe", "--class", "ε≥1", "--class", "日本"]
    done = run(
        tmp_path, MAIN, "eval", *NOTEBOOK, *names, "--format", output, PYTHONIOENCODING=encoding, GITHUB_STEP_SUMMARY=""
    )
    assert done.returncode == 0
    # The map of the example is random, and a warning that names its classes says so.
    assert "no better than by chance" in done.stderr.decode(encoding)
    assert done.stdout.decode(encoding)


def test_no_file_is_opened_in_the_encoding_of_the_machine(folder, tmp_path):
    (tmp_path / "c.json").write_text('["größe", "b", "c"]', encoding="utf-8")
    more = ["--journal", tmp_path / "j", "--report", f"csv={tmp_path / 'r.csv'}", "--classes", tmp_path / "c.json"]
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-m", "softdice_cli"]
    arguments = eval_("--format", "json", "--output", tmp_path / "r.json", *more)
    done = subprocess.run([*command, *map(str, arguments)], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 3, done.stderr
    shown = subprocess.run([*command, "show", tmp_path / "r.json"], capture_output=True, check=False)
    assert shown.returncode == 3, shown.stderr
    assert b"\r" not in (tmp_path / "r.json").read_bytes() + (tmp_path / "j").read_bytes()


def as_windows_opens_it(encoding: str) -> tuple[io.BytesIO, io.TextIOWrapper]:
    """A pipe as Windows has it: in the code page of the machine, and with CR LF."""
    raw = io.BytesIO()
    return raw, io.TextIOWrapper(raw, encoding=encoding, newline="\r\n")


@pytest.mark.parametrize(
    ("windows", "asked", "expected"),
    [
        (True, "", "ε\n".encode()),
        # whoever asks for an encoding gets it
        (True, "cp1252", b"\\u03b5\n"),
        # elsewhere the stream is as it should be
        (False, "", b"\\u03b5\r\n"),
    ],
)
def test_a_pipe_on_windows_gets_the_bytes_of_other_systems(monkeypatch, windows, asked, expected):
    monkeypatch.setattr(streams, "WINDOWS", windows)
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    if asked:
        monkeypatch.setenv("PYTHONIOENCODING", asked)
    raw, stream = as_windows_opens_it("cp1252")
    prepare(stream)
    stream.write("ε\n")
    stream.flush()
    assert raw.getvalue() == expected


# Pipes that are closed, and files that are open


@pytest.mark.parametrize(
    ("windows", "error", "gone"),
    [
        (False, BrokenPipeError(errno.EPIPE, "Broken pipe"), True),
        (True, BrokenPipeError(errno.EPIPE, "Broken pipe"), True),
        (True, OSError(errno.EINVAL, "Invalid argument"), True),
        # an impossible name, a full disk, and another system
        (True, OSError(errno.EINVAL, "Invalid argument", "a?.json"), False),
        (True, OSError(errno.ENOSPC, "No space left on device"), False),
        (False, OSError(errno.EINVAL, "Invalid argument"), False),
    ],
)
def test_how_a_closed_pipe_is_told(monkeypatch, windows, error, gone):
    monkeypatch.setattr(streams, "WINDOWS", windows)
    assert reader_is_gone(error) is gone


CLOSED = """
import io, sys
import softdice_cli.cli.streams as streams
streams.WINDOWS = True
class Raw(io.FileIO):
    def write(self, data):
        try:
            return super().write(data)
        except BrokenPipeError:
            raise OSError(22, "Invalid argument") from None
sys.stdout = io.TextIOWrapper(io.BufferedWriter(Raw(1, "w", closefd=False)), encoding="utf-8")
"""


@pytest.mark.parametrize("arguments", [("eval", *NOTEBOOK), ("--help",), ("eval", "--help"), ("--version",)])
def test_a_closed_pipe_on_windows_is_quiet(arguments):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", CLOSED + MAIN, *map(str, arguments)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.fixture
def locking(monkeypatch: pytest.MonkeyPatch) -> list[Target]:
    """Targets whose files cannot be removed or replaced while they are open or may not be written, as on Windows."""
    targets: list[Target] = []
    unlink, replace = os.unlink, os.replace

    def refuse(path: str) -> None:
        if not all(target._stream.closed for target in targets) or not os.stat(path).st_mode & 0o200:
            raise PermissionError(errno.EACCES, "The process cannot access the file", path)

    def unlinked(path: str) -> None:
        refuse(path)
        unlink(path)

    def replaced(path: str, other: Path) -> None:
        refuse(path)
        if other.exists():
            refuse(str(other))
        replace(path, other)

    monkeypatch.setattr(os, "unlink", unlinked)
    monkeypatch.setattr(os, "replace", replaced)
    return targets


def test_an_output_is_written_where_open_files_are_locked(tmp_path, locking):
    for text in ("one", "two"):
        target = Target(tmp_path / "r.json")
        locking.append(target)
        with target:
            target.write(text)
        assert (tmp_path / "r.json").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_failure_leaves_no_half_file_where_open_files_are_locked(tmp_path, locking):
    target = Target(tmp_path / "r.json")
    locking.append(target)

    def fail() -> None:
        with target:
            target.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_file_that_may_not_be_replaced_is_named_and_stays(tmp_path, locking):
    kept = tmp_path / "r.json"
    kept.write_text("old", encoding="utf-8")
    kept.chmod(0o444)
    target = Target(kept)
    locking.append(target)
    with pytest.raises(ConfigError, match="cannot be written: The process cannot access"), target:
        target.write("new")
    assert kept.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    kept.chmod(0o644)


# Patterns, which Typer expands on Windows

NT = """
import os, typer.core
class Nt:
    name = "nt"
    def __getattr__(self, name): return getattr(os, name)
typer.core.os = Nt()
"""


def test_a_pattern_reaches_eval_as_it_was_typed_on_windows(folder):
    arguments = ["eval", "--pred", "p/i*.npy", "--gt", "g/i*.png", "--format", "json"]
    plain, windows = (run(folder, code + MAIN, *arguments) for code in ("", NT))
    assert (windows.returncode, windows.stdout) == (0, plain.stdout), windows.stderr


@posix
def test_results_files_are_expanded_on_windows(folder, tmp_path):
    for part in (1, 2):
        arguments = eval_("--format", "json", "--shard", f"{part}/2", "--output", tmp_path / f"s{part}.json")
        assert run(folder, MAIN, *arguments).returncode in (0, 3)
    done = run(tmp_path, NT + MAIN, "merge", "s*.json", "--format", "json")
    assert done.returncode == 3
    assert len(json.loads(done.stdout)["images"]) == 6
