"""Options that cannot be: values out of range, options that exclude each other, classes that cannot be told apart."""

from __future__ import annotations

from typing import get_args

from softdice_cli.errors import ConfigError
from softdice_cli.records.choices import THRESHOLD, Activation, Choices, Empty, Prediction, WhiteIsZero
from softdice_cli.records.classes import (
    MAX_LABEL,
    MOST_CLASSES,
    MOST_LABELS,
    ClassDef,
    Region,
    check_regions,
    first,
    foreground_of,
    shared_labels,
)

EPS_RANGE = (1e-100, 1e6)


def check(settings: Choices) -> None:
    """Refuse options that cannot be, given that their types are right.

    Raises:
        ConfigError: a value out of range, or two options that exclude each other.
    """
    _check_choices(settings)
    _check_numbers(settings)
    _check_classes(settings)


def check_types(settings: Choices) -> None:
    """Raises ConfigError for what a call from Python can get wrong before any range does."""
    _check_containers(settings)
    for definition in settings.classes:
        named = type(definition) is ClassDef and type(definition.name) is str
        # By type and not by isinstance, because True would pass for the label 1.
        if not named or (definition.value is not None and any(type(label) is not int for label in definition.labels)):
            raise ConfigError(
                f"{definition!r} is not a class", expected="ClassDef(name, value) with a text and an integer"
            )
    if type(settings.ignore) not in (tuple, list, set) or any(type(label) is not int for label in settings.ignore):
        raise ConfigError(f"ignore {settings.ignore!r} is not a tuple of labels", expected="integers, e.g. (255,)")
    for name, value in (("eps", settings.eps), ("threshold", settings.threshold)):
        if type(value) not in (int, float):
            raise ConfigError(f"{name} {value!r} is not a number")
    if settings.scale is not None and type(settings.scale) is not int:
        raise ConfigError(f"scale {settings.scale!r} is not an integer")
    for option in ("foreground", "only"):
        if type(getattr(settings, option)) is not str:
            raise ConfigError(f"{getattr(settings, option)!r} is not a text", option=option)
    for option in ("multilabel", "roi", "colors", "normalized", "background"):
        if type(getattr(settings, option)) is not bool:
            raise ConfigError(f"{getattr(settings, option)!r} is not true or false", option=option)
    for name, limit in settings.thresholds:
        if type(name) is not str or type(limit) not in (int, float):
            raise ConfigError(f"{name!r}: {limit!r} is not a name and a number", option="thresholds")


def _check_containers(settings: Choices) -> None:
    """Raises ConfigError for a field that is not a tuple of what it has to hold."""
    for option in ("classes", "regions", "thresholds"):
        value = getattr(settings, option)
        if type(value) is not tuple:
            raise ConfigError(f"{value!r} is not a tuple", option=option)
        _refuse_many(option, option, len(value), MOST_CLASSES)
    for region in settings.regions:
        if type(region) is not Region or type(region.name) is not str or type(region.members) is not tuple:
            raise ConfigError(f"{region!r} is not a region", option="regions", expected='Region(name, ("a", "b"))')
        if any(type(member) is not str for member in region.members):
            raise ConfigError(f"{region!r} holds what is not a text", option="regions")
    for entry in settings.thresholds:
        if type(entry) is not tuple or len(entry) != 2:
            raise ConfigError(f"{entry!r} is not a name and a number", option="thresholds")
    names = [name for name, _ in settings.thresholds]
    _refuse_repeats(names, "has two thresholds", option="thresholds")


def _check_choices(settings: Choices) -> None:
    """Raises ConfigError for a choice that there is not, or for two options that exclude each other."""
    for option, value, choices in (
        ("activation", settings.activation, get_args(Activation)),
        ("empty", settings.empty, get_args(Empty)),
        ("prediction", settings.prediction, get_args(Prediction)),
        ("white_is_zero", settings.white_is_zero, get_args(WhiteIsZero)),
    ):
        if value not in choices:
            named = ", ".join(filter(None, choices))
            raise ConfigError(f"cannot be {value!r}", option=option, expected=f"one of {named}")
    if settings.prediction != "labels":
        return
    for option, given in (
        ("scale", settings.scale is not None),
        ("activation", settings.activation != "none"),
        ("normalized", not settings.normalized),
    ):
        if given:
            raise ConfigError(
                "is for probabilities, and the predictions are label maps", option=option, against="prediction"
            )


