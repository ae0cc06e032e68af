"""The tables for people: the pooled classes, the image means, the worst images, and the signature."""

from __future__ import annotations

import heapq
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from softdice_cli.records import ClassScores, ImageRow, Results, Scores, Settings, Summary, natural
from softdice_cli.render.page import Page
from softdice_cli.render.text import count, depends_only_on_epsilon, first, neutral, number
from softdice_cli.scores import mean_of, score_image

if TYPE_CHECKING:
    from softdice_cli.records.intervals import ScoreInterval

_UNLIMITED = 10_000
_NAME_WIDTH = 15
_NARROW = 80
_INTERVALS = {
    ("dice", "pooled"): "pooled hard Dice",
    ("loss", "pooled"): "pooled loss",
    ("dice", "image_mean"): "image-mean hard Dice",
}
"""The scores whose intervals are shown, and how they are called."""
_ASCII = str.maketrans({"–": "-", "−": "-", "ε": "eps", "×": "x", "─": "-"})


def table_text(results: Results, page: Page) -> str:
    """The results for people, or nothing where nothing was evaluated."""
    if not results.images:
        return "".join(f"{text}\n" for text in _missing(results)) if len(results.failures) > 1 else ""
    blocks = [[_headline(results), _draw(_pooled(results), page), *_legend(results)]]
    if len(results.images) > 1:
        present = ["mean of present: without the images that lack a class, whose loss there is set by ε"]
        blocks.append(
            [
                f"image mean over {len(results.images)} images",
                _draw(_image_mean(results), page),
                *(present if _differs(results.image_mean) else []),
            ]
        )
    if results.intervals:
        title = f"95 % intervals (bootstrap over {count(results.images, 'image')})"
        blocks.append([title, _draw(_intervals(results, page), page)])
    if len(results.images) > 1 and (chosen := _chosen(results, page)):
        worst = "worst image" if len(chosen) == 1 else f"{len(chosen)} worst images"
        title = "all images" if page.per_image else f"the {worst} by mean hard Dice"
        blocks.append([title, _draw(_images(results.settings, chosen), page)])
    if results.requirements:
        from softdice_cli.render.verdicts import headline, verdict_table  # a run without requirements needs none

        blocks.append([": ".join(headline(results)), _draw(verdict_table(results), page)])
    blocks += [[text] for text in _missing(results)]
    blocks[-1].append(neutral(results.settings.signature))
    text = "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
    return text if page.unicode else text.translate(_ASCII)


def _headline(results: Results) -> str:
    images = len(results.images)
    pixels, ignored = sum(i.pixels for i in results.images), sum(i.ignored for i in results.images)
    pooled = f"pooled over {images} images" if images > 1 else f"{first(results.images[0].id)}: 1 image"
    shard = f" (shard {results.shard.index} of {results.shard.count})" if results.shard else ""
    return f"{pooled}, {pixels} pixels" + (f" and {ignored} ignored" if ignored else "") + shard


def _pooled(results: Results) -> Table:
    summary = results.pooled
    table = _table("class", "loss", "soft Dice", "hard Dice", "IoU", "truth px", "predicted px")
    for scores in summary.classes:
        mark = "*" if depends_only_on_epsilon(scores) else ""
        cells = _cells(scores)
        table.add_row(_name(scores.name), cells[0] + mark, *cells[1:], str(scores.truth_pixels),
                      str(scores.predicted_pixels))  # fmt: skip
    _add_means(table, len(summary.classes), summary.means, summary.foreground)
    if _differs(summary):
        table.add_row("mean of present", number(summary.loss_present))
    return table


def _image_mean(results: Results) -> Table:
    summary = results.image_mean
    table = _table("class", "loss", "soft Dice", "hard Dice", "IoU", "Dice images")
    for scores in summary.classes:
        table.add_row(_name(scores.name), *_cells(scores), str(scores.defined["dice"]))
    _add_means(table, len(summary.classes), summary.means, summary.foreground)
    if _differs(summary):
        table.add_row("mean of present", number(summary.loss_present))
    return table


def _differs(summary: Summary) -> bool:
    """Whether the loss over what is present is another than the loss."""
    return summary.loss_present is not None and summary.loss_present != summary.means.loss


