"""The file of ``--classes`` → settings: our own form, and which errors it causes."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from softdice_cli.cli.eval import Eval
from softdice_cli.cli.task.file import read_task
from softdice_cli.cli.task.said import Said
from softdice_cli.errors import ConfigError, as_flag
from softdice_cli.records import ClassDef, Region, Settings

AB = (ClassDef("a", 0), ClassDef("b", 1))
TASK = {
    "classes": {"background": 0, "edema": 1, "core": [2, 4]},
    "regions": {"whole": ["edema", 4], "second": ["core"]},
    "ignore": [255, 254],
    "white-is-zero": "inverted",
}
TOML = """
ignore = [255, 254]
white_is_zero = "inverted"

[classes]
background = 0
edema = 1
core = [2, 4]

[regions]
whole = ["edema", 4]
second = ["core"]
"""


def task(folder: Path, document: Any, name: str = "c.json", **options: Any) -> Settings:
    text = document if isinstance(document, str) else json.dumps(document)
    Path(folder, name).write_text(text, encoding="utf-8")
    return Eval(classes=Path(folder, name), **options)._task().settings


def refusal(folder: Path, document: Any, **options: Any) -> str:
    """What is said of a file, without the folder."""
    with pytest.raises(ConfigError) as caught:
        task(folder, document, **options)
    error = caught.value
    lines = [error.headline(as_flag), *(f"{label}: {text}" for label, text in error.details(as_flag))]
    return "\n".join(lines).replace(str(folder / "c.json"), "c.json")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        # names, whose labels are their places
        (["a", "b"], Settings(classes=AB)),
        ({"classes": ["a", "b"]}, Settings(classes=AB)),
        # name → label, or labels
        ({"a": 0, "b": 1}, Settings(classes=AB)),
        ({"a": [0, 3], "b": 1}, Settings(classes=(ClassDef("a", (0, 3)), ClassDef("b", 1)))),
        ({"a": "#000000", "b": ["#0000ff"]}, Settings(classes=(ClassDef("a", 0), ClassDef("b", 255)), colors=True)),
        # label → name, in the order of the labels, however a program has sorted their texts
        ({"0": "a", "10": "c", "2": "b"}, Settings(classes=(ClassDef("a", 0), ClassDef("b", 2), ClassDef("c", 10)))),
        ({"#0000ff": "b", "#000000": "a"}, Settings(classes=(ClassDef("b", 255), ClassDef("a", 0)), colors=True)),
        # where both sides read as labels, the name comes first as ever
        ({"1": "0", "0": "1"}, Settings(classes=(ClassDef("1", 0), ClassDef("0", 1)))),
        # tables with a name
        ([{"name": "a", "value": 0}, {"name": "b", "value": [1, 5]}], Settings(classes=(AB[0], ClassDef("b", (1, 5))))),
        ([{"name": "a"}, {"name": "b"}], Settings(classes=AB)),
        # a class may be called as a key of ours
        (
            {"background": 0, "foreground": 255},
            Settings(classes=(ClassDef("background", 0), ClassDef("foreground", 255))),
        ),
        ({"foreground": 1}, Settings(classes=(ClassDef("foreground", 1),))),
        ({"classes": {"a": 0, "ignore": 255}}, Settings(classes=(AB[0], ClassDef("ignore", 255)))),
        # what is said without classes
        ({"ignore": 255}, Settings(ignore=(255,))),
        ({"foreground": "nonzero"}, Settings(foreground="nonzero")),
        ({"num_classes": 2, "ignore": []}, Settings(classes=(ClassDef("0", 0), ClassDef("1", 1)))),
        ({"threshold": 0.4, "foreground": 255}, Settings(threshold=0.4, foreground="255")),
        # independent channels
        (
            {"classes": ["a", "b"], "multilabel": True, "threshold": {"b": 0.3}},
            Settings(classes=(ClassDef("a", None), ClassDef("b", None)), multilabel=True, thresholds=(("b", 0.3),)),
        ),
        (
            {"classes": {"a": [1, 2], "b": 2}, "multilabel": True},
            Settings(classes=(ClassDef("a", (1, 2)), ClassDef("b", 2)), multilabel=True),
        ),
        ({"classes": ["a", "b"], "multilabel": False, "only": "b"}, Settings(classes=AB, only="b")),
    ],
)
def test_each_form_is_read(tmp_path, document, expected):
    assert task(tmp_path, document) == expected


def test_one_file_says_all_of_it_in_json_and_toml(tmp_path):
    expected = Settings(
        classes=(ClassDef("background", 0), ClassDef("edema", 1), ClassDef("core", (2, 4))),
        regions=(Region("whole", ("edema", "core")), Region("second", ("core",))),
        ignore=(254, 255),
        white_is_zero="inverted",
    )
    assert task(tmp_path, TASK) == expected
    assert task(tmp_path, TOML, "c.toml") == expected


def test_editors_of_windows_put_a_mark_in_front(tmp_path):
    for encoding in ("utf-8-sig", "utf-16"):
        Path(tmp_path, "c.json").write_text('["ä", "b"]', encoding=encoding)
        assert [entry.name for entry in Eval(classes=Path(tmp_path, "c.json"))._task().settings.classes] == ["ä", "b"]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({"ignore": ["7"]}, {"ignore": (7,)}),
        ({"region": ["X=1+2"]}, {"regions": (Region("X", ("edema", "core")),)}),
        ({"white_is_zero": "stored"}, {"white_is_zero": "stored"}),
    ],
)
def test_an_option_takes_the_place_of_what_the_file_says_of_the_same(tmp_path, options, changed):
    told, alone = task(tmp_path, TASK, **options), task(tmp_path, TASK)
    expected = {
        name: changed.get(name, getattr(alone, name)) for name in ("classes", "regions", "ignore", "white_is_zero")
    }
    assert {name: getattr(told, name) for name in expected} == expected
    limits = {"multilabel": True, "threshold": {"a": 0.3}}
    assert task(tmp_path, limits, threshold=["0.4"]) == Settings(multilabel=True, threshold=0.4)


@pytest.mark.parametrize(("roi", "seen"), [("fov", "{}/fov"), ("fov/*.png", "{}/fov/*.png"), ("/fov", "/fov")])
def test_the_region_of_interest_starts_from_the_folder_of_the_file(tmp_path, roi, seen):
    Path(tmp_path, "c.json").write_text(json.dumps({"roi": roi}))
    found = Eval(classes=Path(tmp_path, "c.json"))._task()
    assert (found.settings.roi, Path(found.roi or "")) == (True, Path(seen.format(tmp_path)))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        # an unknown key, with the nearest where there is one
        ({"clases": ["a"]}, ["c.json: there is no key 'clases'", 'clases = ["a"]', "classes is the nearest"]),
        ({"classes": ["a", "b"], "treshold": 0.3}, ["there is no key 'treshold'", "threshold is the nearest"]),
        ({"labels": ["a", "b"]}, ["there is no key 'labels'", "the keys are classes, num-classes"]),
        ({"classes": ["a", "b"], "spacing": [1, 1]}, ["there is no key 'spacing'"]),
        ({"white-is-zero": "stored", "white_is_zero": "stored"}, ["white-is-zero and white_is_zero are the same"]),
        # another type
        ({"ignore": 2.5}, ["ignore has a value", "a label, or a list of labels", "ignore = 2.5", "255"]),
        ({"ignore": ["void"]}, ["ignore has a value", 'ignore = ["void"]']),
        ({"multilabel": 1}, ["true or false", "multilabel = 1"]),
        ({"threshold": "0.4"}, ["a number, or a table", 'threshold = "0.4"']),
        ({"threshold": {"a": None}}, ["threshold: a has a value", "threshold: a = null"]),
        ({"only": 3}, ["the name of a class", "only = 3"]),
        ({"white-is-zero": True}, ['one of "stored", "inverted"']),
        ({"roi": 3}, ["the path of a mask", "roi = 3"]),
        ({"foreground": "many"}, ["nonzero, a label", 'foreground = "many"']),
        ({"num-classes": 1}, ["an integer from 2", "num-classes = 1"]),
        ({"regions": ["X"]}, ["a table of names and lists of classes", 'regions = ["X"]']),
        ({"regions": {"X": []}}, ["regions: X has a value", "by name or label"]),
        ({"regions": {"X": [1.5]}}, ["regions: X has a value", "regions: X = [1.5]"]),
        # what a key says cannot be
        ({"classes": ["a", "b"], "regions": {"X": ["z"]}}, ["c.json: regions 'X' holds 'z'", "0, 1, a, b"]),
        ({"classes": ["a", "b"], "only": "z"}, ["c.json: only names 'z'", "one of a, b"]),
        ({"multilabel": True, "threshold": 2}, ["c.json: threshold 2.0 is out of range"]),
        ({"multilabel": True, "regions": {"X": [1]}}, ["c.json: regions is for", "leave out regions or multilabel"]),
        ({"num-classes": 3, "ignore": 0}, ["c.json: num-classes 3 has a class 0", "its label is ignored"]),
        ({"num-classes": 3, "classes": ["a"]}, ["classes and num-classes both", "keep one"]),
        ({"classes": {"a": 1, "b": 2}, "ignore": 2}, ["c.json: 'b' has the label 2, which is ignored"]),
        ({"classes": {"a": "#000000"}, "ignore": 1}, ["c.json: labels are either all numbers or all colours"]),
        # a label that is left out, or a class
        ({"a": 0, "ignore": 255}, ["'ignore' stands among classes", "which label is left out", 'under "classes"']),
        ({"a": 0, "roi": 1}, ["'roi' stands among classes", "where the region of interest is"]),
        ({"0": "a", "255": "ignore"}, ["'ignore' stands among classes"]),
        # red, green and blue are not three labels
        ({"a": [128, 64, 128]}, ["holds 128 twice", 'if it is a colour, "#804080"']),
        # nothing that is known
        ([], ["c.json: holds no classes", "nothing"]),
        (3, ["holds no classes", "int"]),
        ([["a"]], ["holds no classes", "a list of 'a'"]),
        (["a", {"name": "b"}], ["holds no classes", "names and tables"]),
        ({"a": 1.5}, ["holds no classes", "'a': 1.5"]),
        ({"a": {"b": 1}}, ["there is no key 'a'"]),
    ],
)
def test_what_is_wrong_in_a_file_is_said_of_it(tmp_path, document, words):
    said = refusal(tmp_path, document)
    assert said.startswith("c.json: ")
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("document", "options", "words"),
    [
        # an option that was typed is named as it was typed, and a key as it stands in the file
        (
            {"multilabel": True},
            {"region": ["X=1"]},
            ["--region is for exclusive", "leave out --region or multilabel in c.json"],
        ),
        ({"only": "a"}, {"pred_labels": True}, ["c.json: only evaluates one class", "leave out only or --pred-labels"]),
        (["a", "b"], {"only": "z"}, ["--only names 'z'", "one of a, b"]),
        (["a", "b"], {"threshold": ["2"]}, ["--threshold 2.0 is out of range"]),
        (["a"], {"class_": ["a"]}, ["--class cannot stand beside --classes"]),
        (["a"], {"num_classes": 2}, ["--num-classes cannot stand beside --classes"]),
    ],
)
def test_what_is_wrong_between_options_and_a_file_is_said_of_both(tmp_path, document, options, words):
    said = refusal(tmp_path, document, **options)
    assert [word for word in words if word not in said] == []


EACH = {
    "classes": {"classes": {"a": 0, "b": 3}},
    "count": {"num-classes": 3},
    "regions": {"classes": ["a", "b"], "regions": {"ab": ["a", "b"]}},
    "ignore": {"ignore": 255},
    "foreground": {"foreground": "nonzero"},
    "multilabel": {"multilabel": True},
    "limits": {"threshold": 0.4},
    "only": {"classes": ["a", "b"], "only": "b"},
    "white_is_zero": {"white-is-zero": "stored"},
    "roi": {"roi": "rois"},
}


@pytest.mark.parametrize("field", [field.name for field in fields(Said)])
def test_whatever_a_source_can_say_is_a_key_and_changes_the_task(tmp_path, field):
    said = EACH[field]
    key, _ = list(said.items())[-1]
    rest = {name: value for name, value in said.items() if name != key}
    path = tmp_path / "c.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    assert field in read_task(path).given
    with_it = Eval(classes=path)._task()
    path.write_text(json.dumps(rest or {"multilabel": False}), encoding="utf-8")
    assert with_it != Eval(classes=path)._task()


def test_a_path_that_cannot_exist_is_an_error_of_the_user(softdice, tmp_path):
    Path(tmp_path, "c.json").write_text(json.dumps({"roi": "\0"}), encoding="utf-8")
    Path(tmp_path, "p.npy").write_bytes(b"x")
    run = softdice("eval", "--pred", "p.npy", "--gt", "p.npy", "--classes", "c.json")
    assert run.code in (2, 3)
    assert "bug" not in run.err
