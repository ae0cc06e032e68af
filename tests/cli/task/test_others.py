"""Files of other programs that say what labels mean, as they stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from softdice_cli.cli.eval import Eval
from softdice_cli.errors import ConfigError
from softdice_cli.records import ClassDef, Settings

# The examples of nnU-Net's documentation, with the keys that its files have beside the labels.
AROUND = {"channel_names": {"0": "T1"}, "numTraining": 3, "file_ending": ".nii.gz"}
REGIONS = {"background": 0, "whole_tumor": [1, 2, 3], "tumor_core": [2, 3], "enhancing_tumor": 3, "ignore": 4}
HEADS = (ClassDef("whole_tumor", (1, 2, 3)), ClassDef("tumor_core", (2, 3)), ClassDef("enhancing_tumor", 3))


def read(folder: Path, document: object) -> Settings:
    Path(folder, "dataset.json").write_text(json.dumps(document))
    return Eval(classes=Path(folder, "dataset.json"))._task().settings


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        # nnU-Net: a class each, in the order of the labels; what is ignored has a name
        (
            {"labels": {"background": 0, "core": 2, "edema": 1, "ignore": 3}, **AROUND},
            Settings(classes=(ClassDef("background", 0), ClassDef("edema", 1), ClassDef("core", 2)), ignore=(3,)),
        ),
        (
            {"labels": {"background": 0, "a": [1]}, **AROUND},
            Settings(classes=(ClassDef("background", 0), ClassDef("a", 1))),
        ),
        # its regions have a channel each, and overlap; the background has none
        (
            {"labels": REGIONS, "regions_class_order": [1, 2, 3], **AROUND},
            Settings(classes=HEADS, ignore=(4,), multilabel=True),
        ),
        ({"labels": REGIONS, **AROUND}, Settings(classes=HEADS, ignore=(4,), multilabel=True)),
        # its first version, as the Medical Segmentation Decathlon has it
        (
            {"labels": {"0": "background", "1": "liver"}, "modality": {"0": "CT"}, "numTraining": 131},
            Settings(classes=(ClassDef("background", 0), ClassDef("liver", 1))),
        ),
        # the labels alone
        ({"labels": {"background": 0, "a": 1}}, Settings(classes=(ClassDef("background", 0), ClassDef("a", 1)))),
        # Hugging Face: a config.json
        (
            {"architectures": ["Segformer"], "id2label": {"0": "wall", "1": "sky"}, "label2id": {"wall": 0, "sky": 1}},
            Settings(classes=(ClassDef("wall", 0), ClassDef("sky", 1))),
        ),
        # COCO: annotations, or their categories alone, in the order of the ids
        (
            {"images": [], "annotations": [], "categories": [{"id": 3, "name": "car"}, {"id": 1, "name": "person"}]},
            Settings(classes=(ClassDef("person", 1), ClassDef("car", 3))),
        ),
        (
            [{"id": 1, "name": "person", "supercategory": "person"}, {"id": 3, "name": "car", "isthing": 1}],
            Settings(classes=(ClassDef("person", 1), ClassDef("car", 3))),
        ),
    ],
)
def test_files_of_other_programs_are_read_as_they_stand(tmp_path, document, expected):
    assert read(tmp_path, document) == expected


@pytest.mark.parametrize(
    ("document", "words"),
    [
        # sorted by name, the regions are no longer in the order of the channels
        (
            {"labels": dict(sorted(REGIONS.items())), "regions_class_order": [1, 2, 3], **AROUND},
            ["regions_class_order does not go with the regions", "tumor_core = 2+3", "order"],
        ),
        ({"labels": REGIONS, "regions_class_order": [1, 2], **AROUND}, ["regions_class_order does not go"]),
        # two classes of one name: none may be lost
        ({"labels": {"0": "a", "1": "b", "2": "b"}, **AROUND}, ["'b' is the name of two classes"]),
        ({"labels": {"background": 0, "a": 1, "b": 1}, **AROUND}, ["'1' is the label of two classes"]),
        ({"labels": {"background": 0, "a": "1"}, **AROUND}, ["holds no classes", "'a': '1'"]),
        ({"labels": {}, **AROUND}, ["holds no classes"]),
        ({"id2label": {"0": 3}}, ["holds no classes", "'0': 3"]),
        ({"images": [], "categories": [{"name": "a"}]}, ["a category without an integer id and a name"]),
    ],
)
def test_what_they_say_is_checked(tmp_path, document, words):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, document)
    assert caught.value.path.endswith("dataset.json")
    assert [word for word in words if word not in str(caught.value)] == []
