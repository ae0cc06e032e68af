"""What options say of classes, labels and pixels → settings."""

from __future__ import annotations

from typing import Any

import pytest

from softdice_cli.cli.eval import Eval
from softdice_cli.errors import ConfigError, as_flag
from softdice_cli.records import ClassDef, Region, Settings

ABC = ["a", "b", "c"]
PLACES = tuple(ClassDef(name, index) for index, name in enumerate(ABC))


def settings(**options: Any) -> Settings:
    return Eval(**options)._task().settings


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # the label is the place, unless it is given
        ({"class_": ABC}, Settings(classes=PLACES)),
        ({"class_": ["a", "b=7"]}, Settings(classes=(ClassDef("a", 0), ClassDef("b", 7)))),
        # several labels are one class; a sign is a part of a label
        ({"class_": ["a=0", "b=2+5"]}, Settings(classes=(ClassDef("a", 0), ClassDef("b", (2, 5))))),
        ({"class_": ["a=-1+0", "b=+3"]}, Settings(classes=(ClassDef("a", (-1, 0)), ClassDef("b", 3)))),
        # colours too
        (
            {"class_": ["a=#000000", "b=#0000ff+#00ff00"], "ignore": ["#ffffff"]},
            Settings(classes=(ClassDef("a", 0), ClassDef("b", (0xFF, 0xFF00))), ignore=(0xFFFFFF,), colors=True),
        ),
        # the label follows the last =
        ({"class_": ["a=b=3", "c=4"]}, Settings(classes=(ClassDef("a=b", 3), ClassDef("c", 4)))),
        # the label of a single class is found in the masks
        ({"class_": ["a"]}, Settings(classes=(ClassDef("a", None),))),
        # independent channels may have a channel of the truth each
        (
            {"class_": ["a", "b"], "multilabel": True},
            Settings(classes=(ClassDef("a", None), ClassDef("b", None)), multilabel=True),
        ),
        (
            {"class_": ["a=1+2", "b=2"], "multilabel": True},
            Settings(classes=(ClassDef("a", (1, 2)), ClassDef("b", 2)), multilabel=True),
        ),
        # by number
        ({"num_classes": 3}, Settings(classes=tuple(ClassDef(str(label), label) for label in range(3)))),
        (
            {"num_classes": 2, "multilabel": True},
            Settings(classes=(ClassDef("0", None), ClassDef("1", None)), multilabel=True),
        ),
        # members of a region are names or labels
        (
            {"class_": ABC, "region": ["X=1+2", "Y=a+c"]},
            Settings(classes=PLACES, regions=(Region("X", ("b", "c")), Region("Y", ("a", "c")))),
        ),
        # before a prediction says how many channels there are
        ({"region": ["X=1+2"]}, Settings(regions=(Region("X", ("1", "2")),))),
        # one threshold for all, and some by name
        ({"threshold": ["0.4"]}, Settings(threshold=0.4)),
        ({"threshold": ["a=0.3", "0.4"]}, Settings(threshold=0.4, thresholds=(("a", 0.3),))),
        ({"threshold": ["a=b=0.3"]}, Settings(thresholds=(("a=b", 0.3),))),
        # the rest is taken as it is
        ({"class_": ABC, "only": "b"}, Settings(classes=PLACES, only="b")),
        ({"foreground": ">127"}, Settings(foreground=">127")),
        ({"white_is_zero": "stored"}, Settings(white_is_zero="stored")),
        ({"roi": "fov/"}, Settings(roi=True)),
    ],
)
def test_options_become_settings(options, expected):
    assert settings(**options) == expected


