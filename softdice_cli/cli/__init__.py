"""The command line: the only place that knows arguments, streams and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from typing import Annotated, NoReturn, TextIO, cast

import typer

from softdice_cli.cli.command_table import app
from softdice_cli.cli.streams import Forgiving, prepare, reader_is_gone
from softdice_cli.errors import ConfigError, ExitCode, InputError, SoftdiceError
from softdice_cli.version import __version__

_TAKES_PATTERNS = "eval"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"softdice {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Evaluate saved segmentation predictions: soft-Dice loss and hard Dice, with a signature.

    Exit codes: 0 evaluated, 1 a requirement was not met, 2 wrong usage, 3 input that cannot be
    evaluated, 4 a bug in softdice, 5 nothing to evaluate.
    """


def main() -> NoReturn:
    """Run the command line and exit with the code of its outcome; see `errors.ExitCode`."""
    for name in ("stdout", "stderr"):
        # The caller may have closed it.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    if not sys.warnoptions:
        # These are the warnings of libraries. What a user must know is said by name.
        warnings.simplefilter("ignore")
    prepare(sys.stdout)
    prepare(sys.stderr)
    sys.stderr = cast(TextIO, Forgiving(sys.stderr))
    # Flushed here on every way out, because what is left must not fail when Python ends.
    sys.exit(_flush(_run()))


def _run() -> int:
    try:
        app(prog_name="softdice", windows_expand_args=_expands_patterns(sys.argv))
    except SystemExit as done:
        if isinstance(done.__context__, BrokenPipeError):
            return _closed_pipe()
        if isinstance(done.code, int):
            return done.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SoftdiceError as error:
        from softdice_cli.cli.terminal import say_error

        _trace()
        say_error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback
        return _unforeseen(error)
    return ExitCode.DONE


def _expands_patterns(arguments: list[str]) -> bool:
    """Whether Typer expands wildcards on Windows, whose shells leave that to the program.

    A pattern for eval stays one argument, as a quoted pattern does in other shells.
    """
    return arguments[1:2] != [_TAKES_PATTERNS]


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError):
        # The page of --help is written by Typer, and not by a `Target`.
        if reader_is_gone(error):
            return _closed_pipe()
        if error.errno == errno.ENOSPC:
            return _full(error)
    if isinstance(error, MemoryError):
        return _too_small()
    from softdice_cli.cli.terminal import say

    _trace()
    say(f"internal error, a bug in softdice: {type(error).__name__}: {error}", "error")
    say("run it again with --debug for the traceback, and report both")
    return ExitCode.BUG


def _too_small() -> int:
    """Say that what was read did not fit into the memory that the process may have."""
    from softdice_cli.cli.terminal import say_error

    _trace()
    refused = InputError("there is not enough memory for what was read", hint="raise ulimit -v, or --workers 1")
    say_error(refused)
    return refused.exit_code


def _trace() -> None:
    """Print the traceback of the current error, where it was asked for."""
    if "--debug" in sys.argv:
        traceback.print_exc()


def _flush(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        if reader_is_gone(error):
            return _closed_pipe()
        # The disk is full. If there was a result to write, that was said before.
        return code or _full(error)
    return code


def _full(error: OSError) -> int:
    """Say that the disk behind standard output is full."""
    from softdice_cli.cli.terminal import say_error

    refused = ConfigError(f"cannot be written: {error.strerror}", path="standard output")
    say_error(refused)
    _closed_pipe()
    return refused.exit_code


def _closed_pipe() -> int:
    """The reader of our output went away: say nothing, and let nothing be flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.CLOSED_PIPE
