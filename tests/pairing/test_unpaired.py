"""What is said of files without a partner: once, with counts and first names, and with a cure that works when typed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pairing_folders import files, good
from systems import posix

from softdice_cli import Pairing, PairingError, Side, pair_folders
from softdice_cli.errors import SoftdiceError
from softdice_cli.pairing import nothing_found
from softdice_cli.records import Allowance

MANY = range(200)
LIST_THEM = "list the pairs, with the columns pred and gt: --pairs list.csv"
ALLOW_MISSING = "--allow-missing {}, to evaluate the rest and say what was left out"


@dataclass(frozen=True)
class Typed:
    """A command, as far as pairing goes."""

    pred: Side = field(default_factory=lambda: Side("p"))
    gt: Side = field(default_factory=lambda: Side("g"))
    recursive: bool = False

    def run(self) -> Pairing:
        found = pair_folders(self.pred, self.gt, recursive=self.recursive)
        if not found.pairs:
            raise nothing_found(self.pred, self.gt, recursive=self.recursive)
        return found

    def having(self, hint: str) -> Typed:
        """The same command after a hint was followed."""
        given, _, dropped = hint.partition(" without --")
        dropped = dropped and f"--{dropped}"
        if hint.startswith("leave out "):
            given, dropped = "", hint.removeprefix("leave out ")
        command = self
        for option in dropped.split(" and ") if dropped else []:
            command = command.with_option(option, "")
        words = shlex.split(given)
        while words:
            option, equals, value = words.pop(0).partition("=")
            if option == "--recursive":
                command = replace(command, recursive=True)
            else:
                command = command.with_option(option, value if equals else words.pop(0))
        return command

    def with_option(self, option: str, value: str) -> Typed:
        name, _, kind = option.removeprefix("--").partition("-")
        return replace(self, **{name: replace(getattr(self, name), **{kind or "path": value})})


def write(folder: Path, preds: list[str], gts: list[str]) -> None:
    files(folder / "p", *preds)
    files(folder / "g", *gts)


def named(pattern: str, numbers=MANY) -> list[str]:
    return [pattern.format(number) for number in numbers]


def refused(command: Typed) -> SoftdiceError:
    with pytest.raises(SoftdiceError) as caught:
        command.run()
    assert caught.value.exit_code in (3, 5)
    # However many files there are, a few names are enough.
    assert len(str(caught.value)) < 1200
    return caught.value


def number(path: str) -> int:
    """The number that tells a file of these tests apart."""
    return int("".join(character for character in Path(path).stem if character.isdecimal())[:3])


@pytest.mark.parametrize(
    ("preds", "gts", "given", "hint"),
    [
        # a suffix on one side, and on both
        ("x{:03}_prob.npy", "x{:03}.png", Typed(), "--pred-suffix _prob"),
        ("x{:03}.npy", "x{:03}_segmentation.png", Typed(), "--gt-suffix _segmentation"),
        ("x{:03}_prob.npy", "x{:03}_mask.png", Typed(), "--pred-suffix _prob --gt-suffix _mask"),
        ("{:03}_training.npy", "{:03}_manual1.png", Typed(), "--pred-suffix _training --gt-suffix _manual1"),
        # a prefix, with and without a separator
        ("predicted_{:03}.npy", "mask_{:03}.png", Typed(), "--pred-prefix predicted_ --gt-prefix mask_"),
        ("pred{:03}.npy", "gt{:03}.png", Typed(), "--pred-prefix pred --gt-prefix gt"),
        ("prediction_{:03}.npy", "{:03}.png", Typed(), "--pred-prefix prediction_"),
        # a prefix here and a suffix there, and both on one side
        ("out-{:03}.npy", "{:03}_gt.png", Typed(), "--pred-prefix out- --gt-suffix _gt"),
        ("img_{:03}_pred.npy", "mask_{:03}.png", Typed(),
         "--pred-prefix img_ --pred-suffix _pred --gt-prefix mask_"),
        # the type of the image within the name
        ("x{:03}.png.npy", "x{:03}.png", Typed(), "--pred-suffix .png"),
        # the images of nnU-Net number their channels
        ("x{:03}.npz", "x{:03}_0000.png", Typed(), "--gt-suffix _0000"),
        # one side was known
        ("x{:03}_prob.npy", "x{:03}_mask.png", Typed(pred=Side("p", "_prob")), "--pred-suffix _prob --gt-suffix _mask"),
        # the two were swapped
        ("x{:03}_prob.npy", "x{:03}_mask.png", Typed(Side("p", "_mask"), Side("g", "_prob")),
         "--pred-suffix _prob --gt-suffix _mask"),
        # one is not needed, or none is
        ("x{:03}_prob.npy", "x{:03}.png", Typed(Side("p"), Side("g", "_mask")),
         "--pred-suffix _prob without --gt-suffix"),
        ("x{:03}.npy", "x{:03}.png", Typed(Side("p", "_prob"), Side("g", "_mask")),
         "leave out --pred-suffix and --gt-suffix"),
        # patterns keep what they match
        ("predicted_{:03}.npy", "mask_{:03}.png", Typed(Side("p/predicted_*.npy"), Side("g/mask_*")),
         "--pred-prefix predicted_ --gt-prefix mask_"),
        # a suffix that looks like an option, and one that a shell would take apart
        ("x{:03}-prob.npy", "x{:03}.png", Typed(), "--pred-suffix=-prob"),
        ("x{:03} (prob).npy", "x{:03}.png", Typed(), "--pred-suffix ' (prob)'"),
        # sub-folders
        ("x{:03}.npy", "city/x{:03}.png", Typed(), "--recursive"),
        ("s/x{:03}.npy", "s/x{:03}.png", Typed(), "--recursive"),
        ("s/x{:03}_prob.npy", "s/x{:03}.png", Typed(), "--recursive --pred-suffix _prob"),
        ("x{:03}_leftImg8bit.npy", "city/x{:03}_gtFine_labelIds.png", Typed(),
         "--recursive --pred-suffix _leftImg8bit --gt-suffix _gtFine_labelIds"),
        ("x{:03}.npy", "city/x{:03}_gtFine_labelIds.png", Typed(recursive=True), "--gt-suffix _gtFine_labelIds"),
        # a folder more on each side
        ("out/x{:03}.npy", "masks/x{:03}.png", Typed(), "--pred p/out --gt g/masks"),
        # a pattern that matches nothing
        ("x{:03}.npy", "x{:03}.png", Typed(Side("p/*.npz")), "--pred p"),
    ],
)  # fmt: skip
def test_a_cure_that_pairs_all_files_is_worked_out(tmp_path, monkeypatch, preds, gts, given, hint):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named(preds), named(gts))
    error = refused(given)
    assert error.hint == hint
    found = given.having(hint).run()
    assert len(found.pairs) == len(MANY)
    assert all(number(pair.pred) == number(pair.gt) for pair in found.pairs)


def test_a_folder_for_each_case_is_a_stem(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named("case{:03}/pred.npy"), named("case{:03}/mask.png"))
    hint = refused(Typed()).hint
    assert hint == "--recursive --pred-suffix pred --gt-suffix mask"
    found = Typed().having(hint).run()
    assert [pair.id for pair in found.pairs] == named("case{:03}")


@pytest.mark.parametrize(
    ("preds", "gts", "given", "hints"),
    [
        # two kinds of predictions, and predictions with previews
        (["x{:03}_prob.npy", "x{:03}_logits.npy"], ["x{:03}.png"], Typed(),
         ["--pred-suffix _prob", "--pred-suffix _logits"]),
        (["x{:03}.npy", "x{:03}.png"], ["x{:03}.png"], Typed(), ["--pred-suffix .npy", "--pred-suffix .png"]),
        # what is not read is not proposed beside what is
        (["x{:03}.npz", "x{:03}.pkl", "x{:03}.nii.gz"], ["x{:03}.png"], Typed(), ["--pred-suffix .npz"]),
        # several kinds of truths
        (["x{:03}.npy"], ["c/x{:03}_gtFine_color.png", "c/x{:03}_gtFine_labelIds.png"], Typed(recursive=True),
         ["--gt-suffix _gtFine_color", "--gt-suffix _gtFine_labelIds"]),
        # folders whose names do not say which is which, and one that does
        (["x{:03}.npy"], ["one/x{:03}.png", "two/x{:03}.png"], Typed(), ["--gt g/one", "--gt g/two"]),
        (["x{:03}.npy"], ["images/x{:03}.png", "masks/x{:03}.png"], Typed(), ["--gt g/masks"]),
    ],
)  # fmt: skip
def test_where_several_cures_pair_all_files_they_are_all_named(tmp_path, monkeypatch, preds, gts, given, hints):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, [name for kind in preds for name in named(kind)], [name for kind in gts for name in named(kind)])
    shown = refused(given).hint.removeprefix("choose one: ").split(", or ")
    assert sorted(shown) == sorted(hints)
    pairs = [given.having(hint).run().pairs for hint in hints]
    assert {len(found) for found in pairs} == {len(MANY)}
    assert len(set(pairs)) == len(hints)


def test_one_folder_of_both_sides_is_told_apart_by_the_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, [*named("x{:03}_prob.npy"), *named("x{:03}_mask.npy")], [])
    given = Typed(Side("p"), Side("p"))
    error = refused(given)
    assert error.problem == "400 files are predictions and truths at once"
    assert error.hint == "--pred-suffix _prob --gt-suffix _mask"
    assert len(given.having(error.hint).run().pairs) == len(MANY)


@pytest.mark.parametrize("gt", ["p", "./p/", "p/*.npy"])
def test_a_file_is_never_compared_with_itself(tmp_path, monkeypatch, gt):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, ["a.npy"], [])
    error = refused(Typed(Side("p"), Side(gt)))
    assert error.problem == "1 file is prediction and truth at once"
    assert error.hint == "name another folder with --pred or --gt"


@pytest.mark.parametrize(
    ("preds", "gts", "remark"),
    [
        # one patient's predictions, another one's truths
        (named("patient1_{:03}.npy"), named("patient2_{:03}.png"), ""),
        (named("{:03}_fold1.npy"), named("{:03}_fold2.png"), ""),
        # parts of a data set that were never meant to pair
        (named("train_{:03}.npy"), named("val_{:03}.png"), ""),
        (named("pred_left_{:03}.npy"), named("mask_right_{:03}.png"), ""),
        # two annotators
        (named("{:03}_manual1.png"), named("{:03}_manual2.png"), ""),
        # numbers of different ranges
        (named("x{:03}.npy"), named("x{:03}.png", range(300, 500)), "start at 0, and those of the truths at 300"),
        # a single file on each side, of different cases
        (["1_a.npy"], ["2_a.png"], "start at 1, and those of the truths at 2"),
        (["pred_a_1.npy"], ["mask_b_1.png"], ""),
        # nothing in common
        (["cat.npy", "dog.npy"], ["car.png", "bus.png"], ""),
    ],
)  # fmt: skip
def test_no_cure_is_made_up(tmp_path, monkeypatch, preds, gts, remark):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, preds, gts)
    error = refused(Typed())
    assert error.hint == LIST_THEM
    assert remark in error.found


@pytest.mark.parametrize(
    ("preds", "gts", "remark"),
    [
        # zeros in front, of some numbers and of all, and with other words around
        (named("x{}.npy"), named("x{:03}.png"), "leading zeros, e.g. p/x0.npy and g/x000.png"),
        (named("x{:02}.npy", range(50)), named("x{:05}.png", range(50)), "leading zeros"),
        (named("pred_{}.npy"), named("mask_{:03}.png"), "leading zeros"),
        # capitals
        (named("IMG_{:03}.npy"), named("img_{:03}.png"), "case, e.g. p/IMG_000.npy and g/img_000.png"),
        # hyphens and underscores
        (named("x-{:03}.npy"), named("x_{:03}.png"), "separators"),
    ],
)  # fmt: skip
def test_names_that_are_only_spelled_otherwise_are_told_so(tmp_path, monkeypatch, preds, gts, remark):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, preds, gts)
    error = refused(Typed())
    assert f"the names differ in {remark}" in error.found
    assert error.hint == f"give them the same names, or {LIST_THEM}"


def test_numbers_that_start_at_0_and_at_1_are_not_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named("x{:03}.npy", range(200)), named("x{:03}.png", range(1, 201)))
    error = refused(Typed())
    assert "the numbers of the predictions start at 0, and those of the truths at 1" in error.found
    assert error.hint == LIST_THEM
    # Asked for, the pairs are made, and the doubt is not lost.
    found = pair_folders(Side("p"), Side("g"), allowed=Allowance("all"))
    assert len(found.pairs) == 199
    (note,) = found.notes
    assert note.startswith("the numbers of the predictions start at 0, and those of the truths at 1, so that")
    assert note.endswith(LIST_THEM)


@pytest.mark.parametrize("gts", [range(200), range(190), range(5, 195)])
def test_files_that_are_left_out_are_no_doubt_by_themselves(tmp_path, monkeypatch, gts):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named("x{:03}.npy", range(200)), named("x{:03}.png", gts))
    assert pair_folders(Side("p"), Side("g"), allowed=Allowance("all")).notes == ()


def test_the_doubt_is_told_unless_it_is_to_be_quiet(tmp_path, softdice):
    good(tmp_path, ["x1", "x2", "x3"])
    Path(tmp_path, "p/x3.npy").rename(tmp_path / "p/x0.npy")
    words = "warning: the numbers of the predictions start at 0, and those of the truths at 1"
    command = ("eval", "--pred", "p", "--gt", "g", "--allow-missing")
    run = softdice(*command)
    assert (run.code, words in run.err, words in run.out) == (0, True, False)
    assert softdice(*command, "--quiet").err == ""


@pytest.mark.parametrize(
    ("preds", "gts", "hint"),
    [
        # half of each side
        (range(200), range(100), ALLOW_MISSING.format(100)),
        (range(100), range(200), ALLOW_MISSING.format(100)),
        (range(190), range(10, 195), ALLOW_MISSING.format(15)),
        # less than half of one side
        (range(200), range(99), LIST_THEM),
        (range(99), range(200), LIST_THEM),
    ],
)
def test_to_leave_files_out_is_only_proposed_where_most_have_partners(tmp_path, monkeypatch, preds, gts, hint):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named("x{:03}.npy", preds), named("x{:03}.png", gts))
    assert refused(Typed()).hint == hint


def test_a_cure_for_nearly_all_files_leads_to_the_rest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named("x{:03}_prob.npy"), named("x{:03}.png", range(195)))
    error = refused(Typed())
    assert error.hint == "--pred-suffix _prob"
    assert refused(Typed().having(error.hint)).hint == ALLOW_MISSING.format(5)


def test_counts_and_first_names_are_told_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, named("x{:03}_prob.npy"), named("x{:03}.png"))
    error = refused(Typed())
    assert error.problem == "400 files without a partner: 200 of 200 predictions, 200 of 200 truths"
    assert error.found == (
        "p/x000_prob.npy has no truth; p/x001_prob.npy has no truth; p/x002_prob.npy has no truth; "
        "and 197 more predictions have none; g/x000.png has no prediction; g/x001.png has no prediction; "
        "g/x002.png has no prediction; and 197 more truths have none"
    )


@pytest.mark.parametrize(
    ("preds", "gts", "given", "said", "hint"),
    [
        # an empty side, and one that holds no data
        (["a.npy"], [], Typed(), "g holds no files", "name a folder or a pattern with the truths: --gt"),
        (["a.npy"], ["Thumbs.db"], Typed(), "g holds no data, but other files, e.g. g/Thumbs.db", "--gt"),
        (["a.npy"], ["s/b.txt"], Typed(), "g holds no data, but folders, e.g. s", "--gt"),
        ([], ["a.png"], Typed(), "p holds no files", "name a folder or a pattern with the predictions: --pred"),
        # a pattern that matches nothing, and one of a folder that is not there
        (["a.npy"], ["b.png"], Typed(gt=Side("g/*.tif")),
         "g/*.tif matches no file; g holds 1 file, e.g. g/b.png", "--gt"),
        (["a.npy"], [], Typed(gt=Side("h/*.tif")), "h/*.tif matches no file, and there is no folder h", "--gt"),
        # affixes that no file has
        (["a.npy"], ["b.png"], Typed(gt=Side("g", "_mask", "m_")),
         "none of the 1 file of g starts with 'm_' and ends with '_mask', e.g. g/b.png", "--gt"),
        # a name that is there twice cannot pair without its folders
        (["a.npy"], ["s/a.png", "t/a.png"], Typed(recursive=True),
         "sub-folders hold files of one name: g/s/a.png and g/t/a.png", LIST_THEM),
    ],
)  # fmt: skip
def test_what_a_side_holds_instead_is_said(tmp_path, monkeypatch, preds, gts, given, said, hint):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, preds, gts)
    error = refused(given)
    assert isinstance(error, PairingError)
    assert said in error.found
    assert hint in error.hint


@posix
def test_a_folder_that_cannot_be_listed_does_not_hide_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, ["a.npy"], ["s/a.png"])
    # A link to a folder around it, which only a proposal would enter.
    (tmp_path / "g/s/up").symlink_to(tmp_path / "g", target_is_directory=True)
    assert "1 file without a partner" in str(refused(Typed()))


@pytest.mark.parametrize(
    ("preds", "gts", "arguments"),
    [
        # as a user meets it: refused, typed, evaluated
        ("p/predicted_{}.npy", "g/mask_{}.npy", []),
        ("p/{}-prob.npy", "g/{} (mask).npy", []),
        ("p/{}.npy", "g/s/{}_mask.npy", []),
        # where it was allowed to leave files out
        ("p/predicted_{}.npy", "g/mask_{}.npy", ["--allow-missing"]),
    ],
)
def test_a_hint_is_typed_as_it_stands(softdice, tmp_path, preds, gts, arguments):
    names = ["001", "002", "003"]
    good(tmp_path, names)
    (tmp_path / "g/s").mkdir()
    for name in names:
        (tmp_path / f"p/{name}.npy").rename(tmp_path / preds.format(name))
        (tmp_path / f"g/{name}.npy").rename(tmp_path / gts.format(name))
    command = ["eval", "--pred", "p", "--gt", "g", *arguments]
    run = softdice(*command)
    assert (run.code, run.out) == (5 if arguments else 3, "")
    assert "allow-missing" not in run.err
    hint = run.err.splitlines()[-1].split("try", 1)[1].strip()
    assert softdice(*command, *shlex.split(hint)).code == 0