def _check_numbers(settings: Choices) -> None:
    """Raises ConfigError for a number out of range."""
    low, high = EPS_RANGE
    # Written so that NaN, with which every comparison is false, is refused as well.
    if not low <= settings.eps <= high:
        raise ConfigError(
            f"{settings.eps} is out of range",
            option="eps",
            expected=f"a number from {low:g} to {high:g}: for a smaller one, sums are not fine enough for the loss",
            hint="{option} 1e-05, the default",
        )
    for limit in (settings.threshold, *dict(settings.thresholds).values()):
        if not 0 <= limit < 1:
            raise ConfigError(f"{limit} is out of range", option="threshold", expected="0 ≤ threshold < 1")
    if settings.scale is not None and not 1 <= settings.scale <= MAX_LABEL:
        raise ConfigError(
            f"{settings.scale} is out of range",
            option="scale",
            expected="the stored integer that means 1, such as 255 or 65535",
        )
    for value in settings.ignore:
        if abs(value) > MAX_LABEL:
            raise ConfigError(f"{value} is out of range", option="ignore", expected="a 32-bit label")


def _check_classes(settings: Choices) -> None:
    """Raises ConfigError for classes that cannot be told apart, or that another option does not go with."""
    _check_combinations(settings)
    _check_options_of_classes(settings)
    classes = settings.classes
    names = [definition.name for definition in classes]
    # Of independent channels, either all find their pixels in the labels or none does.
    closed = [definition for definition in classes if definition.labels]
    if len(closed) < len(classes) and len(classes) > 1 and (closed or not settings.multilabel):
        raise ConfigError(
            "must give every class a label of its own", option="classes", hint="write NAME=VALUE for every class"
        )
    _refuse_repeats(names, "is the name of two classes")
    shared = shared_labels(classes)
    if shared and not settings.multilabel:
        label = min(shared)
        raise ConfigError(
            f"{settings.label_text(label)!r} is the label of two classes",
            option="classes",
            found=" and ".join(shared[label]),
            hint="give every class its own name and label",
        )
    check_regions(settings.regions, names)
    _refuse_many("classes", "labels", sum(len(definition.labels) for definition in classes), MOST_LABELS)
    _refuse_many("ignore", "labels", len(settings.ignore), MOST_LABELS)
    ignored = frozenset(settings.ignore)
    for definition in classes:
        _check_class(settings, definition, ignored)


def _check_combinations(settings: Choices) -> None:
    """Raises ConfigError for two options of which one makes the other meaningless."""
    for option, given in (
        ("regions", bool(settings.regions)),
        ("only", bool(settings.only)),
        ("normalized", not settings.normalized),
        ("background", not settings.background),
    ):
        if given and settings.multilabel:
            raise ConfigError("is for exclusive classes", option=option, against="multilabel")
    if settings.multilabel and settings.activation == "softmax":
        raise ConfigError("softmax makes exclusive classes of the channels", option="activation", against="multilabel")
    if settings.only:
        for option, given in (
            ("regions", bool(settings.regions)),
            ("background", not settings.background),
            ("prediction", settings.prediction == "labels"),
        ):
            if given:
                raise ConfigError("evaluates one class by its probability", option="only", against=option)
    if settings.foreground and settings.colors:
        raise ConfigError("is for numbers, and the classes are named by colour", option="foreground", against="classes")
    if settings.foreground:
        rule = foreground_of(settings.foreground)
        if left_out := sorted(set(rule.outside) & set(settings.ignore)):
            raise ConfigError(
                f"holds the label {left_out[0]}, which is ignored",
                option="foreground",
                hint=f"take {left_out[0]} out of one of the two",
            )


