"""Workflow commands, which a GitHub runner shows as annotations: errors, warnings and one notice.

A step may show 10 of each kind; the runner cuts a message at 4,096 UTF-16 units, and a title may
have 255 (actions/runner, ``ExecutionContext``; the Checks API). What does not fit is counted in the
last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softdice_cli.records import Results, Verdict
from softdice_cli.render.failures import FailureGroup, grouped
from softdice_cli.render.page import Page
from softdice_cli.render.sections import counted_images
from softdice_cli.render.text import neutral, number, plural
from softdice_cli.render.verdicts import (
    MISSING_IT,
    clip,
    failure_text,
    headline,
    held_up,
    rule_text,
    verdict_sentence,
    worst_first,
)
from softdice_cli.render.warnings import warnings

_PER_KIND = 10
_AT_LEAST = 5

# In characters, each of which may be two UTF-16 units.
_TITLE = 120
_MESSAGE = 2000
_NAME = 200


def github_text(results: Results, _: Page) -> Iterator[str]:
    """Annotations, one a line: requirements not met and failed pairs as errors, the worst first, then warnings."""
    yield from _errors(results)
    yield from _warnings([*warnings(results), *(f"left out: {text}" for text in results.left_out)])
    yield _notice(results)


def _errors(results: Results) -> Iterator[str]:
    failures = results.failures
    unmet = worst_first(results.requirements)
    if not results.images and not failures:
        yield _command("error", "softdice: nothing was evaluated", headline(results)[1])
        # Each of the requirements is undefined, and this says why.
        unmet = []
    groups = grouped(failures)
    rules, shown = _shares(len(unmet), len(groups))
    for verdict in unmet[:rules]:
        if not held_up(verdict):
            yield _unmet(verdict)
    yield from map(_failed, groups[:shown])
    # These would be met without the failures above them.
    for verdict in unmet[:rules]:
        if held_up(verdict):
            yield _unmet(verdict)
    pairs = [failure for group in groups[shown:] for failure in group.failures]
    left = [*_left(unmet[rules:], "requirement", "not met"), *_left(pairs, "pair", "failed")]
    if left:
        yield _command("error", "softdice: more errors", f"and {' and '.join(left)}; the log and the report name all")


def _shares(rules: int, pairs: int) -> tuple[int, int]:
    """How many of each are shown: no more than the platform does, and neither hides the other."""
    if rules + pairs <= _PER_KIND:
        return rules, pairs
    # The last one says how many more there are.
    room = _PER_KIND - 1
    shown = min(rules, max(room - pairs, _AT_LEAST))
    return shown, min(pairs, room - shown)


def _left(rest: Sequence[object], noun: str, fate: str) -> Iterator[str]:
    if rest:
        yield f"{plural(rest, f'more {noun}')} {fate}"


def _unmet(verdict: Verdict) -> str:
    message = verdict_sentence(verdict)
    if verdict.images:
        names = ", ".join(clip(neutral(name), _NAME) for name in verdict.images)
        message += f"\n{MISSING_IT}: {names}"
    return _command("error", f"not met: {rule_text(verdict)}", message)


def _failed(group: FailureGroup) -> str:
    return _command("error", f"failed: {neutral(group.subject)}", failure_text(group.first))


def _warnings(texts: list[str]) -> Iterator[str]:
    shown = texts
    if len(texts) > _PER_KIND:
        shown = texts[: _PER_KIND - 1]
    for text in shown:
        yield _command("warning", "softdice", neutral(text))
    more = len(texts) - len(shown)
    if more:
        yield _command("warning", "softdice: more warnings", f"and {more} more warnings; the report has all")


def _notice(results: Results) -> str:
    word, message = headline(results)
    if results.images:
        means = results.pooled.means
        message += (
            f"\npooled over {counted_images(results)}: "
            f"mean hard Dice {number(means.dice)}, mean loss {number(means.loss)}"
            f"\n{neutral(results.settings.signature)}"
        )
    for verdict in results.requirements:
        if verdict.passed and verdict.note:
            message += f"\n{rule_text(verdict)}: {neutral(verdict.note)}"
    if results.run.label:
        message += f"\nlabel: {neutral(results.run.label)}"
    return _command("notice", f"softdice: {word}", message)


def _command(kind: str, title: str, message: str) -> str:
    """A command as the runner reads it back: `title` and `message` are neutral, and hold line breaks of ours only."""
    head = _escaped(clip(title, _TITLE)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={head}::{_escaped(clip(message, _MESSAGE))}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
