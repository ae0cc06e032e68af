"""What is done with one pair, in whatever thread or process that is."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from softdice_cli.errors import InputError, ProbabilityError
from softdice_cli.evaluation.image_tally import tally_image
from softdice_cli.evaluation.outcomes import Evaluated, killed, out_of_memory, too_slow
from softdice_cli.evaluation.prepared_pair import PreparedPair, prepare_pair
from softdice_cli.evaluation.reading import Reading
from softdice_cli.evaluation.settling import settled_rows
from softdice_cli.execution import Grant, Task
from softdice_cli.overlap import Engine
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.readers import Blob, read_array, warm
from softdice_cli.records import Settings

if TYPE_CHECKING:
    from softdice_cli.journal import Stamp

Done = TypeVar("Done")

# Bytes of predictions that are worth handing over at once.
_BYTES_TOGETHER = 2**20


def pairs_together(pairs: Sequence[Pair]) -> int:
    """How many pairs are worth handing over at once, judged by the first one; at least 1."""
    if not pairs:
        return 1
    return max(1, _BYTES_TOGETHER // _bytes_of(pairs[0].pred))


def _bytes_of(path: str) -> int:
    try:
        return max(1, os.stat(path).st_size)
    except (OSError, ValueError):
        return 1


@dataclass(frozen=True)
class PairTask(Task[Pair, Done | InputError]):
    """A task for pairs, in which whatever is wrong with the input is a result.

    Attributes:
        settings: as asked for.
        reading: how files are read.
        journaled: whether files are stamped before they are read.
    """

    settings: Settings
    reading: Reading
    journaled: bool

    def __call__(self, pair: Pair, grant: Grant) -> Done | InputError:
        """What the pair gives, or its error."""
        try:
            stamps = _stamps(pair) if self.journaled else None
            return self.use(prepare_pair(pair, self.settings, self.reading, stamps), grant)
        except ProbabilityError as error:
            # Damage looks like many other mistakes, and a checksum that was not looked at tells it.
            return self._damage(pair) or error
        except InputError as error:
            return error
        except MemoryError:
            return out_of_memory(pair)

    def _damage(self, pair: Pair) -> InputError | None:
        """The error of a prediction that is not what its checksum says; ``None`` where that is not so."""
        if pair.pred == STDIN or self.reading.pred.verify:
            return None
        try:
            read_array(Blob(pair.pred), replace(self.reading.pred, verify=True))
        except InputError as error:
            return error
        return None

    @abstractmethod
    def use(self, prepared: PreparedPair, grant: Grant) -> Done:
        """What is done with the pair once it is read and lined up."""

    def lost(self, item: Pair, ending: str) -> InputError:
        """The error of a pair whose process died."""
        return killed(item, ending)

    def late(self, item: Pair, seconds: float) -> InputError:
        """The error of a pair that took too long."""
        return too_slow(item, seconds)

    def warm(self, item: Pair) -> None:
        """Import the libraries that the files of a pair need."""
        for path in (item.pred, item.gt, item.roi):
            if path not in (STDIN, ""):
                warm(Blob(path))


@dataclass(frozen=True)
class EvaluatePair(PairTask[Evaluated]):
    """Reads a pair, adds up its pixels, and gives its rows.

    Attributes:
        engine: adds up the pixels.
    """

    engine: Engine

    def use(self, prepared: PreparedPair, grant: Grant) -> Evaluated:
        """The rows of the pair, one for each image."""
        tallies = (tally_image(prepared, image, self.engine, grant) for image in prepared.images)
        settled, rows = settled_rows(prepared, tallies, self.engine, grant)
        return settled.evaluated(rows)


def _stamps(pair: Pair) -> tuple[Stamp, ...]:
    # Only a run with a journal needs it.
    from softdice_cli.journal import stamp

    return tuple(map(stamp, pair.files))
