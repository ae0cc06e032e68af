"""A comparison for people (table, Markdown) and for programs (JSON, CSV): returned as text, never printed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from softdice_cli.metrics import BY_NAME
from softdice_cli.records import Verdict
from softdice_cli.render.markdown import code
from softdice_cli.render.page import Page
from softdice_cli.render.text import neutral, number, spreadsheet

if TYPE_CHECKING:  # its NumPy is not needed to show what it found
    from softdice_cli.comparison import Comparison, ImageChange, ScoreChange

CompareFormat = Literal["table", "json", "csv", "markdown"]

FORMAT = "softdice-comparison"
FORMAT_VERSION = 1
CSV_COLUMNS = (
    "metric", "average", "scope", "class", "a", "b", "difference", "low", "high", "resamples", "p", "permutations",
    "better", "worse", "tied", "undefined",
)  # fmt: skip
_AVERAGES = {"pooled": "pooled", "image_mean": "image mean"}
_PLAIN = Page()
_CHANGED = ("image", "A", "B", "B - A", "mostly by class", "its A", "its B")
_MORE_DIGITS = 17


def render_comparison(
    comparison: Comparison, format: CompareFormat = "table", page: Page = _PLAIN, verdict: Verdict | None = None
) -> str:
    """The comparison in one of the formats, with the verdict on it if there is one; only a table looks at the page.

    CSV has one row a score and nothing else; a caller says the notes elsewhere.
    """
    if format == "csv":
        return _csv(comparison)
    if format == "json":
        return _json(comparison, verdict)
    if format == "markdown":
        return _markdown(comparison, verdict)
    return _table_text(comparison, page, verdict)


def verdict_text(comparison: Comparison, verdict: Verdict) -> str:
    """The verdict in a sentence, with as many digits as it takes to see why."""
    if verdict.value is None:
        return f"not met: {verdict.rule}: the change of the mean hard Dice (pooled) has no interval, and none can pass"
    mean = comparison.judged
    low = mean.interval.low if mean.interval else verdict.value
    for digits in range(4, _MORE_DIGITS):
        shown = [round(v, digits) for v in (low, verdict.value, verdict.bound)]
        if (shown[1] >= shown[2]) == verdict.passed:
            break
    texts = [f"{value + 0.0:+.{digits}f}" for value in shown]
    side = "reaches" if verdict.passed else "lies below"
    head = "met" if verdict.passed else "not met"
    interval = f"the 95 % interval [{texts[0]}, {texts[1]}] of the change of the mean hard Dice (pooled)"
    return f"{head}: {verdict.rule}: {interval} {side} {texts[2]}"


def _json(comparison: Comparison, verdict: Verdict | None) -> str:
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "a": comparison.a,
        "b": comparison.b,
        "signature": comparison.signature,
        "images": comparison.images,
        "level": 0.95,
        "resamples": comparison.resamples,
        "seed": comparison.seed,
        "scores": [_score_to_json(score) for score in comparison.scores],
        "changed": [asdict(change) for change in comparison.changed],
        "notes": list(comparison.notes),
        "requirements": [] if verdict is None else [asdict(verdict)],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _score_to_json(score: ScoreChange) -> dict[str, Any]:
    return asdict(score)


def _csv(comparison: Comparison) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for s in comparison.scores:
        drawn = (s.interval.low, s.interval.high, s.interval.resamples) if s.interval else (None, None, None)
        values = (s.a, s.b, s.difference, *drawn, s.p, s.permutations, s.better, s.worse, s.tied, s.undefined)
        texts = (s.metric, s.average, s.scope, spreadsheet(s.name))
        writer.writerow((*texts, *("" if value is None else repr(value) for value in values)))
    return buffer.getvalue()


def _table_text(comparison: Comparison, page: Page, verdict: Verdict | None) -> str:
    from rich.text import Text

    from softdice_cli.render.table import _ASCII, _draw, _name, _table

    blocks = [[_headline(comparison, neutral)]]
    for title, scores in _groups(comparison):
        head, body = _grid(comparison, scores)
        table = _table(*head)
        for score, cells in zip(scores, body, strict=True):
            if score.scope == "mean":
                table.add_section()
            table.add_row(_name(score.name), *cells, style="" if score.scope == "class" else "bold")
        blocks.append([title, _draw(table, page)])
    if comparison.changed:
        table = _table(*_CHANGED)
        for change in comparison.changed:
            cells = _image_cells(change)
            table.add_row(_name(change.id), *cells[:3], Text(neutral(change.class_name)), *cells[3:])
        blocks.append([_changed_title(comparison), _draw(table, page)])
    blocks.append([*_legend(comparison), *map(neutral, comparison.notes)])
    blocks[-1] += [neutral(verdict_text(comparison, verdict))] if verdict else []
    blocks[-1].append(neutral(comparison.signature))
    text = "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
    return text if page.unicode else text.translate(_ASCII)


def _markdown(comparison: Comparison, verdict: Verdict | None) -> str:
    blocks = [[f"### {_headline(comparison, code)}"]]
    if verdict:
        blocks.append([f"**{verdict_text(comparison, verdict)}**"])
    for title, scores in _groups(comparison):
        head, body = _grid(comparison, scores)
        names = [code(s.name, cell=True) if s.scope == "class" else f"**{s.name}**" for s in scores]
        rows = [(name, *cells) for name, cells in zip(names, body, strict=True)]
        blocks.append([f"**{title}**", "", *_pipes(head, rows)])
    if comparison.changed:
        rows = []
        for change in comparison.changed:
            cells = _image_cells(change)
            rows.append((code(change.id, cell=True), *cells[:3], code(change.class_name, cell=True), *cells[3:]))
        blocks.append([f"**{_changed_title(comparison)}**", "", *_pipes(_CHANGED, rows)])
    blocks += [[text] for text in _legend(comparison)]
    blocks += [[code(note)] for note in comparison.notes]
    blocks.append([code(comparison.signature)])
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _pipes(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    rule = ("---", *("---:" for _ in head[1:]))
    yield from (f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _headline(comparison: Comparison, name: Any) -> str:
    images = "1 image" if comparison.images == 1 else f"{comparison.images} images"
    return f"A {name(comparison.a)}, B {name(comparison.b)}: {images}, paired by id"


def _changed_title(comparison: Comparison) -> str:
    return f"changed most, by the image's mean hard Dice ({len(comparison.changed)} of {comparison.images} images)"


def _groups(comparison: Comparison) -> Iterator[tuple[str, list[ScoreChange]]]:
    """The scores of each metric, under its title; the mean of a single class is left out."""
    for kind in dict.fromkeys((score.metric, score.average) for score in comparison.scores):
        scores = [score for score in comparison.scores if (score.metric, score.average) == kind]
        classes = [score for score in scores if score.scope == "class"]
        metric = BY_NAME[kind[0]]
        title = f"{metric.title}, lower is better" if metric.lower_is_better else metric.title
        yield f"{title}, {_AVERAGES[kind[1]]}", classes if len(classes) == 1 else scores


def _grid(comparison: Comparison, scores: list[ScoreChange]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head, and the cells of each score but its name; columns that say nothing are left out."""
    fewer = any(s.interval and s.interval.resamples < comparison.resamples for s in scores)
    undefined = any(s.undefined for s in scores)
    head: tuple[str, ...] = ("class", "A", "B", "B - A", "95 % interval", "p", "better", "worse", "tied")
    head += (("undefined",) if undefined else ()) + (("resamples",) if fewer else ())
    return head, [_cells(score, undefined=undefined, fewer=fewer) for score in scores]


