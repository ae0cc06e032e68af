"""Regions of interest: which mask of the field of view belongs to which pair."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.pairing.listing import Listing, Side, is_many, listed
from softdice_cli.pairing.matching import is_flat, keyed, unique_names
from softdice_cli.pairing.names import bare, stem_of
from softdice_cli.pairing.pair import Pair, Pairing, PairingError, counted, first_of, in_order, refuse
from softdice_cli.pairing.unpaired import describe

_LIST_THEM = "list them, with the columns pred, gt and roi: --pairs list.csv"


def with_regions(pairing: Pairing, roi: str, *, recursive: bool = False) -> Pairing:
    """The pairs with their regions of interest.

    A file is the region of every pair. The files of a folder or a pattern belong to the pairs of
    their stems; where they do not, all of them may have one prefix and one suffix in common. Files
    that belong to no pair are left aside.

    Args:
        pairing: pairs without regions.
        roi: a file, a folder or a pattern.
        recursive: whether the sub-folders of a folder belong to it.

    Raises:
        ConfigError: the pairs have regions already.
        UnreadableError: there is no such file, or a folder cannot be listed.
        PairingError: a pair has no region, or more than one.
    """
    if any(pair.roi for pair in pairing.pairs):
        raise ConfigError(
            "stands beside a list of pairs that has a column roi",
            option="roi",
            hint="leave out {option}, or the column",
        )
    if not is_many(roi):
        if not os.path.lexists(roi):
            raise UnreadableError("there is no such file or folder", path=roi, hint="check the path")
        return replace(pairing, pairs=tuple(replace(pair, roi=roi) for pair in pairing.pairs))
    side = Side(roi)
    listing = listed(side, recursive=recursive)
    regions = _by_stem(listing, side)
    chosen = _chosen(pairing.pairs, regions)
    if chosen is None:
        raise _missing(pairing.pairs, regions, describe(side, listing))
    pairs = tuple(replace(pair, roi=path) for pair, path in zip(pairing.pairs, chosen, strict=True))
    return replace(pairing, pairs=pairs, clutter=(*pairing.clutter, *listing.clutter))


def _by_stem(listing: Listing, side: Side) -> dict[str, str]:
    """The path of each region by its key; PairingError where a key has several."""
    group = keyed(listing.files, side)
    refuse(
        "stem that several files of the region of interest have",
        "stems that several files of the region of interest have",
        in_order(" and ".join(sorted(file.path for file in files)) for files in group.values() if len(files) > 1),
        hint=f"choose one file type with a pattern, or {_LIST_THEM}",
    )
    return {key: files[0].path for key, files in group.items()}


def _chosen(pairs: Sequence[Pair], regions: Mapping[str, str]) -> list[str] | None:
    """The region of each pair, or ``None`` where they do not all have one, or more than one way leads to it."""
    for names in _names(pairs):
        spelled = _of_one_depth(names, regions)
        if spelled is None:
            continue
        wanted, paths = spelled
        if all(name in paths for name in wanted):
            return [paths[name] for name in wanted]
        ways = {tuple(paths[name] for name in way) for way in _affixed(wanted, list(paths))}
        if len(ways) == 1:
            return list(ways.pop())
    return None


def _names(pairs: Sequence[Pair]) -> Iterator[list[str]]:
    """What may name a region: the id of its pair, or else the truth, which a list may have given another id."""
    yield [pair.id for pair in pairs]
    stems = [stem_of(pair.gt) for pair in pairs]
    if len(set(stems)) == len(stems):
        yield stems


def _of_one_depth(names: Sequence[str], regions: Mapping[str, str]) -> tuple[Sequence[str], Mapping[str, str]] | None:
    """Names and regions without folders where only one of the two has some; ``None`` where one is there twice."""
    if is_flat(names) == is_flat(regions):
        return names, regions
    short = unique_names(regions)
    if short is None or unique_names(names) is None:
        return None
    return [bare(name) for name in names], {name: regions[key] for name, key in short.items()}


def _affixed(names: Sequence[str], keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys of these names with a prefix and a suffix that all keys have."""
    if not names or not keys:
        return
    known = set(keys)
    files = [bare(key) for key in keys]
    start = _common_start(files)
    end = _common_start([file[::-1] for file in files])[::-1]
    for prefix, suffix in product(_starts(start), [text[::-1] for text in _starts(end[::-1])]):
        # One name is tried before all are, as most prefixes and suffixes do not fit.
        if _with_affix(names[0], prefix, suffix) in known and _is_cut_between_words(bare(names[0]), prefix, suffix):
            way = [_with_affix(name, prefix, suffix) for name in names]
            if known.issuperset(way):
                yield way


def _starts(text: str) -> list[str]:
    return [text[:length] for length in range(len(text) + 1)]


def _common_start(texts: Sequence[str]) -> str:
    """What all texts start with."""
    # What the first and the last of a sorted list have in common, all of it has.
    first, last = min(texts), max(texts)
    for length, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            return first[:length]
    return first


def _with_affix(name: str, prefix: str, suffix: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{prefix}{file}{suffix}"


def _is_cut_between_words(name: str, prefix: str, suffix: str) -> bool:
    """Whether no number and no word goes on across a cut: ``10`` is not ``1`` with the suffix ``0``."""
    for before, after in ((prefix[-1:], name[:1]), (name[-1:], suffix[:1])):
        if (before.isdigit() and after.isdigit()) or (before.isalpha() and after.isalpha()):
            return False
    return True


def _missing(pairs: Sequence[Pair], regions: Mapping[str, str], there: str) -> PairingError:
    """The error for pairs without a region."""
    without = [pair.id for pair in pairs if pair.id not in regions]
    return PairingError(
        counted(len(without), "pair without a region of interest", "pairs without a region of interest"),
        expected="a file with the stem of each pair, or with one prefix and suffix for all of them",
        found=f"{first_of(without)}; {there}",
        hint=_LIST_THEM,
    )
