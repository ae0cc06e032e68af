"""What names say: prefixes, suffixes, Unicode forms, and what is not data at all."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from pairing_folders import files, good, ids, sides
from systems import posix

from softdice_cli import Pair, PairingError, Side, evaluate, pair_folders

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Jürgen_é") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("preds", "gts", "affixes", "expected"),
    [
        # a prefix on each side, and on one
        (["predicted_001.npy", "predicted_002.npy"], ["mask_001.png", "mask_002.png"],
         {"pred": ("predicted_", ""), "gt": ("mask_", "")}, ["001", "002"]),
        (["p_a.npy"], ["a.png"], {"pred": ("p_", "")}, ["a"]),
        # a prefix and a suffix
        (["p_a_prob.npy"], ["a_mask.png"], {"pred": ("p_", "_prob"), "gt": ("", "_mask")}, ["a"]),
        # with the file type
        (["p_a.npy", "p_a.png"], ["a.png"], {"pred": ("p_", ".npy")}, ["a"]),
        # what lacks the prefix does not belong to the side
        (["p_a.npy", "q_a.npy", "p_.txt"], ["a.png"], {"pred": ("p_", "")}, ["a"]),
        # only the front counts, and all of it
        (["p_p_a.npy", "ap_b.npy"], ["p_a.png"], {"pred": ("p_", "")}, ["p_a"]),
        # the prefix and the suffix do not share a character
        (["ab.npy", "abb.npy"], ["b.png"], {"pred": ("ab", "b")}, None),
        # in sub-folders, it is the file that has it; where nothing else is left, the folder is the stem
        (["s/p_a.npy"], ["s/m_a.png"], {"pred": ("p_", ""), "gt": ("m_", "")}, ["s/a"]),
        (["s/pred.npy", "t/pred.npy"], ["s/mask.png", "t/mask.png"], {"pred": ("pred", ""), "gt": ("mask", "")},
         ["s", "t"]),
    ],
)  # fmt: skip
def test_prefixes_are_no_part_of_the_stem(tmp_path, preds, gts, affixes, expected):
    pred, gt = sides(tmp_path, preds, gts)
    wanted = []
    for side, name in ((pred, "pred"), (gt, "gt")):
        prefix, suffix = affixes.get(name, ("", ""))
        wanted.append(Side(side.path, suffix, prefix))
    if expected is None:
        with pytest.raises(PairingError):
            pair_folders(*wanted, recursive=True)
    else:
        assert ids(pair_folders(*wanted, recursive=True)) == expected


def test_prefixes_are_options(softdice, tmp_path):
    good(tmp_path, ["001", "002"])
    expected = softdice("eval", "--pred", "p", "--gt", "g", "--format", "csv").out
    for name in ("001", "002"):
        (tmp_path / f"p/{name}.npy").rename(tmp_path / f"p/predicted_{name}.npy")
        (tmp_path / f"g/{name}.npy").rename(tmp_path / f"g/mask_{name}.npy")
    prefixes = ("--pred-prefix", "predicted_", "--gt-prefix", "mask_")
    run = softdice("eval", "--pred", "p", "--gt", "g", "--format", "csv", *prefixes)
    assert (run.code, run.out.replace("predicted_0", "0").replace("mask_0", "0")) == (0, expected)
    patterns = softdice("eval", "--pred", "p/pred*.npy", "--gt", "g/mask*", "--format", "csv", *prefixes)
    assert patterns.out == run.out


@posix
@pytest.mark.parametrize(("pred", "gt"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_unicode_forms_pair_and_paths_stay_as_they_are(tmp_path, pred, gt):
    found = pair_folders(*sides(tmp_path, [f"{pred}/{pred}.npy"], [f"{gt}/{gt}.png"]), recursive=True)
    path, mask = f"{tmp_path}/p/{pred}/{pred}.npy", f"{tmp_path}/g/{gt}/{gt}.png"
    assert found.pairs == (Pair(f"{COMPOSED}/{COMPOSED}", path, mask),)
    assert Pair.of_files(path, mask).id == COMPOSED


@posix
def test_affixes_pair_in_any_unicode_form(tmp_path):
    preds, gts = sides(tmp_path, [f"{DECOMPOSED}_a_{DECOMPOSED}.npy"], ["a.png"])
    assert ids(pair_folders(Side(preds.path, f"_{COMPOSED}", f"{COMPOSED}_"), gts)) == ["a"]


@posix
def test_names_of_one_side_that_differ_in_their_form_only_are_refused(tmp_path):
    with pytest.raises(PairingError) as caught:
        pair_folders(*sides(tmp_path, [f"{COMPOSED}.npy", f"{DECOMPOSED}.npy"], [f"{COMPOSED}.png"]))
    assert f"p/{COMPOSED}.npy" in caught.value.found
    assert f"p/{DECOMPOSED}.npy" in caught.value.found
    assert "two Unicode forms" in caught.value.found


@pytest.mark.parametrize(
    ("names", "clutter"),
    [
        # what systems leave behind
        (["Thumbs.db", "desktop.ini", ".DS_Store", "._a.npy"], 4),
        # what people and tools write beside images
        (["dataset.json", "README.md", "scores.csv", "run.log", "a.xml", "a.txt", "README", "plans.JSON"], 8),
        # what a geographic information system does
        (["a.tfw", "a.tif.aux.xml", "a.prj"], 3),
        # what training does
        (["checkpoint", "model.ckpt", "events.out.tfevents.1700000000.host"], 3),
    ],
)  # fmt: skip
def test_clutter_stops_no_run_and_is_counted(tmp_path, names, clutter):
    for side in ("p", "g"):
        pred, gt = sides(tmp_path / side, ["a.npy"], ["a.png"])
        files(tmp_path / side / side, *names)
        found = pair_folders(pred, gt)
        assert ids(found) == ["a"]
        assert [Path(path).name for path in found.clutter] != []
        assert len(found.clutter) == clutter


@pytest.mark.parametrize(
    "name",
    [
        # formats that are read, that are refused by name, and that hold arrays or images
        *("b.npy", "b.pt", "b.pth", "b.jpg", "b.nii.gz", "b.mat", "b.nii", "b.h5", "b.dcm", "b.gif", "b.pkl", "b.raw"),
        # a file without a type, or with a number for it
        *("b", "b.1", "checkpoint.npy", "readme.png"),
    ],
)  # fmt: skip
def test_what_may_be_data_is_no_clutter(tmp_path, name):
    with pytest.raises(PairingError, match=f"{name} has no truth"):
        pair_folders(*sides(tmp_path, ["a.npy", name], ["a.png"]))


def test_a_suffix_with_a_file_type_chooses_that_type(tmp_path):
    pred, gt = sides(tmp_path, ["a.json", "a.npy"], ["a.png"], pred=".json")
    found = pair_folders(pred, gt)
    assert [Path(pair.pred).name for pair in found.pairs] == ["a.json"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["Thumbs.db"], "softdice: ignored 1 other file, e.g. p/Thumbs.db\n"),
        (["dataset.json", "Thumbs.db", ".DS_Store"], "softdice: ignored 3 other files, e.g. p/.DS_Store\n"),
    ],
)
def test_clutter_is_told_once_on_standard_error(softdice, tmp_path, names, said):
    good(tmp_path, ["a", "b"])
    clean = softdice("eval", "--pred", "p", "--gt", "g", "--format", "json")
    files(tmp_path / "p", *names)
    run = softdice("eval", "--pred", "p", "--gt", "g", "--format", "json")
    assert (run.code, run.out) == (0, clean.out)
    assert run.err == said
    assert softdice("eval", "--pred", "p", "--gt", "g", "--format", "json", "--quiet").err == ""


@pytest.mark.parametrize(
    ("preds", "gts", "suffixes", "expected"),
    [
        # flat predictions of nested truths; the id is that of the truth
        (["fra_1.npy", "ulm_1.npy"], ["fra/fra_1.png", "ulm/ulm_1.png"], {}, ["fra/fra_1", "ulm/ulm_1"]),
        (["fra_1_leftImg8bit.npy"], ["fra/fra_1_gtFine_labelIds.png", "fra/fra_1_gtFine_color.png"],
         {"pred": "_leftImg8bit", "gt": "_gtFine_labelIds"}, ["fra/fra_1"]),
        # nested predictions of flat truths
        (["x/a.npy", "y/b.npy"], ["a.png", "b.png"], {}, ["a", "b"]),
        # where a path is the same on both sides, paths pair
        (["a.npy", "b.npy"], ["a.png", "s/b.png"], {}, None),
        # a name that is there twice
        (["a.npy"], ["s/a.png", "t/a.png"], {}, None),
        # folders on both sides are part of the name
        (["s/a.npy"], ["t/a.png"], {}, None),
        (["s/a.npy"], ["s/t/a.png"], {}, None),
    ],
)  # fmt: skip
def test_flat_and_nested_files_pair_by_name(tmp_path, preds, gts, suffixes, expected):
    request = sides(tmp_path, preds, gts, **suffixes)
    if expected is None:
        with pytest.raises(PairingError):
            pair_folders(*request, recursive=True)
    else:
        found = pair_folders(*request, recursive=True)
        assert ids(found) == expected
        for pair in found.pairs:
            assert Path(pair.pred).stem.removesuffix("_leftImg8bit") == Path(pair.gt).stem.split("_gtFine")[0]


def test_what_is_missing_among_flat_and_nested_files_is_named(tmp_path):
    with pytest.raises(PairingError) as caught:
        pair_folders(*sides(tmp_path, ["a.npy", "b.npy", "c.npy"], ["s/a.png", "t/b.png"]), recursive=True)
    assert "1 file without a partner: 1 of 3 predictions" in str(caught.value)
    assert "p/c.npy has no truth" in str(caught.value)
    assert caught.value.hint.startswith("--allow-missing")


def test_pairs_by_name_are_evaluated_as_pairs_by_path_are(tmp_path):
    pred, gt = good(tmp_path, ["a", "b"])
    expected = evaluate(pair_folders(Side(str(pred)), Side(str(gt))).pairs)
    for name in ("a", "b"):
        (gt / f"s{name}").mkdir()
        (gt / f"{name}.npy").rename(gt / f"s{name}/{name}.npy")
    found = evaluate(pair_folders(Side(str(pred)), Side(str(gt)), recursive=True).pairs)
    assert [row.id for row in found.images] == ["sa/a", "sb/b"]
    assert [row.sums for row in found.images] == [row.sums for row in expected.images]