@pytest.mark.parametrize(
    ("options", "option", "problem", "advice"),
    [
        # a region is not understood without members, or with a second =
        ({"region": ["X"]}, "--region", "'X' is not a region", "--region WT=1+2+3"),
        ({"region": ["X=a=b"]}, "--region", "'X=a=b' is not a region", "--classes FILE"),
        ({"region": ["X="]}, "--region", "needs a name and at least one class", "--region WT=1+2+3"),
        # "a+b" is one class or two
        ({"class_": ["a+b", "a", "b"], "region": ["X=a+b"]}, "--region", "in two ways", "by their labels"),
        ({"class_": ABC, "region": ["X=a+z"]}, "--region", "'z', which is not a class", "0, 1, 2, a, b, c"),
        # one threshold each
        ({"threshold": ["x"]}, "--threshold", "'x' is not a threshold", "NAME=NUMBER"),
        ({"threshold": ["0.3", "0.4"]}, "--threshold", "given twice", "0.3 and 0.4"),
        ({"threshold": ["a=0.3", "a=0.4"]}, "--threshold", "'a' has two", "keep one"),
        ({"threshold": ["nan"]}, "--threshold", "out of range", "threshold < 1"),
        ({"threshold": ["z=0.3"], "class_": ABC, "multilabel": True}, "--threshold", "'z', which is not", "a, b, c"),
        ({"threshold": ["0.3"], "class_": ABC}, "--threshold", "the greatest probability decides", "--only NAME"),
        # labels
        ({"class_": ["a=1+x", "b"]}, "--class", "holds 'x', which is not a label", "an integer or #rrggbb"),
        ({"class_": ["a=2+2", "b"]}, "--class", "holds 2 twice", "each label once"),
        ({"class_": ["a=1+2", "b=2"]}, "--class", "'2' is the label of two classes", "a and b"),
        ({"class_": ["a=1", "b"], "multilabel": True}, "--class", "every class a label of its own", "NAME=VALUE"),
        # by number
        ({"num_classes": 1}, "--num-classes", "1 is not a number of several classes", "2 or more"),
        ({"num_classes": 3, "class_": ["a"]}, "--num-classes", "--class does as well", "or --class"),
        ({"num_classes": 3, "ignore": ["0"]}, "--num-classes", "its label is ignored", "outside 0 to 2"),
        # what excludes each other
        (
            {"multilabel": True, "region": ["X=1"]},
            "--region",
            "exclusive classes",
            "leave out --region or --multilabel",
        ),
        ({"only": "z", "class_": ABC}, "--only", "names 'z', which is not a class", "one of a, b, c"),
        ({"foreground": "many"}, "--foreground", "cannot be 'many'", "--foreground nonzero"),
        ({"foreground": "nonzero", "class_": ABC}, "--foreground", "each class has labels", "leave it out"),
    ],
)
def test_what_cannot_be_names_the_option(options, option, problem, advice):
    with pytest.raises(ConfigError) as caught:
        settings(**options)
    assert as_flag(caught.value.option) == option
    assert problem in caught.value.headline(as_flag)
    assert advice in " ".join(text for _, text in caught.value.details(as_flag))


def test_a_class_that_is_given_twice_is_proposed_with_its_labels():
    with pytest.raises(ConfigError) as caught:
        settings(class_=["0", "1", "2", "2=5"])
    assert "--class 2=2+5" in caught.value.next_step(as_flag)
    assert settings(class_=["0", "1", "2=2+5"]).classes[2] == ClassDef("2", (2, 5))


def test_the_region_of_interest_is_kept_beside_the_settings():
    assert Eval(roi="fov/*.png")._task().roi == "fov/*.png"
    assert Eval()._task().roi is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (">127", ">127"),
        (">= 0.5", ">=0.5"),
        # every digit is applied
        (">0.123456789", ">0.123456789"),
        (">0.00001", ">1e-05"),
        ("+255", "255"),
    ],
)
def test_a_foreground_keeps_its_digits_and_can_be_read_again(text, kept):
    once = settings(foreground=text)
    assert (once.foreground, Settings(foreground=once.foreground)) == (kept, once)


@pytest.mark.parametrize("text", ["9" * 5000, ">" + "9" * 400, ">x", "0"])
def test_a_foreground_that_is_not_one_is_refused(text):
    with pytest.raises(ConfigError):
        settings(foreground=text)
