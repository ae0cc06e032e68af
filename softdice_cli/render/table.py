"""The table for people: one row a class, the means, and the signature."""

from __future__ import annotations

import io

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from softdice_cli.records import ClassScores, Means, Results
from softdice_cli.render.page import Page
from softdice_cli.render.text import neutral, number

_UNLIMITED = 10_000
_NAME_WIDTH = 15
_COLUMNS = ("loss", "soft Dice", "hard Dice", "IoU", "truth px", "predicted px")


def render_table(results: Results, page: Page) -> str:
    """The pooled result as a table, or nothing where nothing was evaluated."""
    if not results.images:
        return ""
    lines = [_headline(results), _draw(_table(results), page), *_legend(results), neutral(results.settings.signature)]
    text = "\n".join(lines) + "\n"
    return text if page.unicode else text.replace("–", "-").replace("ε", "eps").replace("−", "-")


def _headline(results: Results) -> str:
    images = len(results.images)
    pixels, ignored = sum(i.pixels for i in results.images), sum(i.ignored for i in results.images)
    pooled = f"pooled over {images} images" if images > 1 else f"{neutral(results.images[0].id)}: 1 image"
    return f"{pooled}, {pixels} pixels" + (f" and {ignored} ignored" if ignored else "")


def _table(results: Results) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column("class", overflow="fold", min_width=_NAME_WIDTH)
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for scores in results.pooled.classes:
        table.add_row(Text(neutral(scores.name)), *_cells(scores))
    summary = results.pooled
    if len(summary.classes) > 1:
        table.add_section()
        table.add_row("mean", *_mean_cells(summary.means), style="bold")
        if summary.foreground:
            table.add_row("foreground mean", *_mean_cells(summary.foreground), style="bold")
    if summary.loss_present is not None and summary.loss_present != summary.means.loss:
        table.add_row("mean of present", number(summary.loss_present))
    return table


def _cells(scores: ClassScores) -> tuple[str, ...]:
    return (
        number(scores.loss) + ("" if scores.truth_pixels else "*"),
        number(scores.soft_dice),
        number(scores.dice),
        number(scores.iou),
        str(scores.truth_pixels),
        str(scores.predicted_pixels),
    )


def _mean_cells(means: Means) -> tuple[str, ...]:
    return number(means.loss), number(means.soft_dice), number(means.dice), number(means.iou)


def _legend(results: Results) -> list[str]:
    classes = results.pooled.classes
    lines = []
    if any(not c.truth_pixels for c in classes):
        lines.append("* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε; 'mean of present' is without it")
    if undefined := sum(c.dice is None for c in classes):
        lines.append(
            f"– undefined (0/0), left out of the means: hard Dice of {len(classes) - undefined} "
            f"of {len(classes)} classes"
        )
    return lines


def _natural_width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update_width(_UNLIMITED), table).maximum


def _spare(table: Table) -> int:
    """How many columns the names can give up."""
    longest = max((cell_len(str(cell)) for cell in table.columns[0].cells), default=0)
    return max(0, longest - _NAME_WIDTH)


def _draw(table: Table, page: Page) -> str:
    console = Console(
        file=io.StringIO(),
        width=page.width or _UNLIMITED,
        force_terminal=page.color,
        color_system="standard" if page.color else None,
        legacy_windows=False,
    )
    if not page.unicode:
        table.box = box.ASCII
    if page.width:  # names fold, digits are never cut, even on a narrow terminal
        console.width = max(page.width, _natural_width(table, console) - _spare(table))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
