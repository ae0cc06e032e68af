"""What a number means: the classes, the options that change a score, and the signature that names them all."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Literal, get_args

from softdice_cli.errors import ConfigError, LabelError, ShapeError

Activation = Literal["none", "softmax", "sigmoid"]
Empty = Literal["skip", "one", "zero"]
Prediction = Literal["probabilities", "labels"]

# Version of the definitions behind the scores. It changes only when the same files would give
# another number.
DEFINITIONS = 1

MAX_LABEL = 2**31 - 1

# The signature names so many labels; of more of them it holds a digest.
_SHOWN_LABELS = 8
_THRESHOLD = 0.5
_YES_OR_NO = {True: "yes", False: "no"}
EPS_RANGE = (1e-100, 1e6)


@dataclass(frozen=True, slots=True)
class ClassDef:
    """One class.

    Attributes:
        name: as shown in every output.
        value: the label that stands for it in the masks; ``None`` means "any non-zero label" and is
            only possible for the single class of a one-channel map.
    """

    name: str
    value: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can change a score, and nothing else.

    Attributes:
        classes: in the order of the channels; empty until the first prediction says how many there
            are.
        ignore: labels whose pixels are left out of every sum and count.
        colors: labels are colours, held as ``0xRRGGBB``.
        prediction: whether predictions are probabilities or label maps.
        scale: the stored integer that stands for probability 1, or ``None``.
        activation: what turns the stored values into probabilities.
        normalized: several channels must sum to 1.
        eps: the ε of the soft Dice, in pixels.
        threshold: one channel is foreground where p is greater.
        empty: what a score of 0/0 counts as.
        background: class 0 takes part in the means.

    Raises:
        ConfigError: a value out of range, or two that exclude each other.
    """

    classes: tuple[ClassDef, ...] = ()
    ignore: tuple[int, ...] = ()
    colors: bool = False
    prediction: Prediction = "probabilities"
    scale: int | None = None
    activation: Activation = "none"
    normalized: bool = True
    eps: float = 1e-5
    threshold: float = _THRESHOLD
    empty: Empty = "skip"
    background: bool = True

    def __post_init__(self) -> None:
        _check_types(self)
        object.__setattr__(self, "ignore", tuple(sorted(set(self.ignore))))
        _check_choices(self)
        _check_numbers(self)
        _check_classes(self)

    @property
    def scored(self) -> tuple[int, ...]:
        """Indices of the classes that are shown and averaged."""
        return tuple(range(0 if self.background else 1, len(self.classes)))

    @property
    def signature(self) -> str:
        """How the numbers were made, in one line: equal signatures mean comparable numbers."""
        parts = {"softdice": str(DEFINITIONS), "classes": str(len(self.classes) or "?")}
        labels = _labels(self)
        if labels:
            parts["labels"] = labels
        parts["pred"] = _source(self)
        parts["decision"] = _decision(self)
        parts["eps"] = repr(self.eps)
        parts["empty"] = self.empty
        parts["background"] = _YES_OR_NO[self.background]
        parts["ignore"] = "+".join(map(self.label_text, self.ignore)) or "none"
        return "|".join(f"{key}:{value}" for key, value in parts.items())

    def label_text(self, value: int) -> str:
        """A label as the user writes it: a number, or ``#rrggbb`` where labels are colours."""
        if self.colors:
            return f"#{value:06x}"
        return str(value)

    def resolve(self, channels: int, *, path: str) -> Settings:
        """Settings with the classes of a prediction of so many channels.

        Args:
            channels: how many classes the prediction has.
            path: the prediction, for the message.

        Raises:
            ShapeError: the classes were named, and there are more or fewer than channels.
        """
        if not self.classes:
            try:
                return _of_channels(self, channels)
            except LabelError as error:
                raise LabelError(
                    error.problem, path=path, expected=error.expected, found=error.found, hint=error.hint
                ) from error
            except ConfigError as error:
                # An option that does not go with this prediction.
                raise ShapeError(
                    error.problem, option=error.option, path=path, found=_channels(channels), hint=error.hint
                ) from error
        if len(self.classes) == channels:
            return self
        named = "1 class"
        if len(self.classes) > 1:
            named = f"{len(self.classes)} classes"
        hint = f"name all {channels} classes in the order of the channels"
        if channels == 1:
            hint = "name one class for a one-channel map, e.g. --class foreground"
        raise ShapeError(
            f"the map has {_channels(channels)}, and the settings hold {named}",
            path=path,
            expected=f"{_channels(len(self.classes))}: {', '.join(c.name for c in self.classes[:12])}",
            found=_channels(channels),
            hint=hint,
        )


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


@functools.lru_cache(maxsize=16)
def _of_channels(settings: Settings, channels: int) -> Settings:
    """The settings with so many classes, named by their places; made once for all predictions."""
    if channels == 1:
        return replace(settings, classes=(ClassDef("foreground", None),))
    names = tuple(ClassDef(str(index), index) for index in range(channels))
    if taken := sorted(set(settings.ignore) & set(range(channels))):
        raise LabelError(
            f"{taken[0]} is ignored, and it is the label of class {taken[0]}",
            expected=f"labels outside 0 to {channels - 1}, since the map has {_channels(channels)}",
            found=f"{taken[0]} among the ignored labels",
            hint="give each class its label with --class NAME=VALUE, in the order of the channels",
        )
    return replace(settings, classes=names)


