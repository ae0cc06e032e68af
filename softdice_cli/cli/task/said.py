"""What one source says of a task, before anybody knows what the others say: options, or a file beside them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from softdice_cli.records import Region


@dataclass(frozen=True, slots=True)
class Named:
    """A class as it was written.

    Attributes:
        name: the name.
        labels: its labels as texts, numbers or ``#rrggbb``; none where nothing was said of them.
    """

    name: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds as they were written: one for all classes, and single ones by name."""

    common: float | None
    own: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one source says; ``None`` is what it says nothing about.

    Attributes:
        classes: in the order of the channels.
        count: so many classes, which are named by their numbers.
        regions: their members as texts: names of classes, or labels.
        ignore: labels as texts.
        foreground: as `Settings.foreground`.
        multilabel: whether channels are independent.
        limits: the thresholds.
        only: the one class that is evaluated.
        white_is_zero: as `Settings.white_is_zero`.
        roi: a file, folder or pattern, as seen from the working directory.
    """

    classes: tuple[Named, ...] | None = None
    count: int | None = None
    regions: tuple[Region, ...] | None = None
    ignore: tuple[str, ...] | None = None
    foreground: str | None = None
    multilabel: bool | None = None
    limits: Limits | None = None
    only: str | None = None
    white_is_zero: str | None = None
    roi: str | None = None

    @property
    def given(self) -> set[str]:
        """The fields about which something is said."""
        return {field.name for field in fields(self) if getattr(self, field.name) is not None}

    def over(self, below: Said) -> Said:
        """What holds where both speak: of each kind, what this source says takes the place of the other's."""
        merged = {}
        for field in fields(self):
            own = getattr(self, field.name)
            merged[field.name] = getattr(below, field.name) if own is None else own
        return Said(**merged)
