"""Results and rules → verdicts.

A verdict keeps the unrounded value that was judged, so whoever reads it can see how close it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softdice_cli.gates.common import percent_of
from softdice_cli.gates.rules import PRESENT, Rule, Score, check_scores, name_in
from softdice_cli.records import Allowance, ClassScores, ImageRow, Results, Summary, Verdict
from softdice_cli.records.allowance import NONE_MISSING
from softdice_cli.records.results import Reason
from softdice_cli.scores import mean_of, quantile, score_all, score_image, score_regions

# How many images are named where a rule on single images is not met.
_LISTED = 20

# How many classes a note names.
_NAMED = 12


def judge(results: Results, rules: Sequence[Rule], allowed: Allowance = NONE_MISSING) -> list[Verdict]:
    """A verdict on each rule.

    Args:
        results: what is judged.
        rules: what is asked of them.
        allowed: how many pairs may lack a file.

    Raises:
        ConfigError: a rule asks for a score that the results do not have.
    """
    # Without an image nothing is measured, and a wrong class has to be refused all the same.
    check_scores([rule.score for rule in rules], results.settings)
    return [_judge(results, rule, allowed) for rule in rules]


def _judge(results: Results, rule: Rule, allowed: Allowance) -> Verdict:
    value = measure(results, rule.score)
    holds = value is not None and rule.holds(value)
    reason, note = why_not(results, value, allowed)
    images: tuple[str, ...] = ()
    if not holds and rule.score.aggregate.startswith("image_"):
        images = _failing(results, rule)
    note = note or over(results, rule.score)
    return Verdict(rule.text, value, rule.operator, rule.bound, holds and not reason, reason, images, note)


def why_not(results: Results, value: float | None, allowed: Allowance) -> tuple[Reason, str]:
    """Why a requirement cannot be met whatever its bound, and what else is to be known of that."""
    if value is None:
        return "undefined", ""
    # A shard is not all that was to be evaluated.
    if results.failures or not results.images or results.shard is not None:
        return "incomplete", ""
    left_out = len(results.left_out)
    if not allowed.permits(left_out, results.run.pairs):
        return "incomplete", allowed.refusal(left_out, results.run.pairs)
    return "", ""


def over(results: Results, score: Score) -> str:
    """How many classes a mean is over where it is not all of them, and which ones it is not over."""
    if score.of is not None or not score.metric.per_class or not results.images:
        return ""
    without = undefined_classes(results, score)
    if not without:
        return ""
    classes = len(results.settings.scored)
    return f"over {classes - len(without)} of {classes} classes, without {some(without)}"


def undefined_classes(results: Results, score: Score) -> list[str]:
    """The classes that a mean is not over."""
    summary = _summary(results, score)
    if score.name == PRESENT:
        return [entry.name for entry in summary.classes if not entry.truth_pixels]
    return [entry.name for entry in summary.classes if entry.values[score.name] is None]


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(names[:_NAMED])
    if len(names) > _NAMED:
        text += f" and {len(names) - _NAMED} more"
    return text


def _summary(results: Results, score: Score) -> Summary:
    """The average that a score belongs to; a class is defined in an image mean where it is in any image."""
    if score.aggregate == "pooled":
        return results.pooled
    return results.image_mean


def measure(results: Results, score: Score) -> float | None:
    """The unrounded value of a score; ``None`` where it is undefined.

    Raises:
        ConfigError: the results do not have the class or region.
    """
    if not results.images:
        return None
    # The scores of a class are filed under its name, and a rule may give its place.
    score = replace(score, of=name_in(score, results.settings))
    if score.aggregate not in ("pooled", "image_mean"):
        return _quantile_of_images(results, score)
    summary = _summary(results, score)
    if score.name == PRESENT:
        return summary.loss_present
    if score.of is None:
        return summary.means.values[score.name]
    return _of_name(summary.named, score)


def _quantile_of_images(results: Results, score: Score) -> float | None:
    """The minimum, maximum or percentile of a score over the images where it is defined."""
    values = [value for _, value in _by_image(results, score)]
    if not values:
        return None
    return quantile(sorted(values), percent_of(score.aggregate), 100)


def _of_name(named: Sequence[ClassScores], score: Score) -> float | None:
    """The score of the class or region that has the name."""
    return next(entry.values[score.name] for entry in named if entry.name == score.of)


def _of_image(results: Results, row: ImageRow, score: Score) -> float | None:
    """The score of a single image."""
    if not score.metric.per_class:
        return score_all(results.settings, row.sums)[score.name]
    classes = score_image(results.settings, row)
    if score.of is not None:
        return _of_name(classes + score_regions(results.settings, row.regions), score)
    values = []
    for entry in classes:
        # The mean over the present classes leaves out those that this mask does not show.
        if score.name != PRESENT or entry.truth_pixels:
            values.append(entry.values[score.metric.name])
    return mean_of(values)


def _by_image(results: Results, score: Score) -> list[tuple[str, float]]:
    """The id and the score of each image where the score is defined."""
    found = []
    for row in results.images:
        value = _of_image(results, row, score)
        if value is not None:
            found.append((row.id, value))
    return found


def _failing(results: Results, rule: Rule) -> tuple[str, ...]:
    """The images that do not meet a rule by themselves, the worst first."""
    score = replace(rule.score, of=name_in(rule.score, results.settings))
    # Where a rule asks for small values, the worst image has the largest one.
    sign = 1
    if rule.operator.startswith("<"):
        sign = -1
    failing = []
    for name, value in _by_image(results, score):
        if not rule.holds(value):
            failing.append((sign * value, name))
    failing.sort()
    return tuple(name for _, name in failing[:_LISTED])


def with_verdicts(results: Results, verdicts: Sequence[Verdict]) -> Results:
    """The results with what was asked of them."""
    return replace(results, requirements=tuple(verdicts))
