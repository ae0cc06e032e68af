"""Many cases of each reader, by hand: ``python tests/readers/fuzz_long.py 100000 OUTCOMES`` prints a table of outcomes.

One process works at a time. The file OUTCOMES has what is done, so that the same command goes on where it was cut off,
and a greater number goes on from there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fuzzing
from fuzz_files import READERS

# Cases after which is noted what became of them.
_BLOCK = 2000


def run_all(count: int, path: Path) -> None:
    """Read so many cases of each reader, with what the file has done of them already, and print a table."""
    reports = {reader: fuzzing.Report() for reader in READERS}
    done = dict.fromkeys(READERS, 0)
    lines = path.read_text().splitlines() if path.exists() else []
    for reader, first, size, report in map(json.loads, lines):
        done[reader] = first + size
        reports[reader].add(fuzzing.Report(**report))
    for reader in READERS:
        while done[reader] < count:
            size = min(_BLOCK, count - done[reader])
            report = _block(reader, done[reader], size)
            with path.open("a") as out:
                out.write(json.dumps([reader, done[reader], size, vars(report)]) + "\n")
            done[reader] += size
            reports[reader].add(report)
    print_table(reports)


def _block(reader: str, first: int, count: int) -> fuzzing.Report:
    """A range of cases, all of which are read, also where one ends the process."""
    total, end = fuzzing.Report(), first + count
    while first < end:
        report = fuzzing.run(reader, first, end - first, evaluated=1)
        total.add(report)
        if report.outcomes:
            break
        # What was read before that case is read again, as its report is lost.
        died = report.failures[0][0]
        if died > first:
            total.add(fuzzing.run(reader, first, died - first, evaluated=1))
        first = died + 1
    return total


def print_table(reports: dict[str, fuzzing.Report]) -> None:
    """What became of the cases of each reader, as a table, and each failure in a line."""
    for reader, report in reports.items():
        seconds, slowest = report.slowest
        size, largest = report.memory
        sys.stdout.write(f"{reader}: {sum(report.outcomes.values()) + len(report.failures)} cases\n")
        for title, counts in (
            ("outcomes", report.outcomes),
            ("other decoders", report.others),
            ("roles", report.roles),
        ):
            told = ", ".join(f"{name} {times}" for name, times in sorted(counts.items()))
            sys.stdout.write(f"  {title:15} {told or 'none'}\n")
        sys.stdout.write(f"  {'slowest':15} {seconds:.2f} s (case {slowest})\n")
        sys.stdout.write(f"  {'most memory':15} {size} MB (case {largest})\n")
        sys.stdout.write(f"  {'failures':15} {len(report.failures)}\n")
        for number, what in report.failures[:20]:
            sys.stdout.write(f"    {reader} {number}: {what.splitlines()[0][:200]}\n")


if __name__ == "__main__":
    run_all(int(sys.argv[1]), Path(sys.argv[2]))
