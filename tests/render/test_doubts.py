"""What the counts make doubtful is said, with what to check: shifts, other orders, chance, squashed values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import counted_row, image_row, summarized
from sklearn.metrics import cohen_kappa_score

from softdice_cli.records import ClassDef, ClassScores, Results, Settings
from softdice_cli.render.doubts import doubts, kappa

EYE = Settings(classes=(ClassDef("vessel", 255),))


def of_matrix(*matrix: list[int], **options: object) -> Results:
    """A run of one image, given its pixels by predicted class (rows) and true class (columns)."""
    places = range(len(matrix))
    names = tuple(ClassDef("abcd"[place], place) for place in places)
    counts = [(sum(row[c] for row in matrix), sum(matrix[c]), matrix[c][c]) for c in places]
    pairs = tuple((p, t, matrix[p][t]) for p in places for t in places if p != t and matrix[p][t])
    row = replace(counted_row("i", *counts), confusion=pairs)
    return summarized(Settings(classes=names, **options), [row])


def of_one(*sums: tuple[float, float, int, int, int], settings: Settings = EYE) -> Results:
    """A run of one image, of 100 pixels, or of 1000 where the class has more than that."""
    return summarized(settings, [image_row("i", *sums, pixels=100 if sums[0][2] <= 100 else 1000)])


ORDER = "so check the order of the labels, the colours and the channels"
FROM_ONE = "if the masks begin at 1, and 0 is void: --class a=1 --class b=2 --class c=3 --class d=4 --ignore 0"


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        # two classes have changed places
        (([90, 1, 2], [5, 4, 30], [5, 35, 8]), f"predicted as another one: b as c, c as b; {ORDER}"),
        # each label is one greater than its channel, wherever the void is predicted
        (([1, 30, 2, 0], [4, 1, 30, 0], [3, 2, 1, 30], [2, 0, 0, 3]), FROM_ONE),
        (([0, 30, 2, 0], [40, 1, 30, 0], [0, 2, 1, 30], [0, 0, 0, 3]), FROM_ONE),
        # and one smaller
        (([0, 0, 0, 0], [30, 1, 0, 0], [0, 30, 2, 0], [0, 1, 30, 4]), "the first channel is a class that"),
    ],
)
def test_classes_at_other_places_are_named(matrix, said):
    (text,) = doubts(of_matrix(*matrix))
    assert said in text


@pytest.mark.parametrize(
    "matrix",
    [
        # a model that knows the background alone, and one that is half right
        ([90, 30, 30], [0, 5, 0], [0, 0, 5]),
        ([90, 10, 10], [0, 20, 0], [0, 0, 20]),
        # one class is taken for another, which is right by itself
        ([90, 1, 1], [0, 30, 25], [0, 0, 5]),
        # two classes, of which one is taken for the other
        ([90, 20], [5, 9]),
    ],
)
def test_mistakes_of_a_model_are_not_doubted(matrix):
    assert doubts(of_matrix(*matrix)) == []


def test_label_maps_are_to_be_saved_again():
    up = of_matrix([1, 30, 2], [4, 1, 30], [3, 2, 1], prediction="labels")
    assert "labels that are 1 higher, and --ignore 0" in doubts(up)[0]
    down = of_matrix([0, 0, 0], [30, 1, 0], [0, 30, 2], prediction="labels")
    assert "labels that are 1 lower" in doubts(down)[0]


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        # 10 of 60 pixels of the class are predicted, and 35 of 40 of the background
        ((45.0, 10.0, 60, 45, 10), "is predicted mostly where the truth has its background"),
        # as many right as chance gives: 300 of 600 and 200 of 400
        ((500.0, 300.0, 600, 500, 300), "no better than by chance in vessel"),
        # better than chance, everything, and nothing
        ((500.0, 300.0, 600, 500, 420), ""),
        # and of few pixels, nothing is said
        ((50.0, 30.0, 60, 50, 30), ""),
        ((100.0, 60.0, 60, 100, 60), ""),
        ((0.0, 0.0, 60, 0, 0), ""),
        # everything, with what sigmoid makes of probabilities
        ((60.0, 36.0, 60, 100, 60), "check whether the maps were given to sigmoid twice"),
        # no background
        ((80.0, 80.0, 100, 90, 90), "every counted pixel of the truth is vessel"),
    ],
)
def test_a_single_class(sums, said):
    texts = doubts(of_one(sums))
    assert len(texts) == bool(said)
    assert said in "".join(texts)


def test_sigmoid_of_probabilities_is_to_be_left_out():
    settings = replace(EYE, activation="sigmoid")
    (text,) = doubts(of_one((60.0, 36.0, 60, 100, 60), settings=settings))
    assert text.endswith("leave out --activation, if they are")


def test_independent_channels_that_exclude_each_other():
    settings = Settings(classes=(ClassDef("a", None), ClassDef("b", None)), multilabel=True)
    exclusive = [(40.0, 30.0, 40, 40, 35), (60.0, 50.0, 60, 60, 55)]
    assert "the channels sum to 1" in doubts(of_one(*exclusive, settings=settings))[0]
    assert doubts(of_one(*exclusive[:1], (50.0, 40.0, 60, 60, 55), settings=settings)) == []


def test_agreement_beyond_chance_is_cohens_kappa():
    rng = np.random.default_rng(2)
    truth, predicted = rng.integers(0, 2, 500), rng.integers(0, 2, 500)
    predicted[:200] = truth[:200]
    counts = {"truth_pixels": int(truth.sum()), "predicted_pixels": int(predicted.sum())}
    scores = ClassScores({}, **counts, true_positives=int((truth & predicted).sum()))
    assert kappa(scores, 500) == pytest.approx(cohen_kappa_score(truth, predicted), abs=1e-12)
    assert kappa(replace(scores, truth_pixels=0, true_positives=0), 500) is None


def test_nothing_is_doubted_without_images():
    assert doubts(summarized(EYE, [])) == []
