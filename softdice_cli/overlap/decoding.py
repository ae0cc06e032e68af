"""How stored values become probabilities and decisions: everything that an engine has to know about a prediction."""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.records import Activation, Settings

WIDEST_QUANTIZED = 0.1
"""However many channels are stored in steps, their sum may not lie further from 1 than this."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How stored values become probabilities and decisions.

    Attributes:
        classes: how many channels there are.
        scale: the stored integer that means 1, or ``None``.
        activation: softmax over the channels, sigmoid, or none.
        thresholds: for each channel, it is decided for where p is greater; empty where the
            greatest of exclusive channels is decided for.
        sum_tolerance: how far the sum over several channels may lie from 1, or ``None`` if the sum
            does not matter. Before a softmax: how near to 1 it has to be for the values to be
            probabilities already.
        top: the greatest probability that passes, which is 1 and the rounding of the stored type.
        independent: the channels are independent, and each has labels of its own.
        regions: the channels of each region.
    """

    classes: int
    scale: int | None
    activation: Activation
    thresholds: tuple[float, ...]
    sum_tolerance: float | None
    top: float
    independent: bool = False
    regions: tuple[tuple[int, ...], ...] = ()

    @property
    def confuses(self) -> bool:
        """Whether each pixel is decided to be of exactly one of several classes."""
        return self.classes > 1 and not self.thresholds


def tolerance(epsilon: float) -> float:
    """How far sums of probabilities may lie from 1: four units of rounding (half an epsilon), and 0.001 at least.

    That is 0.001 for float32 and float64, 0.002 for float16 and 0.016 for bfloat16. Rounding
    passes; another scale or logits do not.
    """
    return max(1e-3, 2 * epsilon)


def decoding_for(settings: Settings, epsilon: float) -> Decoding:
    """The decoding that the settings mean for values stored with this rounding.

    Args:
        settings: with the classes resolved.
        epsilon: spacing above 1 of the stored float type; for integers with a scale, the size of
            one step.
    """
    classes = len(settings.classes)
    if settings.multilabel and settings.prediction == "labels":
        # What a label map says of each class is 0 or 1.
        return Decoding(classes, 1, "none", (0.5,) * classes, None, 1.0, independent=True)
    exclusive = classes > 1 and not settings.multilabel
    sums_matter = exclusive and (settings.normalized or settings.activation == "softmax")
    if settings.scale is None:
        widest = tolerance(epsilon)
        top = 1 + max(1e-6, epsilon)
    else:
        # Each channel may be off by a step, rounded or cut off.
        widest = min(classes * epsilon + 1e-6, WIDEST_QUANTIZED)
        top = 1.0
    return Decoding(
        classes=classes,
        scale=settings.scale,
        activation=settings.activation,
        thresholds=settings.limits if settings.decision == "threshold" else (),
        sum_tolerance=widest if sums_matter else None,
        top=top,
        independent=settings.multilabel,
        regions=settings.members,
    )
