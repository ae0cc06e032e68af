"""Which way of executing is used, decided in one place and not where the work is."""

from __future__ import annotations

from softdice_cli.execution.contract import Executor
from softdice_cli.execution.machine import can_fork, cores


def executor_for(workers: int | None) -> Executor:
    """The first of these ways that works here: forked processes, then threads.

    Args:
        workers: how many items are worked on side by side. By default, one process for each core,
            or a single thread, since threads share one interpreter and mostly wait for each other.
    """
    # A way is imported where it is used, as a run mostly uses one of them.
    if can_fork():
        from softdice_cli.execution.processes import Processes

        return Processes(workers or cores())
    from softdice_cli.execution.threads import Threads

    return Threads(workers or 1)


def executor_within(workers: int) -> Executor:
    """The way for the parts of one item, inside a task that was granted so many workers."""
    if workers > 1 and can_fork():
        from softdice_cli.execution.processes import Processes

        return Processes(workers)
    from softdice_cli.execution.serial import Serial

    return Serial()
