"""The columns that a table of classes can have, by the names that ``--columns`` takes.

They follow from the list of metrics: each metric gives a column for its score, one for each measure
of its spread over the images, and one for the number of images that define it. Beside them stand
the counts of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from softdice_cli.errors import ConfigError
from softdice_cli.metrics import AVERAGES, BY_NAME, METRICS, SHOWN, Metric
from softdice_cli.records import Scores, Spread
from softdice_cli.records.intervals import Average
from softdice_cli.render.text import number

Scope = Literal["class", "mean", "all"]
"""What a row of scores is of: a class, a mean over classes, or all classes taken as one."""

Value = float | int | None

_SPREAD = ("sd", "median", "q1", "q3")
_COUNT_TITLES = {"truth_pixels": "truth px", "predicted_pixels": "predicted px", "true_positives": "TP px"}


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column of a table of classes.

    Attributes:
        name: as an option and a file call it.
        title: at the head of the column.
        averages: the averages over images that have it.
        scopes: the rows that have it.
        value: what it shows of the scores of such a row; ``None`` is undefined.
        metric: the name of the metric that it is about; empty for counts of pixels.
        is_score: whether it is the score itself, and neither its spread nor a count.
        is_spread: whether it is part of the spread of the score.
    """

    name: str
    title: str
    averages: tuple[Average, ...]
    scopes: tuple[Scope, ...]
    value: Callable[[Scores], Value]
    metric: str = ""
    is_score: bool = False
    is_spread: bool = False

    def cell(self, scores: Scores, scope: Scope) -> str:
        """What stands in a row; nothing where such a row does not have it."""
        if scope not in self.scopes:
            return ""
        value = self.value(scores)
        if isinstance(value, int):
            return str(value)
        return number(value)


def _score(metric: Metric) -> ScoreColumn:
    def value(scores: Scores) -> Value:
        return scores.values[metric.name]

    return ScoreColumn(metric.name, metric.title, AVERAGES, _rows_of(metric), value, metric.name, is_score=True)


def _spread(metric: Metric, measure: str) -> ScoreColumn:
    def value(scores: Scores) -> Value:
        spread = scores.spread[metric.name]
        # "0.84 ± 0.03" has to be the mean and the spread of the same numbers.
        if not belongs(spread, scores.values[metric.name]):
            return None
        shown: float | None = getattr(spread, measure)
        return shown

    name, title = f"{metric.name}_{measure}", f"{metric.title} {measure}"
    return ScoreColumn(name, title, ("image_mean",), _rows_of(metric), value, metric.name, is_spread=True)


def belongs(spread: Spread, mean: float | None) -> bool:
    """Whether a spread is around this mean: not where the mean is over classes, and an image lacks one of them."""
    if spread.mean is None or mean is None:
        return False
    return math.isclose(spread.mean, mean, rel_tol=1e-9, abs_tol=1e-12)


def _images(metric: Metric, name: str, title: str) -> ScoreColumn:
    """How many images define a score; behind a mean over classes there is no such number."""

    def value(scores: Scores) -> Value:
        return scores.defined[metric.name]

    scopes: tuple[Scope, ...] = ("all",)
    if metric.per_class:
        scopes = ("class",)
    return ScoreColumn(name, title, ("image_mean",), scopes, value, metric.name)


def _pixels(name: str, title: str) -> ScoreColumn:
    def value(scores: Scores) -> Value:
        count: int = getattr(scores, name)
        return count

    return ScoreColumn(name, title, ("pooled",), ("class",), value)


def _rows_of(metric: Metric) -> tuple[Scope, ...]:
    if metric.per_class:
        return ("class", "mean")
    return ("all",)


def _declared() -> Iterator[ScoreColumn]:
    yield from map(_score, METRICS)
    for name, title in _COUNT_TITLES.items():
        yield _pixels(name, title)
    # Hard Dice is what people ask about first, so that its number of images has a short name.
    yield _images(BY_NAME["dice"], "images", "Dice images")
    for metric in METRICS:
        for measure in _SPREAD:
            yield _spread(metric, measure)
        yield _images(metric, f"{metric.name}_images", f"{metric.title} images")


COLUMNS = {column.name: column for column in _declared()}

_USUAL = (*(metric.name for metric in SHOWN), "truth_pixels", "predicted_pixels", "images")


def columns_of(chosen: Sequence[str] | None) -> tuple[ScoreColumn, ...]:
    """The columns of these names; the usual ones for ``None``."""
    if chosen is None:
        chosen = _USUAL
    return tuple(COLUMNS[name] for name in chosen)


def metrics_of(chosen: Sequence[str] | None) -> tuple[str, ...] | None:
    """The metrics whose scores are among the chosen columns; ``None`` if none is, or none were chosen."""
    return tuple(column.metric for column in columns_of(chosen or ()) if column.is_score) or None


def parse_columns(text: str | None) -> tuple[str, ...] | None:
    """The names in a list with commas; ``None`` for ``None``.

    Raises:
        ConfigError: there is no such column, or no name in the list.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in COLUMNS:
            raise _unknown(name, names)
    return tuple(dict.fromkeys(names))


def _unknown(name: str, names: Sequence[str]) -> ConfigError:
    from difflib import get_close_matches

    problem = "holds an empty name"
    if name:
        problem = f"{name!r} is not a column"
    alike = get_close_matches(name.lower().replace("-", "_").replace(" ", "_"), COLUMNS, 1)
    instead = [*alike, "dice"][0]
    typed = []
    for other in names:
        if other == name:
            other = instead
        # Other unknown names are left out, so that the hint works when it is typed.
        if other in COLUMNS and other not in typed:
            typed.append(other)
    return ConfigError(
        problem,
        option="columns",
        expected=f"{', '.join(BY_NAME)}, {', '.join(_COUNT_TITLES)} or images; "
        f"and METRIC_{', METRIC_'.join((*_SPREAD, 'images'))}",
        hint=f"--columns {','.join(typed)}",
    )
