"""Two results of which some images are in one alone, as pairs lacked a file: both over the images that they share."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from softdice_cli.records import Allowance, Results
from softdice_cli.scores import summarize


def over_shared_images(results: Results, others: Results, allowed: Allowance) -> tuple[Results, Results, str]:
    """Both results over the images that both have, and what to say of it.

    Where they have the same images, where none is shared, or where more are in one alone than are allowed, they are
    given back as they are, with an empty text.

    Args:
        results: that are judged.
        others: that they are held against.
        allowed: how many images may be in one of them alone.
    """
    mine = {row.id for row in results.images}
    theirs = {row.id for row in others.images}
    shared, every = mine & theirs, mine | theirs
    alone = len(every) - len(shared)
    if not alone or not shared or not allowed.is_bound or not allowed.permits(alone, len(every)):
        return results, others, ""
    note = f"over the {len(shared)} of {len(every)} images that both have"
    return _over(results, shared), _over(others, shared), note


def _over(results: Results, ids: Set[str]) -> Results:
    """The results over these of their images."""
    rows = tuple(row for row in results.images if row.id in ids)
    return summarize(replace(results.run, rows=rows))
