"""A pull-request comment in GitHub's Markdown: the verdict, the tables, and what is not in the numbers.

Names stand in code spans, in which nothing has a meaning: no markup, HTML, link, mention or reference. A comment can
hold 65,536 characters; where the text is longer its lists are shortened until it fits, and say how much they leave out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from softdice_cli.records import ClassScores, ImageRow, Results, Scores, Verdict
from softdice_cli.render.page import Page
from softdice_cli.render.text import count, depends_only_on_epsilon, neutral, number
from softdice_cli.render.verdicts import (
    clip,
    failure_text,
    headline,
    margin_text,
    rule_text,
    verdict_number,
    verdict_text,
    worst_first,
)
from softdice_cli.render.warnings import warnings
from softdice_cli.scores import mean_of

LIMIT = 65_000
"""Characters of the whole: somewhat below what a comment holds, so that a bot can mark it as its own."""

_MOST = (100_000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
_NAME = 200
_SENTENCE = 600


@dataclass(frozen=True, slots=True)
class _Block:
    """A title, a list or the rows of a table under its head, and a note; any of them may be missing."""

    title: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def text(self, most: int) -> str:
        """With no more than so many rows; `last`, which holds the means, is always there."""
        rows, left = self.rows[:most], len(self.rows) - most
        lines = "\n".join((*self.head, *rows, *self.last))
        more = f"{left} of {len(self.rows)} are left out of this comment" if left > 0 else ""
        return "\n\n".join(part for part in (self.title, lines, more, *self.notes) if part)


def markdown_text(results: Results, page: Page) -> Iterator[str]:
    """The results as a comment of at most `LIMIT` characters; `page` says how many of the worst images it lists."""
    word, sentence = headline(results)
    head = _Block(f"### softdice: {word}", notes=(_scope(sentence, results),))
    fixed = [*_scores(results, page), *_missing(results), _Block(code(results.settings.signature, most=_SENTENCE * 2))]
    for most in _MOST:
        blocks = [head, *_requirements(results, most), *fixed]
        text = "\n\n".join(block.text(most) for block in blocks) + "\n"
        if len(text) <= LIMIT:
            break
    yield text


def code(text: str, *, cell: bool = False, most: int = _NAME) -> str:
    r"""Text as a code span that nothing can leave.

    A pipe is escaped in a cell. Long runs of backticks are shown as ``\x60``: GitHub's parser (cmark) takes no fence
    longer than 80.
    """
    plain = clip(neutral(text), most)
    plain = re.sub("`{10,}", lambda run: r"\x60" * len(run[0]), plain)
    fence = "`" * (max((len(run) for run in re.findall("`+", plain)), default=0) + 1)
    padded = plain.strip(" ") and (plain[0] in "` " or plain[-1] in "` ")  # a parser takes one space off each end
    pad = " " if padded or not plain else ""
    if cell:
        plain = plain.replace("|", "\\|")
    return fence + pad + plain + pad + fence


def _scope(sentence: str, results: Results) -> str:
    if not results.images:
        return sentence
    pixels, ignored = (sum(getattr(row, name) for row in results.images) for name in ("pixels", "ignored"))
    shard = f" (shard {results.shard.index} of {results.shard.count})" if results.shard else ""
    left = f" and {ignored} ignored" if ignored else ""
    images = count(results.images, "image")
    name = f" ({code(results.images[0].id)})" if len(results.images) == 1 else ""
    return f"{sentence}; {images}{name}, {pixels} pixels{left}{shard}"


def _requirements(results: Results, most: int) -> Iterator[_Block]:
    """The requirements, those that are not met first, so that a shortened table keeps them."""
    verdicts = [*worst_first(results.requirements), *(v for v in results.requirements if v.passed)]
    if not verdicts:
        return
    sank = any(verdict.images for verdict in verdicts)
    head = ("rule", "value", "margin", "verdict", *(["images that sank it"] if sank else []))
    rows = []
    for verdict in verdicts:
        value, _ = verdict_number(verdict.value, verdict.bound)
        cells = (code(rule_text(verdict), cell=True), value, margin_text(verdict), verdict_text(verdict))
        rows.append(_row((*cells, *([_sank(verdict, most)] if sank else []))))
    yield _Block("**Requirements**", _head(head, left={"verdict", "images that sank it"}), tuple(rows))


def _sank(verdict: Verdict, most: int) -> str:
    names = [code(name, cell=True) for name in verdict.images[:most]]
    left = len(verdict.images) - len(names)
    return ", ".join(names) + (f" and {left} more" if left else "")


def _scores(results: Results, page: Page) -> Iterator[_Block]:
    if not results.images:
        return
    yield _pooled(results)
    if len(results.images) > 1:
        yield _image_mean(results)
        yield from _images(results, page)


def _pooled(results: Results) -> _Block:
    from softdice_cli.render.table import _legend

    summary, rows = results.pooled, []
    for scores in summary.classes:
        loss, *rest = _cells(scores)
        mark = "\\*" if depends_only_on_epsilon(scores) else ""
        pixels = (str(scores.truth_pixels), str(scores.predicted_pixels))
        rows.append(_row((code(scores.name, cell=True), loss + mark, *rest, *pixels)))
    last = _means(len(summary.classes), summary.means, summary.foreground, blank=2)
    if summary.loss_present is not None and summary.loss_present != summary.means.loss:
        last.append(_row(("mean of present", number(summary.loss_present), *[""] * 5)))
    head = _head(("class", "loss", "soft Dice", "hard Dice", "IoU", "truth px", "predicted px"))
    notes = tuple(text.replace("*", "\\*") for text in _legend(results))
    return _Block("**Pooled**", head, tuple(rows), tuple(last), notes)


def _image_mean(results: Results) -> _Block:
    summary = results.image_mean
    rows = [_row((code(s.name, cell=True), *_cells(s), str(s.defined["dice"]))) for s in summary.classes]
    last = _means(len(summary.classes), summary.means, summary.foreground, blank=1)
    head = _head(("class", "loss", "soft Dice", "hard Dice", "IoU", "Dice images"))
    images = count(results.images, "image")
    note = f"loss and soft Dice of all {images}; hard Dice and IoU of those where they are defined (Dice images)"
    return _Block(f"**Image mean** over {images}", head, tuple(rows), tuple(last), (note,))


def _images(results: Results, page: Page) -> Iterator[_Block]:
    from softdice_cli.render.table import _chosen

    if not (chosen := _chosen(results, page)):
        return
    title = "**All images**" if page.per_image else f"**The {len(chosen)} worst images** by mean hard Dice"
    head = _head(("image", "hard Dice", "loss", "worst class", "its Dice", "its truth px"), left={"worst class"})
    yield _Block(title, head, tuple(_row(_image(row, scores)) for row, scores in chosen))


def _image(row: ImageRow, scores: tuple[ClassScores, ...]) -> tuple[str, ...]:
    dice = [(s.dice, index) for index, s in enumerate(scores) if s.dice is not None]
    loss = mean_of(s.loss for s in scores)
    sank = scores[min(dice)[1]] if dice else None
    tail = (code(sank.name, cell=True), number(sank.dice), str(sank.truth_pixels)) if sank else ("–", "–", "–")
    return code(row.id, cell=True), number(mean_of(entry.dice for entry in scores)), number(loss), *tail


def _missing(results: Results) -> Iterator[_Block]:
    """What is not in the numbers, and what must be known to read them."""
    rows = [f"{code(f.id)}: {code(failure_text(f), most=_SENTENCE)}" for f in results.failures]
    yield from _list(f"**Incomplete: {count(rows, 'pair')} failed**", rows)
    rows = [code(text, most=_SENTENCE) for text in results.left_out]
    yield from _list(f"**Left out: {count(rows, 'file')}**", rows)
    rows = [code(text, most=_SENTENCE * 4) for text in warnings(results)]
    yield from _list("**Warnings**", rows)


def _list(title: str, rows: list[str]) -> Iterator[_Block]:
    if rows:
        yield _Block(title, rows=tuple(f"- {row}" for row in rows))


def _means(classes: int, means: Scores, foreground: Scores | None, *, blank: int) -> list[str]:
    if classes < 2:
        return []
    named = (("mean", means), ("foreground mean", foreground))
    values = [(name, (m.loss, m.soft_dice, m.dice, m.iou)) for name, m in named if m is not None]
    return [_row((f"**{name}**", *(f"**{number(v)}**" for v in row), *[""] * blank)) for name, row in values]


def _cells(scores: ClassScores) -> tuple[str, ...]:
    return tuple(number(value) for value in (scores.loss, scores.soft_dice, scores.dice, scores.iou))


def _head(titles: tuple[str, ...], left: Iterable[str] = ()) -> tuple[str, str]:
    aligned = ["---" if not index or title in left else "---:" for index, title in enumerate(titles)]
    return _row(titles), _row(aligned)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
