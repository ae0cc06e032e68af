"""The tally of one image → the row that is kept, or the reason why it cannot be scored."""

from __future__ import annotations

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.prepared_pair import Image, PreparedPair
from softdice_cli.overlap import Tally
from softdice_cli.overlap.labels import count_labels
from softdice_cli.records import ImageRow


def row_of(prepared: PreparedPair, image: Image, tally: Tally) -> ImageRow:
    """The row of an image.

    Args:
        prepared: the pair that the image belongs to.
        image: one of its images.
        tally: of all its pixels.

    Raises:
        InputError: the values are not probabilities, the labels are not classes, or no pixel is
            left to count.
    """
    decoding = prepared.decoding
    if tally.unknown or not tally.facts.acceptable(decoding) or tally.facts.already(decoding):
        raise _refusal(prepared, tally)
    if not tally.pixels:
        raise UnreadableError(
            "has no pixel left to count: all are ignored",
            path=prepared.truth.name,
            found=f"{tally.ignored} ignored pixels",
            hint="leave the pair out, or leave out --ignore",
        )
    settings = prepared.settings
    confusion = None
    if settings.exclusive:
        confusion = tuple(sorted((predicted, true, pixels) for (predicted, true), pixels in tally.confusion.items()))
    return ImageRow(
        id=image.id,
        pred=prepared.pair.pred,
        gt=prepared.pair.gt,
        pixels=tally.pixels,
        ignored=tally.ignored,
        sums=tally.class_sums(),
        regions=tally.region_sums(settings.members),
        confusion=confusion,
    )


def _refusal(prepared: PreparedPair, tally: Tally) -> InputError:
    # The sentences are imported here, as most images are not refused.
    if tally.unknown:
        from softdice_cli.evaluation.label_refusals import refuse_labels

        return refuse_labels(prepared.truth, prepared.settings, count_labels(prepared.truth.chunks()))
    from softdice_cli.evaluation.value_refusals import refuse_values

    return refuse_values(tally.facts, prepared.decoding, prepared.prediction)
