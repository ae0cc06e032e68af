"""How stored values become probabilities and decisions: everything that an engine has to know about a prediction."""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.records import Activation, Settings

WIDEST_QUANTIZED = 0.1
"""However many channels are stored in steps, their sum may not lie further from 1 than this."""

USUAL_EPS = 1e-5
"""The default ε, for which, and for every larger one, the grid of 2⁻⁶⁴ is fine enough for ordinary maps."""

LOSS_ERROR = 1e-12
"""How far the grid may take the loss from its definition where ε is smaller than usual."""

MOST_PIXELS = 2**50
"""Pixels of a run, of all images together, for which that holds: a quadrillion."""


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
        words: how many words of 32 bits a probability has in the sums; see `words_for`.
    """

    classes: int
    scale: int | None
    activation: Activation
    thresholds: tuple[float, ...]
    sum_tolerance: float | None
    top: float
    independent: bool = False
    regions: tuple[tuple[int, ...], ...] = ()
    words: int = 2

    @property
    def confuses(self) -> bool:
        """Whether each pixel is decided to be of exactly one of several classes."""
        return self.classes > 1 and not self.thresholds

    @property
    def grid(self) -> int:
        """How many units of the sums a pixel has."""
        return 1 << 32 * self.words


def words_for(eps: float) -> int:
    """How many words of 32 bits probabilities are added up in, for a loss with this ε.

    From `USUAL_EPS` on there are two, so p is rounded to the nearest multiple of 2⁻⁶⁴. For a smaller ε there are as
    many as the loss asks for. With g units a pixel, each p is off by 1/(2g) at most. In a class that is absent from
    the truth, only ln(Σp + ε) is off, by n/(2gε) at most. In one that is there, ln(2 Σp·y + ε) is off by Y/(gε) at
    most, and ln(Σp + Y + ε) by n/(2g), as Y ≥ 1. So for ε < 1 the loss of n pixels is off by less than 2n/(gε).
    """
    if eps >= USUAL_EPS:
        return 2
    numerator, denominator = eps.as_integer_ratio()
    words = 2
    while numerator << 32 * words < 2 * MOST_PIXELS * denominator * round(1 / LOSS_ERROR):
        words += 1
    return words


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
        # What a label map says of each class is 0 or 1, which any grid holds.
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
        words=words_for(settings.eps),
    )