def _labels(settings: Settings) -> str:
    """The labels of the classes for the signature, or a digest of many; nothing where they are the places."""
    values = [c.value for c in settings.classes]
    if values in ([None], list(range(len(values)))):
        return ""
    text = "+".join(settings.label_text(value) for value in values if value is not None)
    if len(values) <= _SHOWN_LABELS:
        return text
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _decision(settings: Settings) -> str:
    """How a pixel got its class, for the signature."""
    if settings.prediction == "labels":
        return "given"
    if len(settings.classes) == 1:
        return f"p>{settings.threshold!r}"
    return "argmax"


def _source(settings: Settings) -> str:
    """How stored values became probabilities, for the signature."""
    if settings.prediction == "labels":
        return "labels"
    text = "p"
    if settings.scale is not None:
        text += f"/{settings.scale}"
    if settings.activation != "none":
        text += f"+{settings.activation}"
    # A single channel, and what comes out of a softmax, is never asked whether it sums to 1.
    asked = len(settings.classes) != 1 and settings.activation != "softmax"
    if asked and not settings.normalized:
        text += "+unnormalized"
    return text


def _check_types(settings: Settings) -> None:
    """Raises ConfigError for what a call from Python can get wrong before any range does."""
    for definition in settings.classes:
        named = type(definition) is ClassDef and type(definition.name) is str
        # By type and not by isinstance, because True would pass for the label 1.
        if not named or type(definition.value) not in (int, type(None)):
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


def _check_choices(settings: Settings) -> None:
    """Raises ConfigError for a choice that there is not, or for two options that exclude each other."""
    for option, value, choices in (
        ("activation", settings.activation, get_args(Activation)),
        ("empty", settings.empty, get_args(Empty)),
        ("prediction", settings.prediction, get_args(Prediction)),
    ):
        if value not in choices:
            raise ConfigError(f"cannot be {value!r}", option=option, expected=f"one of {', '.join(choices)}")
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


def _check_numbers(settings: Settings) -> None:
    """Raises ConfigError for a number out of range."""
    low, high = EPS_RANGE
    # Written so that NaN, with which every comparison is false, is refused as well.
    if not low <= settings.eps <= high:
        raise ConfigError(
            f"{settings.eps} is out of range", option="eps", expected=f"a number from {low:g} to {high:g}"
        )
    if not 0 <= settings.threshold < 1:
        raise ConfigError(f"{settings.threshold} is out of range", option="threshold", expected="0 ≤ threshold < 1")
    if settings.scale is not None and not 1 <= settings.scale <= MAX_LABEL:
        raise ConfigError(
            f"{settings.scale} is out of range",
            option="scale",
            expected="the stored integer that means 1, such as 255 or 65535",
        )
    for value in settings.ignore:
        if abs(value) > MAX_LABEL:
            raise ConfigError(f"{value} is out of range", option="ignore", expected="a 32-bit label")


def _check_classes(settings: Settings) -> None:
    """Raises ConfigError for classes that cannot be told apart, or that another option does not go with."""
    _check_options_of_classes(settings)
    classes = settings.classes
    labels = [c.value for c in classes if c.value is not None]
    if len(labels) < len(classes) and len(classes) > 1:
        raise ConfigError(
            "must give every class a label of its own", option="classes", hint="write NAME=VALUE for every class"
        )
    _refuse_repeats([c.name for c in classes], "is the name of two classes")
    _refuse_repeats(list(map(settings.label_text, labels)), "is the label of two classes")
    for definition in classes:
        _check_class(settings, definition)


def _check_options_of_classes(settings: Settings) -> None:
    """Raises ConfigError for an option that does not go with so many classes."""
    count = len(settings.classes)
    if count == 1 and settings.activation == "softmax":
        raise ConfigError(
            "softmax makes 1 of every value of a single channel", option="activation", hint="{option} sigmoid"
        )
    if count == 1 and not settings.background:
        raise ConfigError(
            "has no place here: there is only one class", option="background", hint="leave it out, or name more classes"
        )
    decided = count > 1 or settings.prediction == "labels"
    if decided and settings.threshold != _THRESHOLD:
        raise ConfigError(
            "is for one channel: several are decided by the greatest, and a label map is decided already",
            option="threshold",
            hint="leave it out",
        )


def _check_class(settings: Settings, definition: ClassDef) -> None:
    """Raises ConfigError for one class that cannot be."""
    name, value = definition.name, definition.value
    if not name:
        raise ConfigError("holds a class without a name", option="classes", expected="a name for each class")
    if value is None:
        return
    if abs(value) > MAX_LABEL:
        raise ConfigError(
            f"{name!r} has the label {value}, which is out of range", option="classes", expected="a 32-bit label"
        )
    if value in settings.ignore:
        text = settings.label_text(value)
        raise ConfigError(
            f"{name!r} has the label {text}, which is ignored",
            option="classes",
            hint=f"take {text} out of the ignored labels, or give the class another label",
        )


def _refuse_repeats(items: list[str], what: str) -> None:
    seen = set()
    for item in items:
        if item in seen:
            raise ConfigError(f"{item!r} {what}", option="classes", hint="give every class its own name and label")
        seen.add(item)
