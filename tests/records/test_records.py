"""Settings, their signature, and the results file."""

from __future__ import annotations

import json

import pytest
from builders import summarized

from softdice_cli.errors import ConfigError, LabelError, ShapeError
from softdice_cli.metrics import PER_CLASS
from softdice_cli.records import ClassDef, ClassSums, Failure, ImageRow, Region, Settings
from softdice_cli.render import to_text

AB = (ClassDef("a", 0), ClassDef("b", 1))


@pytest.mark.parametrize(
    ("options", "signature"),
    [
        # the defaults, before and after the first prediction says how many classes there are
        ({}, "softdice:1|classes:?|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none"),
        (
            {"classes": AB, "ignore": (255, -1), "empty": "one", "background": False, "eps": 1.0},
            "softdice:1|classes:2|pred:p|decision:argmax|eps:1.0|empty:one|background:no|ignore:-1+255",
        ),
        # labels that are not 0, 1, 2, … are named, and of many a digest is
        (
            {"classes": (ClassDef("a", 1), ClassDef("b", 0))},
            "softdice:1|classes:2|labels:1+0|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none",
        ),
        (
            {"classes": tuple(ClassDef(str(i), 2 * i) for i in range(9))},
            "softdice:1|classes:9|labels:dc224861|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none",
        ),
        # one channel: the threshold decides
        (
            {"classes": (ClassDef("x", None),), "scale": 255, "threshold": 0.25},
            "softdice:1|classes:1|pred:p/255|decision:p>0.25|eps:1e-05|empty:skip|background:yes|ignore:none",
        ),
        (
            {"classes": AB, "activation": "sigmoid", "normalized": False},
            "softdice:1|classes:2|pred:p+sigmoid+unnormalized|decision:argmax|eps:1e-05|empty:skip|background:yes"
            "|ignore:none",
        ),
        # eight labels are named, of nine there is a digest
        (
            {"classes": tuple(ClassDef(str(i), 2 * i) for i in range(8))},
            "softdice:1|classes:8|labels:0+2+4+6+8+10+12+14|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes"
            "|ignore:none",
        ),
        # what never sums to 1 is not called unnormalized: one channel, and the input of a softmax
        (
            {"classes": (ClassDef("x", None),), "normalized": False},
            "softdice:1|classes:1|pred:p|decision:p>0.5|eps:1e-05|empty:skip|background:yes|ignore:none",
        ),
        (
            {"classes": AB, "activation": "softmax", "normalized": False},
            "softdice:1|classes:2|pred:p+softmax|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none",
        ),
        # colours are written as the user writes them
        (
            {"classes": AB, "prediction": "labels", "colors": True, "ignore": (0xFF00FF,)},
            "softdice:1|classes:2|pred:labels|decision:given|eps:1e-05|empty:skip|background:yes|ignore:#ff00ff",
        ),
    ],
)
def test_signature(options, signature):
    assert Settings(**options).signature == signature


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"eps": 0.0}, "eps"),
        ({"eps": float("nan")}, "eps"),
        ({"eps": float("inf")}, "eps"),
        ({"threshold": 1.0}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"scale": 0}, "scale"),
        ({"empty": "nan"}, "empty"),
        ({"activation": "relu"}, "activation"),
        ({"prediction": "labels", "scale": 255}, "scale"),
        ({"prediction": "labels", "activation": "softmax"}, "activation"),
        ({"prediction": "labels", "normalized": False}, "normalized"),
        ({"prediction": "labels", "threshold": 0.7}, "threshold"),
        ({"classes": AB, "threshold": 0.7}, "threshold"),
        ({"classes": ("a", "b")}, "is not a class"),
        ({"classes": (ClassDef("a", 0.5), ClassDef("b", 1))}, "is not a class"),
        ({"ignore": 255}, "not a tuple of labels"),
        ({"ignore": (1.5,)}, "not a tuple of labels"),
        ({"eps": "x"}, "not a number"),
        ({"scale": 2.5}, "not an integer"),
        ({"classes": (ClassDef("a", None),), "activation": "softmax"}, "softmax makes 1"),
        ({"classes": (ClassDef("a", 0), ClassDef("a", 1))}, "'a' is the name of two classes"),
        ({"classes": (ClassDef("a", 1), ClassDef("b", 1))}, "'1' is the label of two classes"),
        ({"classes": (ClassDef("a", 0), ClassDef("b", None))}, "label of its own"),
        ({"classes": (ClassDef("", 0), ClassDef("b", 1))}, "a class without a name"),
        ({"classes": AB, "ignore": (1,)}, "'b' has the label 1, which is ignored"),
        ({"classes": (ClassDef("a", None),), "background": False}, "only one class"),
        ({"classes": (ClassDef("a", 2**31), ClassDef("b", 0))}, "out of range"),
        ({"ignore": (2**40,)}, "out of range"),
    ],
)
def test_settings_that_cannot_mean_anything(options, says):
    with pytest.raises(ConfigError, match=says):
        Settings(**options)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        # each limit itself is allowed, and what lies just beyond it is not
        ({"eps": 1e-100}, {"eps": 0.99e-100}),
        ({"eps": 1e6}, {"eps": 1000000.5}),
        ({"threshold": 0}, {"threshold": -1e-300}),
        ({"threshold": 1 - 2**-53}, {"threshold": 1}),
        ({"scale": 1}, {"scale": 0}),
        ({"scale": 2**31 - 1}, {"scale": 2**31}),
        ({"ignore": (2**31 - 1, 1 - 2**31)}, {"ignore": (-(2**31),)}),
        ({"classes": (ClassDef("a", 2**31 - 1), ClassDef("b", 0))}, {"classes": (ClassDef("a", 2**31),)}),
    ],
)
def test_limits_are_inside(inside, outside):
    Settings(**inside)
    with pytest.raises(ConfigError, match="out of range"):
        Settings(**outside)


