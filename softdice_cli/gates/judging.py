"""Results and rules → verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softdice_cli.gates.rules import PRESENT, Rule, Score, check_classes, class_name
from softdice_cli.records import ClassScores, ImageRow, Results, Verdict
from softdice_cli.scores import mean_of, quantile, score_all, score_image

_LISTED = 20
"""Images that are named where a rule on single images is not met."""


def judge(results: Results, rules: Sequence[Rule]) -> list[Verdict]:
    """A verdict on each rule.

    Raises:
        ConfigError: a rule names a class that the results do not have.
    """
    check_classes([rule.score for rule in rules], results.settings)
    return [_judge(results, rule) for rule in rules]


def _judge(results: Results, rule: Rule) -> Verdict:
    value = measure(results, rule.score)
    met = value is not None and rule.holds(value)
    reason = why_not(results, value)
    images: tuple[str, ...] = ()
    if not met and rule.score.aggregate.startswith("image_"):
        images = _failing(results, rule)
    return Verdict(rule.text, value, rule.operator, rule.bound, met and not reason, reason, images)


def why_not(results: Results, value: float | None) -> str:
    """Why a requirement cannot be met whatever its bound: the value is undefined, or the results are incomplete."""
    if value is None:
        return "undefined"
    # A shard is not all that was to be evaluated.
    if not results.complete or results.shard is not None:
        return "incomplete"
    return ""


def measure(results: Results, score: Score) -> float | None:
    """The unrounded value of a score; ``None`` where it is undefined.

    Raises:
        ConfigError: the results do not have the class.
    """
    if not results.images:
        return None
    score = replace(score, of=class_name(score, results.settings))
    if score.aggregate == "pooled":
        summary = results.pooled
    elif score.aggregate == "image_mean":
        summary = results.image_mean
    else:
        values = sorted(value for _, value in _by_image(results, score))
        return quantile(values, _share(score.aggregate)) if values else None
    if score.name == PRESENT:
        return summary.loss_present
    if score.of is None:
        return summary.means.values[score.name]
    return _of_class(summary.classes, score)


def _share(aggregate: str) -> float:
    named = {"image_min": 0.0, "image_max": 1.0}
    return named[aggregate] if aggregate in named else int(aggregate.removeprefix("image_p")) / 100


def _of_class(classes: Sequence[ClassScores], score: Score) -> float | None:
    return next(entry.values[score.name] for entry in classes if entry.name == score.of)


def _of_image(results: Results, row: ImageRow, score: Score) -> float | None:
    """The score of a single image."""
    if not score.metric.per_class:
        return score_all(results.settings, row.sums)[score.name]
    classes = score_image(results.settings, row)
    if score.of is not None:
        return _of_class(classes, score)
    if score.name == PRESENT:
        return mean_of(entry.values["loss"] for entry in classes if entry.truth_pixels)
    return mean_of(entry.values[score.name] for entry in classes)


def _by_image(results: Results, score: Score) -> list[tuple[str, float]]:
    """The score of each image where it is defined."""
    found = ((row.id, _of_image(results, row, score)) for row in results.images)
    return [(name, value) for name, value in found if value is not None]


def _failing(results: Results, rule: Rule) -> tuple[str, ...]:
    """The images that do not meet a rule by themselves, the worst first."""
    score = replace(rule.score, of=class_name(rule.score, results.settings))
    failing = [(value, name) for name, value in _by_image(results, score) if not rule.holds(value)]
    sign = -1 if rule.operator.startswith("<") else 1
    ordered = sorted(failing, key=lambda entry: (sign * entry[0], entry[1]))
    return tuple(name for _, name in ordered[:_LISTED])


def with_verdicts(results: Results, verdicts: Sequence[Verdict]) -> Results:
    """The results with what was asked of them."""
    return replace(results, requirements=tuple(verdicts))
