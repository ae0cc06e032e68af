"""Damaged files of every format, read and evaluated under limits, beside other decoders.

By hand:

``python tests/readers/fuzzing.py READER CASE [PATH]`` reads one case, with the traceback; the file is kept at the path.
``python tests/readers/fuzzing.py READER FIRST COUNT`` reads a range of cases as the tests do.
`fuzz_long` reads many more, and `fuzz_guided` looks for those that reach new code.
"""

from __future__ import annotations

import faulthandler
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from fuzz_damage import case
from fuzz_files import READERS, archive, chunk, png, seeds
from fuzz_oracles import SAME, checked, compared

from softdice_cli.errors import InputError, LabelError
from softdice_cli.evaluation import Reading
from softdice_cli.evaluation.outcomes import out_of_memory
from softdice_cli.evaluation.pair_tasks import EvaluatePair
from softdice_cli.execution import Grant
from softdice_cli.overlap.devices import engine_for
from softdice_cli.pairing import Pair
from softdice_cli.readers import Blob, ReadOptions, Source, read_array, stored
from softdice_cli.readers.labels import as_labels
from softdice_cli.records import ClassDef, Settings

__all__ = ["READERS", "SAME", "archive", "case", "checked", "chunk", "compared", "outcome", "png", "run", "seeds"]

LIMITS = ReadOptions(max_pixels=2**20, max_bytes=2**24)
"""Far below the memory that a case may take, so that running out of it shows what was not checked."""

MEMORY = 2**30
"""Bytes of addresses that a process may take beyond those it starts with."""

RESIDENT = 2**28
"""Bytes that one case may take at any moment beyond those that are there before it."""

SECONDS = 2.0
"""Processor time that one case may take."""

HANGS = 60
"""Seconds after which a case is ended from outside."""

CHECKED = ("npz",)
"""The formats whose checksums hold in every file that is read."""

# The formats that are read by the descriptor of a file as well, and not only from memory.
_FROM_FILES = ("npy", "npz", "pt", "tiff")

# One case in so many is evaluated too, in the tests.
_EVALUATED = 8

# Values of an array that is evaluated: a pair takes as long as it has classes and images.
_SMALL = 2**14


