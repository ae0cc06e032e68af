"""Results and a baseline → verdicts on how much a score may drop.

A drop only means something between results of the same images, masks, classes and options. A
baseline of anything else is refused here, and the message names what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softdice_cli.errors import InputError
from softdice_cli.gates.common import Place, Table, among, table_of, value_of
from softdice_cli.gates.judging import measure, over, some, undefined_classes, why_not
from softdice_cli.gates.rules import PRESENT, Score, check_scores, name_in
from softdice_cli.gates.shared_images import over_shared_images
from softdice_cli.gates.truths import other_truths
from softdice_cli.records import Allowance, Results, Settings, Verdict
from softdice_cli.records.allowance import NONE_MISSING
from softdice_cli.records.settings import aligned
from softdice_cli.records.signature import parts_beyond


def judge_drops(
    results: Results,
    baseline: Results,
    drops: Sequence[tuple[Score, float]],
    path: str,
    allowed: Allowance = NONE_MISSING,
) -> list[Verdict]:
    """A verdict on each drop that is allowed against a baseline.

    Args:
        results: what is judged.
        baseline: what it must not fall behind.
        drops: scores, and by how much each may be worse.
        path: the baseline's file, for messages.
        allowed: how many pairs of each may lack a file.

    Raises:
        InputError: the baseline has another signature, other classes, masks or images, or pairs of it failed.
        ConfigError: a rule asks for a score that the results do not have.
    """
    # Without an image, the results may not know their classes yet.
    check_baseline(results.settings if results.images else Settings(), baseline, path)
    _refuse_other_masks(results, baseline, path)
    check_scores([score for score, _ in drops], results.settings)
    shared = ""
    # Images whose pair failed are missing too, and such results are judged as incomplete.
    if results.images and not results.failures:
        results, baseline, shared = over_shared_images(results, baseline, allowed)
        _refuse_other_images(results, baseline, path)
    verdicts = []
    for score, bound in drops:
        verdict = _judge_drop(results, baseline, score, bound, allowed)
        notes = [note for note in (verdict.note, shared) if note]
        verdicts.append(replace(verdict, note="; ".join(notes)))
    return verdicts


def check_baseline(settings: Settings, baseline: Results, path: str) -> None:
    """Refuses a baseline that no results with these settings can be judged by.

    Args:
        settings: of the results; where their classes are not known yet, only the baseline itself is looked at.
        baseline: what they are to be judged by.
        path: its file, for messages.

    Raises:
        InputError: the baseline lacks images, or has another signature or other classes.
    """
    # The missing images of a baseline could hide any drop.
    if baseline.failures or not baseline.images:
        raise InputError("is incomplete, and cannot be a baseline", path=path, hint="evaluate the baseline again")
    if not settings.classes:
        return
    mine, theirs = aligned(settings, baseline.settings)
    # Classes come before signatures, as their names say more than the part of a signature.
    _refuse_difference("other classes", _class_names(mine), _class_names(theirs), path)
    signatures = mine.signature, theirs.signature
    _refuse_difference("another signature", parts_beyond(*signatures), parts_beyond(*reversed(signatures)), path)


def _judge_drop(results: Results, baseline: Results, score: Score, bound: float, allowed: Allowance) -> Verdict:
    before = measure(baseline, score)
    after = measure(results, score)
    drop = _drop(score, before, after)
    was = "undefined"
    if before is not None:
        was = f"{before:.4f}"
    verdict = Verdict(f"drop of {score.text} from {was}", drop, "<=", bound, passed=False)
    reason, note = why_not(results, drop, allowed)
    if not reason:
        reason, note = why_not(baseline, drop, allowed)
        note = note and f"in the baseline, {note}"
    if drop is None or reason:
        return replace(verdict, reason=reason, note=note)
    if difference := _other_classes(results, baseline, score):
        return replace(verdict, reason="incomparable", note=difference)
    verdict = replace(verdict, passed=drop <= bound, note=over(results, score))
    if score.aggregate == "pooled" or not score.metric.per_class or score.name == PRESENT:
        return verdict
    return _over_common_images(results, baseline, score, verdict)


def _other_classes(results: Results, baseline: Results, score: Score) -> str:
    """The classes that a mean is over in one of the two alone; an empty text where it is over the same."""
    # The classes of loss_present are those of the truth, which is the same on both sides.
    if score.of is not None or not score.metric.per_class:
        return ""
    gone, missing = undefined_classes(results, score), undefined_classes(baseline, score)
    parts = []
    if only := [name for name in gone if name not in missing]:
        parts.append(f"{some(only)} defined in the baseline alone")
    if only := [name for name in missing if name not in gone]:
        parts.append(f"{some(only)} undefined in the baseline alone")
    return "; ".join(parts)


def _over_common_images(results: Results, baseline: Results, score: Score, verdict: Verdict) -> Verdict:
    """The verdict on the greater of two drops: of the whole, and of what is defined in both.

    A false positive that came counts 0 in the whole. One that went takes its 0 out of the whole, and would hide how
    the others fell.
    """
    score = replace(score, of=name_in(score, results.settings))
    before, after = table_of(baseline, score), table_of(results, score)
    only = sorted(before.keys() ^ after.keys())
    if not only:
        return verdict
    if lost := _lost(results, before, after):
        # Nothing is predicted there any more, so that a precision is undefined which was poor.
        note = f"defined in the baseline alone, although the truth has it: {_places(lost)}"
        return replace(verdict, passed=False, reason="incomparable", note=note)
    common = _drop(
        score, value_of(among(before, after), score.aggregate), value_of(among(after, before), score.aggregate)
    )
    # Nothing may be common to both; then the whole decides.
    greatest = max(drop for drop in (common, verdict.value) if drop is not None)
    note = f"the greater drop of two, with and without what is defined in one alone: {_places(only)}"
    if verdict.note:
        note = f"{verdict.note}; {note}"
    return replace(verdict, value=greatest, passed=greatest <= verdict.bound, note=note)


def _lost(results: Results, before: Table, after: Table) -> list[Place]:
    """Where a score was defined and is not, although the truth has the class."""
    settings = results.settings
    names = [entry.name for entry in settings.classes] + [region.name for region in settings.regions]
    found = []
    for row in results.images:
        for name, sums in zip(names, (*row.sums, *row.regions), strict=True):
            place = row.id, name
            if sums.truth and place in before and place not in after:
                found.append(place)
    return found


def _places(places: Sequence[Place]) -> str:
    return some([f"{name} in {image}" for image, name in places])


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
    if other := other_truths(results, baseline):
        raise InputError(
            "was made with other masks than these results",
            path=path,
            expected="the same pixels and labels in each image",
            found=f"differences in {some(other)}",
            hint="make the baseline of the same masks",
        )


def _refuse_other_images(results: Results, baseline: Results, path: str) -> None:
    """Raises InputError where the two are not of the same images."""
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
        hint="make the baseline of the same images, or "
        f"--allow-missing {len(ids ^ known)} to judge those that both have",
    )


def _some(names: set[str]) -> str:
    return some(sorted(names))
