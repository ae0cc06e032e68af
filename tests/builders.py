"""What several test files share: rows, runs and results made by hand."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from softdice_cli.records import ClassSums, Failure, ImageRow, Results, Run, Settings, Shard
from softdice_cli.records.digest import digest_of
from softdice_cli.scores import summarize

Sums = tuple[float, float, int, int, int]
"""P, I, truth, predicted and true positives of a class."""


Members = Sequence[Sequence[int]]
"""For each region the places of its classes."""


def image_row(id: str, *sums: Sums, pixels: int | None = None, ignored: int = 0) -> ImageRow:
    """A row; without pixels, every pixel has the label of one of the classes."""
    counted = sum(entry[2] for entry in sums) if pixels is None else pixels
    # Rows of one truth have the same counts here, and so the same digest.
    truth = f"{zlib.crc32(repr([counted, ignored, [entry[2] for entry in sums]]).encode()):016x}"
    classes = tuple(ClassSums(*entry, pixels=counted) for entry in sums)
    return ImageRow(id, "p", "m", counted, ignored, classes, truth=truth)


def counted_row(id: str, *counts: tuple[int, int, int]) -> ImageRow:
    """A row of truth, predicted and true positives of each class, where every probability is 0 or 1."""
    sums = [(float(predicted), float(hits), truth, predicted, hits) for truth, predicted, hits in counts]
    return image_row(id, *sums)


def confused_row(id: str, matrix: Sequence[Sequence[int]], members: Members = ()) -> ImageRow:
    """A row of pixels by predicted class (rows) and true class (columns), where every probability is 0 or 1."""
    pixels = sum(map(sum, matrix))
    classes = [_taken_as_one(matrix, [place]) for place in range(len(matrix))]
    off_diagonal = [(p, t, n) for p, row in enumerate(matrix) for t, n in enumerate(row) if n and p != t]
    row = image_row(id, *classes, pixels=pixels)
    regions = image_row(id, *(_taken_as_one(matrix, places) for places in members), pixels=pixels).sums
    return replace(row, regions=regions, confusion=tuple(off_diagonal))


def _taken_as_one(matrix: Sequence[Sequence[int]], places: Sequence[int]) -> Sums:
    predicted = sum(sum(matrix[place]) for place in places)
    truth = sum(row[place] for row in matrix for place in places)
    hits = sum(matrix[p][t] for p in places for t in places)
    return float(predicted), float(hits), truth, predicted, hits


def summarized(
    settings: Settings,
    rows: Iterable[ImageRow],
    failures: Iterable[Failure] = (),
    *,
    left_out: Sequence[str] = (),
    shard: Shard | None = None,
) -> Results:
    """The results of a run of these rows."""
    run = Run(settings=settings, rows=tuple(rows), failures=tuple(failures), left_out=tuple(left_out), shard=shard)
    return summarize(run)


def signed(document: dict[str, Any]) -> bytes:
    """The results file of a softdice that wrote these values itself, with their digest."""
    return json.dumps({**document, "digest": digest_of(document)}).encode()
