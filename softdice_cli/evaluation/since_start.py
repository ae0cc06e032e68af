"""Whether the files of a run are still those that were there when it began, and two files for each pair.

Predictions that are exchanged while a run goes on would give the scores of two models. That a file changes while it is
read is seen by its reader; here it is seen that it changed before it was read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from softdice_cli.errors import InputError
from softdice_cli.evaluation.reading import Reading
from softdice_cli.pairing import STDIN, Pair


class SinceStart:
    """What the system notes of the files of all pairs; to be made when a run begins.

    Args:
        pairs: of the run.
        reading: how their files are read.
    """

    def __init__(self, pairs: Iterable[Pair], reading: Reading) -> None:
        # Two arrays of one file may be compared, where each has a key of its own.
        self._one_key = reading.pred.key == reading.gt.key
        self._noted = {pair.id: tuple(map(_noted, pair.files)) for pair in pairs}

    def refusal(self, pair: Pair) -> InputError | None:
        """The error of a pair of a single file, or of files that are others by now; ``None`` where all is well."""
        then = self._noted[pair.id]
        # Files that are equal in all that is noted are one file.
        if self._one_key and then[0] and then[0] == then[1]:
            return InputError(
                "is prediction and truth at once",
                path=pair.pred,
                expected="two files, or two arrays of one",
                found=f"the same file as {pair.gt}",
                hint="check --pred and --gt, and the links among the files; "
                "for two arrays of one file, --key and --gt-key",
            )
        for path, noted in zip(pair.files, then, strict=True):
            if _noted(path) != noted:
                return InputError(
                    "changed after the run had begun",
                    path=path,
                    expected="the file that was there at the beginning",
                    found="another file of this name, size or time of modification, or none",
                    hint="run again when nothing writes these files any more",
                )
        return None


def _noted(path: str) -> int:
    """What tells a file from another one, as a single number, which takes little memory; 0 where there is no file."""
    # There is nothing to look up of standard input, also where a file has its name.
    if path == STDIN:
        return 0
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return 0
    # Where files have no numbers, their paths tell them apart.
    return hash((found.st_dev, found.st_ino or path, found.st_size, found.st_mtime_ns))
