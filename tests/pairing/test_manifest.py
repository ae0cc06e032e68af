"""Lists of pairs: whatever saved them, and what is said of those that are not read."""

from __future__ import annotations

import json
import random
import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairing_folders import files, good, ids, sides
from systems import posix

from softdice_cli import Pair, PairingError, UnreadableError, pair_manifest
from softdice_cli.errors import InputError
from softdice_cli.records import Allowance


@given(st.lists(st.text("aA01/9_-é.", min_size=1, max_size=6), unique=True, max_size=8), st.integers())
def test_the_order_of_a_manifest_does_not_depend_on_its_lines(tmp_path_factory, names, seed):
    folder = tmp_path_factory.getbasetemp()
    (folder / "one").write_bytes(b"")
    lines = [json.dumps({"id": name, "pred": "one", "gt": "one"}) for name in names]
    shuffled = random.Random(seed).sample(lines, len(lines))
    found = [pair_manifest(f"{folder}/m.jsonl", "\n".join(text).encode()) for text in (lines, shuffled)]
    assert found[0] == found[1]
    assert sorted(ids(found[0])) == sorted(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # CSV
        (b"pred,gt\np/a.npy,g/a.png\np/b.npy,g/b.png\n", ["a", "b"]),
        # columns in any order, and others beside them
        (b"score,gt,id,pred\n1,g/a.png,one,p/a.npy\n2,g/b.png,two,p/b.npy\n", ["one", "two"]),
        # an empty id is the stem of the truth
        (b"id,pred,gt\n,p/a.npy,g/a.png\n7,p/b.npy,g/b.png\n", ["7", "a"]),
        # quotes, with a comma and a quote within
        (b'pred,gt\n"p/odd, ""x"".npy","g/a.png"\n', ["a"]),
        # a quoted header
        (b'"pred","gt"\np/a.npy,g/a.png\n', ["a"]),
        # byte-order mark and Windows line ends, as Excel writes them
        (b"\xef\xbb\xbfpred,gt\r\np/a.npy,g/a.png\r\n", ["a"]),
        # no line end after the last row; empty lines between
        (b"pred,gt\n\np/a.npy,g/a.png\n\np/b.npy,g/b.png", ["a", "b"]),
        # TSV; a comma is data
        (b"pred\tgt\tid\np/a.npy\tg/a.png\tone, two\n", ["one, two"]),
        # JSON lines; ids are text or numbers
        (b'{"pred": "p/a.npy", "gt": "g/a.png", "id": 10}\n\n{"gt": "g/b.png", "pred": "p/b.npy", "id": 9}\n',
         ["9", "10"]),
        # JSON lines with a byte-order mark and Windows line ends
        (b'\xef\xbb\xbf{"pred": "p/a.npy", "gt": "g/a.png"}\r\n{"pred": "p/b.npy", "gt": "g/b.png"}\r\n', ["a", "b"]),
        # one truth for two predictions, which ids tell apart
        (b"id,pred,gt\nx,p/a.npy,g/a.png\ny,p/b.npy,g/a.png\n", ["x", "y"]),
        # a character that Python takes for a line end, and JSON does not
        pytest.param(
            '{"pred": "p/a.npy", "gt": "g/a.png", "id": "a\u2028b"}\n'.encode(), ["a\u2028b"]),
        # no pair at all
        (b"pred,gt\n", []),
        (b"", []),
    ],
)  # fmt: skip
def test_manifests(tmp_path, monkeypatch, text, expected):
    sides(tmp_path, ["a.npy", "b.npy", 'odd, "x".npy'], ["a.png", "b.png"])
    monkeypatch.chdir(tmp_path)
    assert ids(pair_manifest("-", text)) == expected
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    found = pair_manifest("../list", text)
    assert ids(found) == expected
    assert all(pair.pred.startswith("../p/") and pair.gt.startswith("../g/") for pair in found.pairs)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        # columns missing, misspelt, or no header at all
        (b"pred,mask\np/a.npy,g/a.png\n", UnreadableError, "no header with the columns pred and gt"),
        (b"p/a.npy,g/a.png\n", UnreadableError, "make pred,gt its first line"),
        (b"{}\n", UnreadableError, "line 1 has no pred"),
        (b'{"pred": "p/a.npy", "gt": 3}\n', UnreadableError, "line 1 has no gt"),
        # a short and a long row
        (b"pred,gt\np/a.npy,g/a.png\np/b.npy\n", UnreadableError, "line 3 has no gt"),
        (b"pred,gt\np/a.npy,g/a.png,extra\n", UnreadableError, "line 2 has more columns than the header"),
        # an empty path
        (b"pred,gt\n,g/a.png\n", UnreadableError, "line 2 has no pred"),
        # an unclosed quote
        (b'pred,gt\n"p/a.npy,g/a.png\n', UnreadableError, "is not valid CSV"),
        # broken JSON, and JSON that is no object
        (b'{"pred": "p/a.npy", "gt": "g/a.png"}\n{"pred"\n', UnreadableError, "not valid JSON lines: line 2"),
        (b'{"pred": "p/a.npy", "gt": "g/a.png"}\n[1]\n', UnreadableError, "line 2 is not an object"),
        # an id that is neither text nor a number
        (b'{"pred": "p/a.npy", "gt": "g/a.png", "id": [1]}\n', UnreadableError, "id"),
        # not text
        (b"pred,gt\np/\xff.npy,g/a.png\n", UnreadableError, "is not UTF-8"),
        # two pairs of one id, given or taken from the truth
        (b"id,pred,gt\nx,p/a.npy,g/a.png\nx,p/b.npy,g/b.png\n", PairingError, "x: p/a.npy, p/b.npy"),
        (b"pred,gt\np/a.npy,g/a.png\np/b.npy,g/a.png\n", PairingError, "1 id that two pairs have"),
        # files that are not there, all of them
        (b"pred,gt\np/a.npy,g/no1.png\np/no2.npy,g/b.png\n", PairingError, "files of 2 of 2 pairs are missing"),
        (b"pred,gt\np/no1.npy,g/no2.png\n", PairingError, "p/no1.npy and g/no2.png (pair no2) not found"),
    ],
)  # fmt: skip
def test_broken_manifests_are_refused(tmp_path, monkeypatch, text, error, said):
    sides(tmp_path, ["a.npy", "b.npy"], ["a.png", "b.png"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        pair_manifest("-", text)
    assert said in str(caught.value)
    assert caught.value.exit_code == 3


def test_an_id_of_the_wrong_type_is_not_called_a_surplus_column(tmp_path, monkeypatch):
    sides(tmp_path, ["a.npy"], ["a.png"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableError) as caught:
        pair_manifest("-", b'{"pred": "p/a.npy", "gt": "g/a.png", "id": 1.5}\n')
    assert "more columns" not in str(caught.value)


def test_a_manifest_may_leave_out_what_is_missing(tmp_path, monkeypatch):
    sides(tmp_path, ["a.npy"], ["a.png"])
    monkeypatch.chdir(tmp_path)
    found = pair_manifest("-", b"pred,gt\np/a.npy,g/a.png\np/b.npy,g/b.png\n", allowed=Allowance("all"))
    assert ids(found) == ["a"]
    assert found.left_out == ("p/b.npy and g/b.png (pair b) not found",)


def test_a_manifest_on_standard_input_is_relative_to_the_working_directory(softdice, tmp_path):
    good(tmp_path, ["a", "b"])
    listed = b"pred,gt\np/a.npy,g/a.npy\np/b.npy,g/b.npy\n"
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/pairs.csv").write_bytes(listed.replace(b"p/", b"../p/").replace(b"g/", b"../g/"))
    piped = softdice("eval", "--pairs", "-", "--format", "json", stdin=listed)
    filed = softdice("eval", "--pairs", "lists/pairs.csv", "--format", "json")
    assert (piped.code, filed.code) == (0, 0)
    images = [json.loads(run.out)["images"] for run in (piped, filed)]
    assert [image["pred"] for image in images[0]] == ["p/a.npy", "p/b.npy"]
    assert [image["pred"] for image in images[1]] == ["lists/../p/a.npy", "lists/../p/b.npy"]
    assert [image["classes"] for image in images[0]] == [image["classes"] for image in images[1]]


def test_a_file_in_a_manifest_is_never_standard_input(softdice, tmp_path):
    good(tmp_path, ["a"])
    (tmp_path / "p/a.npy").rename(tmp_path / "-")
    run = softdice("eval", "--pairs", "-", stdin=b"pred,gt\n-,g/a.npy\n")
    assert run.code in (0, 3)
    assert "Reading(" not in run.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # semicolons, with a byte-order mark, as Excel writes them where the comma is the decimal mark
        (b"\xef\xbb\xbfpred;gt\r\np/a.npy;g/a.png\r\n", ["a"]),
        # a comma is data there, and a semicolon is where commas or tabs separate
        (b"pred;gt;id\np/a.npy;g/a.png;one, two\n", ["one, two"]),
        (b"pred,gt,id\np/a.npy,g/a.png,one; two\n", ["one; two"]),
        (b"pred\tgt\tid\np/a.npy\tg/a.png\tone; two, three\n", ["one; two, three"]),
        # the delimiter that Excel is told
        (b"sep=;\r\npred;gt\r\np/a.npy;g/a.png\r\n", ["a"]),
        (b'"sep=|"\r\npred|gt\r\np/a.npy|g/a.png\r\n', ["a"]),
        # UTF-16 and UTF-32 with their marks, of both byte orders
        ("\ufeffpred,gt\r\np/a.npy,g/a.png\r\n".encode("utf-16-le"), ["a"]),
        ("\ufeffpred\tgt\r\np/a.npy\tg/a.png\r\n".encode("utf-16-be"), ["a"]),
        ("\ufeffpred,gt\np/a.npy,g/a.png\n".encode("utf-32-le"), ["a"]),
        ('\ufeff{"pred": "p/a.npy", "gt": "g/a.png"}\r\n'.encode("utf-16-le"), ["a"]),
        # Export-Csv of PowerShell 5
        ('\ufeff#TYPE System.Object\r\n"pred","gt"\r\n"p/a.npy","g/a.png"\r\n'.encode("utf-16-le"), ["a"]),
        # lines that end as in files of old Macs
        (b"pred,gt\rp/a.npy,g/a.png\rp/b.npy,g/b.png\r", ["a", "b"]),
        # empty rows of a spreadsheet: separators, spaces, at the end and at the start
        (b"pred,gt\r\np/a.npy,g/a.png\r\n,\r\n , \r\n,,\r\n", ["a"]),
        (b";;\r\n\r\npred;gt;\r\np/a.npy;g/a.png;\r\n", ["a"]),
        # an empty column beyond the header
        (b"pred,gt\np/a.npy,g/a.png,,\n", ["a"]),
        # spaces around everything, and before quotes
        (b"pred, gt, id\np/a.npy, g/a.png, one\n", ["one"]),
        (b'"pred", "gt"\n"p/a.npy", "g/a.png"\n', ["a"]),
        (b'pred, gt\n"p/odd, ""x"".npy", "g/a.png"\n', ["a"]),
        (b"pred ,gt\np/a.npy ,g/a.png \n", ["a"]),
        # a header in capitals
        (b"Pred,GT,Id\np/a.npy,g/a.png,one\n", ["one"]),
        (b'{"Pred": "p/a.npy", "GT": "g/a.png"}\n', ["a"]),
        # backslashes, of Windows
        (b"pred,gt\np\\a.npy,g\\a.png\n", ["a"]),
        (b'{"pred": "p\\\\a.npy", "gt": ".\\\\g\\\\a.png"}\n', ["a"]),
        # all of it at once
        ("\ufeffPred; GT\r\np\\a.npy; g\\a.png\r\n;\r\n".encode("utf-16-le"), ["a"]),
    ],
)  # fmt: skip
def test_manifests_of_other_programs(tmp_path, monkeypatch, text, expected):
    sides(tmp_path, ["a.npy", "b.npy", 'odd, "x".npy'], ["a.png", "b.png"])
    monkeypatch.chdir(tmp_path)
    found = pair_manifest("-", text)
    assert ids(found) == expected
    assert all(Path(pair.pred).is_file() and Path(pair.gt).is_file() for pair in found.pairs)


@posix
@pytest.mark.parametrize(
    ("there", "written"),
    [
        # a name that really holds the character, beside one that only fits without it
        (["p/ a.npy", "p/a.npy"], "p/ a.npy"),
        (["a.npy ", "a.npy"], "a.npy "),
        (["p\\a.npy", "p/a.npy"], "p\\a.npy"),
    ],
)
def test_a_path_that_is_there_as_it_is_written_is_meant_so(tmp_path, there, written):
    files(tmp_path, "g.png", *there)
    found = pair_manifest(f"{tmp_path}/list.csv", f"pred,gt\n{written},g.png\n".encode())
    assert found.pairs == (Pair("g", f"{tmp_path}/{written}", f"{tmp_path}/g.png"),)


@posix
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_path_in_another_unicode_form_is_found(tmp_path, form):
    name, other = (unicodedata.normalize(kind, "Jürgen") for kind in (form, "NFD" if form == "NFC" else "NFC"))
    files(tmp_path, f"{name}.npy", f"{name}.png")
    found = pair_manifest(f"{tmp_path}/list.csv", f"pred,gt\n{other}.npy,{other}.png\n".encode())
    # The paths are those of the files, and the id does not depend on their form.
    assert found.pairs == (Pair("Jürgen", f"{tmp_path}/{name}.npy", f"{tmp_path}/{name}.png"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # a workbook, and text in an encoding that is not named
        (b"PK\x03\x04\x14\0\x06\0", ["is an Excel workbook", "CSV UTF-8"]),
        ("pred,gt\np/a.npy,g/ä.png\n".encode("cp1252"), ["is not UTF-8", "CSV UTF-8"]),
        (b"\xff\xfep\0r\0e", ["is not UTF-16"]),
        ("pred,gt\np/a.npy,g/a.png\n".encode("utf-16-le"), ["UTF-16 without a byte-order mark", "iconv -f UTF-16LE"]),
        # JSON of another form
        (b'[{"pred": "p/a.npy", "gt": "g/a.png"}]', ["is one JSON array", "jq -c '.[]'"]),
        (b'{\n "pred": "p/a.npy", "gt": "g/a.png"\n}', ["not valid JSON lines: line 1", "one object a line"]),
        # columns that nothing we know separates, or two things do
        (b"pred gt\np/a.npy g/a.png\n", ["neither commas, semicolons nor tabs", "separate them by commas"]),
        (b"pred|gt\np/a.npy|g/a.png\n", ["neither commas, semicolons nor tabs"]),
        (b"pred;gt;x,pred,gt\n1;2;3,4,5\n", ["could be separated by commas and semicolons"]),
        # a header that has other names, or is a row
        (b"image;mask\np/a.npy;g/a.png\n", ["has no header", "call the column of the predictions pred"]),
        (b"p/a.npy;g/a.png\n", ["has no header", "make pred;gt its first line"]),
        (b"sep=;\nx;y\n", ["has no column pred and gt"]),
        # two columns of one name, of which one would be lost
        (b"pred,Pred,gt\np/a.npy,p/b.npy,g/a.png\n", ["several columns pred"]),
        (b'{"pred": "p/a.npy", "pred": "p/b.npy", "gt": "g/a.png"}\n', ["several columns pred"]),
        # a separator within a path
        (b"pred,gt\np/a,b.npy,g/a.png\n", ["line 2 has more columns", "in quotes"]),
        # the line is that of the file, beyond what stands before the header
        (b"sep=,\n\npred,gt\n\np/a.npy\n", ["line 5 has no gt"]),
        # only spaces
        (b"pred,gt\np/a.npy, \n", ["line 2 has no gt"]),
    ],
)  # fmt: skip
def test_what_is_not_read_is_called_by_its_name(tmp_path, monkeypatch, text, said):
    sides(tmp_path, ["a.npy", "b.npy"], ["a.png"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableError) as caught:
        pair_manifest("-", text)
    for part in said:
        assert part in str(caught.value)
    assert caught.value.hint


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"pred", b"gt", b"id", b"roi", b",", b";", b"\t", b"\n", b"\r\n", b'"', b" ", b"sep=", b"one"]
            ),
            st.sampled_from(
                [b"{", b"}", b'"pred": "one"', b'"gt": "one"', b"[", b"\xef\xbb\xbf", b"\xff\xfe", b"#TYPE "]
            ),
            st.binary(max_size=3),
        ),
        max_size=16,
    ).map(b"".join)
)
def test_whatever_a_list_holds_it_is_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    (folder / "one").write_bytes(b"")
    # Nothing else is raised, and no pair is made up.
    with suppress(InputError):
        assert {pair.pred for pair in pair_manifest(f"{folder}/list.csv", data).pairs} <= {f"{folder}/one"}


