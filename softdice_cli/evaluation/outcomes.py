"""What became of a pair: it was evaluated, or there is an error that says why not.

What is wrong with the input is a value here and not an exception, so that one bad file costs one
pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.meaning import NOTHING, Found
from softdice_cli.pairing import Pair
from softdice_cli.records import ImageRow

if TYPE_CHECKING:
    from softdice_cli.journal import Stamp


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A pair that was evaluated.

    Attributes:
        classes: how many classes its prediction has.
        rows: one for each image.
        stamps: of its files, where a journal wants them and the files did not change while they were read.
        note: what a person may want to know about the reading, or empty.
        found: what its files show of the meaning of the run.
    """

    classes: int
    rows: list[ImageRow]
    stamps: tuple[Stamp, ...] | None = None
    note: str = ""
    found: Found = NOTHING


Outcome = Evaluated | InputError


def killed(pair: Pair, ending: str) -> UnreadableError:
    """The error of a pair whose process died, given how the process ended."""
    return UnreadableError(
        "the process that evaluated it died",
        path=pair.pred,
        found=ending,
        hint="--workers 1, if memory is short; else one of its files is broken beyond what its library survives",
    )


def too_slow(pair: Pair, seconds: float) -> UnreadableError:
    """The error of a pair that took longer than so many seconds."""
    return UnreadableError(
        f"took longer than {seconds:g} s",
        path=pair.pred,
        hint=f"--timeout {2 * seconds:g}, if it only needs more time; else one of its files is broken",
    )


def not_tried(pair: Pair, failed: Pair) -> InputError:
    """The error of a pair that was left, because another one failed before it."""
    return InputError(
        f"was not tried, as pair {failed.id!r} failed before it",
        path=pair.pred,
        hint="leave out --fail-fast, or mend that pair first",
    )


def out_of_memory(pair: Pair) -> UnreadableError:
    """The error of a pair that this machine has too little memory for."""
    return UnreadableError(
        "needs more memory than there is", path=pair.pred, hint="--workers 1, or a machine with more memory"
    )


def out_of_device_memory(pair: Pair) -> UnreadableError:
    """The error of a pair of which the device cannot hold a single tile."""
    return UnreadableError("the device has too little memory for one tile of it", path=pair.pred, hint="--device cpu")