@dataclass
class Report:
    """What became of a range of cases.

    Attributes:
        outcomes: how often each format was read and each error raised.
        others: what other decoders said of the files that were read.
        roles: what became of the files as truths, predictions and label maps.
        failures: the case and what was wrong with it.
        slowest: processor time and number of the slowest case.
        memory: megabytes of the case that took most, and its number.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    memory: tuple[int, int] = (0, 0)

    def add(self, other: Report) -> None:
        """Count what another range of cases gave."""
        for name in ("outcomes", "others", "roles"):
            total = Counter(getattr(self, name)) + Counter(getattr(other, name))
            setattr(self, name, dict(total.most_common()))
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest, key=lambda pair: pair[0])
        self.memory = max(self.memory, other.memory, key=lambda pair: pair[0])


def read_case(reader: str, number: int, folder: Path, report: Report, evaluated: int = 1) -> str:
    """What became of a case: the format that was read, or the name of the error.

    Raises:
        AssertionError: something that must not happen to any file.
    """
    key = "probs" if reader in ("npz", "pt") and number % 2 else None
    return read_bytes(reader, case(reader, number), key, folder, report, evaluated=number % evaluated == 0)


def read_bytes(
    reader: str, data: bytes, key: str | None, folder: Path, report: Report, *, evaluated: bool = True
) -> str:
    """What became of a file; the counts go into the report.

    Raises:
        AssertionError: something that must not happen to any file.
    """
    path = folder / "case"
    with _limited(report):
        source, found = _read(Blob("case", data), key)
        if reader in _FROM_FILES:
            path.write_bytes(data)
            again = outcome(Blob(str(path)), key)
            assert again == found, f"from memory {found}, from a file {again}"
    if source:
        said = compared(source, data, key)
        report.others[said] = report.others.get(said, 0) + 1
    labels_counted = False
    if evaluated:
        path.write_bytes(data)
        with _limited(report):
            for role, end in _roles(path, source, key, folder):
                report.roles[f"{role}: {end}"] = report.roles.get(f"{role}: {end}", 0) + 1
                labels_counted |= role != "prediction" and end == "evaluated"
    # The elements of a large tensor are held against their checksum where they are labels.
    if source and source.format in CHECKED and (source.format != "pt" or labels_counted):
        checked(source, data)
    return found


@contextmanager
def _limited(report: Report) -> Iterator[None]:
    """Raises AssertionError after what took more time or memory than a case may."""
    _forget_peak()
    before, begun = _memory("VmRSS"), time.process_time()
    yield
    seconds, size = time.process_time() - begun, _memory("VmHWM") - before
    report.slowest = max(report.slowest, (seconds, 0))
    report.memory = max(report.memory, (size // 2**20, 0))
    assert seconds <= SECONDS, f"took {seconds:.1f} s"
    assert size <= RESIDENT, f"took {size // 2**20} MB"


def outcome(blob: Blob, key: str | None = None) -> str:
    """The format that was read, every value of it, or the name of the error."""
    return _read(blob, key)[1]


def _read(blob: Blob, key: str | None) -> tuple[Source | None, str]:
    try:
        source = read_array(blob, replace(LIMITS, key=key))
        for colors in (False, True):
            with suppress(LabelError):
                as_labels(source, colors=colors, options=LIMITS)
        values = 0
        for part in source.chunks():
            part.max()
            values += part.size
    except InputError as error:
        return None, _named(error, blob.name)
    assert values == source.array.size
    assert source.array.dtype.kind in "biuf"
    return source, source.format


def _named(error: InputError, *paths: str) -> str:
    assert not isinstance(error.__cause__, MemoryError), "memory was asked for that no limit allows"
    assert error.path in paths
    assert str(error)
    return type(error).__name__


# The roles of a file


def _roles(path: Path, source: Source | None, key: str | None, folder: Path) -> Iterator[tuple[str, str]]:
    """What becomes of the file as a truth, as a prediction and as a label map, each beside a file that fits it."""
    # Flat arrays that stay in their files, and more axes than a layout has letters, are not for evaluation yet.
    if source is not None and (source.array.size > _SMALL or not 1 < source.array.ndim < 7):
        return
    shape = source.array.shape if source else (9, 13)
    options = replace(LIMITS, key=key)
    # Values of several classes, or of one, that need not be probabilities.
    several = len(shape) > 2
    values = Settings(activation="softmax" if several else "sigmoid")
    zeros = _partner(folder, shape[1:] if several else shape, "zeros")
    halves = _partner(folder, shape, "halves")
    classes = tuple(ClassDef(name=f"label {label}", value=label) for label in range(4))
    labels = Settings(prediction="labels", classes=classes)
    ended = _evaluated(Pair.of_files(str(path), str(path)), labels, Reading(pred=options, gt=options))
    yield "label map", ended
    # A file that cannot be read cannot be read in any role.
    if source is None:
        return
    yield "truth", _evaluated(Pair.of_files(str(halves), str(path)), Settings(), Reading(pred=LIMITS, gt=options))
    yield "prediction", _evaluated(Pair.of_files(str(path), str(zeros)), values, Reading(pred=options, gt=LIMITS))


def _evaluated(pair: Pair, settings: Settings, reading: Reading) -> str:
    task = EvaluatePair(settings, reading, False, _engine())
    found = task(pair, Grant())
    if isinstance(found, InputError):
        assert found.problem != out_of_memory(pair).problem, "memory was asked for that no limit allows"
        return _named(found, pair.pred, pair.gt)
    return "evaluated"


@functools.cache
def _engine():
    return engine_for("cpu")


def _partner(folder: Path, shape: tuple[int, ...], kind: str) -> Path:
    """A file of this shape, of labels or of probabilities."""
    path = folder / f"{kind}.npy"
    array = np.zeros(shape, np.uint8) if kind == "zeros" else np.full(shape, 0.5, np.float32)
    np.save(path, array)
    return path


# Ranges of cases


def run(reader: str, first: int, count: int, before: str = "", evaluated: int = _EVALUATED) -> Report:
    """Read a range of cases in another process; its death is the failure of the case that it was at.

    Args:
        reader: one of `READERS`.
        first: number of the first case.
        count: how many.
        before: what the process does first, for the tests of this module.
        evaluated: one case in so many is evaluated too.
    """
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fuzzing\n{before}"
    with tempfile.TemporaryDirectory() as folder:
        call = f"fuzzing.print_range({reader!r}, {first}, {count}, {folder!r}, {evaluated})"
        command = [sys.executable, "-c", f"{program}\n{call}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Report(**json.loads(done.stdout))
        at = (Path(folder) / "at").read_text() if (Path(folder) / "at").exists() else first
    return Report(failures=[(int(at), f"the process ended with {done.returncode}: {done.stderr[-2000:]}")])


def print_range(reader: str, first: int, count: int, folder: str, evaluated: int = _EVALUATED) -> None:
    """Read a range of cases in this process, and print the report."""
    report = _run_here(reader, first, count, Path(folder), evaluated)
    sys.stdout.write(json.dumps(vars(report)) + "\n")


def _run_here(reader: str, first: int, count: int, folder: Path, evaluated: int) -> Report:
    prepare()
    # This imports what the reader needs.
    with suppress(AssertionError):
        read_case(reader, first - first % evaluated, folder, Report())
    limit_memory()
    outcomes: Counter[str] = Counter()
    report = Report()
    with (folder / "at").open("w") as at:
        for number in range(first, first + count):
            os.pwrite(at.fileno(), f"{number:012}".encode(), 0)
            faulthandler.dump_traceback_later(HANGS, exit=True)
            one = Report(others=report.others, roles=report.roles)
            try:
                outcomes[read_case(reader, number, folder, one, evaluated)] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                report.failures.append((number, f"{type(error).__name__}: {error}"[:500]))
            report.slowest = max(report.slowest, (one.slowest[0], number))
            report.memory = max(report.memory, (one.memory[0], number))
    faulthandler.cancel_dump_traceback_later()
    report.outcomes = dict(outcomes.most_common())
    return report


def prepare() -> None:
    """Make this process one that reads damaged files."""
    import logging

    # As the command line does.
    warnings.simplefilter("ignore")
    # Without a handler, what tifffile logs would be printed.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    stored.WHOLE = 0


def limit_memory() -> None:
    """Let this process take no more than `MEMORY` from now on."""
    # Windows lacks it, and has to be able to import this file.
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _memory(name: str) -> int:
    """The memory of this process: the greatest since it was forgotten last, VmHWM, or that of now, VmRSS."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def _forget_peak() -> None:
    # Where this is not allowed, the greatest memory goes on being that since the start.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


# By hand


def main(reader: str, first: str, last: str = "") -> None:
    """One case, or a range of cases."""
    with tempfile.TemporaryDirectory() as folder:
        if last.isdigit():
            print_range(reader, int(first), int(last), folder)
        else:
            Path(last or os.devnull).write_bytes(case(reader, int(first)))
            prepare()
            report = Report()
            sys.stdout.write(f"{read_case(reader, int(first), Path(folder), report)} {report}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
