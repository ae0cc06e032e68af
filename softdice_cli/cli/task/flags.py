"""What the options of the command line say of classes, labels and pixels; each is a text that somebody typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from softdice_cli.cli.task.labels import reads_as_label
from softdice_cli.cli.task.said import Limits, Named, Said
from softdice_cli.errors import ConfigError
from softdice_cli.records import Region

_SEPARATOR = "+"


def said_by_options(
    *,
    classes: Sequence[str] | None = None,
    count: int | None = None,
    regions: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    thresholds: Sequence[str] | None = None,
    multilabel: bool = False,
    **more: str | None,
) -> Said:
    """What the options say; those that are not given say nothing.

    Args:
        classes: ``NAME``, ``NAME=LABEL`` or ``NAME=LABEL+LABEL``.
        count: so many classes, named by their numbers.
        regions: ``NAME=MEMBER+MEMBER``.
        ignore: labels.
        thresholds: ``X``, or ``NAME=X``.
        multilabel: channels are independent.
        more: fields of `Said` that are plain texts.

    Raises:
        ConfigError: one cannot be read, or two exclude each other.
    """
    if classes and count is not None:
        raise ConfigError("names the classes, and --class does as well", option="num_classes", against="classes")
    named = tuple(_named(text) for text in classes or ())
    _refuse_same_name(named)
    return Said(
        classes=named or None,
        count=count,
        regions=None if regions is None else tuple(_region(text, named) for text in regions),
        ignore=None if ignore is None else tuple(ignore),
        limits=None if thresholds is None else _limits(thresholds),
        multilabel=multilabel or None,
        **more,
    )


def _named(text: str) -> Named:
    """``NAME`` or ``NAME=LABEL+LABEL``; the labels follow the last ``=``."""
    name, equals, labels = text.rpartition("=")
    if not equals:
        return Named(text)
    # A sign is a part of its label.
    if labels.startswith(_SEPARATOR):
        labels = labels.removeprefix(_SEPARATOR)
    return Named(name, tuple(labels.split(_SEPARATOR)))


def _refuse_same_name(classes: Sequence[Named]) -> None:
    """Raises ConfigError where a class is given once for each of its labels, as other programs want it."""
    labels: dict[str, list[str]] = {}
    times = Counter(named.name for named in classes)
    for position, named in enumerate(classes):
        labels.setdefault(named.name, []).extend(named.labels or (str(position),))
    for named in classes:
        if times[named.name] == 1 or not named.labels:
            continue
        texts = list(dict.fromkeys(labels[named.name]))
        if len(texts) > 1 and all(map(reads_as_label, texts)):
            raise ConfigError(
                f"{named.name!r} is the name of two classes",
                option="classes",
                hint=f"for one class of several labels, {{option}} {named.name}={_SEPARATOR.join(texts)}",
            )


def _region(text: str, classes: Sequence[Named]) -> Region:
    """``NAME=MEMBER+MEMBER``."""
    if text.count("=") != 1:
        raise ConfigError(
            f"{text!r} is not a region",
            option="regions",
            expected="NAME=MEMBER+MEMBER; members are names of classes, or labels",
            hint="{option} WT=1+2+3; names that hold = or + can stand in a file, --classes FILE",
        )
    name, _, members = text.partition("=")
    for named in classes:
        if _SEPARATOR in named.name and named.name in members:
            raise ConfigError(
                f"{text!r} can be read in two ways, since {named.name!r} is a class",
                option="regions",
                hint="name its members by their labels, or in a file: --classes FILE",
            )
    return Region(name, tuple(filter(None, members.split(_SEPARATOR))))


def _limits(texts: Sequence[str]) -> Limits:
    """``X`` or ``NAME=X``, in any order; each name once."""
    limits: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if name in limits:
            what = f"{name!r} has two of them" if name else "is given twice for all classes"
            raise ConfigError(
                what, option="thresholds", found=" and ".join(texts), hint="keep one; NAME=X is for one class"
            )
        try:
            limits[name] = float(number)
        except ValueError:
            raise ConfigError(
                f"{text!r} is not a threshold",
                option="thresholds",
                expected="a number, or NAME=NUMBER",
                hint="{option} 0.4, or {option} NAME=0.4 for one class",
            ) from None
    common = limits.pop("", None)
    return Limits(common, tuple(limits.items()))
