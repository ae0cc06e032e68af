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