def _intervals(results: Results, page: Page) -> Table:
    """Scores and their intervals, side by side or, where that is wider than the page, one above the other."""
    by_score = [((entry.metric, entry.average), entry) for entry in results.intervals]
    columns = [[entry for score, entry in by_score if score == wanted] for wanted in _INTERVALS]
    rows = [row for row in zip(*columns, strict=True) if row[0].scope == "class" or len(results.pooled.classes) > 1]
    head = ("class", *_INTERVALS.values())
    cells = [(_short(row[0]), *map(_interval, row)) for row in rows]
    wide = sum(1 + max(map(cell_len, column)) for column in zip(head, *cells, strict=True)) - 1
    table = _table(*head)
    table.padding, table.columns[0].min_width = (0, 0, 0, 0), None
    for row, (name, *scores) in zip(rows, cells, strict=True):
        if row[0].scope == "mean":
            table.add_section()
        fitting = scores if wide <= (page.width or _NARROW) else [score.replace(" ", "\n", 1) for score in scores]
        table.add_row(Text(name), *fitting, style="" if row[0].scope == "class" else "bold")
    return table


def _short(entry: ScoreInterval) -> str:
    return "fg mean" if entry.scope == "foreground" else neutral(entry.name)


def _interval(entry: ScoreInterval) -> str:
    if entry.value is None:
        return "–"
    drawn = entry.interval
    return f"{number(entry.value)} [{number(drawn.low)}, {number(drawn.high)}]" if drawn else f"{number(entry.value)} –"


def _add_means(table: Table, classes: int, means: Scores, foreground: Scores | None) -> None:
    if classes < 2:
        return
    table.add_section()
    for title, row in (("mean", means), ("foreground mean", foreground)):
        if row is not None:
            table.add_row(title, *map(number, (row.loss, row.soft_dice, row.dice, row.iou)), style="bold")


def _images(settings: Settings, chosen: Iterable[tuple[ImageRow, tuple[ClassScores, ...]]]) -> Table:
    table = _table("image", "hard Dice", "loss", "worst class", "its Dice", "its truth px")
    for row, scores in chosen:
        defined = [s for s in scores if s.dice is not None]
        sank = min(defined, key=lambda s: s.dice or 0.0, default=None)
        loss = mean_of(s.loss for s in scores)
        tail = (Text(neutral(sank.name)), number(sank.dice), str(sank.truth_pixels)) if sank else ("–", "–", "–")
        table.add_row(_name(row.id), number(_mean_dice(scores)), number(loss), *tail)
    return table


def _chosen(results: Results, page: Page) -> list[tuple[ImageRow, tuple[ClassScores, ...]]]:
    """All images in natural order, or the worst ones, the worst first."""
    scored = ((row, score_image(results.settings, row)) for row in results.images)
    if page.per_image:
        return sorted(scored, key=lambda entry: natural(entry[0].id))
    ranked = ((_mean_dice(scores), row.id, row, scores) for row, scores in scored)
    worst = heapq.nsmallest(page.worst, (entry for entry in ranked if entry[0] is not None))
    return [(row, scores) for _, _, row, scores in worst]


def _mean_dice(scores: Iterable[ClassScores]) -> float | None:
    return mean_of(entry.values["dice"] for entry in scores)


def _missing(results: Results) -> Iterator[str]:
    """What is not in the numbers: failed pairs, and files that were left out; all by name."""
    if failures := results.failures:
        yield "\n".join(
            [
                f"INCOMPLETE: {count(failures, 'pair')} failed",
                *(f"  {first(f.id)}: {neutral(f.error)}" for f in failures),
            ]
        )
    if left_out := results.left_out:
        yield "\n".join([f"left out: {count(left_out, 'file')}", *(f"  {first(text)}" for text in left_out)])


def _legend(results: Results) -> Iterator[str]:
    classes = results.pooled.classes
    if any(map(depends_only_on_epsilon, classes)):
        yield "* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε; 'mean of present' is without it"
    if undefined := sum(c.dice is None for c in classes):
        defined = len(classes) - undefined
        yield f"– undefined (0/0), left out of the means: hard Dice of {defined} of {len(classes)} classes"


def _table(first: str, *rest: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column(first, overflow="fold", min_width=_NAME_WIDTH)
    for title in rest:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _name(name: str) -> Text:
    return Text(first(name))


def _cells(scores: ClassScores) -> list[str]:
    return [number(value) for value in (scores.loss, scores.soft_dice, scores.dice, scores.iou)]


def _draw(table: Table, page: Page) -> str:
    console = Console(
        file=io.StringIO(),
        width=_UNLIMITED,
        force_terminal=page.color,
        color_system="standard" if page.color else None,
        legacy_windows=False,
        emoji=False,
    )
    if not page.unicode:
        table.box = box.ASCII
    if page.width:  # names fold, digits are never cut, even on a narrow terminal
        natural_width = Measurement.get(console, console.options, table).maximum
        longest = max((cell_len(str(cell)) for cell in table.columns[0].cells), default=0)
        console.width = max(page.width, natural_width - max(0, longest - _NAME_WIDTH))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
