"""Parts of a run → the whole: rows side by side, nothing twice and nothing missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.records.rows import Failure, ImageRow, natural
from softdice_cli.records.run import Run, members
from softdice_cli.records.settings import Settings, aligned


@dataclass(frozen=True, slots=True)
class Part:
    """A run that is to be merged, and the file that it is in."""

    path: str
    run: Run


def merge(parts: Sequence[Part]) -> Run:
    """What all parts hold together, as one run.

    Raises:
        ConfigError: there is no part.
        InputError: an image is in two parts; signatures, classes or shards differ; or a shard is
            missing.
    """
    if not parts:
        raise ConfigError("there is nothing to merge", expected="results files")
    first = _first_with_classes(parts)
    settings = first.run.settings
    for part in parts:
        settings, _ = aligned(settings, part.run.settings)
    for part in parts:
        _refuse_difference(settings, first.path, part)
    _check_shards(parts)
    _refuse_repeats(parts)
    rows: list[ImageRow] = []
    failures: list[Failure] = []
    left_out: set[str] = set()
    for part in parts:
        rows += part.run.rows
        failures += part.run.failures
        # Each shard names all that was left out of the run; other parts name their own.
        left_out.update(part.run.left_out)
    texts: dict[str, Any] = {
        name: member.joined(getattr(part.run, name) for part in parts) for name, member in members().items()
    }
    return replace(
        first.run,
        **texts,
        settings=settings,
        # The whole is not a shard.
        shard=None,
        rows=tuple(rows),
        failures=tuple(failures),
        left_out=tuple(sorted(left_out, key=lambda text: (natural(text), text))),
    )


def _first_with_classes(parts: Sequence[Part]) -> Part:
    """The first part that knows its classes; a part of which all pairs failed does not."""
    for part in parts:
        if part.run.settings.classes:
            return part
    return parts[0]


def _refuse_difference(settings: Settings, first: str, other: Part) -> None:
    mine, theirs = aligned(settings, other.run.settings)
    if not theirs.classes and not other.run.rows:
        # All its pairs failed before one of them said how many classes there are.
        mine = replace(mine, classes=())
    for what, a, b in (
        ("another signature", mine.signature, theirs.signature),
        ("other classes", _named(mine), _named(theirs)),
        ("other settings", str(mine), str(theirs)),
    ):
        if a != b:
            raise InputError(
                f"has {what} than {first}",
                path=other.path,
                expected=a,
                found=b,
                hint="evaluate all parts with the same options",
            )


def _named(settings: Settings) -> str:
    return ", ".join(f"{c.name}={c.value}" for c in settings.classes)


def _refuse_repeats(parts: Sequence[Part]) -> None:
    """Raises InputError for an image that is in two parts."""
    owners: dict[str, str] = {}
    for part in parts:
        names = [row.id for row in part.run.rows] + [failure.id for failure in part.run.failures]
        for name in names:
            if name in owners:
                raise InputError(
                    f"holds {name!r}, which {owners[name]} holds too",
                    path=part.path,
                    hint="merge each part once",
                )
            owners[name] = part.path


def _check_shards(parts: Sequence[Part]) -> None:
    """Either none is a shard, or they are all shards of one run and all are there."""
    known = [part.run.shard for part in parts if part.run.shard is not None]
    if not known:
        return
    runs = {(shard.count, shard.pairs, shard.run) for shard in known}
    if len(known) < len(parts) or len(runs) > 1:
        raise InputError(
            "these are not the shards of one run",
            expected="one shard I/N each, of the same pairs",
            found=", ".join(f"{part.path}: {_which(part.run)}" for part in parts),
        )
    # The shards beyond the pairs are empty, and write no file.
    count = min(known[0].count, known[0].pairs)
    missing = sorted(set(range(1, count + 1)) - {shard.index for shard in known})
    if missing:
        problem = f"shard {missing[0]} of {known[0].count} is missing"
        if len(missing) > 1:
            problem = f"shards {', '.join(map(str, missing))} of {known[0].count} are missing"
        raise InputError(
            problem,
            expected=f"shards 1 to {count}",
            found=", ".join(str(shard.index) for shard in known),
            hint=f"run it with --shard {missing[0]}/{known[0].count}, and merge all",
        )


def _which(run: Run) -> str:
    if run.shard is None:
        return "whole"
    return f"shard {run.shard.index} of {run.shard.count}, {run.shard.pairs} pairs"
