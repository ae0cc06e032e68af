"""Regions as targets: the same digits as a class of the same pixels, in intervals, differences and p-values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import confused_row, summarized

from softdice_cli.comparison import compare, intervals
from softdice_cli.metrics import METRICS
from softdice_cli.records import ClassDef, Region, Results, Settings

CLASSES = tuple(ClassDef(name, place) for place, name in enumerate(("sky", "tree", "pole", "sign")))
MEMBERS = ((1, 2), (2, 3), (3,))
REGIONS = tuple(Region(name, tuple(CLASSES[place].name for place in places)) for name, places in
                zip(("high", "thin", "flat"), MEMBERS, strict=True))  # fmt: skip
NAMES = [metric.name for metric in METRICS]


def drawn(seed: int, images: int = 12, **more) -> Results:
    """Images of the same masks; some pixels are right, and the last class is absent from many images."""
    masks, rng = np.random.default_rng(0), np.random.default_rng(seed)
    rows = []
    for place in range(images):
        matrix = masks.integers(0, 9, (4, 4)) + np.diag(masks.integers(0, 40, 4))
        if masks.random() < 0.6:
            matrix[:, 3] = 0
        # What a pixel is taken for differs, and its label does not.
        matrix = rng.permuted(matrix, axis=0)
        if rng.random() < 0.6:
            matrix[0] += matrix[3]
            matrix[3] = 0
        rows.append(confused_row(f"i{place:02}", matrix.tolist(), MEMBERS))
    return summarized(Settings(classes=CLASSES, regions=REGIONS, **more), rows)


def as_classes(results: Results) -> Results:
    """The regions as if they were the classes; beside a background that is never there."""
    settings = replace(
        results.settings,
        classes=(ClassDef("none", 9), *(ClassDef(region.name, place) for place, region in enumerate(REGIONS))),
        regions=(),
        background=False,
    )
    rows = []
    for row in results.images:
        nothing = replace(row.regions[0], probability=0.0, intersection=0.0, truth=0, predicted=0, true_positives=0)
        rows.append(replace(row, sums=(nothing, *row.regions), regions=(), confusion=None))
    return summarized(settings, rows)


SCOPES = {"region": "class", "region_mean": "mean"}


def regions_of(scores) -> list:
    """The scores of the regions and their mean, under the names that they have as classes."""
    found = [score for score in scores if score.scope in SCOPES]
    return [replace(s, scope=SCOPES[s.scope], name="mean" if s.scope == "region_mean" else s.name) for s in found]


def classes_of(scores) -> list:
    return [score for score in scores if score.metric != "accuracy"]


@pytest.mark.parametrize("more", [{}, {"empty": "zero"}, {"background": False}, {"eps": 1.0}])
def test_intervals_of_regions_are_those_of_such_classes(more):
    found = drawn(1, **more)
    regions = regions_of(intervals(found, metrics=NAMES, resamples=200))
    assert regions == classes_of(intervals(as_classes(found), metrics=NAMES, resamples=200))
    assert len(regions) == (len(NAMES) - 1) * 2 * 4


def test_changes_of_regions_are_those_of_such_classes():
    a, b = drawn(1), drawn(2)
    changes = regions_of(compare(a, b, metrics=NAMES, resamples=200).scores)
    assert changes == classes_of(compare(as_classes(a), as_classes(b), metrics=NAMES, resamples=200).scores)


def test_regions_change_nothing_of_the_classes():
    a, b = drawn(1), drawn(2)
    plain = [
        summarized(
            replace(side.settings, regions=()), [replace(row, regions=()) for row in side.images]
        )
        for side in (a, b)
    ]  # fmt: skip
    whole, without = compare(a, b, resamples=200), compare(*plain, resamples=200)
    assert [score for score in whole.scores if score.scope not in SCOPES] == list(without.scores)
    assert (whole.changed, whole.judged) == (without.changed, without.judged)
