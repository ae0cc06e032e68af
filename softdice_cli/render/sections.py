"""Results → sections: which tables, lists and notes there are, and what stands in them.

Every output for people draws these sections, so a score, a note or a list of what is missing is
composed once, here.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from softdice_cli.metrics import BY_NAME, Metric
from softdice_cli.records import ClassScores, ImageRow, Results, natural
from softdice_cli.render.content import Cell, Column, Entry, Name, Row, Section, Table
from softdice_cli.render.page import Page
from softdice_cli.render.score_tables import defined_note, image_mean_sections, pooled_section
from softdice_cli.render.text import advice_of, number, plural
from softdice_cli.render.warnings import warnings
from softdice_cli.scores import mean_of, score_image

if TYPE_CHECKING:
    from softdice_cli.render.failures import FailureGroup

# An image is judged by its mean hard Dice, and its loss stands beside it.
_DICE, _LOSS = BY_NAME["dice"], BY_NAME["loss"]

# Files without a partner that a page for people lists.
_LEFT_OUT = 12


def page_sections(results: Results, page: Page) -> Iterator[Section]:
    """Everything that there is to show, in the order of a page."""
    if results.images:
        yield pooled_section(results, page)
    if len(results.images) > 1:
        yield from image_mean_sections(results, page)
    if results.intervals:
        from softdice_cli.render.interval_sections import interval_sections

        yield from interval_sections(results, page)
    if results.confusion is not None:
        from softdice_cli.render.confusion import confusion_sections

        yield from confusion_sections(results, results.confusion)
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
            section = _brief(section, defined_note(results, page))
        yield _headed(section)
        if section.kind == "confusion" and results.confusion is not None:
            from softdice_cli.render.confusion import matrix_sections

            yield from map(_headed, matrix_sections(results, results.confusion))


def _headed(section: Section) -> Section:
    """The section with a title that begins with a capital letter."""
    return replace(section, title=section.title[:1].upper() + section.title[1:])


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
        images: how many there are, in words.
        name: of the image, where there is only one, and there should be no other.
        size: its pixels, and which part of a run it is, in words.
    """

    images: str
    name: str | None
    size: str


def counted_images(results: Results) -> str:
    """How many images there are, and where that is not all, how many of how many."""
    images, run = len(results.images), results.run
    if not results.left_out:
        return plural(results.images, "image")
    if run.evaluated == images:
        return f"{images} of {run.pairs} images"
    return f"{plural(results.images, 'image')} of {run.evaluated} of {run.pairs} pairs"


def extent(results: Results) -> Extent:
    """What the scores of results are of."""
    rows = results.images
    size = f"{sum(row.pixels for row in rows)} pixels"
    ignored = sum(row.ignored for row in rows)
    if ignored:
        size += f" and {ignored} ignored"
    if results.shard:
        size += f" (shard {results.shard.index} of {results.shard.count})"
    alone = len(rows) == 1 and not results.left_out
    return Extent(counted_images(results), rows[0].id if alone else None, size)


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
        from softdice_cli.render.failures import grouped

        title = f"incomplete: {plural(results.failures, 'pair')} failed"
        yield Section("failures", title, entries=tuple(map(_failure, grouped(results.failures))))
    if results.left_out:
        title = f"left out: {plural(results.left_out, 'file')}"
        entries = [Entry(text) for text in results.left_out[:_LEFT_OUT]]
        more = len(results.left_out) - _LEFT_OUT
        if more > 0:
            entries.append(Entry(f"and {more} more; JSON and CSV list them all"))
        yield Section("left_out", title, entries=tuple(entries))


def _failure(group: FailureGroup) -> Entry:
    return Entry(group.first.error, group.subject, advice_of(group.first))


def _warnings(results: Results) -> Iterator[Section]:
    texts = warnings(results)
    if texts:
        yield Section("warnings", "warnings", entries=tuple(map(Entry, texts)))
