"""The command line: the only place that knows arguments, streams and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from contextlib import suppress
from typing import Annotated, Any, NoReturn, TextIO, cast

import typer

from softdice_cli.cli.commands import app
from softdice_cli.errors import ConfigError, ExitCode, SoftdiceError
from softdice_cli.version import __version__


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

    Exit codes: 0 evaluated, 1 a requirement was not met, 2 wrong usage, 3 input that cannot be evaluated,
    4 a bug in softdice, 5 nothing to evaluate.
    """


def main() -> NoReturn:
    """Run the command line and exit with the code of its outcome; see `errors.ExitCode`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    sys.stderr = cast(TextIO, _Forgiving(sys.stderr))
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' own; what a user must know is said by name
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_flush(_run()))  # every way out: what is left must not fail when Python ends


class _Forgiving:
    """Standard error whose reader may be gone, or its disk full: what is said is lost, and the exit code stays true."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            self._stream.flush()


def _run() -> int:
    try:
        app(prog_name="softdice")
    except SystemExit as done:
        if isinstance(done.__context__, BrokenPipeError):
            return _closed_pipe()
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SoftdiceError as error:
        from softdice_cli.cli.terminal import say_error

        _trace()
        say_error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # a page of help, which Typer writes
            return _full(error)
        from softdice_cli.cli.terminal import say

        _trace()
        say(f"internal error, a bug in softdice: {type(error).__name__}: {error}", "error")
        say("run it again with --debug for the traceback, and report both")
        return ExitCode.BUG
    return ExitCode.DONE


def _trace() -> None:
    """The traceback of the current error, where it was asked for."""
    if "--debug" in sys.argv:
        traceback.print_exc()


def _flush(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:  # a full disk; said before, if there was a result to write
        return code or _full(error)
    return code


def _full(error: OSError) -> int:
    """The disk behind standard output is full."""
    from softdice_cli.cli.terminal import say_error

    refused = ConfigError(f"cannot be written: {error.strerror}", path="standard output")
    say_error(refused)
    _closed_pipe()
    return refused.exit_code


def _closed_pipe() -> int:
    """The reader of our output went away: say nothing, and let nothing be flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.CLOSED_PIPE
