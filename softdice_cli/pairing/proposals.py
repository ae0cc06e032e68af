"""What a user could type so that files pair: worked out from the names, and tried before it is proposed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from softdice_cli.formats import FORMATS
from softdice_cli.pairing.affixes import Affix, affixes, may_belong, orientation, spread
from softdice_cli.pairing.listing import File, Request, Side
from softdice_cli.pairing.matching import Match, keyed, match
from softdice_cli.pairing.names import bare

# What is proposed pairs nearly all files that it chooses, and does not choose a small part of them.
_NEARLY_ALL = 0.9
_CHOSEN = 0.5

_PROBES = 5

_READABLE = tuple(suffix for form in FORMATS for suffix in form.suffixes)

Respell = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A request that would work better, and what would pair."""

    request: Request
    match: Match
    orientation: int = 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A side with an affix: its files by key, and their keys without folders."""

    affix: Affix
    paths: Mapping[str, str]
    names: frozenset[str]


def by_affixes(request: Request, *, more_than: int = 0, respell: Respell = str) -> list[Proposal]:
    """The prefixes and suffixes that would pair nearly all files, one proposal for each way to pair them.

    Args:
        request: what was asked for.
        more_than: how many pairs there are without a proposal.
        respell: what is done to keys before they are compared; then the proposals do not work as
            they are, and only tell what the names differ in.
    """
    files = [sorted(listing.files, key=attrgetter("name")) for listing in request.listings()]
    smaller = min(len(side) for side in files)
    preds, gts = [_candidates(side, respell) for side in files]
    found = []
    for pred in preds:
        for gt in gts:
            if may_belong(pred.affix, gt.affix) and _may_pair(pred, gt):
                paired = match(pred.paths, gt.paths)
                enough = len(paired.pairs) > more_than and len(paired.pairs) >= _CHOSEN * smaller
                if enough and paired.covers(_NEARLY_ALL) and not _is_itself(paired):
                    better = Request(_with(request.pred, pred), _with(request.gt, gt), request.recursive)
                    found.append(Proposal(better, paired, orientation(pred.affix, gt.affix)))
    return best(found)


def _candidates(files: Sequence[File], respell: Respell) -> list[_Candidate]:
    found = []
    for affix in affixes(files):
        group = keyed(files, Side("", affix.suffix, affix.prefix))
        entries = [(respell(key), file.path) for key, same in group.items() for file in same]
        paths = dict(entries)
        # An affix that makes two names equal chooses nothing.
        if paths and len(paths) == len(entries):
            found.append(_Candidate(affix, paths, frozenset(bare(key) for key in paths)))
    return found


def _may_pair(pred: _Candidate, gt: _Candidate) -> bool:
    """A quick look at a few keys, as most affixes do not go together."""
    return any(bare(key) in gt.names for key in spread(list(pred.paths), _PROBES))


def _is_itself(paired: Match) -> bool:
    return any(pair.pred == pair.gt for pair in paired.pairs)


def _with(side: Side, candidate: _Candidate) -> Side:
    return replace(side, prefix=candidate.affix.prefix, suffix=candidate.affix.suffix)


def best(found: Sequence[Proposal]) -> list[Proposal]:
    """For each way to pair the most files, the proposal that is the shortest to type."""
    most = max((len(proposal.match.pairs) for proposal in found), default=0)
    ways: dict[frozenset[tuple[str, str]], Proposal] = {}
    for proposal in sorted(found, key=_effort):
        pairs = proposal.match.pairs
        if len(pairs) == most:
            ways.setdefault(frozenset((pair.pred, pair.gt) for pair in pairs), proposal)
    # Where the words of the names say which side is which, the opposite is not proposed.
    oriented = _highest(list(ways.values()), attrgetter("orientation"))
    # Files that could not be read anyway are proposed only where there is nothing else.
    return _highest(oriented, _readable_sides)


def _highest(found: Sequence[Proposal], score: Callable[[Proposal], int]) -> list[Proposal]:
    top = max(map(score, found), default=0)
    return [proposal for proposal in found if score(proposal) == top]


def _effort(proposal: Proposal) -> tuple[int, int, int, str]:
    """What makes a proposal worse than another: files that it leaves alone, and what has to be typed."""
    sides = proposal.request.pred, proposal.request.gt
    sizes = [Affix(side.prefix, side.suffix).size for side in sides]
    options, characters = (sum(values) for values in zip(*sizes, strict=True))
    return len(proposal.match.preds) + len(proposal.match.gts), options, characters, repr(sides)


def _readable_sides(proposal: Proposal) -> int:
    pair = proposal.match.pairs[0]
    return sum(_has_known_type(path) for path in (pair.pred, pair.gt))


def _has_known_type(path: str) -> bool:
    """Whether a file type says that softdice reads the file, or there is none."""
    return path.lower().endswith(_READABLE) or "." not in os.path.basename(path)