def _cells(score: ScoreChange, *, undefined: bool, fewer: bool) -> tuple[str, ...]:
    drawn = score.interval
    interval = f"[{_signed(drawn.low)}, {_signed(drawn.high)}]" if drawn else "–"
    counts = [score.better, score.worse, score.tied, *([score.undefined] if undefined else [])]
    counts += [drawn.resamples if drawn else 0] if fewer else []
    return (number(score.a), number(score.b), _signed(score.difference), interval, _p(score.p), *map(str, counts))


def _image_cells(change: ImageChange) -> tuple[str, ...]:
    ends = number(change.class_a), number(change.class_b)
    return number(change.a), number(change.b), _signed(change.difference), *ends


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:+.4f}" if round(value, 4) else "0.0000"


def _p(value: float | None) -> str:
    return "<0.0001" if value is not None and value < 5e-5 else number(value)


def _legend(comparison: Comparison) -> Iterator[str]:
    if comparison.images > 1:
        yield "95 % interval of B - A: paired bootstrap, percentiles; p: paired permutation, two-sided"
        yield f"each from {comparison.resamples} draws over the images, seed {comparison.seed}"
    if any(s.undefined for s in comparison.scores):
        yield "undefined: images where a score is 0/0 in A or in B; they are not better, worse or tied"
    if any(s.interval and s.interval.resamples < comparison.resamples for s in comparison.scores):
        yield "resamples: how many stand behind an interval; in the others the score is 0/0 in A or in B"
