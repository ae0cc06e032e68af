"""Labels that are not classes: what is listed, and what is proposed, at the limits at which it changes."""

from __future__ import annotations

import numpy as np
import pytest

from softdice_cli import ClassDef, Settings
from softdice_cli.evaluation import label_refusals
from softdice_cli.evaluation.label_evidence import LabelEvidence
from softdice_cli.readers import Source
from softdice_cli.records import MAX_LABEL


def settings(count: int, **options: object) -> Settings:
    return Settings(classes=tuple(ClassDef(f"c{index}", index) for index in range(count)), **options)


def source(dtype: str = "u1") -> Source:
    return Source(name="m.npy", format="npy", array=np.zeros((2, 3), dtype), stored=np.dtype(dtype).name)


def refuse_labels(source, settings, counts):
    return label_refusals.refuse_labels(source, LabelEvidence(settings, counts, {}), counts)


def refuse_many(source, settings, counts):
    reach = int(np.iinfo(source.array.dtype).max)
    return label_refusals.refuse_many(source, LabelEvidence(settings, {}, counts, mixed=True, reach=reach), counts)


@pytest.mark.parametrize(
    ("strays", "found"),
    [
        # one, several, as many as are listed, one more, and more
        (1, "100 (7 px)"),
        (2, "100 (7 px), 101 (7 px)"),
        (12, "110 (7 px), 111 (7 px)"),
        (13, "111 (7 px) and 1 more label"),
        (14, "111 (7 px) and 2 more labels"),
    ],
)
def test_the_labels_are_counted_and_listed(strays, found):
    error = refuse_labels(source(), settings(3), dict.fromkeys(range(100, 100 + strays), 7))
    # The same for all files of a set, so that they can be told together.
    assert error.problem == "has labels that are not classes"
    assert error.found.endswith(found)


@pytest.mark.parametrize(("strays", "hint"), [(4, "--ignore 100"), (5, "check that this is the right file")])
def test_many_strange_labels_are_rather_another_file(strays, hint):
    error = refuse_labels(source(), settings(20), dict.fromkeys(range(100, 100 + strays), 7))
    assert hint in error.hint
    assert ("check" in error.hint) == error.hint.startswith("check") == (strays > 4)


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
        (range(0, 120, 10), "name every class: --class 0=0 --class 10=10"),
        # more: they number classes, and are no reason for a scale
        (range(13), "--num-classes 13"),
        # numbers up to the end of the type, with gaps
        (range(0, 250, 10), "so many labels look like probabilities: if these are the predictions, --scale 255"),
        (range(-1, 12), "--classes FILE"),
    ],
)
def test_what_an_unnamed_label_map_is_told(labels, hint):
    one = Settings(classes=(ClassDef("foreground", None),), prediction="labels")
    assert hint in refuse_many(source(), one, dict.fromkeys(labels, 1)).hint


@pytest.mark.parametrize(("count", "listed"), [(12, "10, 11"), (13, "10, 11, …")])
def test_the_expected_labels_are_listed(count, listed):
    assert refuse_labels(source(), settings(count), {100: 1}).expected.endswith(listed)


@pytest.mark.parametrize("shape", [(2**18 + 5,), (700, 600)])
def test_large_label_maps_are_compared_part_by_part(tmp_path, softdice, shape):
    # A large array stays in its file, and a single value of it cannot be looked at.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 9, shape)
    np.save(tmp_path / "g.npy", truth)
    np.save(tmp_path / "p.npy", np.minimum(truth + 1, 9))
    result = softdice("eval", "--pred", tmp_path / "p.npy", "--gt", tmp_path / "g.npy", "--pred-labels")
    assert result.code == 3
    assert "several labels" in result.err
    assert "died" not in result.err
