"""Classes in a plain text: a name on each line, or the lines that other programs write."""

from __future__ import annotations

from pathlib import Path

import pytest

from softdice_cli.cli.eval import Eval
from softdice_cli.cli.task.name_lists import classes_in_lines
from softdice_cli.errors import ConfigError
from softdice_cli.records import ClassDef, Settings

VALUES = (("bg", 0), ("car", 1))


def read(folder: Path, text: str | bytes, name: str = "names.txt") -> Settings:
    data = text if isinstance(text, bytes) else text.encode()
    Path(folder, name).write_bytes(data)
    return Eval(classes=Path(folder, name))._task().settings


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        # names alone, however the lines end
        ("bg\ncar\n", VALUES),
        ("bg\n\ncar", VALUES),
        ("\n bg \r\n\r\ncar\r\n", VALUES),
        (b"\xef\xbb\xbfbg\r\ncar\r\n", VALUES),
        ("bg\ncar\n".encode("utf-16"), VALUES),
        # a name may hold spaces, commas and numbers
        ("sky, clouds\nroad sign\nlane 2\n", (("sky, clouds", 0), ("road sign", 1), ("lane 2", 2))),
        ("optic disc", (("optic disc", None),)),
        # comments
        ("# classes\nbg\ncar", VALUES),
        # the label first, in any order, with any sign between
        ("0 bg\n1 car", VALUES),
        ("1: car\n0: bg", VALUES),
        ("0\tbg\n1\tcar", VALUES),
        ("0;bg\n1;car", VALUES),
        ("3 3D object\n4 vertebra 1", (("3D object", 3), ("vertebra 1", 4))),
        # the name first
        ("bg,0\ncar,1", VALUES),
        ("bg = 0\ncar = 1", VALUES),
        ("car: 1\nbg: 0", (("car", 1), ("bg", 0))),
        ("vertebra 1,20\nvertebra 2,21", (("vertebra 1", 20), ("vertebra 2", 21))),
        # columns with names; the second is what Roboflow writes
        ("id,name\n0,bg\n1,car", VALUES),
        ("Pixel Value, Class\n0, bg\n1, car", VALUES),
        # ITK-SNAP, 3D Slicer and FreeSurfer: colours are for the eye
        ('0 0 0 0 0 0 0 "bg"\n1 255 0 0 1 1 1 "car"', VALUES),
        ("0 bg 0 0 0 0\n1 car 255 0 0 255", VALUES),
        ("0,bg,0,0,0\n1,car,255,0,0", VALUES),
    ],
)
def test_lines_are_read(tmp_path, text, classes):
    assert read(tmp_path, text) == Settings(classes=tuple(ClassDef(name, value) for name, value in classes))


@pytest.mark.parametrize(
    "text",
    [
        # CVAT
        "# label:color_rgb:parts:actions\nbone:255,0,204::\nbg:0,215,255::",
        # CamVid, and its copies
        "name,r,g,b\nbone,255,0,204\nbg,0,215,255",
        "255 0 204\tbone\n0 215 255\tbg",
        # by hand
        "#ff00cc bone\n#00d7ff bg",
        "bone #ff00cc\nbg #00d7ff",
    ],
)
def test_colours_are_read_in_the_order_of_the_lines(tmp_path, text):
    expected = Settings(classes=(ClassDef("bone", 0xFF00CC), ClassDef("bg", 0x00D7FF)), colors=True)
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize("name", ["names.txt", "obj.names", "classes.csv", "classes.TSV"])
def test_lists_are_known_by_their_suffix(tmp_path, name):
    assert [entry.name for entry in read(tmp_path, "bg\ncar\n", name).classes] == ["bg", "car"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # a name with a number, or a name and a label
        ("vertebra 1\nvertebra 2", ["can be a name, or a name with a label", "2 of 2 lines", "vertebra 1", ".json"]),
        # some lines have a label
        ("bg\n1 car", ["1 of 2 lines, e.g. 1 car"]),
        ("bg,0\ncar", ["1 of 2 lines, e.g. bg,0"]),
        # which of the two is the name
        ("1,2\n3,4", ["2 of 2 lines"]),
        # more columns than are known
        ("Idx\tRatio\tName\n1\t0.15\tbg\n2\t0.1\tcar", ["2 of 3 lines"]),
        # several names on one line
        ("bg, car", ["one line", "several names", "bg, car"]),
        # pieces of a program
        ("['bg', 'car']", ["not a name alone"]),
        ('"bg",\n"car"', ["not a name alone", '"bg",']),
        # CVAT without colours
        ("bg:::\ncar:::", ["not a name alone", "bg:::"]),
        # labelme counts its labels from the line after
        ("__ignore__\n_background_\ncar", ["__ignore__", "--ignore 255"]),
        ("0 bg\n255 ignore", ["'ignore' stands among classes"]),
        ("0 bg\n0 car", ["'0' is the label of two classes"]),
        ("bg\nbg", ["'bg' is the name of two classes"]),
        ("bg" * 1000, ["too long for a name"]),
        ("\n\n", ["holds no classes", "no line with text"]),
        (b"\xff\x00\x81", ["is not text", "UTF-8"]),
    ],
)
def test_lines_that_can_be_read_in_two_ways_are_refused(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert caught.value.path.endswith("names.txt")
    assert [word for word in words if word not in str(caught.value)] == []


def test_wide_gaps_are_as_good_as_narrow_ones():
    """Tabs and spaces in any number stand between columns, and no line of them keeps a pattern busy."""
    wide = "x" + "\t" * 490 + "1\n" + "y" + " " * 300 + "\t2\n"
    assert classes_in_lines(wide * 50) == classes_in_lines("x\t1\ny\t2\n" * 50)
