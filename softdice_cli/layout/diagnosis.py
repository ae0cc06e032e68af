"""Shapes that fit in no way, or in several → the error that a person needs at that moment.

What to do is drawn from the shapes of one pair here, and from those of all pairs by whoever gathers the failures: where
an order of axes fits one pair by chance, another pair mostly rules it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import permutations

from softdice_cli.errors import LayoutError
from softdice_cli.layout.fits import fits
from softdice_cli.layout.shapes import Layout, Shape

Test = Callable[[Shape, Shape], object]

# Pairs of shapes that are looked at together; a set has few sizes, or so many that more of them tell nothing new.
_MOST_PAIRS = 64

# Orders of axes that a hint lists.
_LISTED = 4

_SIZE = "bring the prediction to the size of the mask before you save it: softdice never resizes, crops or pads"

_SAMPLES = (
    "save mask[..., 0], if the channels of the mask are equal; save colours as a picture (.png), "
    "as an array does not say which channel is red"
)


def named(mask: Shape, path: str) -> str:
    """The mask and its shape, for a message."""
    if not path:
        return f"mask {mask}"
    return f"mask {path} {mask}"


def ambiguous(readings: list[Layout], mask: Shape, path: str, mask_path: str) -> LayoutError:
    """The error for shapes that fit in several ways."""
    # A dropped axis is named as a batch, so that what is proposed can be given as a layout.
    names = []
    for fit in readings:
        names.append(fit.letters.replace("1", "" if "B" in fit.letters else "B"))
    return LayoutError(
        "the axes can be read in more than one way",
        path=path,
        expected="a shape that fits the mask in one way only",
        found=f"prediction {readings[0].shape} and {named(mask, mask_path)}, which fit {' and '.join(names)}",
        hint=" or ".join(f"--layout {name}" for name in names),
    )


def expected(mask: Shape, layout: str, labels: bool) -> str:
    """The shapes that would fit the mask."""
    inside = ", ".join(map(str, mask))
    if layout:
        return f"a prediction laid out as {layout} over the mask"
    if labels:
        return f"a label map ({inside}), like the mask"
    shapes = [f"(C, {inside})", f"({inside}, C)"]
    if len(mask) > 2:
        shapes.append(f"({mask[0]}, C, {', '.join(map(str, mask[1:]))})")
    return f"{', '.join(shapes)}, or ({inside}) for one channel"


@dataclass(frozen=True, slots=True)
class ShapesSeen:
    """Shapes of one pair, or of several, that fit in no way; see `errors.Evidence`.

    Attributes:
        pairs: prediction and mask of each.
        layout: letters that the user gave, or ``""``.
        labels: the predictions are label maps.
    """

    pairs: frozenset[tuple[Shape, Shape]]
    layout: str
    labels: bool

    @property
    def kind(self) -> object:
        """Equal for what is wrong in the same way."""
        return self.problem

    def joined(self, other: ShapesSeen) -> ShapesSeen:
        """What both show together."""
        if len(self.pairs) >= _MOST_PAIRS:
            return self
        return replace(self, pairs=self.pairs | other.pairs)

    @property
    def problem(self) -> str:
        """Why nothing fits; the most telling reason first."""
        return self._reason()[0]

    def hint(self) -> str:
        """What to do about it."""
        return self._reason()[1]

    def _reason(self) -> tuple[str, str]:
        problem = "the prediction does not fit the mask"
        if self.layout and self._all(lambda prediction, mask: fits(prediction, mask, self.labels)):
            return problem, "leave out --layout"
        if self.labels and self._all(lambda prediction, mask: fits(prediction, mask, False)):
            return (
                problem,
                "leave out --pred-labels, if one axis numbers the classes; --scale 1 besides, if it is one-hot",
            )
        if not self.labels and self._all(_are_swapped):
            return "has the shape of a mask, and the mask that of a prediction", "; ".join(self._swapped())
        if self._all(lambda prediction, mask: list(_orders_of(prediction, mask, self.labels))):
            return "the mask has its axes in another order than the prediction", self._or_samples(
                _turned(self._orders())
            )
        if not self.labels and self._all(_is_batch_of_one_mask):
            return "the prediction holds several images, and the mask is of one", self._batch()
        if not self.labels and self._all(_lacks_background):
            return "the mask has an axis of classes, one fewer than the prediction", self._or_samples(
                self._background()
            )
        if self._has_samples:
            return "the mask has three or four values in each pixel", _SAMPLES
        if not self.labels and self._all(lambda prediction, mask: prediction == mask):
            return "the mask has as many axes as the prediction", self._classes()
        if not self.labels and self._all(_is_lines):
            return (
                f"{problem}, unless as lines of pixels",
                "move the axis of the classes to the front; --layout BCW, for lines",
            )
        return problem, _SIZE

    def _all(self, test: Test) -> bool:
        return all(test(prediction, mask) for prediction, mask in self.pairs)

    def _orders(self) -> list[tuple[int, ...]]:
        """The orders in which the axes of every mask would fit."""
        found: set[tuple[int, ...]] | None = None
        for prediction, mask in self.pairs:
            fit = set(_orders_of(prediction, mask, self.labels))
            found = fit if found is None else found & fit
        return sorted(found or ())

    def _swapped(self) -> list[str]:
        """What to do about masks that have the shape of a prediction of several classes."""
        ways = ["check whether --pred and --gt are swapped"]
        if self._has_samples:
            ways.append(_SAMPLES)
        elif self._all(lambda prediction, mask: len(prediction) == 2 and mask[1:] == prediction):
            ways.append("save np.any(mask, axis=0), if each page of the mask is an object of one class")
        return ways

    @property
    def _has_samples(self) -> bool:
        """Whether the masks have several values in each pixel, as a picture has."""
        return self._all(lambda prediction, mask: _has_samples(prediction, mask, self.labels))

    def _or_samples(self, way: str) -> str:
        """A way for masks with an axis of classes, beside that for the channels of a picture."""
        return f"{way}; {_SAMPLES}" if self._has_samples else way

    def _background(self) -> str:
        """What to do about one-hot masks without a channel for the background."""
        axes = {_lacks_background(*pair) for pair in self.pairs}
        axis = axes.pop() if len(axes) == 1 else "…"
        made = f"np.where(mask.any(axis={axis}), np.argmax(mask, axis={axis}) + 1, 0)"
        return self._or_samples(f"save {made}, if the mask is one-hot and has no channel for the background")

    def _classes(self) -> str:
        return "--multilabel, if the classes are independent; save np.argmax(mask, axis=1), if the mask is one-hot"

    def _batch(self) -> str:
        prediction, mask = min(self.pairs)
        images = ", ".join(map(str, (prediction[0], *mask)))
        return f"save each image as a file of its own, or their masks together as ({images})"


def _orders_of(prediction: Shape, mask: Shape, labels: bool) -> Iterable[tuple[int, ...]]:
    """The orders in which the axes of a mask would fit."""
    if not 2 <= len(mask) <= 4:
        return
    for order in permutations(range(len(mask))):
        if fits(prediction, tuple(mask[axis] for axis in order), labels):
            yield order


def _turned(orders: list[tuple[int, ...]]) -> str:
    """What to do about masks whose axes are in another order."""
    if not orders:
        return "save each mask with its axes in the order of its prediction: no one order fits all of them"
    count = len(orders[0])
    if count == 2:
        return (
            "look at both before you save the mask again: it may be transposed (mask.T), or turned, as a photo is by "
            "its EXIF orientation (np.rot90(mask, 1) or np.rot90(mask, -1)); all of them have this shape"
        )
    shown = " or ".join(f"mask.transpose{order}" for order in orders[:_LISTED])
    if len(orders) > 1:
        return f"look at both before you save the mask again: {shown} have this shape, and not all are right"
    if orders[0] == tuple(reversed(range(count))):
        return f"the axes of the mask are reversed: save {shown}"
    return f"save {shown}, and look whether it is also turned: np.rot90 over the same two axes has this shape as well"


def _are_swapped(prediction: Shape, mask: Shape) -> bool:
    """Whether the mask would be a prediction of several classes over the prediction."""
    return len(prediction) > 1 and any("C" in fit.letters for fit in fits(mask, prediction, False))


def _has_samples(prediction: Shape, mask: Shape, labels: bool) -> bool:
    """Whether a mask has three or four values in each pixel, as a picture has, and would fit without them."""
    return len(mask) == 3 and mask[-1] in (3, 4) and bool(fits(prediction, mask[:-1], labels))


def _lacks_background(prediction: Shape, mask: Shape) -> str:
    """The axis of classes that a mask has as the prediction has it, but for the background; else empty."""
    if len(prediction) != len(mask) or len(mask) < 3:
        return ""
    other = [axis for axis, (one, two) in enumerate(zip(prediction, mask, strict=True)) if one != two]
    last = len(mask) - 1
    if len(other) != 1 or other[0] not in (0, 1, last) or prediction[other[0]] != mask[other[0]] + 1:
        return ""
    return "-1" if other[0] == last else str(other[0])


def _is_batch_of_one_mask(prediction: Shape, mask: Shape) -> bool:
    """Whether several images of the size of a single mask would fit."""
    several = len(prediction) == len(mask) + 2 and prediction[0] > 1
    return several and bool(fits(prediction[1:], mask, False))


def _is_lines(prediction: Shape, mask: Shape) -> bool:
    """Whether the shapes fit as a batch of lines, which is read only where it is asked for."""
    return len(mask) == 2 and len(prediction) == 3 and prediction[:1] + prediction[2:] == mask
