"""Which way of executing is used, decided in one place and not where the work is."""

from __future__ import annotations

from softdice_cli.errors import ConfigError
from softdice_cli.execution.contract import Executor
from softdice_cli.execution.machine import can_fork, cores

# Seconds that the system can wait for; eleven days.
_LONGEST = 1_000_000


def executor_for(workers: int | None, timeout: float | None = None) -> Executor:
    """The first of these ways that works here: forked processes, then threads.

    Args:
        workers: how many items are worked on side by side. By default, one process for each core,
            or a single thread, since threads share one interpreter and mostly wait for each other.
        timeout: seconds that an item may take before it is ended, or ``None`` for any time.

    Raises:
        ConfigError: the time is not above 0, or nothing can be ended here.
    """
    if timeout is not None and not 0 < timeout <= _LONGEST:
        raise ConfigError(
            f"{timeout} is out of range",
            option="timeout",
            expected=f"seconds, above 0 and at most {_LONGEST}",
            hint="{option} 60; leave it out for any time",
        )
    # A way is imported where it is used, as a run mostly uses one of them.
    if can_fork():
        from softdice_cli.execution.processes import Processes

        return Processes(workers or cores(), timeout)
    if timeout is not None:
        raise ConfigError(
            "cannot be kept here, as threads cannot be ended",
            option="timeout",
            expected="a system where processes are forked (Linux), and a program without threads and without torch",
            hint="leave out {option}",
        )
    from softdice_cli.execution.threads import Threads

    return Threads(workers or 1)


def executor_within(workers: int) -> Executor:
    """The way for the parts of one item, inside a task that was granted so many workers."""
    if workers > 1 and can_fork():
        from softdice_cli.execution.processes import Processes

        return Processes(workers)
    from softdice_cli.execution.serial import Serial

    return Serial()
