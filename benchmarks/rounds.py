"""Measures contenders alternately: in every round each of them once, and each round begins with another one."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.agreement import differences
from benchmarks.commands import Contender, Numbers, read_results, results_of
from benchmarks.data import Data

Say = Callable[[str], None]


@dataclass
class Measured:
    """What was measured of one contender on one data set.

    Attributes:
        name: of the contender.
        label: in the tables; says how many pairs it was given, where those are not all.
        partial: it was not given all pairs.
        bytes: of the files that it was given.
        seconds: of each round.
        starts: of each round, the same command on one tiny pair.
        imports_s: when it said that its imports were done.
        largest_mib: greatest resident memory of its largest process.
        peak_mib: of all its processes together, each shared page once.
        anonymous_mib: the same without pages of files.
    """

    name: str
    label: str
    partial: bool
    bytes: int
    seconds: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    imports_s: float | None = None
    largest_mib: float = 0.0
    peak_mib: float | None = None
    anonymous_mib: float | None = None

    @property
    def median(self) -> float:
        """Seconds, start-up included."""
        return statistics.median(self.seconds)

    @property
    def start(self) -> float | None:
        """Seconds on one tiny pair."""
        return statistics.median(self.starts) if self.starts else None

    @property
    def net(self) -> float | None:
        """Seconds, start-up taken off; ``None`` where it was not measured, or where nothing else is left."""
        return self.median - self.start if self.start is not None and self.median > self.start else None


@dataclass(frozen=True)
class Entry:
    """A contender with what it is given."""

    contender: Contender
    data: Data
    tiny: Data | None = None


def measure(entries: Sequence[Entry], repeats: int, say: Say = print) -> tuple[list[Measured], list[str]]:
    """Measure all of them, and compare their numbers with softdice's.

    The first run of each is for its memory and its numbers, and no time is taken: files and byte code are cached then.

    Returns:
        What was measured, in the order of the entries; and what differs.

    Raises:
        CommandError: a contender failed.
    """
    with tempfile.TemporaryDirectory(prefix="softdice-benchmark-") as folder:
        judge = _Judge(Path(folder))
        measured = []
        for entry in entries:
            say(f"  {entry.contender.name}: memory and numbers")
            measured.append(_first(entry, judge))
        for number in range(repeats):
            say(f"  round {number + 1} of {repeats}")
            for place in _order(len(entries), number):
                _round(entries[place], measured[place], judge.scratch)
    return measured, judge.problems


def _order(count: int, number: int) -> list[int]:
    first = number % count
    return [*range(first, count), *range(first)]


class _Judge:
    """Compares what contenders found with what softdice finds on the same pairs."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.problems: list[str] = []
        self._known: dict[tuple[Path, int | None], Numbers] = {}

    def hear(self, entry: Entry, out: str) -> float | None:
        """Take in what a contender printed or wrote; when it said that its imports were done, if it did."""
        kind, name = entry.contender.kind, entry.contender.name
        if kind == "bare":
            return None
        if kind == "softdice":
            found = read_results(self.scratch)
            same = found == self._results(entry)
            self.problems += [] if same else [f"{name}: its results differ from those of a plain run"]
            return None
        try:
            found = json.loads(out)
        except ValueError:
            self.problems.append(f"{name}: it printed no JSON")
            return None
        expected = self._results(entry)
        self.problems += [f"{name}: {line}" for line in differences(expected, found)]
        imports: float | None = found.get("imports_s")
        return imports

    def _results(self, entry: Entry) -> Numbers:
        partial = entry.contender.is_partial(entry.data.workload.pairs)
        key = entry.data.folder, entry.contender.first if partial else None
        if key not in self._known:
            self._known[key] = results_of(key[0], self.scratch, key[1])
        return self._known[key]


def _first(entry: Entry, judge: _Judge) -> Measured:
    """One run for the memory and the numbers."""
    contender, data = entry.contender, entry.data
    done = contender.run(data.folder, judge.scratch, watched=True)
    partial = contender.is_partial(data.workload.pairs)
    return Measured(
        name=contender.name,
        label=f"{contender.name}, first {contender.first}" if partial else contender.name,
        partial=partial,
        bytes=0 if contender.kind == "bare" else data.bytes(contender.first),
        imports_s=judge.hear(entry, done.out),
        largest_mib=done.largest_mib,
        peak_mib=done.peak_mib,
        anonymous_mib=done.anonymous_mib,
    )


def _round(entry: Entry, measured: Measured, scratch: Path) -> None:
    if entry.tiny:
        measured.starts.append(entry.contender.run(entry.tiny.folder, scratch).seconds)
    measured.seconds.append(entry.contender.run(entry.data.folder, scratch).seconds)
