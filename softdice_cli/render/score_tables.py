"""The tables of scores: classes, their means, regions and their mean, in each of the two averages, with their notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from softdice_cli.metrics import BY_NAME
from softdice_cli.records import ClassScores, Results, Scores, Settings, Summary
from softdice_cli.records.intervals import Average
from softdice_cli.render.columns import COLUMNS, Scope, ScoreColumn, belongs, columns_of
from softdice_cli.render.content import Column, Name, Row, RowKind, Section, Table
from softdice_cli.render.page import Page
from softdice_cli.render.text import depends_only_on_epsilon, number, plural
from softdice_cli.scores import name_of_all

_LOSS_COLUMN = COLUMNS["loss"]

_PRESENT = "mean of present"
_REGION_MEAN = "region mean"


def defined_note(results: Results, page: Page) -> str:
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


def pooled_section(results: Results, page: Page) -> Section:
    """The scores of the sums over all images."""
    summary, columns = results.pooled, _columns(page, "pooled")
    if not columns:
        return Section("pooled", "pooled", notes=("none of the chosen columns is of the pooled scores",))
    table = _score_table(results.settings, summary, columns, mark=True)
    return Section("pooled", "pooled", table=table, notes=tuple(_legend(results.settings, summary, columns)))


def image_mean_sections(results: Results, page: Page) -> Iterator[Section]:
    """The means over the images, where the chosen columns have some."""
    summary, columns = results.image_mean, _columns(page, "image_mean")
    if not columns:
        return
    table = _score_table(results.settings, summary, columns, mark=False)
    notes = []
    if any(row.kind == "present" for row in table.rows):
        notes.append(f"{_PRESENT}: without the images that lack a class, whose loss there is set by ε")
    if _lacks_spread(summary, columns):
        notes.append("– in the mean of a spread: some images lack a class, so it would be around another mean")
    yield Section("image_mean", "image mean", f"over {len(results.images)} images", table, notes=tuple(notes))


def _lacks_spread(summary: Summary, columns: Sequence[ScoreColumn]) -> bool:
    """Whether a mean over classes, or over regions, is shown without its spread."""
    shown = []
    if len(summary.classes) > 1:
        shown.append(summary.means)
    if summary.region_means is not None and len(summary.regions) > 1:
        shown.append(summary.region_means)
    spreads = [column.metric for column in columns if column.is_spread and "mean" in column.scopes]
    return any(not belongs(means.spread[metric], means.values[metric]) for means in shown for metric in spreads)


def _columns(page: Page, average: Average) -> tuple[ScoreColumn, ...]:
    """The chosen columns that an average has."""
    return tuple(column for column in columns_of(page.columns) if average in column.averages)


def _score_table(settings: Settings, summary: Summary, columns: Sequence[ScoreColumn], *, mark: bool) -> Table:
    """The classes, their means, the scores that have no class, and below them the regions with their mean.

    Args:
        settings: what the scores mean.
        summary: one of the two averages.
        columns: what is shown of it.
        mark: whether a loss that depends only on ε has an asterisk.
    """
    head = [Column("class")]
    head += [Column(column.title) for column in columns]
    rows = [_named_row("class", scores, columns, mark=mark) for scores in summary.classes]
    rows += _mean_rows(settings, summary, columns)
    rows += [_named_row("region", scores, columns, mark=mark) for scores in summary.regions]
    # The mean of a single region is its score.
    if summary.region_means is not None and len(summary.regions) > 1:
        rows.append(Row("region_mean", (_REGION_MEAN, *_cells(columns, summary.region_means, "mean"))))
    # Where only scores without a class are shown, the classes would be empty rows.
    return Table(tuple(head), tuple(row for row in rows if any(row.cells[1:])))


def _named_row(kind: RowKind, scores: ClassScores, columns: Sequence[ScoreColumn], *, mark: bool) -> Row:
    """The row of a class or region."""
    cells = _cells(columns, scores, "class")
    if mark and _LOSS_COLUMN in columns and depends_only_on_epsilon(scores):
        cells[columns.index(_LOSS_COLUMN)] += "*"
    return Row(kind, (Name(scores.name), *cells))


def _mean_rows(settings: Settings, summary: Summary, columns: Sequence[ScoreColumn]) -> Iterator[Row]:
    # The mean of a single class is its score.
    if len(summary.classes) > 1:
        yield Row("mean", ("mean", *_cells(columns, summary.means, "mean")))
        if summary.foreground is not None:
            yield Row("mean", ("foreground mean", *_cells(columns, summary.foreground, "mean")))
    if any("all" in column.scopes for column in columns):
        yield Row("all", (name_of_all(settings), *_cells(columns, summary.means, "all")))
    present = summary.loss_present
    differs = present is not None and present != summary.means.values[_LOSS_COLUMN.metric]
    if differs and _LOSS_COLUMN in columns:
        cells = [""] * len(columns)
        cells[columns.index(_LOSS_COLUMN)] = number(present)
        yield Row("present", (_PRESENT, *cells))


def _cells(columns: Iterable[ScoreColumn], scores: Scores, scope: Scope) -> list[str]:
    return [column.cell(scores, scope) for column in columns]


def _legend(settings: Settings, summary: Summary, columns: Sequence[ScoreColumn]) -> Iterator[str]:
    if _LOSS_COLUMN in columns and any(map(depends_only_on_epsilon, summary.named)):
        yield _epsilon_note(summary)
    # Scores that are undefined for the same classes, such as hard Dice and IoU, are told once.
    told: dict[tuple[bool, ...], str] = {}
    for column in columns:
        if column.is_score and "class" in column.scopes:
            defined = tuple(scores.values[column.metric] is not None for scores in summary.named)
            if not all(defined):
                told.setdefault(defined, f"the {column.title} of {_counted(summary, defined)}")
    if told:
        yield f"– undefined (0/0); the means are over {', '.join(told.values())}"
    if not settings.together and any("all" in column.scopes for column in columns):
        yield f"– {name_of_all(settings)}: a pixel can be of several of them, so there is no score of all together"


def _epsilon_note(summary: Summary) -> str:
    """What an asterisk means, and which of the means are without such a loss."""
    note = "* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε"
    if summary.loss_present is not None:
        note += f"; '{_PRESENT}' is without it"
    if len(summary.regions) > 1 and any(map(depends_only_on_epsilon, summary.regions)):
        note += f", '{_REGION_MEAN}' is not"
    return note


def _counted(summary: Summary, defined: Sequence[bool]) -> str:
    """How many of the classes, and how many of several regions, have a score."""
    classes, regions = defined[: len(summary.classes)], defined[len(summary.classes) :]
    text = f"{sum(classes)} of {len(classes)} classes"
    if len(regions) > 1 and not all(regions):
        text += f" and {sum(regions)} of {len(regions)} regions"
    return text
