"""Runs a command in a process of its own, and says how long it took or how much memory it held.

Time and memory are measured in different runs: to ask the kernel for the memory of a process stops it for a moment.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders.task import STARTED

ROOT = Path(__file__).resolve().parent.parent
_EVERY = 0.005  # seconds between two looks at the memory
_TAIL = 2000  # characters of an error


class CommandError(Exception):
    """A command ended with another code than 0."""


@dataclass(frozen=True)
class Run:
    """How a command went.

    Attributes:
        seconds: from the call to the end of the process.
        out: standard output.
        largest_mib: greatest resident memory of its largest process.
        peak_mib: greatest memory of all its processes together, where it was watched and the system can tell.
        anonymous_mib: the same without pages of files, which the system can drop.
    """

    seconds: float
    out: str
    largest_mib: float
    peak_mib: float | None = None
    anonymous_mib: float | None = None


def run(command: Sequence[str], *, folder: Path, checkout: bool = False, watched: bool = False) -> Run:
    """Run a command to its end.

    Args:
        command: the program and its arguments.
        folder: to run it in.
        checkout: it needs the benchmarks of this checkout. softdice does not get them, lest it be taken from here
            instead of from where it is installed.
        watched: look at its memory while it runs; `Run.seconds` is no time to compare then.

    Raises:
        CommandError: it failed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=_environment(started, checkout),
            start_new_session=True,
        )
        memory = _Memory(process.pid) if watched else None
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        seen = memory.stop() if memory else None
        if process.returncode:
            err.seek(0)
            tail = err.read().decode(errors="replace")[-_TAIL:]
            raise CommandError(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
        out.seek(0)
        peak, anonymous = seen or (None, None)
        return Run(seconds, out.read().decode(), usage.ru_maxrss / 1024, peak, anonymous)


def _environment(started: float, checkout: bool) -> dict[str, str]:
    environment = {**os.environ, STARTED: repr(started)}
    if checkout:
        given = os.environ.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{given}{os.pathsep}{ROOT}" if given else str(ROOT)
    return environment


class _Memory:
    """Watches the processes of a session until told to stop."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._peak = self._anonymous = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[float, float] | None:
        """The greatest sums that were seen, in MiB; ``None`` where nothing could be seen."""
        self._done.set()
        self._thread.join()
        return (self._peak / 1024, self._anonymous / 1024) if self._peak else None

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            found = [_proportional(process) for process in _members(self._session)]
            self._peak = max(self._peak, sum(pss for pss, _ in found))
            self._anonymous = max(self._anonymous, sum(anonymous for _, anonymous in found))


def _members(session: int) -> list[int]:
    """The processes of a session, from ``/proc``: also those whose parent has ended."""
    members = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(after_name[3]) == session:
            members.append(int(entry.name))
    return members


def _proportional(process: int) -> tuple[int, int]:
    """What a process holds, in KiB: all, and without files; a page that several share is shared out among them."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return sizes.get("Pss", 0), sizes.get("Pss_Anon", 0) + sizes.get("Pss_Shmem", 0)
