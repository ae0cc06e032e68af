"""What a channel, a label and a pixel mean: classes, regions over classes, and what of a truth is foreground.

A class owns labels, and a region owns classes. Whoever reads labels, counts pixels or shows a row asks these shapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from softdice_cli.errors import ConfigError

MAX_LABEL = 2**31 - 1

MOST_CLASSES = 2**12
"""A run has no more classes, and no more regions: results count the pixels of each pair of classes."""

MOST_LABELS = 2**16
"""All classes together have no more labels, and no more are ignored: as many as 16 bits can tell apart."""


# Names that an error lists.
_LISTED = 40


@dataclass(frozen=True, slots=True)
class ClassDef:
    """One class.

    Attributes:
        name: as shown in every output.
        value: the label that stands for it in the masks, or several that are one class; ``None`` leaves it open, which
            is possible for the single class of a one-channel map (its label is found in the masks) and for classes
            whose truth has a channel each.
    """

    name: str
    value: int | tuple[int, ...] | None

    def __post_init__(self) -> None:
        if type(self.value) is tuple and self.value and all(type(label) is int for label in self.value):
            labels = sorted(set(self.value))
            object.__setattr__(self, "value", labels[0] if len(labels) == 1 else tuple(labels))

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that stand for the class; none where that is open."""
        if self.value is None:
            return ()
        if isinstance(self.value, tuple):
            return self.value
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Region:
    """Several exclusive classes taken as one, such as a whole tumor.

    Attributes:
        name: as shown in every output; no class has it.
        members: the names of its classes, in the order of the channels. Before the classes are known, they may be
            given by their labels.
    """

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Foreground:
    """Which stored values of a truth are foreground, and which are background.

    Attributes:
        operator: ``==`` certain labels, ``!=`` whatever is not 0, or a cut: ``>`` or ``>=``.
        bound: the number that a value is held against by the last three.
        inside: the labels that are foreground, with ``==``.
        outside: the labels besides 0 that are background, with ``==``; any other label is neither.
    """

    operator: Literal["==", "!=", ">", ">="]
    bound: float = 0
    inside: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()

    @property
    def label(self) -> int | None:
        """The label that is foreground, where it is a single one, and only 0 is background."""
        return self.inside[0] if len(self.inside) == 1 and not self.outside else None


_CUT = r"(>=?)\s*([+-]?(?:[0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})(?:e[+-]?[0-9]{1,2})?)"
_LABELS = r"-?[0-9]{1,18}(?:\+-?[0-9]{1,18})*"
_AGAINST = rf"({_LABELS})\s*vs\s*({_LABELS})"


def foreground_of(text: str) -> Foreground:
    """What a text such as ``nonzero``, ``255``, ``>127`` or ``1vs2+3`` says of a truth.

    Raises:
        ConfigError: it says nothing that is known.
    """
    if text == "nonzero":
        return Foreground("!=")
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text) and 0 < abs(int(text)) <= MAX_LABEL:
        return Foreground("==", inside=(int(text),))
    if against := re.fullmatch(_AGAINST, text):
        inside, outside = _labels_in(against[1]), _labels_in(against[2])
        if not set(inside) & set(outside) and max(map(abs, inside + outside)) <= MAX_LABEL:
            # Beside a class, 0 is background anyway, and one meaning has one text.
            others = tuple(label for label in outside if label)
            return Foreground("==", inside=inside, outside=others if others or len(inside) == 1 else (0,))
    cut = re.fullmatch(_CUT, text)
    if cut is None:
        raise ConfigError(
            f"cannot be {text!r}",
            option="foreground",
            expected="nonzero, a label such as 255, labels against those of the background such as 1vs2+3, "
            "or a cut such as '>127' or '>=0.5'",
            hint="{option} nonzero",
        )
    operator: Literal[">", ">="] = ">" if cut[1] == ">" else ">="
    return Foreground(operator, float(cut[2]))


def _labels_in(text: str) -> tuple[int, ...]:
    """The labels of a text such as ``2+3``, in order."""
    return tuple(sorted(set(map(int, re.findall(r"-?[0-9]+", text)))))


def is_cut(text: str) -> bool:
    """Whether a foreground is cut out of values that need not be labels."""
    return bool(text) and foreground_of(text).operator in (">", ">=")


def canonical(text: str) -> str:
    """The text of a foreground, written in the one way that a signature has.

    Raises:
        ConfigError: see `foreground_of`.
    """
    rule = foreground_of(text)
    if rule.operator == "!=":
        return "nonzero"
    if rule.operator == "==":
        inside, outside = ("+".join(map(str, labels)) for labels in (rule.inside, rule.outside))
        return f"{inside}vs{outside}" if outside else inside
    # All digits, because the text is what is applied.
    return rule.operator + repr(rule.bound).removesuffix(".0")


def resolved_regions(regions: Iterable[Region], classes: tuple[ClassDef, ...]) -> tuple[Region, ...]:
    """The regions with their members as names of classes, in the order of the channels.

    Raises:
        ConfigError: a member is not a class, by name or by label.
    """
    # A name comes first: a class that is called "1" may have another label.
    by_text: dict[str, str] = {}
    for definition in classes:
        for label in definition.labels:
            by_text.setdefault(str(label), definition.name)
    by_text.update({definition.name: definition.name for definition in classes})
    places = {definition.name: place for place, definition in enumerate(classes)}
    return tuple(replace(region, members=_members(region, by_text, places)) for region in regions)


def _members(region: Region, by_text: Mapping[str, str], places: Mapping[str, int]) -> tuple[str, ...]:
    """The names of the classes of a region, in the order of their places."""
    unknown = [member for member in region.members if member not in by_text]
    if unknown:
        raise ConfigError(
            f"{region.name!r} holds {unknown[0]!r}, which is not a class",
            option="regions",
            expected=f"names of classes, or their labels: {first(by_text)}",
        )
    return tuple(sorted({by_text[member] for member in region.members}, key=places.__getitem__))


def first(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are, for messages."""
    listed = list(names)
    more = len(listed) - _LISTED
    return ", ".join(listed[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def check_regions(regions: tuple[Region, ...], names: Iterable[str]) -> None:
    """Raises ConfigError for regions that cannot be told apart from each other or from the classes."""
    known = set(names)
    for region in regions:
        if not region.name or not region.members:
            raise ConfigError("needs a name and at least one class", option="regions", hint="{option} WT=1+2+3")
        if region.name in known:
            raise ConfigError(
                f"{region.name!r} is the name of a class or of another region",
                option="regions",
                hint="give every class and every region a name of its own",
            )
        known.add(region.name)


def shared_labels(classes: Iterable[ClassDef]) -> Mapping[int, list[str]]:
    """The labels that several classes own, with the names of those classes."""
    owners: dict[int, list[str]] = {}
    for definition in classes:
        for label in definition.labels:
            owners.setdefault(label, []).append(definition.name)
    return {label: names for label, names in owners.items() if len(names) > 1}
