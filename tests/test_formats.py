"""The one table of formats: it is whole, needs no library, and says where the file type of a name begins."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from fuzzing import READERS, seeds

from softdice_cli.errors import UnreadableError
from softdice_cli.formats import FORMATS, readable, stem, without_suffix
from softdice_cli.pairing import Pair
from softdice_cli.readers import Blob, ReadOptions, read_array, recognition, warm


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_row_names_a_reader_and_its_library(form):
    assert callable(importlib.import_module(f"softdice_cli.readers.{form.reader}").read)
    importlib.import_module(form.library)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in form.suffixes)
    assert form.magic


def test_every_format_is_read_damaged_in_the_tests():
    assert {form.name for form in FORMATS} == set(READERS)


@pytest.mark.parametrize("reader", READERS)
def test_files_are_recognised_by_their_content(reader):
    for data in seeds(reader):
        with Blob("x", data).open() as stream:
            assert recognition.recognise(stream, "x").name == reader
            assert stream.tell() == 0


def test_the_list_for_messages_has_all_of_them():
    assert readable().startswith(".npy, .pt (zip format), .npz, PNG")
    assert readable().replace(" or ", ", ").split(", ") == [form.title for form in FORMATS]


def test_the_table_and_pairing_need_no_library():
    program = (
        "import sys, softdice_cli.formats, softdice_cli.pairing\n"
        "print(sorted({'numpy', 'torch', 'PIL', 'tifffile', 'zipfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_warming_up_imports_the_library_and_forgives_anything(tmp_path):
    (tmp_path / "m.tif").write_bytes(seeds("tiff")[0])
    program = (
        "import sys; from softdice_cli.readers import Blob, warm\n"
        "warm(Blob('m.tif')); warm(Blob('nowhere')); warm(Blob('.'))\n"
        "print('tifffile' in sys.modules, 'PIL.PngImagePlugin' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == ["True", "False"]
    warm(Blob("x", b"nothing"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.npy", "a"),
        # only the last dot begins the file type
        ("a.b.npy", "a.b"),
        ("a.1", "a"),
        ("a", "a"),
        # a file type of two dots, as a whole, in any case, and of formats that are refused as well
        ("a.ome.tif", "a"),
        ("a.b.OME.TIFF", "a.b"),
        ("a.nii.gz", "a"),
        ("a.seg.nrrd", "a"),
        ("a.ome.zarr", "a"),
        # a compressed file has the type of what it holds
        ("a.npy.gz", "a"),
        ("a.b.PNG.GZ", "a.b"),
        ("a.ome.tif.xz", "a"),
        # what only looks like one
        ("a.ome.npy", "a.ome"),
        ("a.tar.gz", "a.tar"),
        ("aome.tif", "aome"),
        # nothing is left of these
        (".nii.gz", ".nii"),
        (".npy", ".npy"),
        # folders are not part of a stem
        ("x.nii.gz/a.npy", "a"),
        ("s.1/a.ome.tif", "a"),
    ],
)
def test_stems(path, expected):
    assert stem(path) == expected
    assert without_suffix(path).endswith(expected)
    assert Pair.of_files("p.npy", path).id == expected


def test_what_git_and_text_mode_make_of_files_is_named():
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for data, hint in ((pointer, "git lfs pull"), (b"\x89PNG\r\r\n\x1a\r\n" + bytes(30), "binary mode")):
        with pytest.raises(UnreadableError) as caught:
            read_array(Blob("m.png", data), ReadOptions())
        assert hint in caught.value.hint