def test_classes_come_from_the_first_prediction():
    assert [c.name for c in Settings().resolve(3, path="p").classes] == ["0", "1", "2"]
    assert Settings().resolve(1, path="p").classes == (ClassDef("foreground", None),)
    named = Settings(classes=AB)
    assert named.resolve(2, path="p") is named
    with pytest.raises(ShapeError, match="3 channels, and the settings hold 2 classes"):
        named.resolve(3, path="p")
    with pytest.raises(ShapeError, match="the map has 1 channel, and the settings hold 2 classes"):
        named.resolve(1, path="p")
    with pytest.raises(LabelError, match="1 is ignored, and it is the label of class 1"):
        Settings(ignore=(1,)).resolve(3, path="p")


def results():
    def row(name: str) -> ImageRow:
        return ImageRow(
            name,
            f"p/{name}.npy",
            f"m/{name}.png",
            4,
            1,
            (ClassSums(2.5, 1.5, 2, 3, 2, 4), ClassSums(1.5, 0.5, 2, 1, 0, 4)),
        )

    return summarized(
        Settings(classes=AB), [row("b"), row("a")], [Failure("c", "p/c.npy", "m/c.png", "no", "x", "y", "try")]
    )


def test_the_results_file_has_its_members_in_order():
    document = json.loads(to_text(results(), "json"))
    head = ["format", "version", "softdice", "signature", "settings", "classes", "complete", "shard", "left_out"]
    assert list(document) == [*head, "pooled", "image_mean", "images", "failures", "requirements", "digest"]
    assert (document["format"], document["version"], document["complete"]) == ("softdice-results", 2, False)
    assert [image["id"] for image in document["images"]] == ["a", "b"]
    image = document["images"][0]
    assert list(image) == ["id", "pred", "gt", "pixels", "ignored", "sums", "classes"]
    assert image["sums"]["probability"] == [2.5, 1.5]
    scores = {metric.name for metric in PER_CLASS}
    assert set(image["classes"][0]) == {"name", *scores, "truth_pixels", "predicted_pixels", "true_positives"}
    assert {"loss", "loss_present", "soft_dice", "dice", "iou", "classes"} <= set(document["pooled"])
    assert document["image_mean"]["classes"][0]["defined"]["dice"] == 2
    assert document["failures"] == [
        {"id": "c", "pred": "p/c.npy", "gt": "m/c.png", "error": "no", "expected": "x", "found": "y", "hint": "try"}
    ]


def test_every_score_can_be_computed_again_from_the_saved_rows():
    document = json.loads(to_text(results(), "json"))
    rows = [ImageRow(i["id"], i["pred"], i["gt"], i["pixels"], i["ignored"],
                     tuple(ClassSums(*c, pixels=i["pixels"]) for c in zip(*i["sums"].values(), strict=True)))
            for i in document["images"]]  # fmt: skip
    again = summarized(Settings(classes=AB), rows, results().failures)
    assert to_text(again, "json") == to_text(results(), "json")


def test_undefined_is_null_and_nothing_else_is():
    empty = ImageRow("e", "p", "m", 4, 0, (ClassSums(4, 4, 4, 4, 4, 4), ClassSums(0, 0, 0, 0, 0, 4)))
    document = json.loads(to_text(summarized(Settings(classes=AB), [empty]), "json"), parse_constant=pytest.fail)
    assert document["pooled"]["classes"][1]["dice"] is None
    assert document["pooled"]["classes"][1]["loss"] == 0.0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        # what Python can be given in the place of a field
        ({"classes": [ClassDef("a", 0)]}, "classes .* is not a tuple"),
        ({"regions": [Region("WT", ("a",))]}, "regions .* is not a tuple"),
        ({"thresholds": {"a": 0.3}}, "thresholds .* is not a tuple"),
        ({"thresholds": ("a",)}, "is not a name and a number"),
        ({"thresholds": (("a", 0.3), ("a", 0.4))}, "'a' has two thresholds"),
        ({"regions": (("WT", ("a",)),)}, "is not a region"),
        ({"regions": (Region("WT", "12"),)}, "is not a region"),
        ({"regions": (Region("WT", (1, 2)),)}, "holds what is not a text"),
        ({"foreground": 255}, "foreground 255 is not a text"),
        ({"multilabel": "no"}, "multilabel 'no' is not true or false"),
        ({"roi": "field.png"}, "roi 'field.png' is not true or false"),
        ({"classes": (ClassDef("a", ()),)}, "'a' has no label"),
        ({"classes": (ClassDef("a", 2**24),), "colors": True}, "which is not a colour"),
        # a threshold of a class that is not evaluated would change the signature alone
        ({"classes": AB, "only": "a", "thresholds": (("b", 0.3),)}, "only 'a' is evaluated"),
    ],
)
def test_fields_of_another_type_are_refused(options, says):
    with pytest.raises(ConfigError, match=says):
        Settings(**options)
