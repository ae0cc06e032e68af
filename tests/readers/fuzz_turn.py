"""A turn of one reader with files that Atheris chooses, in a process of its own: what `fuzz_guided` starts."""

from __future__ import annotations

import faulthandler
import hashlib
import json
import pkgutil
import random
import sys
from importlib import import_module
from pathlib import Path

# Cases after which is noted what became of them.
_BLOCK = 100

# The longest file, and the greatest memory of the process in megabytes.
_LONGEST, _MEMORY = 2**16, 2048

_INSTRUMENTED = ("softdice_cli.readers", "PIL.PngImagePlugin", "PIL.TiffImagePlugin", "tifffile", "zipfile")


def turn(reader: str, seconds: int, corpus: Path, folder: Path) -> None:
    """Read files that Atheris chooses; this ends the process."""
    import atheris

    # Only what is imported here tells what it runs, so the first import of it must be this one.
    with atheris.instrument_imports(include=list(_INSTRUMENTED)):
        import fuzzing

        import softdice_cli.readers

        for name in _INSTRUMENTED:
            import_module(name)
        for module in pkgutil.walk_packages(softdice_cli.readers.__path__, "softdice_cli.readers."):
            import_module(module.name)

    fuzzing.prepare()
    reading = _Reading(reader, corpus, folder)
    limits = (f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-rss_limit_mb={_MEMORY}")
    others = (f"-timeout={fuzzing.HANGS}", f"-artifact_prefix={folder}/", "-reload=0", "-print_final_stats=1")
    mutate = _mutator(reader)
    atheris.Setup([sys.argv[0], *limits, *others, str(corpus / reader)], reading.one, custom_mutator=mutate)
    fuzzing.limit_memory()
    atheris.Fuzz()


def _mutator(reader: str):
    import atheris
    from fuzz_damage import damaged

    def changed(data: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.2:
            return atheris.Mutate(data, longest)
        try:
            return damaged(rng, bytes(data), reader)[:longest]
        # A file that is too damaged to be taken apart.
        except Exception:  # noqa: BLE001
            return atheris.Mutate(data, longest)

    return changed


class _Reading:
    """Reads the files of a turn, and counts what becomes of them."""

    def __init__(self, reader: str, corpus: Path, folder: Path) -> None:
        import fuzzing

        self.reader, self.corpus, self.folder = reader, corpus, folder
        self.read, self.report = fuzzing.read_bytes, fuzzing.Report()
        self.hangs = fuzzing.HANGS
        self.cases = 0

    def one(self, data: bytes) -> None:
        """Read one file; a finding is kept, and the turn goes on."""
        (self.folder / "at").write_bytes(data)
        faulthandler.dump_traceback_later(self.hangs, exit=True)
        key = "probs" if self.reader in ("npz", "pt") and len(data) % 2 else None
        report = self.report
        try:
            found = self.read(self.reader, data, key, self.folder, report)
            report.outcomes[found] = report.outcomes.get(found, 0) + 1
        # Whatever it is, it is a finding.
        except Exception as error:  # noqa: BLE001
            name = keep(self.corpus, self.reader, data)
            report.failures.append((0, f"{name}: {type(error).__name__}: {error}"[:500]))
        self.cases += 1
        if self.cases % _BLOCK == 0 or self.cases < 3:
            (self.folder / "counts").write_text(json.dumps(vars(report)))


def keep(corpus: Path, reader: str, data: bytes) -> str:
    """Keep a file as a finding; gives its name."""
    name = f"{reader}-{hashlib.sha256(data).hexdigest()[:12]}"
    (corpus / "findings" / name).write_bytes(data)
    return name


if __name__ == "__main__":
    turn(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
