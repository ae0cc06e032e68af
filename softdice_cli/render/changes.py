"""A comparison → sections: a table for each score, the images that changed most, and what is needed to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from softdice_cli.metrics import BY_NAME
from softdice_cli.records import Verdict
from softdice_cli.records.intervals import Scope
from softdice_cli.render.content import Cell, Column, Name, Row, RowKind, Section, Table
from softdice_cli.render.text import UNDEFINED, number, plural

if TYPE_CHECKING:
    # Their NumPy is not needed to show what was found.
    from softdice_cli.comparison.shapes import Comparison, ImageChange, ScoreChange

_AVERAGES = {"pooled": "pooled", "image_mean": "image mean"}
# The mean over each kind of named scores.
_MEANS: dict[Scope, Scope] = {"class": "mean", "region": "region_mean"}

_DIGITS = 4
_MORE_DIGITS = 17
_SMALLEST_P = 5e-5


def comparison_sections(comparison: Comparison) -> Iterator[Section]:
    """A table for each metric and average, and one of the images that changed most."""
    for title, scores in _groups(comparison):
        yield Section("changes", title, table=_score_table(comparison, scores))
    if comparison.changed:
        images = f"({len(comparison.changed)} of {comparison.images} images)"
        title = f"changed most, by the image's mean {BY_NAME['dice'].title} {images}"
        yield Section("images", title, table=_image_table(comparison.changed))


def headline(comparison: Comparison, name: Callable[[str], str]) -> str:
    """What was compared, in a line.

    Args:
        comparison: of two results.
        name: makes the name of a file safe.
    """
    images = plural(range(comparison.images), "image")
    counts = []
    for side, left_out, pairs in zip("AB", comparison.left_out, comparison.pairs, strict=True):
        if left_out:
            counts.append(f"{side} left out {left_out} of {pairs} pairs")
    if counts:
        images += f" ({', '.join(counts)})"
    return f"A {name(comparison.a)}, B {name(comparison.b)}: {images}, paired by id"


def legend(comparison: Comparison) -> Iterator[str]:
    """What the columns of the tables are."""
    if comparison.images > 1:
        yield "95 % interval of B - A: paired bootstrap, percentiles; p: paired permutation, two-sided"
        yield f"each from {comparison.resamples} draws over the images, seed {comparison.seed}"
    if any(score.difference is None and score.a is not None and score.b is not None for score in comparison.scores):
        yield "B - A of a mean is undefined where a class of it is defined in A or in B alone"
    if any(score.undefined for score in comparison.scores):
        yield "undefined: images where a score is 0/0 in A or in B; they are not better, worse or tied"
    if _lacks_resamples(comparison, comparison.scores):
        yield "resamples: how many stand behind an interval; in the others the score is 0/0 in A or in B,"
        yield "or a class of the mean in one of them alone"


def verdict_text(comparison: Comparison, verdict: Verdict) -> str:
    """The verdict in a sentence, with as many digits as it takes to see why."""
    about = "the change of the mean hard Dice (pooled)"
    if verdict.reason == "incomplete":
        return f"not met: {verdict.rule}: {verdict.note}, and nothing passes on incomplete results"
    if verdict.reason == "incomparable":
        return f"not met: {verdict.rule}: the mean hard Dice (pooled) is not over the same classes: {verdict.note}"
    if verdict.value is None:
        return f"not met: {verdict.rule}: {about} has no interval, and none can pass"
    mean = comparison.judged
    # A verdict with a value has an interval: the value is its high end.
    low = mean.interval.low if mean.interval else verdict.value
    digits = _digits(verdict.value, verdict.bound, passed=verdict.passed)
    ends = f"[{_with_sign(low, digits)}, {_with_sign(verdict.value, digits)}]"
    head, side = ("met", "reaches") if verdict.passed else ("not met", "lies below")
    return f"{head}: {verdict.rule}: the 95 % interval {ends} of {about} {side} {_with_sign(verdict.bound, digits)}"


def _digits(value: float, bound: float, *, passed: bool) -> int:
    """How many digits it takes until the rounded numbers bear the verdict out."""
    for digits in range(_DIGITS, _MORE_DIGITS):
        if (round(value, digits) >= round(bound, digits)) == passed:
            return digits
    return _MORE_DIGITS - 1


def _with_sign(value: float, digits: int) -> str:
    # Adding 0.0 takes the minus off a rounded zero.
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def _groups(comparison: Comparison) -> Iterator[tuple[str, list[ScoreChange]]]:
    """The scores of each metric and average, under its title; a mean of a single class or region is left out."""
    by_kind: dict[tuple[str, str], list[ScoreChange]] = {}
    for score in comparison.scores:
        by_kind.setdefault((score.metric, score.average), []).append(score)
    for (name, average), scores in by_kind.items():
        metric = BY_NAME[name]
        title = metric.title
        if metric.lower_is_better:
            title += ", lower is better"
        scopes = [score.scope for score in scores]
        alone = {mean for of, mean in _MEANS.items() if scopes.count(of) == 1}
        yield f"{title}, {_AVERAGES[average]}", [score for score in scores if score.scope not in alone]


def _score_table(comparison: Comparison, scores: Sequence[ScoreChange]) -> Table:
    """Scores in A and in B; columns that would say nothing are left out."""
    titles = ["class", "A", "B", "B - A", "95 % interval", "p", "better", "worse", "tied"]
    undefined = any(score.undefined for score in scores)
    fewer = _lacks_resamples(comparison, scores)
    if undefined:
        titles.append("undefined")
    if fewer:
        titles.append("resamples")
    rows = []
    for score in scores:
        cells = _cells(score)
        if undefined:
            cells.append(str(score.undefined))
        if fewer:
            cells.append(str(score.interval.resamples if score.interval else 0))
        rows.append(Row(_kind(score), (_name(score), *cells)))
    return Table(tuple(map(Column, titles)), tuple(rows))


def _lacks_resamples(comparison: Comparison, scores: Sequence[ScoreChange]) -> bool:
    """Whether an interval stands on fewer resamples than were asked for."""
    return any(score.interval and score.interval.resamples < comparison.resamples for score in scores)


def _kind(score: ScoreChange) -> RowKind:
    if score.scope == "foreground":
        return "mean"
    return score.scope


def _name(score: ScoreChange) -> Cell:
    if score.scope in _MEANS:
        return Name(score.name)
    return score.name


def _cells(score: ScoreChange) -> list[str]:
    interval = UNDEFINED
    if score.interval:
        interval = f"[{_signed(score.interval.low)}, {_signed(score.interval.high)}]"
    scores = [number(score.a), number(score.b), _signed(score.difference), interval, _p(score.p)]
    return [*scores, str(score.better), str(score.worse), str(score.tied)]


def _image_table(changed: Sequence[ImageChange]) -> Table:
    titles = ("image", "A", "B", "B - A", "mostly by class", "its A", "its B")
    rows = []
    for change in changed:
        means = number(change.a), number(change.b), _signed(change.difference)
        tail = Name(change.class_name), number(change.class_a), number(change.class_b)
        rows.append(Row("image", (Name(change.id), *means, *tail)))
    return Table(tuple(map(Column, titles)), tuple(rows))


def _signed(value: float | None) -> str:
    if value is None:
        return UNDEFINED
    if round(value, _DIGITS) == 0:
        # Nothing has no sign.
        return "0.0000"
    return f"{value:+.4f}"


def _p(value: float | None) -> str:
    if value is not None and value < _SMALLEST_P:
        return "<0.0001"
    return number(value)
