"""Cases that are chosen by the code they reach, by hand: ``python tests/readers/fuzz_guided.py 3600 CORPUS``.

Atheris (``pip install atheris``, for CPython on Linux) keeps each file that reaches something new in the readers, or in
what they use of Pillow, tifffile and zipfile, and changes it further: by the damage of `fuzz_damage`, and by its own.
The readers take turns on one core, for as many seconds together as the command says. The folder CORPUS has a folder of
files for each reader, what became of all of them, and the findings, so that the same command goes on where it was cut
off, and a greater number of seconds goes on from there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fuzzing
from fuzz_files import READERS, seeds
from fuzz_long import print_table
from fuzz_turn import keep

# Seconds of a turn: whatever stops one, such as a crash, costs no more than that.
_TURN = 60


def guided(seconds: int, corpus: Path) -> None:
    """Let the readers take turns until so many seconds are over, and print a table."""
    spent, reports = _state(corpus)
    while sum(spent.values()) < seconds:
        reader = min(READERS, key=lambda name: spent[name])
        turn = min(_TURN, max(1, seconds - int(sum(spent.values()))))
        _take_turn(reader, turn, corpus, reports[reader])
        spent[reader] += turn
        state = {name: [spent[name], vars(reports[name])] for name in READERS}
        _write(corpus / "state.json", state)
    _print_state(reports, spent, corpus)


def _print_state(reports: dict[str, fuzzing.Report], spent: dict[str, int], corpus: Path) -> None:
    """What became of the cases so far, and how many files reach something that no other one does."""
    print_table(reports)
    for reader in READERS:
        files = len(list((corpus / reader).iterdir())) if (corpus / reader).is_dir() else 0
        sys.stdout.write(f"{reader}: {spent[reader]} s, {files} files in the corpus\n")
    sys.stdout.write(f"findings are in {corpus / 'findings'}\n")


def _state(corpus: Path) -> tuple[dict[str, int], dict[str, fuzzing.Report]]:
    (corpus / "findings").mkdir(parents=True, exist_ok=True)
    for reader in READERS:
        (corpus / reader).mkdir(exist_ok=True)
        for index, data in enumerate(seeds(reader)):
            (corpus / reader / f"seed-{index:03}").write_bytes(data)
    spent, reports = dict.fromkeys(READERS, 0), {reader: fuzzing.Report() for reader in READERS}
    if (corpus / "state.json").exists():
        for reader, (seconds, report) in json.loads((corpus / "state.json").read_text()).items():
            spent[reader], reports[reader] = seconds, fuzzing.Report(**report)
    return spent, reports


def _write(path: Path, value: object) -> None:
    """Write the value whole or not at all."""
    path.with_suffix(".new").write_text(json.dumps(value))
    path.with_suffix(".new").replace(path)


def _take_turn(reader: str, seconds: int, corpus: Path, total: fuzzing.Report) -> None:
    """Let one reader have a process for a while; where it dies, the file that it was at is a finding."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            str(Path(__file__).with_name("fuzz_turn.py")),
            reader,
            str(seconds),
            str(corpus),
            folder,
        ]
        begun = time.monotonic()
        with (corpus / f"{reader}.log").open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False, timeout=None)
        counts = Path(folder) / "counts"
        if counts.exists():
            total.add(fuzzing.Report(**json.loads(counts.read_text())))
        case = Path(folder) / "at"
        early = time.monotonic() - begun < seconds - 1
        if done.returncode and case.exists():
            name = keep(corpus, reader, case.read_bytes())
            total.failures.append((0, f"{name}: the process ended with {done.returncode}, see {reader}.log"))
        elif early and not counts.exists():
            raise SystemExit(f"no case was read: see {corpus / reader}.log")


if __name__ == "__main__":
    guided(int(sys.argv[1]), Path(sys.argv[2]))
