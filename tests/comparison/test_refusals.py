"""What cannot be compared, and what is said beside the numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import summarized
from two_results import BASE, ONE, hard, random_pair

from softdice_cli.comparison import compare, judge
from softdice_cli.errors import ConfigError, EmptyError, InputError
from softdice_cli.records import ClassDef, Failure, Settings, Shard

FAILED = Failure("x", "p", "g", "is broken", "", "", "")
ROWS = BASE.images


@pytest.mark.parametrize(
    ("other", "error", "words"),
    [
        # another ε: only the part that differs is shown
        (summarized(replace(ONE, eps=1e-3), ROWS), InputError, ["another signature", "eps:1e-05", "eps:0.001"]),
        # the same signature, another name
        (summarized(Settings(classes=(ClassDef("nucleus", None),)), ROWS), InputError, ["other classes", "nucleus"]),
        # more classes
        (random_pair(2)[0], InputError, ["other classes", "cell=any as class 0", "sky=0"]),
        # one image fewer, and one under another name
        (hard((10, 10, 8)), InputError, ["other images", "2 images, also i1", "1 image"]),
        (summarized(ONE, [ROWS[0], replace(ROWS[1], id="z")]), InputError, ["also i1", "also z"]),
        # two images of one id, which a file cannot hold and a caller can
        (summarized(ONE, [ROWS[0], ROWS[0]]), InputError, ["two images of one id"]),
        # incomplete, whatever the rest
        (summarized(ONE, ROWS, [FAILED]), InputError, ["is incomplete: 1 pair failed", "x"]),
        (summarized(ONE, []), EmptyError, ["holds no image"]),
    ],
)  # fmt: skip
def test_what_cannot_be_paired_is_refused(other, error, words):
    with pytest.raises(error) as caught:
        compare(BASE, other)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert caught.value.path == "B"
    assert caught.value.exit_code == (3 if error is InputError else 5)
    with pytest.raises(error):
        compare(other, BASE)


@pytest.mark.parametrize("options", [{"resamples": 99}, {"resamples": 100_001}, {"seed": -1}, {"worst": -1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        compare(BASE, BASE, **options)


@pytest.mark.parametrize("effect", [-0.1, math.nan, math.inf])
def test_an_effect_below_nothing_is_refused(effect):
    with pytest.raises(ConfigError):
        judge(compare(BASE, BASE, resamples=100), effect)


def test_a_shard_is_noted():
    run = random_pair(3)[0]
    shard = Shard(index=1, count=4, pairs=12, run="")
    notes = compare(run, replace(run, run=replace(run.run, shard=shard)), resamples=100).notes
    assert notes == ("B is shard 1 of 4, not the whole run",)


def test_other_masks_are_noted():
    c = compare(BASE, hard((10, 10, 8), (9, 10, 6)), resamples=100)
    assert any("masks of B are not those of A" in note and "i1" in note for note in c.notes)
