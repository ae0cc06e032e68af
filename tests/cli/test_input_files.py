"""Files that are read whole: what is not a file, what has no end, what is too long or too deep, and standard input."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from systems import linux

from softdice_cli.cli import input_files
from softdice_cli.cli.file_keys import toml_table
from softdice_cli.cli.task.file import read_task
from softdice_cli.errors import ConfigError, UnreadableError

EVAL = ("eval", "--pred", "p.npy", "--gt", "m.npy")

# Each way to name a file that is read whole, and the exit code where it cannot be.
READS = [
    (("eval", "--pairs"), 3),
    ((*EVAL, "--classes"), 2),
    ((*EVAL, "--config"), 2),
    ((*EVAL, "--max-drop", "0", "--baseline"), 3),
    (("show",), 3),
    (("merge",), 3),
    (("compare", "r.json"), 3),
]


@linux
@pytest.mark.parametrize(("command", "code"), READS)
@pytest.mark.parametrize("name", ["fifo.json", "zero.json", "a" * 300 + ".json", "folder.json", "loop.json"])
def test_what_is_not_a_file_is_named_at_once(softdice, pair, tmp_path, command, code, name):
    os.mkfifo(tmp_path / "fifo.json")
    os.symlink("/dev/zero", tmp_path / "zero.json")
    (tmp_path / "folder.json").mkdir()
    os.symlink("loop.json", tmp_path / "loop.json")
    softdice(*EVAL, "--format", "json", "-o", "r.json")
    done = softdice(*command, name)
    assert (done.code, done.out) == (code, "")
    assert f"{name}: " in done.err
    assert "  try  " in done.err


@linux
@pytest.mark.parametrize(("option", "value"), [("--output", "a" * 300), ("--report", "json=" + "a" * 300)])
def test_a_name_that_is_too_long_is_not_written(softdice, pair, option, value):
    done = softdice(*EVAL, option, value)
    assert (done.code, "cannot be written: File name too long" in done.err) == (2, True)


@linux
def test_a_name_as_long_as_it_can_be_is_written(softdice, pair, tmp_path):
    name = "a" * 250 + ".json"
    assert softdice(*EVAL, "--format", "json", "--output", name).code == 0
    assert (tmp_path / name).stat().st_size > 1000


def test_a_null_character_in_the_name_of_an_output_is_named(softdice, pair, tmp_path):
    (tmp_path / "softdice.toml").write_text('output = "a\\u0000b"')
    assert softdice(*EVAL).code == 2


@linux
def test_what_the_shell_passes_as_a_file_is_read(pair, tmp_path):
    command = f"{sys.executable} -m softdice_cli eval --pairs <(printf 'pred,gt\\n{pair[0]},{pair[1]}\\n')"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def limited(bytes_of_memory: int, command: str, folder, stdin: str) -> subprocess.CompletedProcess[str]:
    line = f"ulimit -v {bytes_of_memory // 1024}; {stdin} | {sys.executable} -m softdice_cli {command}"
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)


@linux
@pytest.mark.parametrize(
    ("command", "stdin", "code", "says"),
    [
        ("eval --pairs -", "printf 'pred,gt\\n'", 5, "there is nothing to evaluate"),
        ("eval --pairs -", "printf 'pred,gt\\np.npy,m.npy\\n'", 0, ""),
        ("show -", "printf 'pred,gt\\n'", 3, "is not valid JSON"),
        ("eval --pred - --gt m.npy", "cat p.npy", 0, ""),
        ("eval --pred - --gt m.npy --max-bytes 9999999", "yes", 2, "standard input is longer than the limit"),
    ],
)
def test_standard_input_takes_no_more_memory_than_it_has_bytes(pair, tmp_path, command, stdin, code, says):
    done = limited(3 * 2**30, command, tmp_path, stdin)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("path", ["long", "-"])
def test_longer_results_are_refused(monkeypatch, tmp_path, path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(input_files, "_MOST_OF_RESULTS", 5)
    monkeypatch.setattr(input_files, "_MOST_OF_PIPED_RESULTS", 5)
    (tmp_path / "long").write_bytes(b"123456")
    with open("long") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises((UnreadableError, ConfigError), match="longer than the limit") as caught:
            input_files.load(path)
    assert caught.value.expected == "at most 5 bytes"


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 50_000) + " = 1",
        " . ".join(['"a\\" b"'] * 5_000) + " = 1",
        "[" + ".".join(["'a b'"] * 5_000) + "]",
        "x = " + "[" * 50_000,
    ],
)
def test_deep_toml_is_refused_before_it_takes_long(text):
    with pytest.raises(RecursionError):
        toml_table(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = {" + ", ".join(f"a{n} = 0.5" for n in range(200)) + "}",
        "# " + "." * 500 + "\nx = [" + ", ".join(['"a.b"'] * 200) + "]",
        ".".join(["a"] * 60) + " = 1",
    ],
)
def test_many_dots_are_not_depth(text):
    toml_table(text)


@pytest.mark.parametrize(("name", "text"), [("c.toml", ".".join(["a"] * 50_000) + " = 1"), ("c.json", "[" * 100_000)])
def test_deep_class_files_are_refused_by_name(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match="is nested too deeply"):
        read_task(tmp_path / name)


def test_a_long_file_of_options_is_refused(softdice, pair, tmp_path):
    (tmp_path / "softdice.toml").write_text("#" * 2**20 + "\n")
    done = softdice(*EVAL)
    assert (done.code, "softdice.toml: is longer than the limit" in done.err) == (2, True)
