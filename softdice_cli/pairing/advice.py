"""What to do about files that do not pair, drawn from all of their names.

A proposal is only made where it was tried, and ``--allow-missing`` only where most files have their
partners: on two folders that have nothing to do with each other it would end in a number for the few
names that happen to be equal.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from softdice_cli.errors import UnreadableError
from softdice_cli.pairing.affixes import Affix, orientation
from softdice_cli.pairing.listing import Listing, Request, Side
from softdice_cli.pairing.matching import Match, is_flat, keyed, match
from softdice_cli.pairing.names import bare
from softdice_cli.pairing.pair import LIST_THEM, leave_out
from softdice_cli.pairing.proposals import Proposal, Respell, best, by_affixes

_MOST = 0.5
_NEARLY_ALL = 0.9
_CHOICES = 3
_FOLDERS = 10

_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Advice:
    """What the names differ in, where that is known, and what to type next."""

    hint: str
    remark: str = ""


def advise(request: Request, listings: Sequence[Listing], found: Match) -> Advice:
    """The advice for files without a partner.

    Args:
        request: what was asked for.
        listings: the files of both sides.
        found: what pairs, and what does not.
    """
    # Where numbers start at 0 on one side and at 1 on the other, nearly all of them pair, wrongly.
    shift = shift_of(found)
    if shift:
        return Advice(LIST_THEM, shift)
    if found.covers(_MOST):
        return _alike(found) or Advice(leave_out(len(found.preds) + len(found.gts)))
    typed = choices(request, listings, more_than=len(found.pairs))
    if typed:
        return Advice(typed)
    for option, what, files in (("pred", "predictions", found.preds), ("gt", "truths", found.gts)):
        if not files and not found.pairs:
            return Advice(f"name a folder or a pattern with the {what}: --{option}")
    return _alike_apart_from_affixes(request) or Advice(LIST_THEM, _names_there_twice(found))


def _names_there_twice(found: Match) -> str:
    """What to say where only the file names could pair, and one of them is there twice; else empty."""
    if is_flat(found.preds) == is_flat(found.gts):
        return ""
    for side in (found.preds, found.gts):
        first: dict[str, str] = {}
        for key, path in sorted(side.items()):
            if first.setdefault(bare(key), path) != path:
                return f"sub-folders hold files of one name: {first[bare(key)]} and {path}"
    return ""


def choices(request: Request, listings: Sequence[Listing], *, more_than: int = 0) -> str:
    """Options that would pair nearly all files, to be typed; empty where there are none."""
    found = by_affixes(request, more_than=more_than)
    nested = any(listing.folders for listing in listings)
    if not found and nested:
        found = _by_sub_folders(request, more_than)
    if not found:
        found = _by_folders(request, listings)
    texts = [flags(proposal.request, request) for proposal in found[:_CHOICES]]
    if len(texts) > 1:
        return f"choose one: {', or '.join(texts)}"
    return "".join(texts)


def _by_sub_folders(request: Request, more_than: int) -> list[Proposal]:
    """What would pair with the files of sub-folders; nothing where they cannot be listed."""
    try:
        return by_affixes(replace(request, recursive=True), more_than=more_than)
    except UnreadableError:
        return []


def _by_folders(request: Request, listings: Sequence[Listing]) -> list[Proposal]:
    """Folders that would pair: below those that do not, or in place of a pattern that matches nothing."""
    preds, gts = [
        [side, *_elsewhere(side, listing)] for side, listing in zip((request.pred, request.gt), listings, strict=True)
    ]
    found = []
    for pred in preds:
        for gt in gts:
            proposed = replace(request, pred=pred, gt=gt)
            paired = _tried(proposed)
            if paired is not None and pred.path != gt.path and paired.covers(_NEARLY_ALL):
                found.append(Proposal(proposed, paired, orientation(_called(pred), _called(gt))))
    return best(found)


def _called(side: Side) -> Affix:
    """The name of a folder, whose words may say what it holds as those of an affix may."""
    return Affix(os.path.basename(side.path))


def _elsewhere(side: Side, listing: Listing) -> list[Side]:
    """Where the files of a side may be instead."""
    if listing.files:
        return []
    if not os.path.isdir(side.path):
        return [replace(side, path=listing.root)] if os.path.isdir(listing.root) else []
    return [replace(side, path=os.path.join(side.path, name)) for name in sorted(listing.folders)[:_FOLDERS]]


def _tried(request: Request) -> Match | None:
    """What a request pairs, or ``None`` where a stem has several files or a folder cannot be listed."""
    try:
        listings = request.listings()
    except UnreadableError:
        return None
    sides = []
    for listing, side in zip(listings, (request.pred, request.gt), strict=True):
        group = keyed(listing.files, side)
        if any(len(files) > 1 for files in group.values()):
            return None
        sides.append({key: files[0].path for key, files in group.items()})
    return match(*sides)


def flags(wanted: Request, given: Request) -> str:
    """The options that make one request of another, as they are typed."""
    typed, dropped = [], []
    if wanted.recursive and not given.recursive:
        typed.append("--recursive")
    for name, new, old in (("pred", wanted.pred, given.pred), ("gt", wanted.gt, given.gt)):
        if new.path != old.path:
            typed.append(_flag(f"--{name}", new.path))
        for kind, value, before in (("prefix", new.prefix, old.prefix), ("suffix", new.suffix, old.suffix)):
            if value:
                typed.append(_flag(f"--{name}-{kind}", value))
            elif before:
                dropped.append(f"--{name}-{kind}")
    text = " ".join(typed)
    if dropped and typed:
        return f"{text} without {' and '.join(dropped)}"
    if dropped:
        return f"leave out {' and '.join(dropped)}"
    return text


def _flag(name: str, value: str) -> str:
    # A value that starts with a dash would look like an option.
    separator = "=" if value.startswith("-") else " "
    return f"{name}{separator}{shlex.quote(value)}"


def _without_case(key: str) -> str:
    return key.casefold()


def _without_padding(key: str) -> str:
    return _NUMBER.sub(lambda number: number[0].lstrip("0") or "0", key)


def _without_separators(key: str) -> str:
    return re.sub(r"[ _.-]+", "_", key)


_SPELLINGS: tuple[tuple[str, Respell], ...] = (
    ("case", _without_case),
    ("leading zeros", _without_padding),
    ("separators", _without_separators),
)


def _alike(found: Match) -> Advice | None:
    """The advice where the files without a partner have one whose name is only spelled otherwise."""
    for what, respell in _SPELLINGS:
        sides = [{respell(key): path for key, path in side.items()} for side in (found.preds, found.gts)]
        respelled = match(*sides)
        if respelled.covers(_NEARLY_ALL):
            return _spelled_otherwise(what, respelled)
    return None


def _alike_apart_from_affixes(request: Request) -> Advice | None:
    """The same for all files of both sides, whatever prefix and suffix they have besides."""
    for what, respell in _SPELLINGS:
        proposals = by_affixes(request, respell=respell)
        if proposals:
            return _spelled_otherwise(what, proposals[0].match)
    return None


def _spelled_otherwise(what: str, respelled: Match) -> Advice:
    pair = min(respelled.pairs, key=lambda pair: pair.pred)
    return Advice(
        f"give them the same names, or {LIST_THEM}",
        f"the names differ in {what}, e.g. {pair.pred} and {pair.gt}",
    )


def shift_of(found: Match) -> str:
    """What to say where the numbers of one side are those of the other plus a constant; else empty."""
    if not found.preds or len(found.preds) != len(found.gts):
        return ""
    paired = [pair.id for pair in found.pairs]
    preds, gts = _numbers([*found.preds, *paired]), _numbers([*found.gts, *paired])
    if preds is None or gts is None or preds.keys() != gts.keys():
        return ""
    shifts = {gt - pred for name in preds for pred, gt in zip(preds[name], gts[name], strict=False)}
    if len(shifts) != 1 or 0 in shifts or any(len(preds[name]) != len(gts[name]) for name in preds):
        return ""
    first = min(min(numbers) for numbers in preds.values()), min(min(numbers) for numbers in gts.values())
    return f"the numbers of the predictions start at {first[0]}, and those of the truths at {first[1]}"


def _numbers(keys: Sequence[str]) -> Mapping[str, list[int]] | None:
    """The last numbers in keys, sorted, by the rest of the key; ``None`` where a key has no number."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for key in keys:
        numbers = list(_NUMBER.finditer(key))
        # What is longer is a hash or a date, and int has a limit.
        if not numbers or len(numbers[-1][0]) > 18:
            return None
        last = numbers[-1]
        found[f"{key[: last.start()]}#{key[last.end() :]}"].append(int(last[0]))
    return {name: sorted(values) for name, values in found.items()}
