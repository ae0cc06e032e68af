"""Whether two results are of the same masks, image by image."""

from __future__ import annotations

from softdice_cli.records import Results


def other_truths(results: Results, others: Results) -> list[str]:
    """The images that both have, and whose masks are known to differ."""
    theirs = {row.id: row for row in others.images}
    return [row.id for row in results.images if row.id in theirs and not row.has_truth_of(theirs[row.id])]


def unknown_truths(results: Results, others: Results, name: str) -> str:
    """What to say where only the numbers of labels could be compared; an empty text where all labels were.

    Args:
        results: that are judged.
        others: that they are held against.
        name: what the others are called.
    """
    theirs = {row.id: row for row in others.images}
    unknown = [row.id for row in results.images if row.id in theirs and not (row.truth and theirs[row.id].truth)]
    if not unknown:
        return ""
    where = f"{len(unknown)} of {len(results.images)} images"
    return (
        f"whether the masks are those of {name} is known by their numbers of pixels alone in {where}: "
        "results of softdice 0.1.0 hold no digest of the labels"
    )
