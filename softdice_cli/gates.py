"""Requirements and baselines → verdicts; pure. Values are never rounded, undefined never passes, nor does incomplete.

A rule is ``[AGGREGATE:]METRIC[CLASS] OP NUMBER``: ``dice>=0.85``, ``loss<=0.4``, ``dice[nucleus]>=0.7``,
``image_mean:iou>=0.5``, ``image_min:dice>=0.2``, ``image_p05:dice[cell]>=0.4``. Without an aggregate the pooled score
is judged, and without a class the mean over the classes; a class is given by its name, or else by its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.records import ClassScores, ImageRow, Results, Settings, Verdict
from softdice_cli.scores import score_image

METRICS = ("loss", "loss_present", "soft_dice", "dice", "iou", "precision", "recall")
AGGREGATES = ("pooled", "image_mean", "image_min", "image_max", "image_pNN")

_LISTED = 20
_AGGREGATE = re.compile(r"pooled|image_mean|image_min|image_max|image_p[0-9]{1,2}")
_OPERATOR = re.compile(r"\s*(>=|<=|>|<)\s*")
_GRAMMAR = "[AGGREGATE:]METRIC[CLASS] OP NUMBER, e.g. dice>=0.85, dice[cell]>=0.7 or image_p05:iou>=0.4"


@dataclass(frozen=True, slots=True)
class Score:
    """Which score a rule is about: ``aggregate:metric[class]``; `name` is ``None`` for the mean over the classes."""

    aggregate: str
    metric: str
    name: str | None

    @property
    def text(self) -> str:
        """As it is written in a rule."""
        front = "" if self.aggregate == "pooled" else f"{self.aggregate}:"
        return f"{front}{self.metric}" + ("" if self.name is None else f"[{self.name}]")

    @property
    def lower_is_better(self) -> bool:
        """Whether this is a loss."""
        return self.metric.startswith("loss")


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement: a score, an operator, and the number that it is held against."""

    score: Score
    operator: str
    bound: float

    @property
    def text(self) -> str:
        """The rule in its shortest form."""
        short = f"{self.bound:g}"
        return f"{self.score.text}{self.operator}{short if float(short) == self.bound else repr(self.bound)}"


def parse_rule(text: str, option: str = "require") -> Rule:
    """A rule from what the user wrote.

    Raises:
        ConfigError: it cannot be read; says at which character, and what could stand there.
    """
    score, place = _parse_score(text, option)
    operator = _OPERATOR.match(text, place)
    if not operator:
        raise _misread(option, text, place, "an operator: >=, >, <= or <")
    bound = _number(text, operator.end(), option)
    if not score.lower_is_better and not 0 <= bound <= 1:
        raise _misread(option, text, operator.end(), f"a number from 0 to 1, as {score.metric} is")
    return Rule(score, operator[1], bound)


def parse_drop(text: str) -> tuple[Score, float]:
    """What ``--max-drop`` allows: ``NUMBER`` for the pooled mean Dice, or ``[AGGREGATE:]METRIC[CLASS]=NUMBER``.

    Raises:
        ConfigError: it cannot be read, or is below 0.
    """
    score, place = Score("pooled", "dice", None), 0
    if not re.match(r"\s*[-+.0-9]", text):
        score, place = _parse_score(text, "max_drop")
        if text[place : place + 1] != "=":
            raise _misread("max_drop", text, place, "= and a number")
        place += 1
    drop = _number(text, place, "max_drop")
    if drop < 0:
        raise _misread("max_drop", text, place, "a number that is not below 0")
    return score, drop


def _parse_score(text: str, option: str) -> tuple[Score, int]:
    """The score in front of a rule, and where it ends."""
    aggregate, place = "pooled", len(text) - len(text.lstrip())
    colon = re.match(r"[^\[:<>=]*:", text[place:])
    if colon:
        aggregate = colon[0][:-1].strip()
        if not _AGGREGATE.fullmatch(aggregate):
            raise _misread(option, text, place, f"an aggregate: {', '.join(AGGREGATES)}")
        place += colon.end()
        place += len(text[place:]) - len(text[place:].lstrip())
    word = re.match(r"[A-Za-z_]*", text[place:])
    metric = word[0] if word else ""
    if metric not in METRICS:
        raise _misread(option, text, place, f"a metric: {', '.join(METRICS)}")
    place += len(metric)
    if text[place : place + 1] != "[":
        return Score(aggregate, metric, None), place
    end = _end_of_class(text, place)
    if end < 0:
        raise _misread(option, text, place, "a class in brackets: [NAME]")
    if metric == "loss_present":
        raise _misread(option, text, place, "no class: loss_present is a mean over classes")
    return Score(aggregate, metric, text[place + 1 : end]), end + 1


