"""Parts of a run → the whole: rows side by side, nothing twice and nothing missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.records.rows import Failure, ImageRow, natural
from softdice_cli.records.run import Run, Shard, each, members
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
        InputError: an image is in two parts; signatures, classes, labels or shards differ; or a
            shard is missing.
    """
    if not parts:
        raise ConfigError("there is nothing to merge", expected="results files")
    first = _first_with_classes(parts)
    settings = first.run.settings
    for part in parts:
        settings, _ = aligned(settings, part.run.settings)
    for part in parts:
        _refuse_difference(settings, first.path, part)
    _refuse_other_labels(parts)
    _check_shards(parts)
    _refuse_repeats(parts)
    rows: list[ImageRow] = []
    failures: list[Failure] = []
    for part in parts:
        rows += part.run.rows
        failures += part.run.failures
    texts: dict[str, Any] = {
        name: member.joined(getattr(part.run, name) for part in parts) for name, member in members().items()
    }
    texts["unchecked"] = each([texts["unchecked"], *_unchecked(parts)])
    return replace(
        first.run,
        **texts,
        settings=settings,
        # The whole is not a shard.
        shard=None,
        rows=tuple(rows),
        failures=tuple(failures),
        left_out=_left_out(parts),
    )


def _left_out(parts: Sequence[Part]) -> tuple[str, ...]:
    """What was left out of the whole: each shard names all of it, with the paths of its machine; other parts their own.

    Raises:
        InputError: shards of one run left out another number of files.
    """
    if parts[0].run.shard is None:
        # Files of two parts can have one name.
        found = [text for part in parts for text in part.run.left_out]
        return tuple(sorted(found, key=lambda text: (natural(text), text)))
    first = parts[0]
    for part in parts:
        if len(part.run.left_out) != len(first.run.left_out):
            raise InputError(
                f"is a shard of another run than {first.path}: it left out another number of files",
                path=part.path,
                expected=f"{len(first.run.left_out)} files without a partner",
                found=str(len(part.run.left_out)),
                hint="run all shards over the same files",
            )
    return first.run.left_out


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


def _refuse_other_labels(parts: Sequence[Part]) -> None:
    """Raises InputError where the user called two parts by different names."""
    first = parts[0]
    for part in parts:
        if part.run.label != first.run.label:
            raise InputError(
                f"has another label than {first.path}, so it is of another run or model",
                path=part.path,
                expected=_label(first.run),
                found=_label(part.run),
                hint="evaluate all parts with one --label",
            )


def _label(run: Run) -> str:
    return f"the label {run.label!r}" if run.label else "no label"


def _unchecked(parts: Sequence[Part]) -> list[str]:
    """What the parts do not show of their belonging together, as clauses of `Run.unchecked`."""
    shards = [part.run.shard for part in parts if part.run.shard is not None]
    unknown = [shard for shard in shards if not shard.files]
    if unknown and len(shards) > 1:
        return [
            f"whether all shards are of the same files: {len(unknown)} of {len(shards)} hold no fingerprint of them"
        ]
    if not shards and len(parts) > 1 and not parts[0].run.label:
        return ["whether the separate runs are of one model: they have no label"]
    return []


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
    sizes = {(shard.count, shard.pairs) for shard in known}
    if len(known) < len(parts) or len(sizes) > 1:
        raise InputError(
            "these are not the shards of one run",
            expected="one shard I/N each, of the same pairs",
            found=", ".join(f"{part.path}: {_which(part.run)}" for part in parts),
            hint="evaluate all of them with --shard I/N, over the same pairs and with one N",
        )
    _refuse_other_runs(parts)
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


def _refuse_other_runs(parts: Sequence[Part]) -> None:
    """Raises InputError where two shards are of runs over other ids, or over other files of the same ids."""
    for member, what in (("run", "ids"), ("files", "contents")):
        # A shard of 0.1.0 knows no contents.
        known = [part for part in parts if getattr(part.run.shard, member)]
        for part in known[1:]:
            _refuse_other(known[0], part, member, what)


def _refuse_other(first: Part, other: Part, member: str, what: str) -> None:
    mine, theirs = first.run.shard, other.run.shard
    if mine is None or theirs is None or getattr(mine, member) == getattr(theirs, member):
        return
    raise InputError(
        f"is a shard of another run than {first.path}: its files have other {what}",
        path=other.path,
        expected=f"{what} {getattr(mine, member)}, as in {first.path}",
        found=f"{what} {getattr(theirs, member)}",
        hint="run both again over the same predictions and masks, with the same --layout, --key and --gt-key: "
        f"--shard {_place(mine)} and --shard {_place(theirs)}",
    )


def _place(shard: Shard) -> str:
    return f"{shard.index}/{shard.count}"


def _which(run: Run) -> str:
    if run.shard is None:
        return "whole"
    return f"shard {run.shard.index} of {run.shard.count}, {run.shard.pairs} pairs"
