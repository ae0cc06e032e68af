"""Requirements in words: the verdict in a line, as a table, and with enough digits to see why.

Every output that shows a verdict takes its words from here, so that a log, a comment and a report
agree.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable

from softdice_cli.records import Failure, Results, Verdict
from softdice_cli.render.content import Cell, Column, Name, Row, Table
from softdice_cli.render.text import advice_of, neutral, plural

MISSING_IT = "images that miss it"
"""What the images below a requirement on single images are."""

_DIGITS = 4
_MOST_DIGITS = 17

# Numbers from here on are written with an exponent: a bound may be 1e300, which is not a page of
# digits.
_FIXED_BELOW = 1e9


def verdict_number(value: float | None, bound: float) -> tuple[str, str]:
    """A value and the bound it is held against, with as few digits as explain the verdict.

    Four decimals, unless different numbers would look the same; then as many as tell them apart.
    Equal numbers, and a bound that stands alone, are written in full.
    """
    if value is None:
        return "–", _in_full(bound)
    if value == bound:
        return _in_full(value), _in_full(bound)
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        texts = _fixed(value, digits), _fixed(bound, digits)
        if texts[0] != texts[1]:
            return texts
    return repr(value), repr(bound)


def margin_text(verdict: Verdict) -> str:
    """The margin with its sign, never shown as nothing where there is one; a dash where the value is undefined."""
    margin = verdict.margin
    text = verdict_number(margin, 0.0)[0]
    return f"+{text}" if margin is not None and margin > 0 else text


def _in_full(value: float) -> str:
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        text = _fixed(value, digits)
        if float(text) == value:
            return text
    return repr(value)


def _fixed(value: float, digits: int) -> str:
    if abs(value) >= _FIXED_BELOW:
        return repr(value)
    # Adding 0.0 takes the minus off a rounded zero.
    return f"{round(value, digits) + 0.0:.{digits}f}"


def rule_text(verdict: Verdict) -> str:
    """The rule; what it demands is added where the rule does not say it, as in a rule on a drop. Neutral."""
    _, said, bound = verdict.rule.rpartition(verdict.operator)
    if said and _number(bound) == verdict.bound:
        return neutral(verdict.rule)
    return neutral(f"{verdict.rule} {verdict.operator} {_in_full(verdict.bound)}")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def verdict_text(verdict: Verdict) -> str:
    """``met`` or ``not met``, with the reason where the value is not the reason."""
    if verdict.passed:
        return "met"
    if verdict.reason:
        return f"not met: {neutral(verdict.reason)}"
    return "not met"


def verdict_sentence(verdict: Verdict) -> str:
    """Value, bound and margin in a sentence, and why the value does not decide where it does not."""
    value, bound = verdict_number(verdict.value, verdict.bound)
    demand = f"required {verdict.operator} {bound}"
    if verdict.reason == "refused":
        return f"it could not be judged: {neutral(verdict.note)}; {demand}"
    if verdict.value is None:
        return f"the value is undefined, which never passes; {demand}"
    known = f", {neutral(verdict.note)}" if verdict.note else ""
    text = f"value {value}, {demand}, margin {margin_text(verdict)}"
    if verdict.reason == "incomplete":
        return f"{text}; the results are incomplete, and nothing passes on them{known}"
    if verdict.reason:
        return f"{text}; {neutral(verdict.reason)}{known}"
    return f"{text}{known}"


def headline(results: Results) -> tuple[str, str]:
    """The verdict on the whole in a word or two, and in a sentence."""
    rules = results.requirements
    unmet = sum(not verdict.passed for verdict in rules)
    judged = f"{plural(rules, 'requirement')} met"
    if unmet:
        judged = f"{unmet} of {plural(rules, 'requirement')} not met"
    if not results.complete:
        missing = _missing(results)
        return _word(results, unmet), f"{missing}, {judged}" if rules else missing
    if not rules:
        return "no requirements", f"{plural(results.images, 'image')} evaluated"
    return ("failed" if unmet else "passed"), judged


def _word(results: Results, unmet: int) -> str:
    """The verdict on results that are not complete; what was left out may have been allowed to be."""
    rules = results.requirements
    held = any(verdict.reason == "incomplete" for verdict in rules)
    if not rules or held or results.failures or not results.images:
        return "incomplete"
    return "failed" if unmet else "passed"


def _missing(results: Results) -> str:
    """What keeps results from being complete."""
    parts = []
    if results.failures:
        parts.append(f"{plural(results.failures, 'pair')} failed")
    if not results.images and not parts:
        parts.append("nothing was evaluated")
    if results.left_out:
        parts.append(f"{len(results.left_out)} of {results.run.pairs} pairs left out")
    return ", ".join(parts)


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The requirements that are not met: undefined, then by margin, and last those that only a failed pair holds up."""

    def rank(verdict: Verdict) -> tuple[bool, float]:
        margin = verdict.margin
        return held_up(verdict), float("-inf") if margin is None else margin

    return sorted((verdict for verdict in verdicts if not verdict.passed), key=rank)


def held_up(verdict: Verdict) -> bool:
    """Whether the value would do, and only a failed pair keeps the requirement from being met."""
    if verdict.value is None or verdict.reason != "incomplete":
        return False
    holds = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}[verdict.operator]
    return bool(holds(verdict.value, verdict.bound))


def failure_text(failure: Failure) -> str:
    """What went wrong with a pair, what was expected and found, and what to try, in a line; neutral."""
    return neutral("; ".join([failure.error, *advice_of(failure)]))


def clip(text: str, most: int) -> str:
    """The text with its middle left out where it is longer, as names differ at their ends."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def requirement_table(verdicts: Iterable[Verdict]) -> Table:
    """The requirements with value, margin and verdict; with those on single images, the images that miss them."""
    head = [Column("rule"), Column("value"), Column("margin"), Column("verdict", "left")]
    shown = list(verdicts)
    noted = any(verdict.note for verdict in shown)
    if noted:
        head.append(Column("note", "name"))
    rows = []
    for verdict in shown:
        value, _ = verdict_number(verdict.value, verdict.bound)
        cells: list[Cell] = [Name(rule_text(verdict)), value, margin_text(verdict), verdict_text(verdict)]
        if noted:
            cells.append(Name(verdict.note) if verdict.note else "")
        images = tuple(map(Name, verdict.images))
        rows.append(Row("met" if verdict.passed else "unmet", tuple(cells), images))
    return Table(tuple(head), tuple(rows), names_title=MISSING_IT)