def _check_options_of_classes(settings: Choices) -> None:
    """Raises ConfigError for an option that does not go with so many classes."""
    count = len(settings.classes)
    names = [definition.name for definition in settings.classes]
    if count == 1:
        _check_options_of_one(settings)
    if count and settings.only and settings.only not in names:
        raise ConfigError(
            f"names {settings.only!r}, which is not a class", option="only", expected=f"one of {first(names)}"
        )
    known = frozenset(names)
    strange = [name for name, _ in settings.thresholds if count and name not in known]
    if strange:
        raise ConfigError(
            f"names {strange[0]!r}, which is not a class", option="threshold", expected=f"one of {first(names)}"
        )
    others = [name for name, _ in settings.thresholds if settings.only and name != settings.only]
    if others:
        raise ConfigError(
            f"is for {others[0]!r}, and only {settings.only!r} is evaluated", option="threshold", hint="leave it out"
        )
    by_itself = settings.decision == "threshold" or not count
    asked = settings.threshold != THRESHOLD or bool(settings.thresholds)
    if asked and settings.prediction == "labels":
        raise ConfigError(
            "is for probabilities, and the predictions are label maps", option="threshold", against="prediction"
        )
    if asked and not by_itself:
        raise ConfigError(
            "is for one channel or independent ones: of exclusive classes, the greatest probability decides",
            option="threshold",
            hint="leave it out; --only NAME is for one class by its own probability",
        )
    cut = settings.foreground and count > 1 and not settings.multilabel
    if cut or (settings.foreground and settings.multilabel and any(entry.labels for entry in settings.classes)):
        raise ConfigError(
            "is for a truth of one class, or of a channel for each class; here each class has labels",
            option="foreground",
            hint="leave it out",
        )


def _check_options_of_one(settings: Choices) -> None:
    """Raises ConfigError for an option that does not go with a single class."""
    if settings.activation == "softmax":
        raise ConfigError(
            "softmax makes 1 of every value of a single channel", option="activation", hint="{option} sigmoid"
        )
    for option, given in (
        ("background", not settings.background),
        ("only", bool(settings.only)),
        ("regions", bool(settings.regions)),
    ):
        if given:
            raise ConfigError(
                "has no place here: there is only one class",
                option=option,
                hint="leave it out, or name more classes",
            )
    own = settings.classes[0].labels
    if settings.foreground and own and own != foreground_of(settings.foreground).inside:
        raise ConfigError("says something else than the label of the class", option="foreground", against="classes")


def _check_class(settings: Choices, definition: ClassDef, ignored: frozenset[int]) -> None:
    """Raises ConfigError for one class that cannot be."""
    name = definition.name
    if not name:
        raise ConfigError("holds a class without a name", option="classes", expected="a name for each class")
    if definition.value == ():
        raise ConfigError(f"{name!r} has no label", option="classes", expected="a label, several, or None")
    for label in definition.labels:
        if settings.colors and not 0 <= label < 2**24:
            raise ConfigError(f"{name!r} has the label {label}, which is not a colour", option="classes")
        if abs(label) > MAX_LABEL:
            raise ConfigError(
                f"{name!r} has the label {label}, which is out of range", option="classes", expected="a 32-bit label"
            )
        if label in ignored:
            text = settings.label_text(label)
            raise ConfigError(
                f"{name!r} has the label {text}, which is ignored",
                option="classes",
                hint=f"take {text} out of the ignored labels, or give the class another label",
            )


def _refuse_many(option: str, what: str, count: int, most: int) -> None:
    if count > most:
        raise ConfigError(
            f"holds too many {what}",
            option=option,
            expected=f"at most {most}",
            found=f"{count}",
            hint="name only what is to be evaluated",
        )


def _refuse_repeats(items: list[str], what: str, option: str = "classes") -> None:
    seen = set()
    for item in items:
        if item in seen:
            raise ConfigError(f"{item!r} {what}", option=option, hint="give every class its own name and label")
        seen.add(item)


def foreground_label(settings: Choices) -> int | None:
    """The label that `Settings.foreground` names for a single class; ``None`` where it names none."""
    if not settings.foreground:
        return None
    return foreground_of(settings.foreground).label
