"""Results and a baseline → verdicts on what may be lost, and baselines that say nothing about these results."""

from __future__ import annotations

from collections.abc import Sequence

from softdice_cli.errors import InputError
from softdice_cli.gates.judging import measure, why_not
from softdice_cli.gates.rules import Score, check_classes
from softdice_cli.records import ImageRow, Results, Verdict

_NAMED = 12


def judge_drops(results: Results, baseline: Results, drops: Sequence[tuple[Score, float]], path: str) -> list[Verdict]:
    """A verdict on each drop that is allowed against a baseline.

    Args:
        results: what is judged.
        baseline: what it must not fall behind.
        drops: scores, and by how much each may be worse.
        path: the baseline's file, for messages.

    Raises:
        InputError: the baseline has another signature, other classes, masks or images, or is incomplete.
        ConfigError: a rule names a class that the results do not have.
    """
    if not baseline.complete:
        raise InputError("is incomplete, and cannot be a baseline", path=path, hint="evaluate the baseline again")
    _refuse_other_meaning(results, baseline, path)
    _refuse_other_masks(results, baseline, path)
    _refuse_other_images(results, baseline, path)
    check_classes([score for score, _ in drops], results.settings)
    return [_judge_drop(results, baseline, score, allowed) for score, allowed in drops]


def _judge_drop(results: Results, baseline: Results, score: Score, allowed: float) -> Verdict:
    before, after = measure(baseline, score), measure(results, score)
    drop = None
    if before is not None and after is not None:
        drop = after - before if score.metric.lower_is_better else before - after
    reason = why_not(results, drop)
    met = drop is not None and drop <= allowed and not reason
    was = "undefined" if before is None else f"{before:.4f}"
    return Verdict(f"drop of {score.text} from {was}", drop, "<=", allowed, met, reason)


def _refuse_other_meaning(results: Results, baseline: Results, path: str) -> None:
    """Raises InputError where the numbers of the two do not mean the same."""
    mine, theirs = results.settings, baseline.settings
    for what, a, b in (
        ("another signature", mine.signature, theirs.signature),
        ("other classes", ", ".join(c.name for c in mine.classes), ", ".join(c.name for c in theirs.classes)),
    ):
        if a != b and results.images:
            raise InputError(
                f"has {what} than these results",
                path=path,
                expected=a,
                found=b,
                hint="make the baseline with the same options",
            )


def _refuse_other_masks(results: Results, baseline: Results, path: str) -> None:
    truths = {row.id: _truth(row) for row in baseline.images}
    other = [row.id for row in results.images if row.id in truths and truths[row.id] != _truth(row)]
    if other:
        raise InputError(
            "was made with other masks than these results",
            path=path,
            expected="the same pixels and labels in each image",
            found=f"differences in {', '.join(other[:_NAMED])}",
            hint="make the baseline of the same masks",
        )


def _truth(row: ImageRow) -> tuple[int, int, list[int]]:
    """What the mask of an image gives to its row."""
    return row.pixels, row.ignored, [sums.truth for sums in row.sums]


def _refuse_other_images(results: Results, baseline: Results, path: str) -> None:
    """Raises InputError for other images; those that are missing because their pair failed are judged as incomplete."""
    ids = {row.id for row in results.images} | {failure.id for failure in results.failures}
    known = {row.id for row in baseline.images}
    if not results.complete or ids == known:
        return
    lists = (("not in the baseline", sorted(ids - known)), ("only in the baseline", sorted(known - ids)))
    raise InputError(
        "is of other images than these results",
        path=path,
        expected="the same images",
        found="; ".join(f"{what}: {', '.join(names[:_NAMED])}" for what, names in lists if names),
        hint="make the baseline of the same images",
    )
