"""The options that change a score, and what follows from them without any other room: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softdice_cli.records.classes import ClassDef, Region

Activation = Literal["none", "softmax", "sigmoid"]
Empty = Literal["skip", "one", "zero"]
Prediction = Literal["probabilities", "labels"]
Decision = Literal["given", "argmax", "threshold"]
WhiteIsZero = Literal["", "stored", "inverted"]

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options that change a score, as plain fields.

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
    threshold: float = THRESHOLD
    thresholds: tuple[tuple[str, float], ...] = ()
    empty: Empty = "skip"
    background: bool = True

    @property
    def decision(self) -> Decision:
        """How a pixel gets its class: it has it, the greatest probability, or each probability by itself."""
        if self.prediction == "labels":
            return "given"
        if len(self.classes) == 1 or self.multilabel or self.only:
            return "threshold"
        return "argmax"

    @property
    def limits(self) -> tuple[float, ...]:
        """The threshold of each class."""
        own = dict(self.thresholds)
        return tuple(own.get(definition.name, self.threshold) for definition in self.classes)

    def label_text(self, value: int) -> str:
        """A label as the user writes it: a number, or ``#rrggbb`` where labels are colours."""
        if self.colors:
            return f"#{value:06x}"
        return str(value)

    @property
    def is_open(self) -> bool:
        """Whether the label of what is foreground has to be found in the masks."""
        if self.foreground or not self.classes:
            return False
        return all(definition.value is None for definition in self.classes)
