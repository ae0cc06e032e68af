"""A region of interest: the part of an image that is evaluated, such as the field of view of a camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.errors import LabelError, LayoutError
from softdice_cli.evaluation.meaning import whites
from softdice_cli.layout import Layout
from softdice_cli.overlap.labels import count_labels
from softdice_cli.readers import Source
from softdice_cli.readers.labels import as_labels
from softdice_cli.records import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# Values that a message lists.
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Inside:
    """The pixels that are evaluated.

    Attributes:
        path: of the mask.
        mask: ``(*S)``, ``(B, *S)`` or the same with axes of length 1; true is inside.
    """

    path: str
    mask: Array

    def over(self, fit: Layout) -> list[Array]:
        """The region ``(*S)`` of each image of a pair.

        Raises:
            LayoutError: it is of another shape than the images.
        """
        shape = tuple(length for length in self.mask.shape if length > 1)
        image = tuple(length for length in fit.mask if length > 1)
        count = fit.images or 1
        if shape == image:
            return [self.mask.reshape(fit.mask)] * count
        if count > 1 and shape == (count, *image):
            return list(self.mask.reshape(count, *fit.mask))
        raise LayoutError(
            "is a region of interest of another shape than the image",
            path=self.path,
            expected=str(fit.mask),
            found=str(self.mask.shape),
            hint="save the region in the size of the mask: softdice never resizes, crops or pads",
        )


def region_of(source: Source, settings: Settings) -> Inside:
    """The region that a mask of 0 and one other value marks; what is 0 is outside.

    Raises:
        LabelError: it has several values besides 0, so that somebody has to say which are inside.
        UnreadableError: its file changed while it was read.
    """
    labels = as_labels(whites(source, settings), colors=False)
    counts = count_labels(labels.chunks())
    others = [value for value in counts if value]
    if len(others) > 1:
        listed = ", ".join(map(str, list(counts)[:_LISTED]))
        raise LabelError(
            "is a region of interest with several values besides 0",
            path=source.name,
            expected="0 outside, and one other value inside",
            found=f"{len(counts)} values: {listed}",
            hint="save the pixels that are to be evaluated as 1 and the others as 0, e.g. (mask > 127) of a grey one",
        )
    inside = Inside(source.name, np.asarray(labels.load(labels.array)) != 0)
    source.check()
    return inside
