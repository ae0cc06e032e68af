"""What the values of options mean once they are parsed: files, a shard, columns, intervals, and notes to be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from softdice_cli.errors import ConfigError, EmptyError
from softdice_cli.records import Results, Shard

if TYPE_CHECKING:
    from softdice_cli.pairing import Pair


def shard_of(text: str | None, pairs: Sequence[Pair], read_as: Sequence[str | None]) -> Shard | None:
    """The part of a run over these pairs that ``I/N`` names, with what tells the run from others.

    Args:
        text: as written; ``None`` for the whole.
        pairs: of the whole run.
        read_as: how their files are read, where that is not in the signature: the layout and the keys.

    Raises:
        ConfigError: it is no such thing.
        EmptyError: the part holds none of the pairs.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ConfigError(f"{text!r} is not a part", option="shard", expected="I/N with 1 ≤ I ≤ N", hint="--shard 1/4")
    import hashlib

    from softdice_cli.pairing import fingerprint

    ids = "\n".join(pair.id for pair in pairs)
    run = hashlib.sha256(ids.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    shard = Shard(int(match[1]), int(match[2]), len(pairs), run)
    if shard.index > shard.pairs:
        raise EmptyError(f"shard {text} of {shard.pairs} pairs is empty", hint="merge does not ask for it")
    return replace(shard, files=fingerprint(pairs, read_as))


def label_of(text: str | None) -> str:
    """What ``--label`` calls a run, or nothing.

    Raises:
        ConfigError: it is blank, as where a variable of a shell is not set.
    """
    if text is None:
        return ""
    if not text.strip():
        raise ConfigError("is blank", option="label", expected="a name of the run or model", hint="--label run-7")
    return text


def refuse_combinations(pairs: str | None, pred: str | None, gt: str | None) -> None:
    """Raises ConfigError where it is not one pair, two folders or one list."""
    if pairs is not None and (pred is not None or gt is not None):
        raise ConfigError("--pairs stands instead of --pred and --gt", hint="use one of the two ways")
    if pairs is None and (pred is None or gt is None):
        problem = "--gt is missing"
        if pred is None:
            problem = "--pred is missing"
        if pred is None and gt is None:
            problem = "--pred and --gt are missing"
        raise ConfigError(
            problem,
            expected="--pred and --gt, or --pairs",
            hint="softdice eval --pred p.npy --gt mask.png",
        )
    if pred == gt == "-":
        raise ConfigError("--pred and --gt cannot both be standard input")


def columns_from(text: str | None) -> tuple[str, ...] | None:
    """The names in ``--columns``, or ``None`` where it is not given.

    Raises:
        ConfigError: there is no such column.
    """
    if text is None:
        return None
    from softdice_cli.render.columns import parse_columns

    return parse_columns(text)


def with_intervals(results: Results, ci: bool, columns: Sequence[str] | None = None) -> Results:
    """The results, with bootstrap intervals of the metrics among the columns where ``--ci`` asks for them."""
    if not ci:
        return results
    # Imported here, so that nothing else needs NumPy.
    from softdice_cli.comparison import intervals
    from softdice_cli.render.columns import metrics_of

    return replace(results, intervals=intervals(results, metrics=metrics_of(columns)))


class Notes:
    """What may be worth knowing about the files that were read; notes are told once, however many there are."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._warnings: list[str] = []

    def add(self, text: str) -> None:
        """Keep a note; may be called from any thread."""
        self._notes.append(text)

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self._warnings.append(text)

    def tell(self, say: Callable[[str, str], None]) -> None:
        """Say every warning; of the notes the first, and how many there are."""
        for text in self._warnings:
            say(text, "warning")
        if self._notes:
            say(min(self._notes) + _more(len(self._notes) - 1), "")


def _more(count: int) -> str:
    """How many files a note holds for as well."""
    if not count:
        return ""
    return " (and 1 more file likewise)" if count == 1 else f" (and {count} more files likewise)"
