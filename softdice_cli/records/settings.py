"""What a number means: the classes, the options that change a score, and the signature that names them all."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Literal, get_args

from softdice_cli.errors import ConfigError, LabelError, ShapeError
from softdice_cli.records.classes import (
    MAX_LABEL,
    ClassDef,
    Region,
    canonical,
    check_regions,
    foreground_of,
    resolved_regions,
    shared_labels,
)

Activation = Literal["none", "softmax", "sigmoid"]
Empty = Literal["skip", "one", "zero"]
Prediction = Literal["probabilities", "labels"]
Decision = Literal["given", "argmax", "threshold"]
WhiteIsZero = Literal["", "stored", "inverted"]

# Version of the definitions behind the scores. It changes only when the same files would give
# another number.
DEFINITIONS = 1

# The signature names so many labels; of more of them it holds a digest.
_SHOWN_LABELS = 8
_THRESHOLD = 0.5
_YES_OR_NO = {True: "yes", False: "no"}
EPS_RANGE = (1e-100, 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can change a score, and nothing else.

    Attributes:
        classes: in the order of the channels; empty until the first prediction says how many there
            are.
        regions: several classes taken as one; their rows stand beside the classes.
        ignore: labels whose pixels are left out of every sum and count.
        foreground: which stored values of the truth are foreground, where a single class or each
            channel of the truth is cut out of them: ``nonzero``, a label, labels against those of
            the background besides 0 such as ``1vs2+3``, or a cut such as ``>127``; empty for the
            label of the class, or the only one that is there.
        multilabel: the channels are independent: a pixel can be of several classes, or of none.
        only: the one class that is evaluated against the rest by its own probability, or empty.
        white_is_zero: what labels of a TIFF mean that says white is 0: the numbers as they are
            stored, or inverted as a viewer shows them; empty refuses such files.
        roi: pixels outside a region of interest are left out as ignored ones are.
        colors: labels are colours, held as ``0xRRGGBB``.
        prediction: whether predictions are probabilities or label maps.
        scale: the stored integer that stands for probability 1, or ``None``.
        activation: what turns the stored values into probabilities.
        normalized: several channels must sum to 1.
        eps: the ε of the soft Dice, in pixels.
        threshold: where one class is decided by itself, it is there where p is greater.
        thresholds: thresholds of single classes by name, in the place of the common one.
        empty: what a score of 0/0 counts as.
        background: class 0 takes part in the means.

    Raises:
        ConfigError: a value out of range, or two that exclude each other.
    """

    classes: tuple[ClassDef, ...] = ()
    regions: tuple[Region, ...] = ()
    ignore: tuple[int, ...] = ()
    foreground: str = ""
    multilabel: bool = False
    only: str = ""
    white_is_zero: WhiteIsZero = ""
    roi: bool = False
    colors: bool = False
    prediction: Prediction = "probabilities"
    scale: int | None = None
    activation: Activation = "none"
    normalized: bool = True
    eps: float = 1e-5
    threshold: float = _THRESHOLD
    thresholds: tuple[tuple[str, float], ...] = ()
    empty: Empty = "skip"
    background: bool = True

    def __post_init__(self) -> None:
        _check_types(self)
        object.__setattr__(self, "ignore", tuple(sorted(set(self.ignore))))
        if self.foreground:
            object.__setattr__(self, "foreground", canonical(self.foreground))
        _check_choices(self)
        _check_numbers(self)
        _check_classes(self)
        if self.foreground and foreground_of(self.foreground).outside:
            # The labels of the class stand there, and one meaning has one signature.
            object.__setattr__(self, "classes", tuple(replace(entry, value=None) for entry in self.classes))
        if self.classes:
            object.__setattr__(self, "regions", resolved_regions(self.regions, self.classes))
            object.__setattr__(self, "thresholds", _ordered_thresholds(self))

    @property
    def scored(self) -> tuple[int, ...]:
        """Indices of the classes that are shown and averaged."""
        if self.only and self.classes:
            return (self._place(self.only),)
        return tuple(range(0 if self.background else 1, len(self.classes)))

    @property
    def decision(self) -> Decision:
        """How a pixel gets its class: it has it, the greatest probability, or each probability by itself."""
        if self.prediction == "labels":
            return "given"
        if len(self.classes) == 1 or self.multilabel or self.only:
            return "threshold"
        return "argmax"

    @property
    def exclusive(self) -> bool:
        """Whether each pixel gets exactly one of several classes, so that there is a confusion matrix."""
        return len(self.classes) > 1 and not self.multilabel and self.decision != "threshold"

    @property
    def together(self) -> tuple[int, ...]:
        """Indices of the classes that a metric of all classes together is of; none where a pixel can have several."""
        if self.only:
            return self.scored
        if self.multilabel and len(self.classes) > 1:
            return ()
        return tuple(range(len(self.classes)))

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """For each region the indices of its classes."""
        return tuple(tuple(map(self._place, region.members)) for region in self.regions)

    @property
    def limits(self) -> tuple[float, ...]:
        """The threshold of each class."""
        own = dict(self.thresholds)
        return tuple(own.get(definition.name, self.threshold) for definition in self.classes)

    def _place(self, name: str) -> int:
        return [definition.name for definition in self.classes].index(name)

    @property
    def signature(self) -> str:
        """How the numbers were made, in one line: equal signatures mean comparable numbers."""
        parts = {"softdice": str(DEFINITIONS), "classes": str(len(self.classes) or "?")}
        # A part that is not there says that the option is not used.
        parts |= _meaning(self)
        parts["pred"] = _source(self)
        parts["decision"] = _decision(self)
        parts["eps"] = repr(self.eps)
        parts["empty"] = self.empty
        parts["background"] = _YES_OR_NO[self.background]
        parts["ignore"] = "+".join(map(self.label_text, self.ignore)) or "none"
        return "|".join(f"{key}:{value}" for key, value in parts.items())

    def with_label(self, label: int | None) -> Settings:
        """The settings with the label that the only class, or each channel of the truth, has in this run."""
        if label is None or self.foreground or not self.is_open:
            return self
        if self.multilabel:
            return replace(self, foreground=str(label))
        return replace(self, classes=(replace(self.classes[0], value=label),))

    @property
    def label(self) -> int | None:
        """The one label that is foreground in this run; ``None`` where it is open, or where there are several."""
        if self.multilabel:
            return foreground_label(self)
        if len(self.classes) == 1 and len(self.classes[0].labels) == 1:
            return self.classes[0].labels[0]
        return None

    @property
    def is_open(self) -> bool:
        """Whether the label of what is foreground has to be found in the masks."""
        if self.foreground or not self.classes:
            return False
        return all(definition.value is None for definition in self.classes)

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
            hint = "--pred-labels, if this is a label map; or name one class for a one-channel map: --class foreground"
        raise ShapeError(
            f"the map has {_channels(channels)}, and the settings hold {named}",
            path=path,
            expected=f"{_channels(len(self.classes))}: {', '.join(c.name for c in self.classes[:12])}",
            found=_channels(channels),
            hint=hint,
        )


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def aligned(mine: Settings, theirs: Settings) -> tuple[Settings, Settings]:
    """Two settings, of which one may know the label of the foreground that the other leaves open.

    Masks without any foreground leave it open, and so do files of softdice 0.1.0, which did not note it.
    """
    if mine.colors != theirs.colors or _names(mine) != _names(theirs):
        return mine, theirs
    return mine.with_label(theirs.label), theirs.with_label(mine.label)


