"""What cannot be compared, because a difference would say something else than it seems to, and what could mislead.

The first is refused by name, the second is said in notes beside the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from softdice_cli.errors import ConfigError, EmptyError, InputError
from softdice_cli.records import Results, natural

RESAMPLES_RANGE = (100, 100_000)
_NAMED = 5


def check_options(resamples: int, seed: int, worst: int) -> None:
    """Refuse what is out of range.

    Raises:
        ConfigError: `resamples`, `seed` or `worst` is.
    """
    low, high = RESAMPLES_RANGE
    if not low <= resamples <= high:
        raise ConfigError(f"{resamples} is out of range", option="resamples", expected=f"{low} to {high}")
    for option, value in (("seed", seed), ("worst", worst)):
        if value < 0:
            raise ConfigError(f"{value} is below 0", option=option, expected="0 or greater")


def refuse_difference(a: Results, b: Results, names: tuple[str, str]) -> None:
    """Refuse results that are not of the same images, classes and settings.

    Raises:
        EmptyError: there is no image.
        InputError: results are incomplete, or their classes, signatures or images differ.
    """
    for results, name in zip((a, b), names, strict=True):
        _refuse_incomplete(results, name)
    _refuse_other_classes(a, b, names)
    parts = [r.settings.signature.split("|") for r in (a, b)]
    if parts[0] != parts[1]:
        raise InputError(
            f"has another signature than {names[0]}",
            path=names[1],
            expected="|".join(part for part in parts[0] if part not in parts[1]) or a.settings.signature,
            found="|".join(part for part in parts[1] if part not in parts[0]) or b.settings.signature,
            hint="evaluate both with the same options",
        )
    ids = [[row.id for row in results.images] for results in (a, b)]
    for name, own in zip(names, ids, strict=True):
        if len(set(own)) < len(own):
            raise InputError("holds two images of one id", path=name, hint="run softdice eval again")
    if ids[0] != ids[1]:
        only = [sorted(set(x) - set(y), key=natural) for x, y in (ids, ids[::-1])]
        raise InputError(
            f"has other images than {names[0]}",
            path=names[1],
            expected=_count(len(ids[0]), "image") + (f", also {_some(only[0])}" if only[0] else ""),
            found=_count(len(ids[1]), "image") + (f", also {_some(only[1])}" if only[1] else ""),
            hint="evaluate the same images with both",
        )


def _refuse_incomplete(results: Results, name: str) -> None:
    if results.failures:
        raise InputError(
            f"is incomplete: {_count(len(results.failures), 'pair')} failed",
            path=name,
            found=_some([failure.id for failure in results.failures]),
            hint="fix them and run softdice eval again; a difference would be that of the missing images",
        )
    if not results.images:
        raise EmptyError("holds no image", path=name, hint="run softdice eval again")


def _refuse_other_classes(a: Results, b: Results, names: tuple[str, str]) -> None:
    shown = [[f"{c.name}={'any' if c.value is None else r.settings.label_text(c.value)}" for c in r.settings.classes]
             for r in (a, b)]  # fmt: skip
    for index, (mine, theirs) in enumerate(zip_longest(*shown, fillvalue="no class")):
        if mine != theirs:
            what = f"has other classes than {names[0]}"
            raise InputError(what, path=names[1], expected=f"{mine} as class {index}", found=theirs,
                             hint="evaluate both with the same --class options, in the same order")  # fmt: skip


def notes_on(a: Results, b: Results) -> Iterator[str]:
    """What would mislead if it were not said."""
    if len(a.images) == 1:
        yield "a single image cannot be resampled: there are no intervals and no p-values"
    for side, results in (("A", a), ("B", b)):
        if results.shard:
            yield f"{side} is shard {results.shard.index} of {results.shard.count}, not the whole run"
    other = [
        x.id
        for x, y in zip(a.images, b.images, strict=True)
        if x.pixels != y.pixels or [s.truth for s in x.sums] != [s.truth for s in y.sums]
    ]
    if other:
        where = f"{_count(len(other), 'image')}: {_some(other)}"
        yield f"the masks of B are not those of A, by their pixels per class, in {where}"
    for text, x, y in (("pooled", a.pooled, b.pooled), ("image-mean", a.image_mean, b.image_mean)):
        before, after = x.means.defined["dice"], y.means.defined["dice"]
        if before != after:
            yield (
                f"the {text} mean of hard Dice is over {before} classes in A and {after} in B: "
                "a class is undefined (0/0) in one of them"
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
