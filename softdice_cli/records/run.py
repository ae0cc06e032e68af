"""What a run is: everything that is saved, merged, scored again and compared, in one record.

A field that is added here goes through evaluation, merge, journal and results files by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.records.rows import Failure, ImageRow
from softdice_cli.records.settings import Settings
from softdice_cli.version import __version__


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of a run this is.

    Attributes:
        index: from 1 to `count`.
        count: into how many parts the run was cut.
        pairs: how many pairs the whole run has.
        run: digest of the ids of all its pairs, the same in every part.
    """

    index: int
    count: int
    pairs: int
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, or a part of one.

    Attributes:
        settings: what the rows mean, with the classes resolved.
        rows: one an image.
        failures: the pairs that have no row.
        left_out: files without a partner that were allowed to be missing, one sentence each.
        shard: which part of a run this is, or ``None`` for the whole.
        software: the version of softdice that counted the rows, or several with a comma between
            them. It is not part of the signature, and runs of different versions may be merged and
            compared.
    """

    settings: Settings
    rows: tuple[ImageRow, ...] = ()
    failures: tuple[Failure, ...] = ()
    left_out: tuple[str, ...] = ()
    shard: Shard | None = None
    software: str = __version__

    @property
    def complete(self) -> bool:
        """Whether every pair was evaluated, and there was one."""
        return bool(self.rows) and not self.failures