def _names(settings: Settings) -> list[str]:
    return [definition.name for definition in settings.classes]


@functools.lru_cache(maxsize=16)
def _of_channels(settings: Settings, channels: int) -> Settings:
    """The settings with so many classes, named by their places; made once for all predictions."""
    if channels == 1:
        return replace(settings, classes=(ClassDef("foreground", foreground_label(settings)),))
    if settings.multilabel:
        return replace(settings, classes=tuple(ClassDef(str(index), None) for index in range(channels)))
    names = tuple(ClassDef(str(index), index) for index in range(channels))
    if taken := sorted(set(settings.ignore) & set(range(channels))):
        raise LabelError(
            f"{taken[0]} is ignored, and it is the label of class {taken[0]}",
            expected=f"labels outside 0 to {channels - 1}, since the map has {_channels(channels)}",
            found=f"{taken[0]} among the ignored labels",
            hint="give each class its label with --class NAME=VALUE, in the order of the channels",
        )
    return replace(settings, classes=names)


def foreground_label(settings: Settings) -> int | None:
    """The label that `Settings.foreground` names for a single class; ``None`` where it names none."""
    if not settings.foreground:
        return None
    return foreground_of(settings.foreground).label


def _meaning(settings: Settings) -> dict[str, str]:
    """What labels, classes and pixels mean, for the signature; what is usual is left out."""
    # A label of a single class is a label of the class, however it was given.
    is_label = len(settings.classes) == 1 and settings.foreground.lstrip("+-").isdecimal()
    regions = ";".join(f"{region.name}={'+'.join(region.members)}" for region in settings.regions)
    said = {
        "labels": _labels(settings),
        "foreground": "" if is_label else settings.foreground,
        "regions": regions,
        "multilabel": "yes" if settings.multilabel else "",
        "only": settings.only,
        "white": settings.white_is_zero,
        "roi": "yes" if settings.roi else "",
    }
    return {name: text for name, text in said.items() if text}


