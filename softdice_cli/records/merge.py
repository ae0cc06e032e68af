"""Parts of a run → the whole: rows side by side, nothing twice and nothing missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.records.results import Failure, ImageRow, Results, natural
from softdice_cli.records.settings import Settings


@dataclass(frozen=True, slots=True)
class Part:
    """One results file that is to be merged."""

    path: str
    results: Results


def merge(parts: Sequence[Part]) -> tuple[Settings, list[ImageRow], list[Failure], tuple[str, ...]]:
    """What all parts hold together: settings, rows, failures, and what was left out.

    Raises:
        ConfigError: there is no part.
        InputError: an image is in two parts; signatures, classes or shards differ; or a shard is missing.
    """
    if not parts:
        raise ConfigError("there is nothing to merge", expected="results files")
    first = next((part for part in parts if part.results.settings.classes), parts[0])
    for part in parts:
        _refuse_difference(first, part)
    _check_shards(parts)
    owners: dict[str, str] = {}
    for part in parts:
        for name in [row.id for row in part.results.images] + [failure.id for failure in part.results.failures]:
            if name in owners:
                raise InputError(
                    f"holds {name!r}, which {owners[name]} holds too",
                    path=part.path,
                    hint="merge each part once",
                )
            owners[name] = part.path
    rows = [row for part in parts for row in part.results.images]
    failures = [failure for part in parts for failure in part.results.failures]
    return first.results.settings, rows, failures, _left_out(parts)


def _refuse_difference(first: Part, other: Part) -> None:
    mine, theirs = first.results.settings, other.results.settings
    if not theirs.classes and not other.results.images:  # all its pairs failed before one said how many there are
        mine = replace(mine, classes=())
    for what, a, b in (
        ("signature", mine.signature, theirs.signature),
        ("classes", mine.classes, theirs.classes),
        ("settings", mine, theirs),
    ):
        if a != b:
            shown = [
                ", ".join(f"{c.name}={c.value}" for c in side) if isinstance(side, tuple) else str(side)
                for side in (a, b)
            ]
            raise InputError(
                f"has other {what} than {first.path}",
                path=other.path,
                expected=shown[0],
                found=shown[1],
                hint="evaluate all parts with the same options",
            )


def _check_shards(parts: Sequence[Part]) -> None:
    """Either none is a shard, or they are all shards of one run and all are there."""
    shards = [part.results.shard for part in parts]
    known = [shard for shard in shards if shard is not None]
    if not known:
        return
    if len(known) < len(shards) or len({(shard.count, shard.pairs, shard.run) for shard in known}) > 1:
        found = ", ".join(
            f"{part.path}: "
            + (f"shard {s.index} of {s.count}, {s.pairs} pairs" if (s := part.results.shard) else "whole")
            for part in parts
        )
        raise InputError(
            "these are not the shards of one run", expected="one shard I/N each, of the same pairs", found=found
        )
    count = min(known[0].count, known[0].pairs)  # the shards beyond the pairs are empty, and write no file
    if missing := sorted(set(range(1, count + 1)) - {shard.index for shard in known}):
        raise InputError(
            f"shard {', '.join(map(str, missing))} of {known[0].count} is missing",
            expected=f"shards 1 to {count}",
            found=", ".join(str(shard.index) for shard in known),
            hint=f"run it with --shard {missing[0]}/{known[0].count}, and merge all",
        )


def _left_out(parts: Sequence[Part]) -> tuple[str, ...]:
    """Each shard names all that was left out of the run; other parts name their own."""
    return tuple(
        sorted({text for part in parts for text in part.results.left_out}, key=lambda text: (natural(text), text))
    )