def _end_of_class(text: str, start: int) -> int:
    """Where the class ends: at the last bracket that an operator or = follows, as names may hold brackets."""
    ends = [m.start() for m in re.finditer(r"\](?=\s*(?:>|<|=))", text) if m.start() > start]
    return ends[-1] if ends else -1


def _number(text: str, place: int, option: str) -> float:
    try:
        number = float(text[place:])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _misread(option, text, place, "a number")
    return number


def _misread(option: str, text: str, place: int, expected: str) -> ConfigError:
    there = repr(text[place : place + 20]) if text[place:] else "the end"
    return ConfigError(
        f"{text!r} cannot be read at character {place + 1}",
        option=option,
        expected=expected,
        found=there,
        hint=_GRAMMAR,
    )


def check_classes(scores: Iterable[Score], settings: Settings) -> None:
    """Raises ConfigError where a rule names a class that is not scored; asks nothing before the classes are known."""
    if settings.classes:
        for score in scores:
            _class_name(score, settings)


def _class_name(score: Score, settings: Settings) -> str | None:
    """The name of the class that a rule is about, which may give its place instead."""
    known = {settings.classes[index].name: index for index in settings.scored}
    if score.name is None or score.name in known:
        return score.name
    places = {str(index): name for name, index in known.items()}
    if score.name in places:
        return places[score.name]
    raise ConfigError(f"{score.text}: there is no class {score.name!r}", expected=f"one of {', '.join(known)}")


def judge(results: Results, rules: Sequence[Rule]) -> list[Verdict]:
    """A verdict on each rule.

    Raises:
        ConfigError: a rule names no class of the results.
    """
    check_classes([rule.score for rule in rules], results.settings)
    return [_judge(results, rule) for rule in rules]


def _judge(results: Results, rule: Rule) -> Verdict:
    value = measure(results, rule.score)
    met = value is not None and _holds(value, rule.operator, rule.bound)
    reason = "undefined" if value is None else "" if _is_whole(results) else "incomplete"
    sank: tuple[str, ...] = ()
    if not met and rule.score.aggregate.startswith("image_"):
        sank = _sank(results, rule)
    return Verdict(rule.text, value, rule.operator, rule.bound, met and not reason, reason, sank)


def _is_whole(results: Results) -> bool:
    """Whether the results are all that was to be evaluated; a shard is not."""
    return results.complete and results.shard is None


def _holds(value: float, operator: str, bound: float) -> bool:
    return {">=": value >= bound, ">": value > bound, "<=": value <= bound, "<": value < bound}[operator]


def measure(results: Results, score: Score) -> float | None:
    """The unrounded value of a score; ``None`` where it is undefined."""
    if not results.images:
        return None
    score = replace(score, name=_class_name(score, results.settings))
    if score.aggregate in ("pooled", "image_mean"):
        summary = results.pooled if score.aggregate == "pooled" else results.image_mean
        return summary.loss_present if score.metric == "loss_present" else _value(summary.classes, score)
    values = sorted(value for _, value in _by_image(results, score))
    return _quantile(values, _share(score.aggregate)) if values else None


