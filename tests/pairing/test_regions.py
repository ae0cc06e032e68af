"""Which mask of the region of interest belongs to which pair; every pair has one, or is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pairing_folders import files

from softdice_cli import Pair, Pairing, PairingError, UnreadableError
from softdice_cli.errors import ConfigError
from softdice_cli.pairing import with_regions


def pairs(*ids: str) -> Pairing:
    return Pairing(tuple(Pair(name, f"p/{name}.npy", f"g/{name}.png") for name in ids), ("x has no truth",))


@pytest.mark.parametrize(
    ("ids", "names", "expected"),
    [
        # the stem as it is, whatever the file type
        (["21", "22"], ["21.png", "22.tif"], ["21.png", "22.tif"]),
        # files of other images are left aside, and so is clutter
        (["21"], ["21.png", "22.png", "Thumbs.db"], ["21.png"]),
        # one suffix or prefix for all of them, or both
        (["21", "22"], ["21_training_mask.png", "22_training_mask.png"],
         ["21_training_mask.png", "22_training_mask.png"]),
        (["21", "22"], ["fov_21.png", "fov_22.png"], ["fov_21.png", "fov_22.png"]),
        (["a", "b"], ["fov_a_mask.png", "fov_b_mask.png", "fov_c_mask.png"], ["fov_a_mask.png", "fov_b_mask.png"]),
        (["21"], ["mask21.png"], ["mask21.png"]),
        # an id that is also a part of the affix
        (["1", "11"], ["r1_1.png", "r1_11.png"], ["r1_1.png", "r1_11.png"]),
        # the stem as it is comes before any affix
        (["a", "a_a"], ["a.png", "a_a.png"], ["a.png", "a_a.png"]),
        # sub-folders mirrored, on one side only, and with a suffix
        (["s/a", "t/a"], ["s/a.png", "t/a.png"], ["s/a.png", "t/a.png"]),
        (["s/a", "t/b"], ["a.png", "b.png"], ["a.png", "b.png"]),
        (["a", "b"], ["s/a_fov.png", "t/b_fov.png"], ["s/a_fov.png", "t/b_fov.png"]),
        (["s/a", "t/a"], ["s/a_fov.png", "t/a_fov.png"], ["s/a_fov.png", "t/a_fov.png"]),
    ],
)  # fmt: skip
def test_regions_belong_to_the_pairs_of_their_stems(tmp_path, ids, names, expected):
    files(tmp_path / "roi", *names)
    found = with_regions(pairs(*ids), str(tmp_path / "roi"), recursive=True)
    assert [pair.roi for pair in found.pairs] == [f"{tmp_path}/roi/{name}" for name in expected]
    # Nothing else changes.
    assert [Pair(pair.id, pair.pred, pair.gt) for pair in found.pairs] == list(pairs(*ids).pairs)
    assert found.left_out == ("x has no truth",)
    assert [Path(path).name for path in found.clutter] == [name for name in names if name == "Thumbs.db"]


@pytest.mark.parametrize(
    ("ids", "names", "said"),
    [
        # a pair without one
        (["21", "22", "23"], ["21.png"], ["2 pairs without a region of interest", "22; 23", "holds 1 file"]),
        # an empty folder
        (["21"], [], ["1 pair without", "holds no files"]),
        # a number or a word that goes on is another number or word
        (["1", "2"], ["10.png", "20.png"], ["2 pairs without"]),
        (["a", "b"], ["ca.png", "cb.png"], ["2 pairs without"]),
        # an affix that only some files have
        (["a", "b"], ["a_fov.png", "b_fov.png", "c.png"], ["2 pairs without"]),
        # two affixes
        (["a", "b"], ["a_fov.png", "b_roi.png"], ["2 pairs without"]),
        # a name that is there twice
        (["a"], ["s/a.png", "t/a.png"], ["1 pair without"]),
        (["a"], ["a.png", "a.tif"], ["1 stem that several files", "a.png and ", "a.tif"]),
    ],
)  # fmt: skip
def test_a_pair_without_its_region_is_named(tmp_path, ids, names, said):
    files(tmp_path / "roi", *names)
    with pytest.raises(PairingError) as caught:
        with_regions(pairs(*ids), str(tmp_path / "roi"), recursive=True)
    for text in said:
        assert text in str(caught.value)
    assert caught.value.hint.endswith("list them, with the columns pred, gt and roi: --pairs list.csv")


def test_a_file_is_the_region_of_every_pair(tmp_path):
    files(tmp_path, "fov.png")
    found = with_regions(pairs("a", "b"), f"{tmp_path}/fov.png")
    assert [pair.roi for pair in found.pairs] == [f"{tmp_path}/fov.png"] * 2


def test_a_pattern_chooses_regions(tmp_path):
    files(tmp_path, "a.npy", "a_fov.png", "b_fov.png")
    found = with_regions(pairs("a", "b"), f"{tmp_path}/*_fov.png")
    assert [Path(pair.roi).name for pair in found.pairs] == ["a_fov.png", "b_fov.png"]


def test_a_list_with_ids_of_its_own_pairs_by_its_truths(tmp_path):
    files(tmp_path / "roi", "t1_fov.png", "t2_fov.png")
    listed = Pairing((Pair("case one", "p/x.npy", "g/t1.png"), Pair("case two", "p/y.npy", "g/t2.png")))
    found = with_regions(listed, str(tmp_path / "roi"))
    assert [Path(pair.roi).name for pair in found.pairs] == ["t1_fov.png", "t2_fov.png"]


def test_a_region_is_there_and_given_once(tmp_path):
    files(tmp_path, "fov.png")
    with pytest.raises(UnreadableError, match="there is no such file or folder"):
        with_regions(pairs("a"), f"{tmp_path}/nope.png")
    given = with_regions(pairs("a"), f"{tmp_path}/fov.png")
    with pytest.raises(ConfigError) as caught:
        with_regions(given, f"{tmp_path}/fov.png")
    assert caught.value.option == "roi"
