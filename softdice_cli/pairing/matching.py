"""Which keys of two sides belong together; pure, so that a proposal can be tried before it is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from softdice_cli.pairing.listing import File, Side
from softdice_cli.pairing.names import bare, key_of, normal
from softdice_cli.pairing.pair import Pair


@dataclass(frozen=True, slots=True)
class Match:
    """What pairs, and what does not.

    Attributes:
        pairs: in no particular order.
        preds: predictions without a truth, path by key.
        gts: truths without a prediction, likewise.
    """

    pairs: tuple[Pair, ...]
    preds: Mapping[str, str]
    gts: Mapping[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether every file has a partner."""
        return not self.preds and not self.gts

    def covers(self, share: float) -> bool:
        """Whether something pairs, and at least this share of each side does."""
        count = len(self.pairs)
        larger = count + max(len(self.preds), len(self.gts))
        return count > 0 and count >= share * larger


def keyed(files: Iterable[File], side: Side) -> dict[str, list[File]]:
    """The files that have the prefix and the suffix of a side, by what pairs them."""
    prefix, suffix = normal(side.prefix), normal(side.suffix)
    found: defaultdict[str, list[File]] = defaultdict(list)
    for file in files:
        key = key_of(file.name, prefix, suffix)
        if key is not None:
            found[key].append(file)
    return dict(found)


def match(preds: Mapping[str, str], gts: Mapping[str, str]) -> Match:
    """The pairs of two sides, named after the truth.

    Files of one key are a pair. Where no key is on both sides, and one side has sub-folders while
    the other has none, the file names pair without the folders, unless a name is there twice.

    Args:
        preds: path by key.
        gts: likewise.
    """
    partners = {key: key for key in preds if key in gts}
    if not partners:
        partners = _partners_by_name(preds, gts)
    pairs = [Pair(gt, preds[pred], gts[gt]) for pred, gt in partners.items()]
    paired = set(partners.values())
    return Match(
        tuple(pairs),
        {key: path for key, path in preds.items() if key not in partners},
        {key: path for key, path in gts.items() if key not in paired},
    )


def _partners_by_name(preds: Iterable[str], gts: Iterable[str]) -> dict[str, str]:
    """The key of a truth for the key of a prediction, where the file names alone tell."""
    if is_flat(preds) == is_flat(gts):
        return {}
    sides = [unique_names(keys) for keys in (preds, gts)]
    if sides[0] is None or sides[1] is None:
        return {}
    return {key: sides[1][name] for name, key in sides[0].items() if name in sides[1]}


def is_flat(keys: Iterable[str]) -> bool:
    """Whether no key has a folder."""
    return not any("/" in key for key in keys)


def unique_names(keys: Iterable[str]) -> dict[str, str] | None:
    """The keys by their file names, or ``None`` where a name is there twice."""
    listed = list(keys)
    names = {bare(key): key for key in listed}
    return names if len(names) == len(listed) else None
