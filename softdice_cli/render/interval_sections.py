"""Scores with their 95 % intervals as sections. Few results have them, so that they stand apart."""

from __future__ import annotations

from collections.abc import Iterator

from softdice_cli.metrics import AVERAGES, BY_NAME
from softdice_cli.records import Results
from softdice_cli.records.intervals import Average, ScoreInterval
from softdice_cli.render.columns import metrics_of
from softdice_cli.render.content import Cell, Column, Name, Row, RowKind, Section, Table
from softdice_cli.render.page import Page
from softdice_cli.render.text import number, plural

Score = tuple[str, Average]
"""A metric, and how it is averaged."""

# The scores whose intervals are shown where no columns are chosen.
_USUAL: tuple[Score, ...] = (("dice", "pooled"), ("loss", "pooled"), ("dice", "image_mean"))

# The kinds of rows from top to bottom.
_ORDER: tuple[RowKind, ...] = ("class", "mean", "all", "region", "region_mean")

_PREFIXES = {"pooled": "pooled", "image_mean": "image-mean"}


def interval_sections(results: Results, page: Page) -> Iterator[Section]:
    """A table of the usual scores, or one for each average where columns are chosen."""
    by_score: dict[Score, list[ScoreInterval]] = {}
    for entry in results.intervals:
        by_score.setdefault((entry.metric, entry.average), []).append(entry)
    for scores in _groups(page):
        shown = {score: by_score[score] for score in scores if score in by_score}
        if shown:
            over = f"(bootstrap over {plural(results.images, 'image')})"
            yield Section("intervals", "95 % intervals", over, _table(shown, _alone(results)))


def _groups(page: Page) -> list[tuple[Score, ...]]:
    metrics = metrics_of(page.columns)
    if metrics is None:
        return [_USUAL]
    return [tuple((name, average) for name in metrics) for average in AVERAGES]


def _alone(results: Results) -> set[RowKind]:
    """The kinds of means that are of a single class or region, and so are its score."""
    found: set[RowKind] = set()
    if len(results.pooled.classes) == 1:
        found.add("mean")
    if len(results.pooled.regions) == 1:
        found.add("region_mean")
    return found


def _table(shown: dict[Score, list[ScoreInterval]], left_out: set[RowKind]) -> Table:
    """One row a class, a mean and a region, one column a score; without some kinds of rows."""
    head = [Column("class")]
    for metric, average in shown:
        head.append(Column(f"{_PREFIXES[average]} {BY_NAME[metric].title}"))
    cells: dict[tuple[RowKind, str], dict[Score, str]] = {}
    for score, entries in shown.items():
        for entry in entries:
            if _kind(entry) not in left_out:
                cells.setdefault((_kind(entry), entry.name), {})[score] = _interval(entry)
    # The scores without a class may come first in the list of columns, and stand below the means in the table.
    ordered = sorted(cells.items(), key=lambda item: _ORDER.index(item[0][0]))
    rows = []
    for (kind, name), row in ordered:
        texts = (row.get(score, "") for score in shown)
        rows.append(Row(kind, (_head(kind, name), *texts)))
    return Table(tuple(head), tuple(rows), breakable=True)


def _kind(entry: ScoreInterval) -> RowKind:
    if entry.scope in ("class", "region", "region_mean"):
        return entry.scope
    if BY_NAME[entry.metric].per_class:
        return "mean"
    return "all"


def _head(kind: RowKind, name: str) -> Cell:
    if kind in ("class", "region"):
        return Name(name)
    # The column of names is narrow here, as intervals are wide.
    return name.replace("foreground mean", "fg mean")


def _interval(entry: ScoreInterval) -> str:
    if entry.value is None:
        return "–"
    if entry.interval is None:
        return f"{number(entry.value)} –"
    return f"{number(entry.value)} [{number(entry.interval.low)}, {number(entry.interval.high)}]"
