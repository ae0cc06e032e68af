"""Results and a baseline → verdicts on how much a score may drop.

A drop only means something between results of the same images, masks, classes and options. A
baseline of anything else is refused here, and the message names what differs.
"""

from __future__ import annotations

from collections.abc import Sequence

from softdice_cli.errors import InputError
from softdice_cli.gates.judging import measure, why_not
from softdice_cli.gates.rules import Score, check_scores
from softdice_cli.records import ImageRow, Results, Settings, Verdict
from softdice_cli.records.settings import aligned
from softdice_cli.records.signature import parts_beyond

# How many images a message names.
_NAMED = 12


def judge_drops(results: Results, baseline: Results, drops: Sequence[tuple[Score, float]], path: str) -> list[Verdict]:
    """A verdict on each drop that is allowed against a baseline.

    Args:
        results: what is judged.
        baseline: what it must not fall behind.
        drops: scores, and by how much each may be worse.
        path: the baseline's file, for messages.

    Raises:
        InputError: the baseline has another signature, other classes, masks or images, or is
            incomplete.
        ConfigError: a rule asks for a score that the results do not have.
    """
    # Without an image, the results may not know their classes yet.
    check_baseline(results.settings if results.images else Settings(), baseline, path)
    _refuse_other_masks(results, baseline, path)
    _refuse_other_images(results, baseline, path)
    check_scores([score for score, _ in drops], results.settings)
    return [_judge_drop(results, baseline, score, allowed) for score, allowed in drops]


def check_baseline(settings: Settings, baseline: Results, path: str) -> None:
    """Refuses a baseline that no results with these settings can be judged by.

    Args:
        settings: of the results; where their classes are not known yet, only the baseline itself is looked at.
        baseline: what they are to be judged by.
        path: its file, for messages.

    Raises:
        InputError: the baseline is incomplete, or has another signature or other classes.
    """
    # The missing images of a baseline could hide any drop.
    if not baseline.complete:
        raise InputError("is incomplete, and cannot be a baseline", path=path, hint="evaluate the baseline again")
    if not settings.classes:
        return
    mine, theirs = aligned(settings, baseline.settings)
    # Classes come before signatures, as their names say more than the part of a signature.
    _refuse_difference("other classes", _class_names(mine), _class_names(theirs), path)
    signatures = mine.signature, theirs.signature
    _refuse_difference("another signature", parts_beyond(*signatures), parts_beyond(*reversed(signatures)), path)


def _judge_drop(results: Results, baseline: Results, score: Score, allowed: float) -> Verdict:
    before = measure(baseline, score)
    after = measure(results, score)
    drop = _drop(score, before, after)
    reason = why_not(results, drop)
    met = drop is not None and drop <= allowed and not reason
    was = "undefined"
    if before is not None:
        was = f"{before:.4f}"
    return Verdict(f"drop of {score.text} from {was}", drop, "<=", allowed, met, reason)


def _drop(score: Score, before: float | None, after: float | None) -> float | None:
    """By how much a score became worse; ``None`` where one of the two values is undefined."""
    if before is None or after is None:
        return None
    if score.metric.lower_is_better:
        return after - before
    return before - after


def _refuse_difference(what: str, mine: str, theirs: str, path: str) -> None:
    if mine != theirs:
        raise InputError(
            f"has {what} than these results",
            path=path,
            expected=mine,
            found=theirs,
            hint="make the baseline with the same options",
        )


def _class_names(settings: Settings) -> str:
    return ", ".join(entry.name for entry in settings.classes)


def _refuse_other_masks(results: Results, baseline: Results, path: str) -> None:
    """Raises InputError where an image that both have was compared with another mask."""
    # Images that only one of them has are refused later, by name.
    truths = {row.id: _truth(row) for row in baseline.images}
    other = []
    for row in results.images:
        if row.id in truths and truths[row.id] != _truth(row):
            other.append(row.id)
    if other:
        raise InputError(
            "was made with other masks than these results",
            path=path,
            expected="the same pixels and labels in each image",
            found=f"differences in {', '.join(other[:_NAMED])}",
            hint="make the baseline of the same masks",
        )


def _truth(row: ImageRow) -> tuple[int, int, list[int]]:
    """The numbers in the row of an image that follow from its mask alone."""
    return row.pixels, row.ignored, [sums.truth for sums in row.sums]


def _refuse_other_images(results: Results, baseline: Results, path: str) -> None:
    """Raises InputError where the two are not of the same images."""
    # Images whose pair failed are missing here; such results are judged as incomplete.
    if not results.complete:
        return
    ids = {row.id for row in results.images}
    known = {row.id for row in baseline.images}
    if ids == known:
        return
    found = []
    if ids - known:
        found.append(f"not in the baseline: {_some(ids - known)}")
    if known - ids:
        found.append(f"only in the baseline: {_some(known - ids)}")
    raise InputError(
        "is of other images than these results",
        path=path,
        expected="the same images",
        found="; ".join(found),
        hint="make the baseline of the same images",
    )


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:_NAMED])