def _share(aggregate: str) -> float:
    named = {"image_min": 0.0, "image_max": 1.0}
    return named[aggregate] if aggregate in named else int(aggregate.removeprefix("image_p")) / 100


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of sorted values, linear between neighbours (NumPy's default)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _value(classes: Sequence[ClassScores], score: Score) -> float | None:
    """The score of one class, or the mean over the classes where it is defined."""
    if score.name is not None:
        chosen = [c for c in classes if c.name == score.name]
    elif score.metric == "loss_present":
        chosen = [c for c in classes if c.truth_pixels]
    else:
        chosen = list(classes)
    metric = "loss" if score.metric == "loss_present" else score.metric
    values = [value for c in chosen if (value := getattr(c, metric)) is not None]
    return math.fsum(values) / len(values) if values else None


def _by_image(results: Results, score: Score) -> list[tuple[str, float]]:
    """The score of each image where it is defined."""
    found = ((row.id, _value(score_image(results.settings, row), score)) for row in results.images)
    return [(name, value) for name, value in found if value is not None]


def _sank(results: Results, rule: Rule) -> tuple[str, ...]:
    """The images that do not meet a rule by themselves, the worst first."""
    score = replace(rule.score, name=_class_name(rule.score, results.settings))
    failing = [(v, name) for name, v in _by_image(results, score) if not _holds(v, rule.operator, rule.bound)]
    ordered = sorted(failing, key=lambda entry: (-entry[0] if rule.operator.startswith("<") else entry[0], entry[1]))
    return tuple(name for _, name in ordered[:_LISTED])


def judge_drops(results: Results, baseline: Results, drops: Sequence[tuple[Score, float]], path: str) -> list[Verdict]:
    """A verdict on each drop that is allowed against a baseline.

    Args:
        results: what is judged.
        baseline: what it must not fall behind.
        drops: scores, and by how much each may be worse.
        path: the baseline's file, for messages.

    Raises:
        InputError: the baseline has another signature, other classes or other images, or is incomplete.
        ConfigError: a rule names no class of the results.
    """
    _refuse_other(results, baseline, path)
    check_classes([score for score, _ in drops], results.settings)
    return [_judge_drop(results, baseline, score, allowed) for score, allowed in drops]


def _judge_drop(results: Results, baseline: Results, score: Score, allowed: float) -> Verdict:
    before, after = measure(baseline, score), measure(results, score)
    drop = None if before is None or after is None else (after - before if score.lower_is_better else before - after)
    reason = "undefined" if drop is None else "" if _is_whole(results) else "incomplete"
    met = drop is not None and drop <= allowed and not reason
    was = "undefined" if before is None else f"{before:.4f}"
    return Verdict(f"drop of {score.text} from {was}", drop, "<=", allowed, met, reason)


def _refuse_other(results: Results, baseline: Results, path: str) -> None:
    if not baseline.complete:
        raise InputError("is incomplete, and cannot be a baseline", path=path, hint="evaluate the baseline again")
    mine, theirs = results.settings, baseline.settings
    for what, a, b in (
        ("signature", mine.signature, theirs.signature),
        ("classes", ", ".join(c.name for c in mine.classes), ", ".join(c.name for c in theirs.classes)),
    ):
        if a != b and results.images:
            raise InputError(
                f"has other {what} than these results",
                path=path,
                expected=a,
                found=b,
                hint="make the baseline with the same options",
            )
    truths = {row.id: _truth(row) for row in baseline.images}
    other = [row.id for row in results.images if row.id in truths and truths[row.id] != _truth(row)]
    if other:
        raise InputError(
            "was made with other masks than these results",
            path=path,
            expected="the same pixels and labels in each image",
            found=f"differences in {', '.join(other[:12])}",
            hint="make the baseline of the same masks",
        )
    ids = {row.id for row in results.images} | {failure.id for failure in results.failures}
    known = {row.id for row in baseline.images}
    if results.complete and ids != known:
        more, less = sorted(ids - known), sorted(known - ids)
        found = "; ".join(
            f"{what}: {', '.join(names[:12])}"
            for what, names in (("not in the baseline", more), ("only in the baseline", less))
            if names
        )
        raise InputError(
            "is of other images than these results",
            path=path,
            expected="the same images",
            found=found,
            hint="make the baseline of the same images",
        )


def _truth(row: ImageRow) -> tuple[int, int, list[int]]:
    """What the mask of an image gives to its row."""
    return row.pixels, row.ignored, [sums.truth for sums in row.sums]


def with_verdicts(results: Results, verdicts: Sequence[Verdict]) -> Results:
    """The results with what was asked of them."""
    return replace(results, requirements=tuple(verdicts))
