"""Labels that are not classes: what is listed, and what is proposed, at the limits at which it changes."""

from __future__ import annotations

import numpy as np
import pytest

from softdice_cli import ClassDef, Settings
from softdice_cli.evaluation.label_refusals import refuse_labels, refuse_many
from softdice_cli.readers import Source
from softdice_cli.records import MAX_LABEL


def settings(count: int, **options: object) -> Settings:
    return Settings(classes=tuple(ClassDef(f"c{index}", index) for index in range(count)), **options)


def source(dtype: str = "u1") -> Source:
    return Source(name="m.npy", format="npy", array=np.zeros((2, 3), dtype), stored=np.dtype(dtype).name)


@pytest.mark.parametrize(
    ("strays", "problem", "found"),
    [
        # one, several, as many as are listed, one more, and more
        (1, "has 1 label that is not a class", "100 (7 px)"),
        (2, "has 2 labels that are not classes", "100 (7 px), 101 (7 px)"),
        (12, "has 12 labels that are not classes", "110 (7 px), 111 (7 px)"),
        (13, "has 13 labels that are not classes", "111 (7 px) and 1 more label"),
        (14, "has 14 labels that are not classes", "111 (7 px) and 2 more labels"),
    ],
)
def test_the_labels_are_counted_and_listed(strays, problem, found):
    error = refuse_labels(source(), settings(3), dict.fromkeys(range(100, 100 + strays), 7))
    assert error.problem == problem
    assert error.found.endswith(found)


@pytest.mark.parametrize(("strays", "hint"), [(4, "--ignore 100"), (5, "check that this is the right file")])
def test_many_strange_labels_are_rather_another_file(strays, hint):
    error = refuse_labels(source(), settings(20), dict.fromkeys(range(100, 100 + strays), 7))
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(("label", "wide"), [(MAX_LABEL, False), (MAX_LABEL + 1, True), (-MAX_LABEL - 1, True)])
def test_labels_that_no_class_can_have(label, wide):
    counts = {0: 1, 1: 1, label: 1}
    assert ("32 bits" in refuse_labels(source("i8"), settings(2), counts).hint) == wide
    one = Settings(classes=(ClassDef("foreground", None),), prediction="labels")
    assert ("32 bits" in refuse_many(source("i8"), one, dict(sorted(counts.items()))).hint) == wide


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        # as many as a list of options is read for, from 0
        (range(12), "name every class: --class 0 --class 1"),
        # as many, further apart
        (range(0, 120, 10), "name every class: --class 0=0 --class 1=10"),
        # more: no label map of anybody
        (range(13), "so many labels look like probabilities: if this is the prediction, --scale 255"),
        (range(-1, 12), "so many labels, some below 0"),
    ],
)
def test_what_an_unnamed_label_map_is_told(labels, hint):
    one = Settings(classes=(ClassDef("foreground", None),), prediction="labels")
    assert hint in refuse_many(source(), one, dict.fromkeys(labels, 1)).hint


@pytest.mark.parametrize(("count", "listed"), [(12, "10, 11"), (13, "10, 11, …")])
def test_the_expected_labels_are_listed(count, listed):
    assert refuse_labels(source(), settings(count), {100: 1}).expected.endswith(listed)
