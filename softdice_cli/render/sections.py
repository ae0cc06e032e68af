"""Results → sections: which tables, lists and notes there are, and what stands in them.

Every output for people draws these sections, so a score, a note or a list of what is missing is
composed once, here.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from softdice_cli.metrics import BY_NAME, Metric
from softdice_cli.records import ClassScores, Failure, ImageRow, Results, Scores, Summary, natural
from softdice_cli.records.intervals import Average
from softdice_cli.render.columns import COLUMNS, Scope, ScoreColumn, belongs, columns_of
from softdice_cli.render.content import Cell, Column, Entry, Name, Row, Section, Table
from softdice_cli.render.page import Page
from softdice_cli.render.text import advice_of, depends_only_on_epsilon, number, plural
from softdice_cli.render.warnings import warnings
from softdice_cli.scores import mean_of, score_image

# An image is judged by its mean hard Dice, and its loss stands beside it.
_DICE, _LOSS = BY_NAME["dice"], BY_NAME["loss"]
_LOSS_COLUMN = COLUMNS["loss"]

_PRESENT = "mean of present"


def page_sections(results: Results, page: Page) -> Iterator[Section]:
    """Everything that there is to show, in the order of a page."""
    if results.images:
        yield _pooled(results, page)
    if len(results.images) > 1:
        yield from _image_mean(results, page)
    if results.intervals:
        from softdice_cli.render.interval_sections import interval_sections

        yield from interval_sections(results, page)
    if len(results.images) > 1:
        yield from _images(results, page)
    if results.requirements:
        from softdice_cli.render.verdicts import headline, requirement_table

        yield Section("requirements", ": ".join(headline(results)), table=requirement_table(results.requirements))
    yield from _missing(results)
    yield from _warnings(results)


def comment_sections(results: Results, page: Page) -> Iterator[Section]:
    """What a comment on a change has room for: the requirements first, and the worst of them first."""
    from softdice_cli.render.verdicts import requirement_table, worst_first

    if results.requirements:
        met = (verdict for verdict in results.requirements if verdict.passed)
        table = requirement_table([*worst_first(results.requirements), *met])
        yield Section("requirements", "Requirements", table=table)
    for section in page_sections(results, page):
        if section.kind in ("requirements", "intervals"):
            continue
        if section.kind == "image_mean":
            section = _brief(section, _defined_note(results, page))
        yield replace(section, title=section.title[:1].upper() + section.title[1:])


def _brief(section: Section, note: str) -> Section:
    """The image mean without the mean over what is present; the note says what is behind the other means."""
    if section.table is None:
        return section
    rows = tuple(row for row in section.table.rows if row.kind != "present")
    return replace(section, table=replace(section.table, rows=rows), notes=(note,) if note else ())


@dataclass(frozen=True, slots=True)
class Extent:
    """What the scores are of.

    Attributes:
        images: how many there are.
        name: of the image, where there is only one.
        size: its pixels, and which part of a run it is, in words.
    """

    images: int
    name: str | None
    size: str


def extent(results: Results) -> Extent:
    """What the scores of results are of."""
    rows = results.images
    size = f"{sum(row.pixels for row in rows)} pixels"
    ignored = sum(row.ignored for row in rows)
    if ignored:
        size += f" and {ignored} ignored"
    if results.shard:
        size += f" (shard {results.shard.index} of {results.shard.count})"
    return Extent(len(rows), rows[0].id if len(rows) == 1 else None, size)


def _defined_note(results: Results, page: Page) -> str:
    """How many images stand behind each score of the image mean."""
    # ε keeps a smooth score defined in every image.
    smooth: list[str] = []
    others: list[str] = []
    for column in columns_of(page.columns):
        if column.is_score:
            titles = smooth if BY_NAME[column.metric].smooth else others
            titles.append(column.title)
    parts = []
    those = "the images"
    if smooth:
        parts.append(f"{_joined(smooth)} of all {plural(results.images, 'image')}")
        those = "those"
    if others:
        where = "they are defined" if len(others) > 1 else "it is defined"
        parts.append(f"{_joined(others)} of {those} where {where}")
    text = "; ".join(parts)
    if others and COLUMNS["images"] in columns_of(page.columns):
        text += " (Dice images)"
    return text


def _joined(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _pooled(results: Results, page: Page) -> Section:
    summary, columns = results.pooled, _columns(page, "pooled")
    if not columns:
        return Section("pooled", "pooled", notes=("none of the chosen columns is of the pooled scores",))
    table = _score_table(summary, columns, mark=True)
    return Section("pooled", "pooled", table=table, notes=tuple(_legend(summary.classes, columns)))


def _image_mean(results: Results, page: Page) -> Iterator[Section]:
    summary, columns = results.image_mean, _columns(page, "image_mean")
    if not columns:
        return
    table = _score_table(summary, columns, mark=False)
    notes = []
    if any(row.kind == "present" for row in table.rows):
        notes.append(f"{_PRESENT}: without the images that lack a class, whose loss there is set by ε")
    if _lacks_spread(summary, columns):
        notes.append("– in the mean of a spread: some images lack a class, so it would be around another mean")
    yield Section("image_mean", "image mean", f"over {len(results.images)} images", table, notes=tuple(notes))


def _lacks_spread(summary: Summary, columns: Sequence[ScoreColumn]) -> bool:
    """Whether a mean over classes is shown without its spread."""
    means = summary.means
    if len(summary.classes) < 2:
        return False
    spreads = [column.metric for column in columns if column.is_spread and "mean" in column.scopes]
    return any(not belongs(means.spread[metric], means.values[metric]) for metric in spreads)


def _columns(page: Page, average: Average) -> tuple[ScoreColumn, ...]:
    """The chosen columns that an average has."""
    return tuple(column for column in columns_of(page.columns) if average in column.averages)


def _score_table(summary: Summary, columns: Sequence[ScoreColumn], *, mark: bool) -> Table:
    """The classes, their means, and below them the scores that have no class.

    Args:
        summary: one of the two averages.
        columns: what is shown of it.
        mark: whether a loss that depends only on ε has an asterisk.
    """
    head = [Column("class")]
    head += [Column(column.title) for column in columns]
    rows = []
    for scores in summary.classes:
        cells = _cells(columns, scores, "class")
        if mark and _LOSS_COLUMN in columns and depends_only_on_epsilon(scores):
            cells[columns.index(_LOSS_COLUMN)] += "*"
        rows.append(Row("class", (Name(scores.name), *cells)))
    rows += _mean_rows(summary, columns)
    # Where only scores without a class are shown, the classes would be empty rows.
    return Table(tuple(head), tuple(row for row in rows if any(row.cells[1:])))


def _mean_rows(summary: Summary, columns: Sequence[ScoreColumn]) -> Iterator[Row]:
    # The mean of a single class is its score.
    if len(summary.classes) > 1:
        yield Row("mean", ("mean", *_cells(columns, summary.means, "mean")))
        if summary.foreground is not None:
            yield Row("mean", ("foreground mean", *_cells(columns, summary.foreground, "mean")))
    if any("all" in column.scopes for column in columns):
        yield Row("all", ("all classes", *_cells(columns, summary.means, "all")))
    present = summary.loss_present
    differs = present is not None and present != summary.means.values[_LOSS.name]
    if differs and _LOSS_COLUMN in columns:
        cells = [""] * len(columns)
        cells[columns.index(_LOSS_COLUMN)] = number(present)
        yield Row("present", (_PRESENT, *cells))


def _cells(columns: Iterable[ScoreColumn], scores: Scores, scope: Scope) -> list[str]:
    return [column.cell(scores, scope) for column in columns]


def _legend(classes: Sequence[ClassScores], columns: Sequence[ScoreColumn]) -> Iterator[str]:
    if _LOSS_COLUMN in columns and any(map(depends_only_on_epsilon, classes)):
        yield f"* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε; '{_PRESENT}' is without it"
    # Scores that are undefined for the same classes, such as hard Dice and IoU, are told once.
    told: dict[tuple[bool, ...], str] = {}
    for column in columns:
        if column.is_score and "class" in column.scopes:
            defined = tuple(scores.values[column.metric] is not None for scores in classes)
            if not all(defined):
                told.setdefault(defined, f"the {column.title} of {sum(defined)} of {len(classes)} classes")
    if told:
        yield f"– undefined (0/0); the means are over {', '.join(told.values())}"


def _images(results: Results, page: Page) -> Iterator[Section]:
    chosen = _chosen(results, page)
    if not chosen:
        return
    head = (
        Column("image"),
        Column(_DICE.title),
        Column(_LOSS.title),
        Column("worst class", "name"),
        Column("its Dice"),
        Column("its truth px"),
    )
    table = Table(head, tuple(_image(results, row) for row in chosen))
    if page.per_image:
        yield Section("images", "all images", table=table)
        return
    title = "the worst image" if len(chosen) == 1 else f"the {len(chosen)} worst images"
    yield Section("images", title, f"by mean {_DICE.title}", table)


def _chosen(results: Results, page: Page) -> list[ImageRow]:
    """All images in natural order, or the worst ones, the worst first."""
    if page.per_image:
        return sorted(results.images, key=lambda row: natural(row.id))
    ranked = []
    for row in results.images:
        dice = _mean(score_image(results.settings, row, (_DICE,)), _DICE)
        # An image in which hard Dice is undefined is neither good nor bad.
        if dice is not None:
            ranked.append((dice, row.id, row))
    return [row for _, _, row in heapq.nsmallest(page.worst, ranked)]


def _image(results: Results, row: ImageRow) -> Row:
    """An image with its scores, and the class that pulls its mean down the most."""
    classes = score_image(results.settings, row, (_DICE, _LOSS))
    cells = [number(_mean(classes, metric)) for metric in (_DICE, _LOSS)]
    worst = _worst_class(classes)
    if worst is None:
        return Row("image", (Name(row.id), *cells, "–", "–", "–"))
    tail: tuple[Cell, ...] = (Name(worst.name), number(worst.dice), str(worst.truth_pixels))
    return Row("image", (Name(row.id), *cells, *tail))


def _mean(classes: Iterable[ClassScores], metric: Metric) -> float | None:
    return mean_of(scores.values[metric.name] for scores in classes)


def _worst_class(classes: Iterable[ClassScores]) -> ClassScores | None:
    """The class of the least hard Dice; the first of equals."""
    worst, least = None, math.inf
    for scores in classes:
        dice = scores.values[_DICE.name]
        if dice is not None and dice < least:
            worst, least = scores, dice
    return worst


def _missing(results: Results) -> Iterator[Section]:
    """What is not in the numbers: failed pairs, and files that were left out; all by name."""
    if results.failures:
        title = f"incomplete: {plural(results.failures, 'pair')} failed"
        yield Section("failures", title, entries=tuple(map(_failure, results.failures)))
    if results.left_out:
        title = f"left out: {plural(results.left_out, 'file')}"
        yield Section("left_out", title, entries=tuple(map(Entry, results.left_out)))


def _failure(failure: Failure) -> Entry:
    return Entry(failure.error, failure.id, advice_of(failure))


def _warnings(results: Results) -> Iterator[Section]:
    texts = warnings(results)
    if texts:
        yield Section("warnings", "warnings", entries=tuple(map(Entry, texts)))
