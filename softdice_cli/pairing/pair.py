"""One prediction and its truth, and what is said of files that have no partner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from softdice_cli.errors import InputError
from softdice_cli.pairing.names import stem_of
from softdice_cli.records import Allowance, natural
from softdice_cli.records.allowance import NONE_MISSING

STDIN = "-"

_ALL = 5
_FIRST = 3

LIST_THEM = "list the pairs, with the columns pred and gt: --pairs list.csv"
"""The hint where no option can say which files belong together."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One prediction and its truth.

    Attributes:
        id: unique name of the pair; the same for every model that is evaluated against this truth.
        pred: path of the prediction; ``-`` is standard input.
        gt: path of the truth, likewise.
        roi: path of the mask of the region of interest; an empty text where the whole image counts.
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
        return Pair(stem_of(pred if gt == STDIN else gt), pred, gt)


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs of a run.

    Attributes:
        pairs: in natural order of their ids.
        left_out: what has no partner and was allowed to be missing, one sentence each, in natural
            order.
        clutter: paths of files in the folders that are not data, such as ``Thumbs.db``.
        notes: what makes it doubtful that the pairs belong together, a sentence each.
    """

    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...] = ()
    clutter: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class PairingError(InputError):
    """Predictions and truths that do not pair up."""


def settle(pairs: Iterable[Pair], left_out: Iterable[str] = (), clutter: Iterable[str] = ()) -> Pairing:
    """The pairing, in natural order.

    Args:
        pairs: those that are whole.
        left_out: one sentence for each file that may go without a partner.
        clutter: files that are not data.

    Raises:
        PairingError: two pairs have one id.
    """
    whole = sorted(pairs, key=lambda pair: (natural(pair.id), pair.id))
    refuse(
        "id that two pairs have",
        "ids that two pairs have",
        [f"{pair.id}: {before.pred}, {pair.pred}" for before, pair in pairwise(whole) if pair.id == before.id],
        hint="give each pair an id of its own: a manifest with the columns id, pred and gt",
    )
    return Pairing(tuple(whole), tuple(in_order(left_out)), tuple(in_order(clutter)))


def in_order(texts: Iterable[str]) -> list[str]:
    """Texts in natural order."""
    return sorted(texts, key=lambda text: (natural(text), text))


def refuse(one: str, many: str, items: Sequence[str], *, hint: str) -> None:
    """Raises PairingError where there are items, and names the first of them.

    Args:
        one: what a single item is, such as ``id that two pairs have``.
        many: the same for several.
        items: what is wrong, a text each.
        hint: what to type next.
    """
    if items:
        raise PairingError(counted(len(items), one, many), found=first_of(items), hint=hint)


def beyond(allowed: Allowance) -> str:
    """What was expected where more is missing than is allowed; an empty text where nothing is."""
    if allowed == NONE_MISSING:
        return ""
    return f"no more than --allow-missing {allowed.text}"


def leave_out(missing: int) -> str:
    """What to type to leave out so many."""
    return f"--allow-missing {missing}, to evaluate the rest and say what was left out"


def counted(count: int, one: str, many: str) -> str:
    """A number and what is counted."""
    return f"1 {one}" if count == 1 else f"{count} {many}"


def first_of(items: Sequence[str], more: str = "more") -> str:
    """A few items, or the first ones and how many there are beyond them.

    Args:
        items: a text each.
        more: what is said of the others, after their number.
    """
    if len(items) <= _ALL:
        return "; ".join(items)
    return "; ".join([*items[:_FIRST], f"and {len(items) - _FIRST} {more}"])
