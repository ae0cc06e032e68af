"""What is said of files that do not pair: what and how many they are, the first names, and what to type next."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from softdice_cli.errors import EmptyError
from softdice_cli.pairing.listing import File, Listing, Request, Side, listed
from softdice_cli.pairing.matching import Match
from softdice_cli.pairing.pair import LIST_THEM, Pair, PairingError, beyond, counted, first_of, in_order
from softdice_cli.records import Allowance

Groups = Mapping[str, Sequence[File]]


def left_out(found: Match) -> list[str]:
    """A sentence for each file without a partner; one whose partner differs in case only is named."""
    return [*_sentences(found.preds, found.gts, "truth"), *_sentences(found.gts, found.preds, "prediction")]


def _sentences(files: Mapping[str, str], others: Mapping[str, str], missing: str) -> Iterator[str]:
    folded = {key.casefold(): path for key, path in others.items()}
    for key, path in files.items():
        near = folded.get(key.casefold())
        remark = f" ({near} differs in case)" if near else ""
        yield f"{path} has no {missing}{remark}"


def unpaired(request: Request, listings: Sequence[Listing], found: Match, allowed: Allowance) -> PairingError:
    """The error for more files without a partner than are allowed."""
    # Imported here, as only an error needs it.
    from softdice_cli.pairing.advice import advise

    paired = len(found.pairs)
    counts, said = [], []
    for side, listing, files, others, nouns, missing in (
        (request.pred, listings[0], found.preds, found.gts, "predictions", "truth"),
        (request.gt, listings[1], found.gts, found.preds, "truths", "prediction"),
    ):
        if files:
            counts.append(f"{len(files)} of {paired + len(files)} {nouns}")
            said.append(first_of(in_order(_sentences(files, others, missing)), f"more {nouns} have none"))
        elif not paired:
            said.append(describe(side, listing))
    advice = advise(request, listings, found)
    if advice.remark:
        said.append(advice.remark)
    total = counted(len(found.preds) + len(found.gts), "file without a partner", "files without a partner")
    return PairingError(
        f"{total}: {', '.join(counts)}", expected=beyond(allowed), found="; ".join(said), hint=advice.hint
    )


def doubts(found: Match) -> tuple[str, ...]:
    """What makes the pairs doubtful, where files without a partner are left out on purpose."""
    if found.is_whole:
        return ()
    from softdice_cli.pairing.advice import shift_of

    shift = shift_of(found)
    if not shift:
        return ()
    return (f"{shift}, so that files of one number may not belong together; if so, {LIST_THEM}",)


def has_duplicates(group: Groups) -> bool:
    """Whether several files of a side have one stem."""
    return any(len(files) > 1 for files in group.values())


def duplicated(request: Request, listings: Sequence[Listing], groups: Sequence[Groups]) -> PairingError:
    """The error for several files of one stem."""
    from softdice_cli.pairing.advice import choices

    noun, option, group = "prediction", "pred", groups[0]
    if not has_duplicates(group):
        noun, option, group = "truth", "gt", groups[1]
    items = in_order(_together(files) for files in group.values() if len(files) > 1)
    problem = counted(len(items), f"stem that several {noun} files have", f"stems that several {noun} files have")
    hint = choices(request, listings) or f"move one away, or choose with --{option}-suffix or a pattern"
    return PairingError(problem, found=first_of(items), hint=hint)


def _together(files: Sequence[File]) -> str:
    text = " and ".join(sorted(file.path for file in files))
    if len({file.name for file in files}) < len(files):
        text += " (names that look alike, in two Unicode forms)"
    return text


def one_side_twice(request: Request, listings: Sequence[Listing], pairs: Sequence[Pair]) -> PairingError:
    """The error for files that are on both sides, and would be compared with themselves."""
    from softdice_cli.pairing.advice import choices

    return PairingError(
        counted(len(pairs), "file is prediction and truth at once", "files are predictions and truths at once"),
        expected="the predictions on one side, and the truths on the other",
        found=first_of(in_order(pair.pred for pair in pairs)),
        hint=choices(request, listings) or "name another folder with --pred or --gt",
    )


def nothing_found(pred: Side, gt: Side, *, recursive: bool = False) -> EmptyError:
    """The error for two sides without a pair: what they hold, and what to type next."""
    from softdice_cli.pairing.advice import choices

    request = Request(pred, gt, recursive)
    listings = request.listings()
    found = "; ".join(
        describe(side, listing) for side, listing in zip((request.pred, request.gt), listings, strict=True)
    )
    hint = choices(request, listings)
    if not hint and any(listing.folders for listing in listings):
        hint = "--recursive reads sub-folders"
    return EmptyError(
        "there is nothing to evaluate",
        expected="at least one pair of a prediction and a truth",
        found=found,
        hint=hint or "check the paths, prefixes and suffixes",
    )


def describe(side: Side, listing: Listing) -> str:
    """What a side holds, where nothing of it pairs."""
    if listing.files:
        return _without_affix(side, listing)
    if not os.path.isdir(side.path):
        return _unmatched(side, listing)
    if listing.folders:
        return f"{side.path} holds no data, but folders, e.g. {min(listing.folders)}"
    if listing.clutter:
        return f"{side.path} holds no data, but other files, e.g. {min(listing.clutter)}"
    return f"{side.path} holds no files"


def _without_affix(side: Side, listing: Listing) -> str:
    example = min(file.path for file in listing.files)
    files = counted(len(listing.files), "file", "files")
    wanted = []
    if side.prefix:
        wanted.append(f"starts with {side.prefix!r}")
    if side.suffix:
        wanted.append(f"ends with {side.suffix!r}")
    if not wanted:
        return f"{side.path} holds {files}, e.g. {example}"
    return f"none of the {files} of {side.path} {' and '.join(wanted)}, e.g. {example}"


def _unmatched(side: Side, listing: Listing) -> str:
    """What there is instead of the files that a pattern should have matched."""
    if not os.path.isdir(listing.root):
        return f"{side.path} matches no file, and there is no folder {listing.root}"
    inside = listed(Side(listing.root), recursive=False)
    return f"{side.path} matches no file; {describe(Side(listing.root), inside)}"
