"""One prediction and its truth, and what is said of files that have no partner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from softdice_cli.errors import InputError
from softdice_cli.formats import stem
from softdice_cli.records import natural

STDIN = "-"

_LISTED = 50


@dataclass(frozen=True, slots=True)
class Pair:
    """One prediction and its truth.

    Attributes:
        id: unique name of the pair; the same for every model that is evaluated against this truth.
        pred: path of the prediction; ``-`` is standard input.
        gt: path of the truth, likewise.
        roi: path of the mask of its region of interest, or empty.
    """

    id: str
    pred: str
    gt: str
    roi: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the pair."""
        if self.roi:
            return self.pred, self.gt, self.roi
        return self.pred, self.gt

    @staticmethod
    def of_files(pred: str, gt: str) -> Pair:
        """The pair of two files, named after the truth."""
        return Pair(stem(pred if gt == STDIN else gt), pred, gt)


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs of a run.

    Attributes:
        pairs: in natural order of their ids.
        left_out: what has no partner and was allowed to be missing, one sentence each, in natural
            order.
    """

    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...] = ()


class PairingError(InputError):
    """Predictions and truths that do not pair up."""


def settle(pairs: Iterable[Pair], unpaired: Iterable[str], *, allow_missing: bool) -> Pairing:
    """The pairing, or the error that lists everything that has no partner.

    Args:
        pairs: those that are whole.
        unpaired: one sentence for each file without a partner.
        allow_missing: go on without them, and say so.

    Raises:
        PairingError: two pairs have one id; or something is unpaired, and that is not allowed.
    """
    whole = sorted(pairs, key=lambda pair: (natural(pair.id), pair.id))
    refuse(
        "id that two pairs have",
        "ids that two pairs have",
        [f"{pair.id}: {before.pred}, {pair.pred}" for before, pair in pairwise(whole) if pair.id == before.id],
        hint="give each pair an id of its own: a manifest with the columns id, pred and gt",
    )
    missing = tuple(sorted(unpaired, key=lambda text: (natural(text), text)))
    if not allow_missing:
        hint = "--allow-missing, to evaluate the rest and say what was left out"
        refuse("file without a partner", "files without a partner", missing, hint=hint)
    return Pairing(tuple(whole), missing)


def refuse(one: str, many: str, items: Sequence[str], *, hint: str) -> None:
    """Raises PairingError where there are items, and lists them.

    Args:
        one: what a single item is, such as ``file without a partner``.
        many: the same for several.
        items: what is wrong, a text each.
        hint: what to type next.
    """
    if not items:
        return
    shown = list(items[:_LISTED])
    if len(items) > _LISTED:
        shown.append(f"and {len(items) - _LISTED} more")
    problem = f"1 {one}"
    if len(items) > 1:
        problem = f"{len(items)} {many}"
    raise PairingError(problem, found="; ".join(shown), hint=hint)