def _labels(settings: Settings) -> str:
    """The labels of the classes for the signature, or a digest of many; nothing where they are the places."""
    values = [definition.value for definition in settings.classes]
    places = list(range(len(values)))
    # The label of a single class is not its place, whatever it is.
    if not any(definition.labels for definition in settings.classes) or (values == places and len(values) > 1):
        return ""
    text = "+".join("/".join(map(settings.label_text, definition.labels)) for definition in settings.classes)
    if len(values) <= _SHOWN_LABELS:
        return text
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _ordered_thresholds(settings: Settings) -> tuple[tuple[str, float], ...]:
    """The thresholds of single classes, in the order of the channels, without those that say what holds anyway."""
    own = dict(settings.thresholds)
    ordered = [(definition.name, own[definition.name]) for definition in settings.classes if definition.name in own]
    return tuple((name, limit) for name, limit in ordered if limit != settings.threshold)


def _decision(settings: Settings) -> str:
    """How a pixel got its class, for the signature."""
    if settings.decision != "threshold":
        return settings.decision
    own = [f"{name}>{limit!r}" for name, limit in settings.thresholds]
    return ",".join([f"p>{settings.threshold!r}", *own])


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
    asked = len(settings.classes) != 1 and settings.activation != "softmax" and not settings.multilabel
    if asked and not settings.normalized:
        text += "+unnormalized"
    return text


def _check_types(settings: Settings) -> None:
    """Raises ConfigError for what a call from Python can get wrong before any range does."""
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
    for name, limit in settings.thresholds:
        if type(name) is not str or type(limit) not in (int, float):
            raise ConfigError(f"{name!r}: {limit!r} is not a name and a number", option="thresholds")


def _check_choices(settings: Settings) -> None:
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


def _check_numbers(settings: Settings) -> None:
    """Raises ConfigError for a number out of range."""
    low, high = EPS_RANGE
    # Written so that NaN, with which every comparison is false, is refused as well.
    if not low <= settings.eps <= high:
        raise ConfigError(
            f"{settings.eps} is out of range", option="eps", expected=f"a number from {low:g} to {high:g}"
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


def _check_classes(settings: Settings) -> None:
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
    for definition in classes:
        _check_class(settings, definition)


def _check_combinations(settings: Settings) -> None:
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


def _check_options_of_classes(settings: Settings) -> None:
    """Raises ConfigError for an option that does not go with so many classes."""
    count = len(settings.classes)
    names = [definition.name for definition in settings.classes]
    if count == 1:
        _check_options_of_one(settings)
    if count and settings.only and settings.only not in names:
        raise ConfigError(f"there is no class {settings.only!r}", option="only", expected=f"one of {', '.join(names)}")
    strange = [name for name, _ in settings.thresholds if count and name not in names]
    if strange:
        raise ConfigError(
            f"there is no class {strange[0]!r}", option="threshold", expected=f"one of {', '.join(names)}"
        )
    by_itself = settings.decision == "threshold" or not count
    asked = settings.threshold != _THRESHOLD or bool(settings.thresholds)
    if asked and (not by_itself or settings.prediction == "labels"):
        raise ConfigError(
            "is for one channel or --multilabel: exclusive classes are decided by the greatest, "
            "and a label map is decided already",
            option="threshold",
            hint="leave it out; or --only NAME, for one of several exclusive classes by its own probability",
        )
    cut = settings.foreground and count > 1 and not settings.multilabel
    if cut or (settings.foreground and settings.multilabel and any(entry.labels for entry in settings.classes)):
        raise ConfigError(
            "is for a truth of one class, or of a channel for each class; here each class has labels",
            option="foreground",
            against="classes",
        )


def _check_options_of_one(settings: Settings) -> None:
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


def _check_class(settings: Settings, definition: ClassDef) -> None:
    """Raises ConfigError for one class that cannot be."""
    name = definition.name
    if not name:
        raise ConfigError("holds a class without a name", option="classes", expected="a name for each class")
    for label in definition.labels:
        if abs(label) > MAX_LABEL:
            raise ConfigError(
                f"{name!r} has the label {label}, which is out of range", option="classes", expected="a 32-bit label"
            )
        if label in settings.ignore:
            text = settings.label_text(label)
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
