"""Folders and patterns: files of two sides that have the same stem belong together, whatever their types."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.pairing.listing import Listing, Request, Side, is_many
from softdice_cli.pairing.matching import keyed, match
from softdice_cli.pairing.pair import STDIN, Pairing, settle
from softdice_cli.pairing.unpaired import doubts, duplicated, has_duplicates, left_out, one_side_twice, unpaired
from softdice_cli.records import Allowance
from softdice_cli.records.allowance import NONE_MISSING


def pair_folders(pred: Side, gt: Side, *, recursive: bool = False, allowed: Allowance = NONE_MISSING) -> Pairing:
    """Pairs of two folders or patterns, by stem; with `recursive`, by the path below the folder.

    Where no path is the same on both sides because one has sub-folders and the other has none, the
    file names decide, unless a name is there twice.

    Args:
        pred: the predictions.
        gt: the truths.
        recursive: whether sub-folders belong to the folders.
        allowed: how many files may go without a partner; they are left out, and the pairing says so.

    Raises:
        PairingError: files without a partner, several files of one stem on a side, partners that
            differ in case, or the same files on both sides.
        UnreadableError: a folder cannot be listed.
    """
    request = Request(pred, gt, recursive)
    listings = request.listings()
    groups = tuple(keyed(found.files, side) for found, side in zip(listings, (pred, gt), strict=True))
    if any(has_duplicates(group) for group in groups):
        raise duplicated(request, listings, groups)
    # From here on, each key has one file.
    preds, gts = [{key: files[0].path for key, files in group.items()} for group in groups]
    found = match(preds, gts)
    twice = [pair for pair in found.pairs if os.path.abspath(pair.pred) == os.path.abspath(pair.gt)]
    if twice:
        raise one_side_twice(request, listings, twice)
    missing = len(found.preds) + len(found.gts)
    if not allowed.permits(missing, len(found.pairs) + missing):
        raise unpaired(request, listings, found, allowed)
    settled = settle(found.pairs, left_out(found), [*listings[0].clutter, *listings[1].clutter])
    return replace(settled, notes=(*doubts(found), *_not_entered(listings)))


def _not_entered(listings: Iterable[Listing]) -> Iterator[str]:
    """What is said of folders below the two, whose files take no part."""
    for listing in listings:
        if listing.folders:
            count = len(listing.folders)
            folders = "1 folder is" if count == 1 else f"{count} folders are"
            yield (
                f"{listing.root}: {folders} not entered, e.g. {min(listing.folders)}; --recursive evaluates "
                "what is in folders too"
            )


def refuse_mixture(pred: str, gt: str) -> None:
    """Raises ConfigError where one side is many files and the other is one."""
    if is_many(pred) != is_many(gt):
        for path in (pred, gt):
            if path != STDIN and not is_many(path) and not os.path.lexists(path):
                raise UnreadableError("there is no such file or folder", path=path, hint="check the path")
        one, many = sorted((pred, gt), key=is_many)
        raise ConfigError(
            "one side is a folder or a pattern, and the other is a file",
            expected="two files, or two folders or patterns",
            found=f"{many} and {one}",
            hint="name a folder on both sides, or write a manifest: --pairs list.csv",
        )
