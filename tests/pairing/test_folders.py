"""Which prediction belongs to which truth: folders and patterns; refusals come before any pixel is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pairing_folders import files, good, ids, sides
from systems import posix

from softdice_cli import Pair, PairingError, Side, UnreadableError, pair_folders
from softdice_cli.records import Allowance


@pytest.mark.parametrize(
    ("preds", "gts", "suffixes", "expected"),
    [
        # the file type plays no part
        (["a.npy", "b.pt", "c.npz"], ["a.png", "b.tif", "c.npy"], {}, ["a", "b", "c"]),
        # nor does its absence
        (["a", "b.npy"], ["a.png", "b"], {}, ["a", "b"]),
        # only the last dot starts the file type
        (["a.1.npy", "a.2.npy"], ["a.1.png", "a.2.png"], {}, ["a.1", "a.2"]),
        # a file type of two dots is known as a whole, with a suffix before it as well
        (["a.npy", "b.npy"], ["a.ome.tif", "b.OME.TIFF"], {}, ["a", "b"]),
        (["a.npy"], ["a_mask.ome.tif"], {"gt": "_mask"}, ["a"]),
        (["a.npy"], ["a_mask.ome.tif"], {"gt": "_mask.ome"}, ["a"]),
        # a suffix without the file type is no part of the stem
        (["a_prob.npy", "b_prob.pt"], ["a.png", "b.png"], {"pred": "_prob"}, ["a", "b"]),
        # one on each side
        (["a_prob.npy"], ["a_mask.png"], {"pred": "_prob", "gt": "_mask"}, ["a"]),
        # a suffix with the file type
        (["a_prob.npy"], ["a_mask.png"], {"pred": "_prob.npy", "gt": "_mask.png"}, ["a"]),
        # a suffix that is nothing but the file type
        (["a.npy", "a.json"], ["a.png"], {"pred": ".npy"}, ["a"]),
        # what lacks the suffix does not belong to the side
        (["a_prob.npy", "a_logits.npy", "readme.txt"], ["a.png"], {"pred": "_prob"}, ["a"]),
        # hidden files do not count
        (["a.npy", ".DS_Store", ".a.npy"], ["a.png", ".hidden.png"], {}, ["a"]),
        # sub-folders do not count unless asked for
        (["a.npy", "sub/b.npy"], ["a.png"], {}, ["a"]),
        # 9 before 10, and equal numbers in a stable order
        (["i10.npy", "i9.npy", "i007.npy", "i7.npy", "i08.npy"], ["i9.png", "i10.png", "i7.png", "i007.png", "i08.png"],
         {}, ["i007", "i7", "i08", "i9", "i10"]),
        # numbers come before words, and a stem before a longer one
        (["x.npy", "10.npy", "9.npy", "x2.npy"], ["x.png", "x2.png", "9.png", "10.png"], {}, ["9", "10", "x", "x2"]),
    ],
)  # fmt: skip
def test_folders_pair_by_stem_in_natural_order(tmp_path, preds, gts, suffixes, expected):
    pairing = pair_folders(*sides(tmp_path, preds, gts, **suffixes))
    assert ids(pairing) == expected
    assert pairing.left_out == ()


def test_paths_are_kept_as_the_user_named_them(tmp_path, monkeypatch):
    sides(tmp_path, ["a.npy"], ["a.png"])
    monkeypatch.chdir(tmp_path)
    assert pair_folders(Side("p"), Side("./g/")).pairs == (Pair("a", "p/a.npy", "./g/a.png"),)


def test_recursive_mirrors_sub_folders(tmp_path):
    preds = ["a.npy", "s1/a.npy", "s1/s2/10.npy", "s1/s2/9.npy", ".hidden/x.npy"]
    gts = ["a.png", "s1/a.png", "s1/s2/9.png", "s1/s2/10.png"]
    assert ids(pair_folders(*sides(tmp_path, preds, gts), recursive=True)) == ["a", "s1/a", "s1/s2/9", "s1/s2/10"]


def test_recursive_does_not_pair_across_sub_folders(tmp_path):
    with pytest.raises(PairingError) as caught:
        pair_folders(*sides(tmp_path, ["s1/a.npy"], ["s2/a.png"]), recursive=True)
    assert "s1/a.npy has no truth" in str(caught.value)
    assert "s2/a.png has no prediction" in str(caught.value)


@pytest.mark.parametrize(
    ("pred", "gt", "recursive", "expected"),
    [
        # a pattern on one side, a folder on the other
        ("p/*.npy", "g", False, ["a", "b1", "b2"]),
        # a pattern on both
        ("p/b*.npy", "g/b*.png", False, ["b1", "b2"]),
        # a set of characters, and a question mark
        ("p/b[12].npy", "g/b?.png", False, ["b1", "b2"]),
        # ** mirrors a recursive folder
        ("p/**/*.npy", "g", True, ["a", "b1", "b2", "sub/c"]),
        ("p/**/*.npy", "g/**/*.png", False, ["a", "b1", "b2", "sub/c"]),
        # a wildcard for a folder: what it stands for is part of the stem
        ("p/*/c.npy", "g/*/c.png", False, ["sub/c"]),
        # folders that a pattern matches are no files
        ("p/*", "g/*.png", False, ["a", "b1", "b2"]),
    ],
)  # fmt: skip
def test_patterns(tmp_path, monkeypatch, pred, gt, recursive, expected):
    sides(tmp_path, ["a.npy", "b1.npy", "b2.npy", "sub/c.npy"], ["a.png", "b1.png", "b2.png", "sub/c.png"])
    monkeypatch.chdir(tmp_path)
    for root in ("", f"{tmp_path}/"):
        assert ids(pair_folders(Side(root + pred), Side(root + gt), recursive=recursive)) == expected


def test_a_pattern_that_finds_a_file_in_two_ways_finds_it_once(tmp_path):
    sides(tmp_path, ["x/a.npy"], ["x/a.png"])
    assert ids(pair_folders(Side(f"{tmp_path}/p/**/**/*.npy"), Side(f"{tmp_path}/g/**/*.png"))) == ["x/a"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(softdice, tmp_path):
    good(tmp_path, ["a[1]"])
    run = softdice("eval", "--pred", "p/a[1].npy", "--gt", "g/a[1].npy")
    assert (run.code, run.err) == (0, "")


@pytest.mark.parametrize(
    ("preds", "gts", "said"),
    [
        # missing truths and surplus truths, all named
        (["a.npy", "b.npy", "c.npy"], ["a.png", "x.png", "y.png"],
         ["b.npy has no truth", "c.npy has no truth", "x.png has no prediction", "y.png has no prediction", "4 files"]),
        # an empty side
        (["a.npy"], [], ["a.npy has no truth"]),
        ([], ["a.png"], ["a.png has no prediction"]),
        # several files of one stem, on either side
        (["a.npy", "a.pt", "b.npy", "b.npz"], ["a.png", "b.png"], ["a.npy and ", "a.pt", "b.npy and ", "2 stems"]),
        (["a.npy"], ["a.png", "a.tif"], ["several truth files", "a.png and ", "a.tif"]),
        # a partner that differs in case only is named
        (["Img1.npy"], ["img1.png"], ["Img1.npy has no truth", "img1.png differs in case"]),
        # a missing suffix leaves nothing
        (["sub/a.npy"], ["a.png"], ["a.png has no prediction"]),
    ],
)  # fmt: skip
def test_what_does_not_pair_is_listed_by_name_before_any_pixel_is_read(softdice, tmp_path, preds, gts, said):
    sides(tmp_path, preds, gts)
    run = softdice("eval", "--pred", "p", "--gt", "g")
    assert (run.code, run.out) == (3, "")
    for text in said:
        assert text in run.err
    assert "not in a format that softdice reads" not in run.err  # what reading one of the files would say


def test_the_duplicates_hint_names_the_option_of_the_right_side(tmp_path):
    with pytest.raises(PairingError, match="--gt-suffix"):
        pair_folders(*sides(tmp_path, ["a.npy"], ["a.png", "a.tif"]))
    with pytest.raises(PairingError, match="--pred-suffix"):
        pair_folders(*sides(tmp_path / "x", ["a.npy", "a.pt"], ["a.png"]))


def test_stems_that_differ_in_case_are_two_pairs_where_both_have_partners(tmp_path):
    assert ids(pair_folders(*sides(tmp_path, ["a.npy", "A.npy"], ["A.png", "a.png"]))) == ["A", "a"]


def test_allow_missing_evaluates_the_rest_and_says_what_was_left_out(tmp_path):
    pairing = pair_folders(
        *sides(tmp_path, ["a.npy", "b10.npy", "b9.npy"], ["a.png", "z.png"]), allowed=Allowance("all")
    )
    assert ids(pairing) == ["a"]
    assert [Path(text.split()[0]).name for text in pairing.left_out] == ["z.png", "b9.npy", "b10.npy"]
    assert pairing.left_out[0].endswith("has no prediction")


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv"])
def test_left_out_files_are_named_in_every_output(softdice, tmp_path, format):
    preds, gts = good(tmp_path, ["a", "b", "c"])
    (preds / "b.npy").unlink()
    (gts / "c.npy").unlink()
    assert softdice("eval", "--pred", preds, "--gt", gts, "--format", format).code == 3
    run = softdice("eval", "--pred", preds, "--gt", gts, "--format", format, "--allow-missing")
    assert run.code == 0
    assert "b.npy has no prediction" in run.out
    assert "c.npy has no truth" in run.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        # two empty folders
        (["--pred", "e1", "--gt", "e2"], 5, "nothing to evaluate"),
        # nothing but hidden files
        (["--pred", "hidden", "--gt", "e2"], 5, "nothing to evaluate"),
        # patterns that match nothing
        (["--pred", "e1/*.npy", "--gt", "e2/*.png"], 5, "nothing to evaluate"),
        # sub-folders that were not asked for
        (["--pred", "nested", "--gt", "nested"], 5, "--recursive"),
        # suffixes that no file has
        (["--pred", "p", "--gt", "g", "--pred-suffix", "_x", "--gt-suffix", "_y"], 5, "nothing to evaluate"),
        # nothing in common, and allowed
        (["--pred", "p", "--gt", "other", "--allow-missing"], 5, "nothing to evaluate"),
        # a folder and a file, both ways
        (["--pred", "p", "--gt", "g/a.npy"], 2, "one side is a folder"),
        (["--pred", "p/a.npy", "--gt", "g"], 2, "one side is a folder"),
        # a pattern and a file
        (["--pred", "p/*.npy", "--gt", "g/a.npy"], 2, "one side is a folder"),
        # a folder and standard input
        (["--pred", "-", "--gt", "g"], 2, "one side is a folder"),
        # two ways at once, and neither
        (["--pairs", "x.csv", "--pred", "p"], 2, "--pairs stands instead"),
        (["--pred", "p"], 2, "--gt is missing"),
        ([], 2, "--pairs"),
        # a manifest that is not there
        (["--pairs", "nope.csv"], 3, "there is no such file"),
    ],
)  # fmt: skip
def test_nothing_to_evaluate_and_wrong_usage(softdice, tmp_path, arguments, code, said):
    good(tmp_path, ["a"])
    for name in ("e1", "e2"):
        (tmp_path / name).mkdir()
    files(tmp_path / "hidden", ".DS_Store")
    files(tmp_path / "nested", "sub/a.npy")
    files(tmp_path / "other", "z.npy")
    run = softdice("eval", *arguments)
    assert (run.code, run.out) == (code, "")
    assert said in run.err


def test_a_folder_that_is_not_there_is_called_so(softdice, tmp_path):
    good(tmp_path, ["a"])
    run = softdice("eval", "--pred", "nope", "--gt", "g")
    assert run.code in (2, 3)
    assert "nope" in run.err
    assert "no such" in run.err


@posix
def test_a_link_to_a_folder_around_it_is_refused(tmp_path):
    pred, gt = sides(tmp_path, ["a.npy", "sub/b.npy"], ["a.png", "sub/b.png"])
    (tmp_path / "p/sub/up").symlink_to(tmp_path / "p", target_is_directory=True)
    assert ids(pair_folders(pred, gt)) == ["a"]
    with pytest.raises(UnreadableError, match="a link to a folder that it lies in"):
        pair_folders(pred, gt, recursive=True)


@posix
def test_two_links_that_lead_to_each_other_end(softdice, tmp_path):
    sides(tmp_path, ["x/a.npy", "y/b.npy"], ["x/a.png", "y/b.png"])
    (tmp_path / "p/x/to_y").symlink_to(tmp_path / "p/y", target_is_directory=True)
    (tmp_path / "p/y/to_x").symlink_to(tmp_path / "p/x", target_is_directory=True)
    run = softdice("eval", "--pred", "p", "--gt", "g", "--recursive")
    assert run.code == 3


@posix
def test_links_to_files_and_to_other_folders_are_followed(tmp_path):
    pred, gt = sides(tmp_path, ["a.npy"], ["a.png", "elsewhere/b.png"])
    files(tmp_path / "store", "b.npy")
    (tmp_path / "p/elsewhere").symlink_to(tmp_path / "store", target_is_directory=True)
    assert ids(pair_folders(pred, gt, recursive=True)) == ["a", "elsewhere/b"]


def test_results_are_stable_whatever_the_pairs_come_from(softdice, tmp_path):
    good(tmp_path, ["i10", "i9"])
    listed = b'{"pred": "p/i10.npy", "gt": "g/i10.npy"}\n{"pred": "p/i9.npy", "gt": "g/i9.npy"}\n'
    runs = [
        softdice("eval", "--pred", "p", "--gt", "g", "--format", "json"),
        softdice("eval", "--pred", "p/*.npy", "--gt", "g", "--format", "json"),
        softdice("eval", "--pairs", "-", "--format", "json", stdin=listed),
    ]
    assert len({run.out for run in runs}) == 1
    assert [image["id"] for image in json.loads(runs[0].out)["images"]] == ["i10", "i9"]  # sorted as text
    table = softdice("eval", "--pred", "p", "--gt", "g", "--per-image").out
    assert table.index("i9 ") < table.index("i10 ")  # sorted for people
