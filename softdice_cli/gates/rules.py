"""The language of rules: which score a requirement is about, and what is asked of it.

A rule is ``[AGGREGATE:]METRIC[CLASS] OP NUMBER``: ``dice>=0.85``, ``loss<=0.4``,
``dice[nucleus]>=0.7``, ``image_mean:iou>=0.5``, ``image_min:dice>=0.2``,
``image_p05:dice[cell]>=0.4``. Without an aggregate, the pooled score is judged. Without a class,
the mean over the classes is judged. A class is given by its name, or else by its place; a region by
its name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from softdice_cli.errors import ConfigError
from softdice_cli.metrics import BY_NAME, PER_CLASS, Metric
from softdice_cli.records import Settings

PRESENT = "loss_present"
"""The mean loss over the classes that have truth pixels; a rule writes it as a metric without classes."""

NAMES = (*BY_NAME, PRESENT)
AGGREGATES = ("pooled", "image_mean", "image_min", "image_max", "image_pNN")

# What an aggregate, an operator and a whole rule look like.
_AGGREGATE = re.compile(r"pooled|image_mean|image_min|image_max|image_p[0-9]{1,2}")
_OPERATOR = re.compile(r"\s*(>=|<=|>|<)\s*")
# What to type for each option that is read here.
_GRAMMARS = {
    "require": "[AGGREGATE:]METRIC[CLASS] OP NUMBER, e.g. dice>=0.85, dice[cell]>=0.7 or image_p05:iou>=0.4",
    "max_drop": "NUMBER or [AGGREGATE:]METRIC[CLASS]=NUMBER, e.g. 0.01, dice[cell]=0.05 or image_p05:iou=0.1",
    "fail_under": "a number from 0 to 1, e.g. --fail-under 0.85",
}


@dataclass(frozen=True, slots=True)
class Score:
    """Which score a rule is about: ``aggregate:name[of]``.

    Attributes:
        aggregate: one of `AGGREGATES`.
        name: one of `NAMES`.
        of: the class or region, or ``None`` for the mean over the classes.
    """

    aggregate: str
    name: str
    of: str | None

    @property
    def text(self) -> str:
        """As it is written in a rule."""
        text = self.name
        if self.aggregate != "pooled":
            text = f"{self.aggregate}:{text}"
        if self.of is not None:
            text = f"{text}[{self.of}]"
        return text

    @property
    def metric(self) -> Metric:
        """The metric behind the score."""
        if self.name == PRESENT:
            return BY_NAME["loss"]
        return BY_NAME[self.name]


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement: a score, an operator, and the number that it is held against."""

    score: Score
    operator: str
    bound: float

    @property
    def text(self) -> str:
        """The rule in its shortest form."""
        bound = f"{self.bound:g}"
        # A verdict shows the bound that was judged: six digits only where they are all of it.
        if float(bound) != self.bound:
            bound = repr(self.bound)
        return f"{self.score.text}{self.operator}{bound}"

    def holds(self, value: float) -> bool:
        """Whether a value meets the requirement."""
        match self.operator:
            case ">=":
                return value >= self.bound
            case ">":
                return value > self.bound
            case "<=":
                return value <= self.bound
            case _:
                return value < self.bound


def parse_rule(text: str, option: str = "require") -> Rule:
    """A rule from what the user wrote.

    Args:
        text: the rule.
        option: the option that it stands for, for messages.

    Raises:
        ConfigError: it cannot be read, and the message says at which character, and what could stand there; or every
            value meets it.
    """
    score, place = _parse_score(text, option)
    operator = _OPERATOR.match(text, place)
    if not operator:
        raise _misread(option, text, place, "an operator: >=, >, <= or <")
    bound = _number(text, operator.end(), option)
    # A bound that no score can reach is a slip, such as 85 for 0.85.
    low, high = score.metric.low, score.metric.high
    if not low <= bound <= high:
        raise _misread(option, text, operator.end(), f"a number from {low:g} to {high:g}, as {score.name} is")
    rule = Rule(score, operator[1], bound)
    if rule.holds(low) and rule.holds(high):
        raise _says_nothing(option, text, f"a bound that {score.name} can miss: it is from {low:g} to {high:g}")
    return rule


