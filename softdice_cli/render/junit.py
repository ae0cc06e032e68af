"""JUnit XML for CI servers: one case a requirement, and one a failed pair.

Plain ASCII, so that no encoding of a stream can break it; no times, so that the same results give
the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from softdice_cli.metrics import SHOWN
from softdice_cli.records import Results, Verdict
from softdice_cli.render.page import Page
from softdice_cli.render.text import neutral
from softdice_cli.render.verdicts import MISSING_IT, failure_text, rule_text, verdict_sentence
from softdice_cli.render.warnings import warnings


def junit_text(results: Results, _: Page) -> Iterator[str]:
    """The verdicts as JUnit: ``failure`` is a requirement that is not met, ``error`` a pair that could not be read.

    Where nothing was evaluated there is an ``error`` that says so, as no case at all is green on
    most servers.
    """
    for line in _lines(results):
        yield line.encode("ascii", "xmlcharrefreplace").decode() + "\n"


def _lines(results: Results) -> Iterator[str]:
    counts = _counts(results)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="softdice"{counts}>'
    yield f'  <testsuite name="softdice"{counts}>'
    yield "    <properties>"
    for name, value in _properties(results):
        yield f"      <property{_attributes(name=name, value=value)}/>"
    yield "    </properties>"
    for verdict in results.requirements:
        yield from _requirement(verdict)
    if _is_empty(results):
        yield from _case("softdice.pairs", "evaluation", "error", "empty", "nothing was evaluated", "")
    for failure in results.failures:
        yield from _case("softdice.pairs", failure.id, "error", "pair", failure.error, failure_text(failure))
    notes = [*warnings(results), *(f"left out: {text}" for text in results.left_out)]
    if notes:
        yield f"    <system-out>{escape(_joined(notes))}</system-out>"
    yield "  </testsuite>"
    yield "</testsuites>"


def _is_empty(results: Results) -> bool:
    return not results.images and not results.failures


def _counts(results: Results) -> str:
    errors = len(results.failures) + _is_empty(results)
    return _attributes(
        tests=len(results.requirements) + errors,
        failures=sum(not verdict.passed for verdict in results.requirements),
        errors=errors,
        skipped=0,
        time=0,
    )


def _properties(results: Results) -> Iterator[tuple[str, object]]:
    """Signature, counts and means; a mean that is undefined says so."""
    yield "signature", results.settings.signature
    if results.run.label:
        yield "label", results.run.label
    yield "complete", "yes" if results.complete else "no"
    yield "images", len(results.images)
    yield "failed pairs", len(results.failures)
    yield "left out", f"{len(results.left_out)} of {results.run.pairs} pairs"
    if not results.images:
        return
    for average, summary in (("pooled", results.pooled), ("image_mean", results.image_mean)):
        for metric in SHOWN:
            yield f"{average}:{metric.name}", _value(summary.means.values[metric.name])
        yield f"{average}:loss_present", _value(summary.loss_present)
        if summary.region_means is not None:
            for metric in SHOWN:
                yield f"{average}:region_mean:{metric.name}", _value(summary.region_means.values[metric.name])


def _value(value: float | None) -> str:
    if value is None:
        return "undefined"
    return repr(value)


def _requirement(verdict: Verdict) -> Iterator[str]:
    rule = rule_text(verdict)
    if verdict.passed:
        case = f"<testcase{_attributes(classname='softdice.requirements', name=rule, time=0)}"
        if verdict.note:
            yield f"    {case}><system-out>{escape(neutral(verdict.note))}</system-out></testcase>"
        else:
            yield f"    {case}/>"
        return
    sentence = verdict_sentence(verdict)
    body = [sentence]
    if verdict.images:
        body += [f"{MISSING_IT}, the worst first:", *verdict.images]
    kind = verdict.reason or "requirement"
    yield from _case("softdice.requirements", rule, "failure", kind, sentence, _joined(body))


def _case(group: str, name: str, tag: str, kind: str, message: str, body: str) -> Iterator[str]:
    yield f"    <testcase{_attributes(classname=group, name=name, time=0)}>"
    yield f"      <{tag}{_attributes(message=message, type=kind)}>{escape(body)}</{tag}>"
    yield "    </testcase>"


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(map(neutral, texts))


def _attributes(**values: object) -> str:
    """As they stand in a tag; neutral text holds no character that XML 1.0 forbids."""
    return "".join(f" {name}={quoteattr(neutral(str(value)))}" for name, value in values.items())
