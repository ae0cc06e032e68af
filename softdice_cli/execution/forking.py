"""Forked processes one by one: how they are started, how they end with their program, and what their end is called."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

_INTERRUPT = (signal.SIGINT,)

# The option of Linux's prctl that names the signal which a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


def fork(serve: Callable[[], None]) -> int:
    """Start a process.

    Args:
        serve: what the process does. Its end is the end of the process, which never goes on with
            the program.

    Returns:
        The id of the process.

    Raises:
        OSError: the system allows no more processes.
    """
    # Held back until each side knows which one it is: an interrupt is for the program, which ends
    # its processes.
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        process = _fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        raise
    if not process:
        _be_worker(serve)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
    return process


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of threads that C libraries have started. Those libraries prepare for a fork
        # themselves.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _be_worker(serve: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        serve()
    except (EOFError, BrokenPipeError):
        # The program is gone.
        code = 0
    finally:
        os._exit(code)


def die_with(program: int) -> None:
    """Let the kernel end this process when the process that forked it ends; elsewhere its pipe tells, later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The program may have ended before the kernel was told.
        if os.getppid() != program:
            os._exit(0)


def ending_of(process: int) -> str:
    """Wait for a process, and say how it ended: ``ended with code 7`` or ``killed by SIGKILL``."""
    try:
        _, status = os.waitpid(process, 0)
    except ChildProcessError:
        # Where the program ignores SIGCHLD, the system does not tell.
        return "ended"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with code {code}"
    return f"killed by {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
