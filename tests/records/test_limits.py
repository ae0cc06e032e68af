"""How many classes, regions and labels a run can have: results count the pixels of each pair of classes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softdice_cli.errors import ConfigError, ShapeError
from softdice_cli.records import ClassDef, Region, Settings
from softdice_cli.records.classes import MOST_CLASSES, MOST_LABELS


def named(count: int) -> tuple[ClassDef, ...]:
    return tuple(ClassDef(f"c{place}", place) for place in range(count))


def test_as_many_as_the_limit_are_possible():
    settings = Settings(classes=named(MOST_CLASSES), regions=(Region("all", ("c1", "c0", "4095")),))
    assert settings.members == ((0, 1, 4095),)
    assert len(Settings().resolve(MOST_CLASSES, path="p.npy").classes) == MOST_CLASSES


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"classes": named(MOST_CLASSES + 1)}, "holds too many classes"),
        ({"regions": (Region("r", ("a", "b")),) * (MOST_CLASSES + 1)}, "holds too many regions"),
        ({"classes": (ClassDef("a", tuple(range(MOST_LABELS))), ClassDef("b", -1))}, "holds too many labels"),
        ({"ignore": tuple(range(MOST_LABELS + 1))}, "holds too many labels"),
    ],
)
def test_more_are_refused_before_they_are_compared_with_each_other(options, says):
    with pytest.raises(ConfigError, match=says) as caught:
        Settings(**options)
    assert caught.value.expected.startswith("at most ")


def test_an_error_lists_the_first_of_many_names():
    with pytest.raises(ConfigError) as caught:
        Settings(classes=named(MOST_CLASSES), only="cat")
    assert caught.value.expected.endswith("c39 and 4056 more")


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_map_of_too_many_channels_is_refused_by_name(multilabel):
    with pytest.raises(ShapeError, match="each of them would be a class") as caught:
        Settings(multilabel=multilabel).resolve(2**18, path="p.npy")
    assert caught.value.path == "p.npy"


def test_the_command_line_refuses_them_at_once(softdice, tmp_path):
    np.save(tmp_path / "p.npy", np.full((2**18, 1, 1), 2.0**-18, np.float32))
    np.save(tmp_path / "m.npy", np.zeros((1, 1), np.uint8))
    done = softdice("eval", "--pred", "p.npy", "--gt", "m.npy")
    assert (done.code, "at most 4096 channels" in done.err) == (3, True)
    (tmp_path / "c.json").write_text(json.dumps([f"c{place}" for place in range(20_000)]))
    done = softdice("eval", "--pred", "p.npy", "--gt", "m.npy", "--classes", "c.json")
    assert (done.code, "c.json: holds too many classes" in done.err) == (2, True)