def parse_drop(text: str) -> tuple[Score, float]:
    """What ``max_drop`` allows: ``NUMBER`` for the pooled mean Dice, or ``[AGGREGATE:]METRIC[CLASS]=NUMBER``.

    Raises:
        ConfigError: it cannot be read, is below 0, or is as much as the score can drop at all.
    """
    # A number alone is about the pooled mean Dice.
    if re.match(r"\s*[-+.0-9]", text):
        score, place = Score("pooled", "dice", None), 0
    else:
        score, place = _parse_score(text, "max_drop")
        if text[place : place + 1] != "=":
            raise _misread("max_drop", text, place, "= and a number")
        place += 1
    drop = _number(text, place, "max_drop")
    if drop < 0:
        raise _misread("max_drop", text, place, "a number that is not below 0")
    most = score.metric.high - score.metric.low
    if drop >= most:
        raise _says_nothing("max_drop", text, f"less than {most:g}: {score.name} can drop by no more")
    return score, drop


def _parse_score(text: str, option: str) -> tuple[Score, int]:
    """The score in front of a rule, and where it ends."""
    aggregate, place = _parse_aggregate(text, option)
    word = re.match(r"[A-Za-z_]+", text[place:])
    if not word or word[0] not in NAMES:
        raise _misread(option, text, place, f"a metric: {', '.join(NAMES)}")
    name = word[0]
    place += len(name)
    if text[place : place + 1] != "[":
        return Score(aggregate, name, None), place
    end = _end_of_class(text, place)
    if end < 0:
        raise _misread(option, text, place, "a class in brackets: [NAME]")
    if name == PRESENT:
        raise _misread(option, text, place, f"no class: {PRESENT} is a mean over classes")
    if not BY_NAME[name].per_class:
        raise _misread(option, text, place, f"no class: {name} is of all classes together")
    return Score(aggregate, name, text[place + 1 : end]), end + 1


def _parse_aggregate(text: str, option: str) -> tuple[str, int]:
    """The aggregate in front of a score, and where the metric begins."""
    place = len(text) - len(text.lstrip())
    # A colon behind a bracket belongs to the name of a class.
    colon = re.match(r"[^\[:<>=]*:", text[place:])
    if not colon:
        return "pooled", place
    aggregate = colon[0][:-1].strip()
    if not _AGGREGATE.fullmatch(aggregate):
        raise _misread(option, text, place, f"an aggregate: {', '.join(AGGREGATES)}")
    rest = text[place + colon.end() :]
    return aggregate, len(text) - len(rest.lstrip())


def _end_of_class(text: str, start: int) -> int:
    """Where the class ends: at the last bracket before an operator or =, as names may hold brackets.

    Returns:
        The place of that bracket, or -1 where there is none.
    """
    end = -1
    for bracket in re.finditer(r"\](?=\s*(?:>|<|=))", text):
        if bracket.start() > start:
            end = bracket.start()
    return end


def _number(text: str, place: int, option: str) -> float:
    try:
        number = float(text[place:])
    except ValueError:
        number = math.nan
    # A bound of "nan" or "inf" would never, or always, be met.
    if not math.isfinite(number):
        raise _misread(option, text, place, "a number")
    return number


def _misread(option: str, text: str, place: int, expected: str) -> ConfigError:
    found = "the end"
    if text[place:]:
        found = repr(text[place : place + 20])
    return ConfigError(
        f"{text!r} cannot be read at character {place + 1}",
        option=option,
        expected=expected,
        found=found,
        hint=_GRAMMARS[option],
    )


def _says_nothing(option: str, text: str, expected: str) -> ConfigError:
    return ConfigError(f"{text!r} is met by every value", option=option, expected=expected, hint=_GRAMMARS[option])


def check_scores(scores: Iterable[Score], settings: Settings) -> None:
    """Refuses a score that no results with these settings have; does nothing until the classes are known.

    Raises:
        ConfigError: there is no such class or region, or the metric needs what these classes are not.
    """
    if not settings.classes:
        return
    for score in scores:
        name_in(score, settings)
        if not score.metric.per_class and not settings.together:
            raise ConfigError(
                f"{score.text}: there is none, because a pixel can be of several of these classes",
                expected=f"another metric: {', '.join(metric.name for metric in PER_CLASS)}",
            )


def name_in(score: Score, settings: Settings) -> str | None:
    """The name of the class or region that a score is of; a rule may give the place of a class instead.

    Raises:
        ConfigError: there is no such class or region.
    """
    if score.of is None:
        return None
    # Classes that are not scored keep their places, but cannot be asked for.
    places = {str(index): settings.classes[index].name for index in settings.scored}
    regions = [region.name for region in settings.regions]
    known = [*places.values(), *regions]
    # A name comes first: a class that is called "1" may stand at another place.
    if score.of in known:
        return score.of
    if score.of in places:
        return places[score.of]
    what = "class or region" if regions else "class"
    raise ConfigError(f"{score.text}: there is no {what} {score.of!r}", expected=f"one of {', '.join(known)}")
