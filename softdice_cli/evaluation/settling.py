"""Tallies → rows, where sums may be off because the probabilities were rounded before they were saved.

The values are looked at only where the sums are out of tolerance, so that it costs nothing otherwise. Such an image is
added up again with the tolerance of the rounding that is seen, by the same engine, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from softdice_cli.evaluation.image_rows import row_of
from softdice_cli.evaluation.image_tally import tally_image
from softdice_cli.evaluation.prepared_pair import PreparedPair
from softdice_cli.execution import Grant
from softdice_cli.overlap import Engine, Tally
from softdice_cli.records import ImageRow


def settled_rows(
    prepared: PreparedPair, tallies: Iterable[Tally], engine: Engine, grant: Grant
) -> tuple[PreparedPair, list[ImageRow]]:
    """The rows of a pair, and the pair with what was found out about its rounding.

    Args:
        prepared: the pair.
        tallies: of its images, in their order.
        engine: adds up an image again.
        grant: how many processes may share the tiles of a large image.

    Raises:
        InputError: an image cannot be scored; see `row_of`.
    """
    rows = []
    rounded: PreparedPair | None = None
    for image, tally in zip(prepared.images, tallies, strict=True):
        taken = prepared
        if tally.facts.sum_off and not tally.unknown and tally.facts.within(taken.decoding):
            taken = rounded = rounded or _as_rounded(prepared, tally)
            if taken is not prepared:
                tally = tally_image(taken, image, engine, grant)
        rows.append(row_of(taken, image, tally))
    return rounded or prepared, rows


def _as_rounded(prepared: PreparedPair, tally: Tally) -> PreparedPair:
    """The pair with the tolerance that the rounding of its values asks for; the same pair where none is seen."""
    # Imported here, as the sums of most files are in tolerance.
    from softdice_cli.overlap.rounding import grid_of, may_be_rounded, widened

    decoding, facts = prepared.decoding, tally.facts
    if decoding.scale is not None or decoding.activation == "sigmoid":
        return prepared
    if not may_be_rounded(facts.sum_low, facts.sum_high):
        return prepared
    grid = grid_of(prepared.prediction.chunks())
    if grid is None:
        return prepared
    wider = widened(decoding, grid)
    if wider == decoding:
        return prepared
    name = prepared.prediction.name
    note = f"{name}: values are rounded to {grid.name}, so sums may be off by {wider.sum_tolerance:.3g}"
    if prepared.note:
        note = f"{prepared.note}; {note}"
    return replace(prepared, decoding=wider, note=note)