def test_a_list_may_name_regions_of_interest(tmp_path):
    files(tmp_path, "a.npy", "a.png", "fov.png")
    found = pair_manifest(f"{tmp_path}/list.csv", b"pred,gt,ROI\na.npy,a.png, fov.png\n")
    assert [pair.roi for pair in found.pairs] == [f"{tmp_path}/fov.png"]
    # A column that is empty throughout names none.
    found = pair_manifest(f"{tmp_path}/list.csv", b"pred,gt,roi\na.npy,a.png,\n")
    assert [pair.roi for pair in found.pairs] == [""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # a region that is not there
        (b"pred,gt,roi\na.npy,a.png,nope.png\n", ["files of 1 of 1 pairs are missing", "nope.png (pair a) not found"]),
        # one pair of two without a region: all of the image, or forgotten?
        (b"id,pred,gt,roi\n1,a.npy,a.png,fov.png\n2,a.npy,a.png,\n", ["1 of 2 pairs have no region of interest", "2"]),
    ],
)  # fmt: skip
def test_a_region_that_is_missing_is_named(tmp_path, text, said):
    files(tmp_path, "a.npy", "a.png", "fov.png")
    with pytest.raises(PairingError) as caught:
        pair_manifest(f"{tmp_path}/list.csv", text)
    for part in said:
        assert part in str(caught.value)


