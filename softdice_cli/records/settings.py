"""What a number means: the classes, the options that change a score, and the signature that names them all."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from softdice_cli.errors import ConfigError, LabelError, ShapeError
from softdice_cli.records.checks import check, check_types, foreground_label
from softdice_cli.records.choices import Choices
from softdice_cli.records.classes import (
    MOST_CLASSES,
    ClassDef,
    canonical,
    foreground_of,
    resolved_regions,
)
from softdice_cli.records.signature import signature_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Choices):
    """Everything that can change a score, and nothing else; see `Choices` for the fields.

    Raises:
        ConfigError: a value out of range, or two that exclude each other.
    """

    def __post_init__(self) -> None:
        check_types(self)
        object.__setattr__(self, "ignore", tuple(sorted(set(self.ignore))))
        if self.foreground:
            object.__setattr__(self, "foreground", canonical(self.foreground))
        check(self)
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
    def has_foreground(self) -> bool:
        """Whether there is a background beside other scored classes, so that a mean without it says something."""
        return self.background and not self.multilabel and len(self.scored) > 1

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """For each region the indices of its classes."""
        places = {definition.name: place for place, definition in enumerate(self.classes)}
        return tuple(tuple(places[name] for name in region.members) for region in self.regions)

    def _place(self, name: str) -> int:
        return [definition.name for definition in self.classes].index(name)

    @property
    def signature(self) -> str:
        """How the numbers were made, in one line: equal signatures mean comparable numbers."""
        return signature_of(self)

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

    def resolve(self, channels: int, *, path: str) -> Settings:
        """Settings with the classes of a prediction of so many channels.

        Args:
            channels: how many classes the prediction has.
            path: the prediction, for the message.

        Raises:
            ShapeError: the classes were named, and there are more or fewer than channels; or there
                are more channels than classes can be.
        """
        if channels > MOST_CLASSES:
            raise ShapeError(
                f"the map has {_channels(channels)}, and each of them would be a class",
                path=path,
                expected=f"at most {MOST_CLASSES} channels",
                found=_channels(channels),
                hint="--layout, if the classes lie on another axis",
            )
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
                    error.problem,
                    option=error.option,
                    against=error.against,
                    path=path,
                    expected=error.expected,
                    found=_channels(channels),
                    hint=error.hint,
                ) from error
        if len(self.classes) == channels:
            return self
        raise self._of_other_channels(channels, path)

    def _of_other_channels(self, channels: int, path: str) -> ShapeError:
        """The error of a prediction whose channels are not as many as the named classes."""
        named = "1 class"
        if len(self.classes) > 1:
            named = f"{len(self.classes)} classes"
        hint = f"name all {channels} classes in the order of the channels"
        if channels == 1:
            hint = "--pred-labels, if this is a label map; or name one class for a one-channel map: --class foreground"
        return ShapeError(
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


def _ordered_thresholds(settings: Settings) -> tuple[tuple[str, float], ...]:
    """The thresholds of single classes, in the order of the channels, without those that say what holds anyway."""
    own = dict(settings.thresholds)
    ordered = [(definition.name, own[definition.name]) for definition in settings.classes if definition.name in own]
    return tuple((name, limit) for name, limit in ordered if limit != settings.threshold)
