"""The command line: outputs, streams, exit codes."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, started, wait_until_reading
from systems import linux, posix, terminal

from softdice_cli import ReadOptions, Settings, __version__, evaluate
from softdice_cli.cli.compare import Compare
from softdice_cli.cli.eval import Eval
from softdice_cli.comparison import compare

NOTEBOOK = ("--pred", ROOT / "sample_data/notebook/pred.npy", "--gt", ROOT / "sample_data/notebook/mask.png")
COMMAND = [sys.executable, "-m", "softdice_cli"]


# The map of the example is random.
RANDOM = (
    "softdice: warning: prediction and truth agree no better than by chance in 0, 1, 2: check that the files of a pair "
    "belong together, that neither is turned or transposed, and which label is which\n"
)


def test_the_main_job(softdice):
    run = softdice("eval", *NOTEBOOK)
    assert run.code == 0
    assert run.err == RANDOM
    assert "mask: 1 image, 50176 pixels" in run.out
    assert "1.8739" in run.out
    assert "softdice:1|classes:3|" in run.out


def test_json_has_the_reference_loss_and_only_the_warning_on_stderr(softdice):
    run = softdice("eval", *NOTEBOOK, "--format", "json")
    assert json.loads(run.out)["pooled"]["loss"] == pytest.approx(1.873891106797835, abs=1e-12)
    assert (run.code, run.err) == (0, RANDOM)


def test_the_cpu_needs_no_torch():
    code = (
        "import sys; from softdice_cli.cli import main\ntry: main()\n"
        "finally: print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", *map(str, NOTEBOOK)], capture_output=True, text=True, check=True
    )
    assert done.stderr == RANDOM + "False\n"


def test_help_imports_neither_numpy_nor_an_image_library():
    code = (
        "import sys; from softdice_cli.cli import main\ntry: main()\n"
        "finally: print(sorted({'numpy', 'torch', 'PIL', 'tifffile'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, "eval", "--help"], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "--pred" in done.stdout


def test_two_runs_give_the_same_bytes_on_every_engine(softdice):
    runs = [softdice("eval", *NOTEBOOK, "--format", "json", "--device", d) for d in ("cpu", "cpu", "torch:cpu")]
    assert runs[0].out == runs[1].out == runs[2].out


def test_auto_says_what_it_chose(softdice):
    run = softdice("eval", *NOTEBOOK, "--device", "auto")
    assert run.code == 0
    assert "softdice: device: " in run.err


def test_output_is_written_whole_and_leaves_stdout_alone(softdice, tmp_path):
    target = tmp_path / "r.json"
    target.write_text("old")
    run = softdice("eval", *NOTEBOOK, "--format", "json", "--output", target)
    assert (run.code, run.out) == (0, "")
    assert json.loads(target.read_text())["complete"] is True
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_an_output_that_cannot_be_written_leaves_the_old_file(softdice, tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    run = softdice("eval", *NOTEBOOK, "--output", target)
    assert run.code == 2
    assert "cannot be written" in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@posix
def test_a_name_that_reads_as_markup_or_acts_on_terminals_is_shown(softdice, tmp_path):
    name = "[red]\x1b[31mp.npy"
    (tmp_path / name).write_bytes(b"")
    run = softdice("eval", "--pred", name, "--gt", name)
    assert run.code == 3
    assert "[red]\\x1b[31mp.npy: is empty" in run.err


def test_no_arguments_show_the_help(softdice):
    run = softdice()
    assert "eval" in run.out + run.err
    assert run.code in (0, 2)


def test_version(softdice):
    assert softdice("--version").out == f"softdice {__version__}\n"


@pytest.mark.parametrize("arguments", [["eval", *map(str, NOTEBOOK)], ["--help"], ["eval", "--help"]])
def test_a_closed_pipe_is_quiet(arguments):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, *arguments], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@linux
def test_ctrl_c_is_quiet(tmp_path):
    large = np.lib.format.open_memmap(tmp_path / "p.npy", "w+", np.float32, (2, 20_000, 20_000))  # sparse, never filled
    del large
    mask = np.lib.format.open_memmap(tmp_path / "m.npy", "w+", np.uint8, (20_000, 20_000))
    del mask
    command = [*COMMAND, "eval", "--pred", tmp_path / "p.npy", "--gt", tmp_path / "m.npy", "--allow-unnormalized"]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        wait_until_reading(run.pid, "p.npy")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=10)
        assert (run.returncode, out, err) == (130, b"", b"")


def test_a_bug_is_exit_4_without_a_traceback_and_with_one_under_debug():
    code = (
        "import sys, softdice_cli.evaluation as e\n"
        "def broken(*a, **k): raise ZeroDivisionError('oops')\n"
        "e.evaluate = broken\n"
        "from softdice_cli.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "eval", *map(str, NOTEBOOK)]
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    assert plain.returncode == 4
    assert "a bug in softdice: ZeroDivisionError: oops" in plain.stderr
    assert "Traceback" not in plain.stderr
    debug = subprocess.run([*command, "--debug"], capture_output=True, text=True, check=False)
    assert "Traceback" in debug.stderr


def in_terminal(columns: int, **env: str) -> str:
    """What a person sees: the main job on a terminal of that width."""
    import pty

    main, child = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    environment = {**clean, "COLUMNS": str(columns), "TERM": "xterm", **env}
    run = subprocess.Popen([*COMMAND, "eval", *map(str, NOTEBOOK)], stdout=child, env=environment)
    os.close(child)
    seen = b""
    while True:
        try:
            data = os.read(main, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(main)
    assert run.wait() == 0
    return seen.decode()


@terminal
def test_a_terminal_has_color_and_no_color_is_honoured():
    assert "\x1b[1m" in in_terminal(80)
    assert "\x1b[" not in in_terminal(80, NO_COLOR="1")
    assert "\x1b[" not in in_terminal(80, TERM="dumb")


def test_a_pipe_is_not_cut_and_columns_are_honoured(softdice):
    name = "n" * 100
    classes = ["--class", name, "--class", "b", "--class", "c"]
    assert name in softdice("eval", *NOTEBOOK, *classes).out
    assert name not in softdice("eval", *NOTEBOOK, *classes, env={"COLUMNS": "80"}).out


def test_an_ascii_stream_gets_ascii(softdice):
    run = softdice(
        "eval", *NOTEBOOK, "--class", "größe", "--class", "b", "--class", "c", env={"PYTHONIOENCODING": "ascii"}
    )
    assert run.code == 0
    assert run.out.isascii()
    assert "gr\\xf6\\xdfe" in run.out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '["sky", "tree", "road"]'),
        ("c.json", '{"classes": {"sky": 0, "tree": 1, "road": 2}}'),
        ("c.json", '[{"name": "sky", "value": 0}, {"name": "tree", "value": 1}, {"name": "road", "value": 2}]'),
        ("c.toml", 'classes = ["sky", "tree", "road"]'),
        ("c.toml", "[classes]\nsky = 0\ntree = 1\nroad = 2"),
    ],
)
def test_classes_from_a_file(softdice, tmp_path, name, text):
    Path(tmp_path, name).write_text(text)
    run = softdice("eval", *NOTEBOOK, "--classes", name, "--format", "json")
    assert [c["name"] for c in json.loads(run.out)["pooled"]["classes"]] == ["sky", "tree", "road"]


def test_every_option_changes_what_it_names(softdice):
    """No option is parsed and ignored: each changes the document, and the signature where scores may change."""
    plain = json.loads(softdice("eval", *NOTEBOOK, "--format", "json").out)
    for option in (["--eps", "1"], ["--empty", "one"], ["--no-background"], ["--activation", "softmax"],
                   ["--allow-unnormalized"], ["--ignore", "7"]):  # fmt: skip
        changed = json.loads(softdice("eval", *NOTEBOOK, "--format", "json", *option).out)
        assert changed["signature"] != plain["signature"], option


@posix
def test_a_link_stays_and_what_it_points_to_is_replaced(softdice, tmp_path):
    target, link = tmp_path / "r.json", tmp_path / "latest.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert softdice("eval", *NOTEBOOK, "--format", "json", "-o", link).code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["complete"] is True
    assert target.stat().st_mode & 0o777 == 0o640


@posix
def test_a_pipe_as_output_is_written_to(softdice, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    assert softdice("eval", *NOTEBOOK, "--format", "json", "-o", fifo).code == 0
    assert json.loads(reader.communicate(timeout=20)[0])["complete"] is True
    assert fifo.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a device that is always full")
def test_a_full_disk_is_said_and_is_no_bug(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "eval", *map(str, NOTEBOOK)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "standard output: cannot be written: No space left on device" in done.stderr


def test_debug_shows_the_traceback_and_keeps_the_exit_code(softdice):
    run = softdice("eval", *NOTEBOOK, "--layout", "CWH", "--debug")
    assert run.code == 2
    assert "Traceback" in run.err


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
def test_a_report_may_go_to_standard_output(softdice):
    run = softdice("eval", *NOTEBOOK, "--format", "json", "--output", "/dev/stdout")
    assert (run.code, json.loads(run.out)["complete"]) == (0, True)


def test_the_command_line_and_the_library_have_the_same_defaults():
    """A default stands in the library and once more in the command, and both must agree."""
    asked, settings, reading = Eval(), Settings(), ReadOptions()
    assert asked._task().settings == settings
    assert (asked.max_pixels, asked.max_bytes) == (reading.max_pixels, reading.max_bytes)
    evaluated = inspect.signature(evaluate).parameters
    for option in ("device", "workers", "batch_size", "journal", "timeout", "fail_fast"):
        assert getattr(asked, option) == evaluated[option].default
    compared = inspect.signature(compare).parameters
    for option in ("resamples", "seed", "worst"):
        assert Compare.__dataclass_fields__[option].default == compared[option].default