def rows(count: int, front: str = "") -> str:
    return "pred,gt\n" + "".join(f"{front}p/{index}.npy,{front}g/{index}.npy\n" for index in range(count))


@pytest.mark.parametrize(
    ("there", "listed", "folder", "hint"),
    [
        # the paths are those of the working directory
        (8, rows(8), "lists", "its paths are relative to the working directory: --pairs - < lists/list.csv"),
        # most files are there
        (6, rows(8), ".", "--allow-missing 2, to evaluate the rest and say what was left out"),
        # few are, or none
        (2, rows(8), ".", "check its paths, which are relative to ."),
        (8, rows(8, "nowhere/"), ".", "check its paths, which are relative to ."),
    ],
)
def test_missing_files_of_a_list_are_counted_and_the_cure_works(softdice, tmp_path, there, listed, folder, hint):
    good(tmp_path, [str(index) for index in range(there)])
    (tmp_path / folder).mkdir(exist_ok=True)
    path = f"{folder}/list.csv"
    (tmp_path / path).write_text(listed)
    run = softdice("eval", "--pairs", path)
    assert (run.code, run.out) == (3, "")
    assert "of 8 pairs are missing" in run.err
    assert hint in run.err
    # However many are missing, the first names are enough.
    assert run.err.count("not found") <= 5
    if "--pairs -" in hint:
        assert softdice("eval", "--pairs", "-", stdin=listed.encode()).code == 0
    if hint.startswith("--allow-missing"):
        for bound in ([], ["2"], ["25%"]):
            assert softdice("eval", "--pairs", path, "--allow-missing", *bound).code == 0
        assert softdice("eval", "--pairs", path, "--allow-missing", "1").code == 3


def test_a_list_of_nothing_but_missing_files_is_never_a_success(softdice, tmp_path):
    (tmp_path / "list.csv").write_text(rows(3))
    run = softdice("eval", "--pairs", "list.csv", "--allow-missing")
    assert (run.code, run.out) == (5, "")
    assert "none in list.csv; p/0.npy and g/0.npy (pair 0) not found" in run.err


def test_rows_between_two_stray_quotation_marks_are_not_lost(softdice, tmp_path):
    rows = ['p0,g0,"soft', "p1,g1,", 'p2,g2,hard"', "p3,g3,"]
    Path(tmp_path, "list.csv").write_text("\n".join(["pred,gt,note", *rows]) + "\n")
    run = softdice("eval", "--pairs", "list.csv")
    assert (run.code, run.out) == (3, "")
    assert "a line break inside a field that ends in line 4" in run.err
