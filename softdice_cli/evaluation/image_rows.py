"""The tally of one image → the row that is kept, or the reason why it cannot be scored."""

from __future__ import annotations

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.evaluation.identity import truth_of
from softdice_cli.evaluation.prepared_pair import Image, PreparedPair
from softdice_cli.overlap import Tally
from softdice_cli.records import ImageRow
from softdice_cli.records.classes import is_cut

# Pixels of a refused image that are looked at together.
_LOOKED_AT = 2**18


def row_of(prepared: PreparedPair, image: Image, tally: Tally) -> ImageRow:
    """The row of an image.

    Args:
        prepared: the pair that the image belongs to.
        image: one of its images.
        tally: of all its pixels.

    Raises:
        InputError: the values are not probabilities, the labels are not classes, no pixel is left to count, or the
            file of the truth has shrunk.
    """
    decoding = prepared.decoding
    if tally.unknown or not tally.facts.acceptable(decoding) or tally.facts.already(decoding):
        raise _refusal(prepared, image, tally)
    if not tally.pixels:
        raise _nothing_left(prepared, tally)
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
        truth=truth_of(prepared.truth, image),
    )


def _nothing_left(prepared: PreparedPair, tally: Tally) -> UnreadableError:
    if prepared.pair.roi:
        return UnreadableError(
            "has no pixel left to count: all are ignored, or outside the region of interest",
            path=prepared.truth.name,
            found=f"{tally.ignored} pixels left out by {prepared.pair.roi} and --ignore",
            hint=f"check that {prepared.pair.roi} is 0 outside, and not inside; or leave the pair out",
        )
    return UnreadableError(
        "has no pixel left to count: all are ignored",
        path=prepared.truth.name,
        found=f"{tally.ignored} ignored pixels",
        hint="leave the pair out, or leave out --ignore",
    )


def _refusal(prepared: PreparedPair, image: Image, tally: Tally) -> InputError:
    # The sentences are imported here, as most images are not refused.
    if tally.unknown:
        from softdice_cli.evaluation.label_refusals import labels_seen, refuse_labels, refuse_not_finite

        if is_cut(prepared.settings.foreground):
            return refuse_not_finite(prepared.truth, tally.unknown)
        label_map = prepared.prediction if prepared.settings.prediction == "labels" else None
        seen = labels_seen(prepared.truth, label_map, prepared.settings, tally)
        return refuse_labels(prepared.truth, seen, seen.truth)
    from softdice_cli.evaluation.image_tally import coded_tiles
    from softdice_cli.evaluation.seen_values import SumsSeen, look_at
    from softdice_cli.evaluation.value_refusals import refuse_values
    from softdice_cli.overlap.labels import counted

    whole, sums = False, SumsSeen()
    if not tally.facts.nonfinite:
        parts = coded_tiles(prepared, image, _LOOKED_AT)
        classes = prepared.decoding.classes
        whole, sums = look_at(values[:, counted(codes, classes)] for values, codes in parts)
    return refuse_values(tally.facts, prepared.decoding, prepared.prediction, whole, sums)
