"""The same bytes for workers, batches, devices and shards; what merge puts together, and what it refuses."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from folders import NAMES, broken, eval_, pairs_of, saved, write

from softdice_cli import ClassDef, Settings, Shard, SoftdiceError, evaluate, restore, to_text
from softdice_cli.records.merge import Part, merge
from softdice_cli.scores import summarize


def test_the_same_bytes_for_workers_batches_and_devices(softdice, tmp_path):
    broken(tmp_path)
    ways = [
        *(("--workers", workers) for workers in (1, 2, 4)),
        *(("--device", "torch:cpu", "--batch-size", size, "--workers", 2) for size in (1, 3)),
        ("--device", "torch:cpu"),
    ]
    runs = [softdice(*eval_("--format", "json", "--allow-missing", *way)) for way in ways]
    assert {run.code for run in runs} == {3}
    assert len({run.out for run in runs}) == 1
    assert len(json.loads(runs[0].out)["images"]) == len(NAMES) + 2


@pytest.mark.parametrize("make", [write, broken])
def test_shards_merge_to_the_single_run_in_every_order(softdice, tmp_path, make):
    make(tmp_path)
    whole = softdice(*eval_("--format", "json", "--allow-missing"))
    shards = []
    for index in (1, 2, 3):
        run = softdice(*eval_("--format", "json", "--allow-missing", "--shard", f"{index}/3", "-o", f"{index}.json"))
        assert run.code in (0, 3)
        shards.append(f"{index}.json")
    for order in itertools.permutations(shards):
        run = softdice("merge", *order)
        assert (run.code, run.out) == (whole.code, whole.out)
    table = softdice(*eval_("--allow-missing"))
    assert softdice("merge", *shards, "--format", "table").out == table.out


def test_a_shard_takes_every_nth_pair_of_the_sorted_list(softdice, tmp_path):
    write(tmp_path)
    run = softdice(*eval_("--format", "json", "--shard", "2/4"))
    document = json.loads(run.out)
    assert [image["id"] for image in document["images"]] == ["i9", "k"]  # of i8 i9 i10 i11 i100 k
    digest = hashlib.sha256(b"i8\ni9\ni10\ni11\ni100\nk").hexdigest()[:16]
    assert {**document["shard"], "files": ""} == {"index": 2, "count": 4, "pairs": 6, "run": digest, "files": ""}
    assert "(shard 2 of 4)" in softdice(*eval_("--shard", "2/4")).out


def test_an_empty_shard_is_no_success_and_is_not_asked_for(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    whole = softdice(*eval_("--format", "json"))
    codes = [softdice(*eval_("--format", "json", "--shard", f"{i}/3", "-o", f"{i}.json")).code for i in (1, 2, 3)]
    assert codes == [0, 0, 5]
    assert not (tmp_path / "3.json").exists()
    assert softdice("merge", "1.json", "2.json").out == whole.out


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/3/5", "1.0/3"])
def test_what_is_no_shard(softdice, tmp_path, text):
    write(tmp_path, ("a",))
    run = softdice(*eval_("--shard", text))
    assert (run.code, run.out) == (2, "")


def merged(*results):
    parts = [Part(f"{index}.json", entry.run) for index, entry in enumerate(results)]
    return summarize(merge(parts))


def resharded(results, shard: Shard):
    return replace(results, run=replace(results.run, shard=shard))


def shards(folder: Path, count: int = 3, names: tuple[str, ...] = NAMES, **options):
    pairs = pairs_of(folder, names)
    return [
        evaluate(
            pairs[index::count],
            shard=Shard(index + 1, count, len(pairs), "+".join(pair.id for pair in pairs), "contents"),
            workers=1,
            **options,
        )
        for index in range(count)
    ]


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        # one shard twice
        (lambda s, whole, other: [s[0], s[1], s[2], s[1]], "which 1.json holds too"),
        # a whole run twice
        (lambda s, whole, other: [whole, whole], "which 0.json holds too"),
        # a shard that is missing, wherever it lies
        (lambda s, whole, other: [s[0], s[1]], "shard 3 of 3 is missing"),
        (lambda s, whole, other: [s[2]], "shards 1, 2 of 3 are missing"),
        # a whole run among shards
        (lambda s, whole, other: [*s, replace(whole, run=replace(whole.run, rows=()))], "not the shards of one run"),
        # shards of another count
        (lambda s, whole, other: [s[0], s[1], resharded(s[2], Shard(3, 4, 6, "run"))], "not the shards of one run"),
        # shards of another number of pairs
        (lambda s, whole, other: [s[0], s[1], resharded(s[2], Shard(3, 3, 7, "run"))], "not the shards of one run"),
        # another signature
        (lambda s, whole, other: [whole, other["eps"]], "another signature than 0.json"),
        (lambda s, whole, other: [other["ignore"], whole], "another signature than 0.json"),
        # other names for the same labels
        (lambda s, whole, other: [whole, other["names"]], "other classes than 0.json"),
        # nothing
        (lambda s, whole, other: [], "nothing to merge"),
    ],
)  # fmt: skip
def test_merge_refuses(tmp_path, choose, said):
    write(tmp_path)
    write(tmp_path / "other", ("x", "y"))
    pairs = pairs_of(tmp_path / "other", ("x", "y"))
    other = {
        "eps": evaluate(pairs, settings=Settings(eps=1.0)),
        "ignore": evaluate(pairs, settings=Settings(ignore=(255,))),
        "names": evaluate(pairs, settings=Settings(classes=tuple(ClassDef(f"c{i}", i) for i in range(3)))),
    }
    with pytest.raises(SoftdiceError) as caught:
        merged(*choose(shards(tmp_path), evaluate(pairs_of(tmp_path)), other))
    assert said in str(caught.value)


def test_merge_refuses_shards_of_runs_over_other_pairs(tmp_path):
    write(tmp_path, ("a", "b"))
    write(tmp_path / "other", ("x", "y"))
    with pytest.raises(SoftdiceError):
        merged(shards(tmp_path, 2, ("a", "b"))[0], shards(tmp_path / "other", 2, ("x", "y"))[1])


def test_separate_runs_merge_to_the_run_over_all(tmp_path):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    parts = pairs[4:], pairs[:2], pairs[2:4]
    assert merged(*(evaluate(part, label="m") for part in parts)) == evaluate(pairs, label="m")
    # Nothing but a name tells that they are of one model.
    unnamed = merged(*map(evaluate, parts))
    assert unnamed.run.unchecked == "whether the separate runs are of one model: they have no label"
    assert unnamed.images == evaluate(pairs).images


def test_the_order_of_separate_runs_with_left_out_files_does_not_matter(tmp_path):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    one, two = evaluate(pairs[:2], left_out=["a9 has no truth"]), evaluate(pairs[2:], left_out=["a10 has no truth"])
    assert to_text(merged(one, two), "json") == to_text(merged(two, one), "json")


def test_a_shard_of_which_all_pairs_failed_merges(tmp_path):
    write(tmp_path)
    for name in NAMES[::3]:
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    parts = shards(tmp_path)
    assert not parts[0].settings.classes
    for order in itertools.permutations(parts):
        assert merged(*order) == evaluate(pairs_of(tmp_path))


def test_merge_reads_files_and_standard_input(softdice, tmp_path):
    write(tmp_path)
    one, two = shards(tmp_path, 2)
    saved(tmp_path / "1.json", one)
    run = softdice("merge", "-", "1.json", stdin=to_text(two, "json").encode())
    assert run.code == 0
    assert run.out == to_text(evaluate(pairs_of(tmp_path)), "json")
    assert softdice("merge", "1.json", "nope.json").code == 3
    assert softdice("merge").code == 2


def test_parts_of_which_all_pairs_failed_merge_to_a_run_without_classes(tmp_path):
    write(tmp_path)
    for name in NAMES:
        (tmp_path / f"p/{name}.npy").write_bytes(b"")
    whole = merged(*shards(tmp_path))
    assert whole.settings.classes == ()
    assert [failure.id for failure in whole.failures] == sorted(NAMES)
    with pytest.raises(SoftdiceError, match=r"0\.json: shard 1 of 3, 6 pairs"):
        merged(shards(tmp_path)[0], shards(tmp_path, 2)[1])


SHARD = ("--format", "json", "--label", "m", "--shard")


def two_shards(softdice, folder, *, change=lambda: None, labels=("m", "m")) -> tuple[str, str]:
    """The files of two shards; in between, something changes."""
    write(folder)
    assert softdice(*eval_(*SHARD, "1/2", "--label", labels[0], "-o", "1.json")).code == 0
    change()
    assert softdice(*eval_(*SHARD, "2/2", "--label", labels[1], "-o", "2.json")).code == 0
    return "1.json", "2.json"


def rewritten(path: Path) -> None:
    """The last value of an .npy is the greatest that is still below it."""
    values = np.load(path)
    values[-1, -1, -1] = np.nextafter(values[-1, -1, -1], np.float32(0))
    np.save(path, values)


@pytest.mark.parametrize("file", ["p/i8.npy", "p/i9.npy"])
def test_shards_of_two_models_are_refused(softdice, tmp_path, file):
    """Also where the changed file is of a pair that the other shard evaluated."""
    parts = two_shards(softdice, tmp_path, change=lambda: rewritten(tmp_path / file))
    run = softdice("merge", *parts, "--fail-under", "0.1")
    assert (run.code, run.out) == (3, "")
    assert "2.json: is a shard of another run than 1.json: its files have other contents" in run.err
    assert "--shard 1/2 and --shard 2/2" in run.err


def test_a_mask_that_changed_makes_another_run(softdice, tmp_path):
    def change() -> None:
        shutil.copy(tmp_path / "g/i8.png", tmp_path / "g/i10.png")

    assert "its files have other contents" in softdice("merge", *two_shards(softdice, tmp_path, change=change)).err


def test_shards_of_other_ids_are_refused(softdice, tmp_path):
    def change() -> None:
        for file in ("p/k.npy", "g/k.png"):
            (tmp_path / file).rename(tmp_path / file.replace("k", "l"))

    run = softdice("merge", *two_shards(softdice, tmp_path, change=change))
    assert "2.json: is a shard of another run than 1.json: its files have other ids" in run.err


def test_the_same_files_elsewhere_and_at_another_time_are_the_same_run(softdice, tmp_path):
    def change() -> None:
        for side in "pg":
            shutil.copytree(tmp_path / side, tmp_path / f"elsewhere/{side}", copy_function=shutil.copyfile)

    first, _ = two_shards(softdice, tmp_path, change=change)
    moved = ("eval", "--pred", "elsewhere/p", "--gt", "elsewhere/g", *SHARD, "2/2", "-o", "2.json")
    assert softdice(*moved).code == 0
    run = softdice("merge", first, "2.json")
    assert (run.code, run.err) == (0, "")
    assert "unchecked" not in json.loads(run.out)


@pytest.mark.parametrize("labels", [("a", "b"), ("a\x1b[31m", "a")])
def test_parts_of_two_labels_are_refused(softdice, tmp_path, labels):
    run = softdice("merge", *two_shards(softdice, tmp_path, labels=labels))
    assert (run.code, run.out) == (3, "")
    assert "2.json: has another label than 1.json" in run.err
    assert "\x1b" not in run.err


def test_a_part_with_a_label_and_one_without_are_refused(tmp_path):
    write(tmp_path)
    pairs = pairs_of(tmp_path)
    with pytest.raises(SoftdiceError) as caught:
        merged(evaluate(pairs[:2]), evaluate(pairs[2:], label="m"))
    assert (caught.value.expected, caught.value.found) == ("no label", "the label 'm'")


def test_the_label_is_kept_and_shown(softdice, tmp_path):
    parts = two_shards(softdice, tmp_path)
    softdice("merge", *parts, "-o", "m.json")
    assert json.loads((tmp_path / "m.json").read_text())["label"] == "m"
    assert softdice("show", "m.json").out.splitlines()[-1] == "label: m"
    for output in ("markdown", "github", "junit"):
        assert "label" in softdice("show", "m.json", "--format", output).out
    whole = softdice(*eval_("--format", "json", "--label", "m"))
    assert (tmp_path / "m.json").read_text() == whole.out


@pytest.mark.parametrize("label", ["", " \t"])
def test_a_blank_label_is_a_variable_that_is_not_set(softdice, tmp_path, label):
    write(tmp_path, ("a",))
    run = softdice(*eval_("--label", label))
    assert (run.code, run.out) == (2, "")
    assert "--label is blank" in run.err


def test_what_a_merge_could_not_check_is_said_for_good(softdice, tmp_path):
    write(tmp_path)
    for name, part in zip(("1.json", "2.json"), shards(tmp_path, 2), strict=True):
        # As a program makes them that gives a shard itself.
        saved(tmp_path / name, resharded(part, replace(part.shard, files="")))
    said = "merge could not check whether all shards are of the same files: 2 of 2 hold no fingerprint of them"
    run = softdice("merge", "1.json", "2.json", "-o", "m.json")
    assert run.code == 0
    assert said in run.err
    assert said in softdice("show", "m.json").err
    assert said in softdice("show", "m.json", "--format", "markdown").out.replace("`", "")
    # As a part of another merge, it keeps what it did not check.
    names = ("x",)
    write(tmp_path / "other", names)
    again = merged(restore((tmp_path / "m.json").read_bytes(), "m"), evaluate(pairs_of(tmp_path / "other", names)))
    assert again.run.unchecked.count("whether") == 2


def test_shards_of_two_arrays_of_one_file_are_refused(softdice, tmp_path):
    """The keys are not in the signature."""
    write(tmp_path)
    for path in sorted((tmp_path / "p").iterdir()):
        values = np.load(path)
        np.savez(path.with_suffix(".npz"), a=values, b=values[::-1])
        path.unlink()
    for part, key in (("1", "a"), ("2", "b")):
        shard = ("--shard", f"{part}/2", "--key", key, "--format", "json", "-o", f"{part}.json")
        assert softdice(*eval_(*shard)).code == 0
    run = softdice("merge", "1.json", "2.json")
    assert (run.code, run.out) == (3, "")
    assert "--key" in run.err


def test_a_shard_is_never_no_worse(softdice, tmp_path):
    """In the other shard everything may have fallen."""
    write(tmp_path)
    assert softdice(*eval_("--shard", "1/2", "--format", "json", "-o", "1.json")).code == 0
    run = softdice("compare", "1.json", "1.json", "--fail-if-worse")
    assert run.code == 1
    assert "A is shard 1 of 2, not the whole run" in run.err
