"""Requirements in words: the verdict in a line, numbers with enough digits to see why, and the table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from softdice_cli.records import Failure, Results, Verdict
from softdice_cli.render.text import count, first, neutral

if TYPE_CHECKING:  # only a terminal's table needs it
    from rich.table import Table

_DIGITS = 4
_MOST_DIGITS = 17
_FIXED_BELOW = 1e9


def verdict_number(value: float | None, bound: float) -> tuple[str, str]:
    """A value and the bound it is held against, with as few digits as explain the verdict.

    Four decimals, unless different numbers would look the same; then as many as tell them apart. Equal numbers, and a
    bound that stands alone, are written in full.
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
    texts = (_fixed(value, digits) for digits in range(_DIGITS, _MOST_DIGITS + 1))
    return next((text for text in texts if float(text) == value), repr(value))


def _fixed(value: float, digits: int) -> str:
    if abs(value) >= _FIXED_BELOW:  # a bound may be 1e300, and is not a page of digits
        return repr(value)
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before nothing


def rule_text(verdict: Verdict) -> str:
    """The rule, with what it demands where the rule itself does not say it, as that on a drop; neutral."""
    said = verdict.rule.rpartition(verdict.operator)
    if said[1] and _number(said[2]) == verdict.bound:
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
    return f"not met: {neutral(verdict.reason)}" if verdict.reason else "not met"


def verdict_sentence(verdict: Verdict) -> str:
    """Value, bound and margin in a sentence, and why the value does not decide where it does not."""
    value, bound = verdict_number(verdict.value, verdict.bound)
    demand = f"required {verdict.operator} {bound}"
    if verdict.value is None:
        return f"the value is undefined, which never passes; {demand}"
    text = f"value {value}, {demand}, margin {margin_text(verdict)}"
    if verdict.reason == "incomplete":
        return f"{text}; the results are incomplete, and nothing passes on them"
    return f"{text}; {neutral(verdict.reason)}" if verdict.reason else text


def headline(results: Results) -> tuple[str, str]:
    """The verdict on the whole in a word or two, and in a sentence."""
    rules = results.requirements
    unmet = sum(not verdict.passed for verdict in rules)
    judged = f"{unmet} of {count(rules, 'requirement')} not met" if unmet else f"{count(rules, 'requirement')} met"
    if not results.complete:
        missing = f"{count(results.failures, 'pair')} failed" if results.failures else "nothing was evaluated"
        return "incomplete", f"{missing}, {judged}" if rules else missing
    if not rules:
        return "no requirements", f"{count(results.images, 'image')} evaluated"
    return ("failed" if unmet else "passed"), judged


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The requirements that are not met: undefined, then by margin, and last those that only a failed pair holds up."""

    def rank(verdict: Verdict) -> tuple[bool, float]:
        return held_up(verdict), float("-inf") if verdict.margin is None else verdict.margin

    return sorted((verdict for verdict in verdicts if not verdict.passed), key=rank)


def held_up(verdict: Verdict) -> bool:
    """Whether the value would do, and only a failed pair keeps the requirement from being met."""
    value, bound = verdict.value, verdict.bound
    if value is None or verdict.reason != "incomplete":
        return False
    return {">=": value >= bound, ">": value > bound, "<=": value <= bound, "<": value < bound}[verdict.operator]


def failure_text(failure: Failure) -> str:
    """What went wrong with a pair, what was expected and found, and what to try, in a line; neutral."""
    return neutral("; ".join([failure.error, *(f"{label} {text}" for label, text in failure.details)]))


def clip(text: str, most: int) -> str:
    """The text with its middle left out where it is longer, as names differ at their ends."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def verdict_table(results: Results) -> Table:
    """The requirements with value, margin and verdict; below a failed per-image rule the images that sank it."""
    from rich.text import Text

    from softdice_cli.render.table import _table

    table = _table("rule", "value", "margin", "verdict")
    table.columns[-1].justify = "left"
    for verdict in results.requirements:
        value, _ = verdict_number(verdict.value, verdict.bound)
        style = "" if verdict.passed else "bold"
        table.add_row(Text(rule_text(verdict)), value, margin_text(verdict), verdict_text(verdict), style=style)
        for name in verdict.images:
            table.add_row(Text(f"  {first(name)}"))
    return table
