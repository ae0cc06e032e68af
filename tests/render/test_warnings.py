"""What is true and still misleads is said once, by name: no threshold reached, no pixel hit."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import counted_row, image_row, summarized

from softdice_cli.records import ClassDef, Settings
from softdice_cli.render import warnings

EYE = Settings(classes=(ClassDef("vessel", 255),))
TUMOR = Settings(classes=tuple(ClassDef(name, None) for name in ("WT", "TC", "ET")), multilabel=True)
SCENE = Settings(classes=tuple(ClassDef(name, place) for place, name in enumerate(("sky", "tree", "pole"))))

# P, I, truth, predicted and true positives of a class in an image: found, and nowhere above the threshold.
FOUND, MISSED, ABSENT = (40.0, 30.0, 40, 40, 30), (20.0, 15.0, 40, 0, 0), (2.0, 0.0, 0, 0, 0)


def said(settings: Settings, *images) -> list[str]:
    rows = [image_row(f"i{place}", *sums, pixels=100) for place, sums in enumerate(images)]
    return warnings(summarized(settings, rows))


INSPECT = "softdice inspect shows the greatest value of a map"


@pytest.mark.parametrize(
    ("settings", "images", "sentences"),
    [
        # two of many images are dark; those without truth pixels are right to be empty
        (
            EYE,
            [[FOUND], [MISSED], [ABSENT], [MISSED]],
            [f"in 2 images nothing is above the threshold, though the truth has pixels: i1, i3; {INSPECT}"],
        ),
        # all of them: said of the run, and not of each image again
        (
            EYE,
            [[MISSED], [MISSED]],
            [
                "a class never reaches its threshold in any image, though the truth has its pixels: "
                f"vessel (p > 0.5); {INSPECT}, and --threshold sets what counts"
            ],
        ),
        # each class has its own threshold
        (
            replace(TUMOR, thresholds=(("ET", 0.25),)),
            [[FOUND, MISSED, MISSED], [FOUND, MISSED, ABSENT]],
            [
                "2 classes never reach their thresholds in any image, though the truth has its pixels: "
                f"TC (p > 0.5), ET (p > 0.25); {INSPECT}, and --threshold sets what counts"
            ],
        ),
        # one class of several is missed in an image: that is a score, and no accident of a file
        (TUMOR, [[FOUND, FOUND, FOUND], [FOUND, FOUND, MISSED]], []),
        # all classes of an image are missed; a class that is nowhere predicted alone does not count twice
        (
            TUMOR,
            [[FOUND, FOUND, FOUND], [MISSED, ABSENT, MISSED], [ABSENT, ABSENT, ABSENT]],
            [f"in 1 image nothing is above the threshold, though the truth has pixels: i1; {INSPECT}"],
        ),
        # of many images, the first are named
        (
            EYE,
            [[FOUND], *[[MISSED]] * 9],
            [
                "in 9 images nothing is above the threshold, though the truth has pixels: "
                f"i1, i2, i3, i4, i5 and 4 more; {INSPECT}",
            ],
        ),
        # one class against the rest has a threshold as well
        (
            replace(SCENE, only="pole", threshold=0.3),
            [[FOUND, FOUND, MISSED]],
            [
                "a class never reaches its threshold in any image, though the truth has its pixels: "
                f"pole (p > 0.3); {INSPECT}, and --threshold sets what counts"
            ],
        ),
        # exclusive classes have none
        (SCENE, [[FOUND, FOUND, MISSED]], []),
    ],
)  # fmt: skip
def test_a_map_that_never_reaches_the_threshold_is_named(settings, images, sentences):
    assert said(settings, *images) == sentences


def never_hit(intersection: float) -> list[str]:
    """What is said of a class of which only so much probability lies on its pixels."""
    pole = (8.0, intersection, 2, 8, 0)
    return said(SCENE, [FOUND, FOUND, pole], [FOUND, FOUND, ABSENT])


def test_a_class_that_is_never_hit_is_named_where_epsilon_sets_its_loss():
    """Of 2 pixels of truth and P = 10, as the second image adds 2."""
    loss = -math.log(1e-5 / (10 + 2 + 1e-5))
    sentence = (
        f"a class is in the truth and never hit, so the loss is -ln(eps/(P+Y+eps)), set by eps: pole ({loss:.4f}); "
        "the mean over the classes that are present holds it"
    )
    assert never_hit(0.0) == [sentence]
    # 2I is still the smaller part of 2I + ε; from there on the loss is that of the map
    assert len(never_hit(4.9e-6)) == 1
    assert never_hit(5.1e-6) == []


def test_the_only_class_has_no_mean_that_could_hold_it():
    (text,) = warnings(summarized(replace(SCENE, only="pole"), [counted_row("i", (4, 4, 4), (2, 2, 2), (3, 1, 0))]))
    assert text.endswith("set by eps: pole (12.8992)")


def test_a_class_that_is_not_scored_is_not_named():
    settings = replace(SCENE, background=False)
    assert warnings(summarized(settings, [counted_row("i", (3, 0, 0), (2, 5, 2), (2, 2, 2))])) == []


def mixed(*matrix: list[int]) -> list[str]:
    """What is said of a run of one image, given its pixels by predicted class (rows) and true class (columns)."""
    places = range(len(matrix))
    names = tuple(ClassDef("abcd"[place], place) for place in places)
    counts = [(sum(row[c] for row in matrix), sum(matrix[c]), matrix[c][c]) for c in places]
    pairs = tuple((p, t, matrix[p][t]) for p in places for t in places if p != t and matrix[p][t])
    row = replace(counted_row("i", *counts), confusion=pairs)
    return [text for text in warnings(summarized(Settings(classes=names), [row])) if "most pixels of some" in text]


LOOK = "so check the order of the labels, the colours and the channels"
SHIFT = "if the masks begin at 1, and 0 is void: --class a=1 --class b=2 --class c=3 --class d=4 --ignore 0"


@pytest.mark.parametrize(
    ("matrix", "said_of_it"),
    [
        # two classes have changed places
        (([90, 1, 2], [5, 4, 30], [5, 35, 8]), f"b as c, c as b; {LOOK}"),
        # each label is one greater than its channel
        (([1, 30, 2, 0], [4, 1, 30, 0], [3, 2, 1, 30], [2, 0, 0, 3]), f"b as a, c as b, d as c; {SHIFT}"),
        # a model that knows the background alone, and one that is half right
        (([90, 30, 30], [0, 5, 0], [0, 0, 5]), ""),
        (([90, 10, 10], [0, 20, 0], [0, 0, 20]), ""),
        # one class is taken for another, which is right by itself
        (([90, 1, 1], [0, 30, 25], [0, 0, 5]), ""),
    ],
)
def test_classes_that_have_changed_places_are_named(matrix, said_of_it):
    prefix = "most pixels of some classes are predicted as another one: "
    assert mixed(*matrix) == ([prefix + said_of_it] if said_of_it else [])


@pytest.mark.parametrize(
    ("sums", "opposite"),
    [
        # 10 of 60 pixels of the class are predicted, and 35 of 40 of the background
        ((45.0, 10.0, 60, 45, 10), True),
        # a bad map, which is not its opposite
        ((45.0, 10.0, 60, 30, 10), False),
        # everything is predicted, or nothing
        ((100.0, 60.0, 60, 100, 60), False),
        ((0.0, 0.0, 60, 0, 0), False),
    ],
)
def test_a_map_of_the_background_is_named(sums, opposite):
    found = [text for text in said(EYE, [sums]) if "is predicted mostly where" in text]
    assert bool(found) == opposite
