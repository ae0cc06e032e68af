"""Files that softdice 0.1.0 wrote are read for good: results of every kind, as parts and as baselines.

``version1/`` holds them as they were written. They are never written again.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from folders import write

from softdice_cli import restore, to_text
from softdice_cli.errors import UnreadableError

FROZEN = Path(__file__).parent / "version1"
KINDS = (
    "all-failed",
    "colours",
    "failures",
    "intervals",
    "label-maps",
    "one-class",
    "options",
    "shard-1",
    "shard-2",
    "shard-3",
    "sigmoid",
    "whole",
)


def read(kind: str):
    return restore((FROZEN / f"{kind}.json").read_bytes(), kind)


def known(claimed, computed, where: str = "") -> None:
    """Every score of the old file is in the new one, to the last digit."""
    if isinstance(claimed, dict):
        for name, value in claimed.items():
            known(value, computed[name], f"{where}.{name}")
    elif isinstance(claimed, list):
        assert len(claimed) == len(computed), where
        for old, new in zip(claimed, computed, strict=True):
            known(old, new, where)
    else:
        assert claimed == computed, where


def test_every_kind_is_there():
    assert sorted(path.stem for path in FROZEN.glob("*.json")) == sorted(KINDS)
    assert {json.loads((FROZEN / f"{kind}.json").read_text())["version"] for kind in KINDS} == {1}


@pytest.mark.parametrize("kind", KINDS)
def test_the_scores_of_an_old_file_are_those_that_it_claims(kind):
    old = json.loads((FROZEN / f"{kind}.json").read_text())
    new = json.loads(to_text(read(kind), "json"))
    assert (new["version"], new["softdice"]) == (2, "0.1.0")
    # A later version may say more about the settings, but nothing else.
    assert {**new["settings"], **old["settings"]} == new["settings"]
    for member in ("signature", "classes", "complete", "shard", "left_out", "failures"):
        assert new[member] == old[member]
    for average in ("pooled", "image_mean"):
        summary = old[average]
        for means, again in ((summary, new[average]), (summary["foreground"], new[average]["foreground"])):
            if means is not None:
                assert again["defined"]["dice"] == means.pop("dice_classes")
        for entry, again in zip(summary["classes"], new[average]["classes"], strict=True):
            counts = {"defined": "dice", "precision_defined": "precision", "recall_defined": "recall"}
            for name, metric in counts.items():
                if name in entry:
                    assert again["defined"][metric] == entry.pop(name)
        known(summary, new[average], average)
    known(old["images"], new["images"], "images")


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_file_that_is_saved_again_is_the_same(kind):
    text = to_text(read(kind), "json")
    assert to_text(restore(text.encode(), kind), "json") == text


def test_old_shards_merge_to_the_old_whole(softdice):
    run = softdice("merge", *(FROZEN / f"shard-{index}.json" for index in (3, 1, 2)))
    assert run.code == 0
    whole = read("whole")
    said = "whether all shards are of the same files: 3 of 3 hold no fingerprint of them"
    assert run.out == to_text(replace(whole, run=replace(whole.run, unchecked=said)), "json")
    assert said in run.err


def test_old_files_are_compared_and_used_as_baselines(softdice):
    whole, other = FROZEN / "whole.json", FROZEN / "intervals.json"
    assert softdice("compare", whole, other, "--fail-if-worse").code == 0
    assert softdice("show", whole, "--baseline", other, "--max-drop", "0").code == 0
    assert "softdice:1|classes:3" in softdice("show", whole).out


def test_an_old_file_that_decides_is_worth_a_warning(softdice):
    """It has no digest, which matters where an exit code depends on it."""
    whole, said = FROZEN / "whole.json", "softdice 0.1.0, whose files have no digest"
    assert said not in softdice("show", whole).err
    assert said not in softdice("compare", whole, whole).err
    for command in (
        ("show", whole, "--fail-under", "0.1"),
        ("merge", whole, "--fail-under", "0.1", "--format", "table"),
        ("show", whole, "--baseline", whole, "--max-drop", "0"),
        ("compare", whole, whole, "--fail-if-worse"),
    ):
        run = softdice(*command)
        assert (run.code, said in run.err) == (0, True), command


def test_an_old_and_a_new_file_are_compared_and_merged(softdice, tmp_path):
    """The version that wrote a file need not be the same: the signature says what the numbers mean."""
    write(tmp_path, ("a", "b", "c", "d", "e"))
    assert softdice("eval", "--pred", "p", "--gt", "g", "--format", "json", "-o", "new.json").code == 0
    assert softdice("compare", FROZEN / "whole.json", "new.json").code == 0
    assert softdice("show", "new.json", "--baseline", FROZEN / "whole.json", "--max-drop", "0").code == 0
    softdice("eval", "--pred", "p", "--gt", "g", "--shard", "3/3", "--format", "json", "-o", "3.json")
    run = softdice("merge", FROZEN / "shard-1.json", FROZEN / "shard-2.json", "3.json")
    assert run.code == 0
    assert json.loads(run.out)["softdice"] == f"0.1.0, {json.loads((tmp_path / 'new.json').read_text())['softdice']}"


def test_an_old_journal_is_refused(softdice, tmp_path):
    """Its stamps are size and time only, and its lines have no checksums."""
    write(tmp_path, ("a", "b", "c", "d", "e"))
    (tmp_path / "j").write_bytes((FROZEN / "run.journal").read_bytes())
    run = softdice("eval", "--pred", "p", "--gt", "g", "--journal", "j")
    assert (run.code, run.out) == (3, "")
    for text in ("j: was made by an older softdice", "found     version 1", "remove the journal to begin again"):
        assert text in run.err


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        # what was changed by hand is still found, and the first member that differs is named with both values
        (("pooled", "classes", 1, "dice"), 0.99, "pooled.classes[1].dice is 0.99, and its sums give 0.386363636363"),
        (("image_mean", "classes", 0, "defined"), 4, "image_mean.classes[0].defined.dice is 4, and its sums give 5"),
        (("pooled", "dice_classes"), 1, "pooled.defined.dice is 1, and its sums give 3"),
        # version 1 is complete: a member that it does not know is not of it
        (("pooled", "classes", 0, "hd95"), 1.5, "holds 'pooled.classes[0].hd95', which softdice 0.1.0 never wrote"),
    ],
)  # fmt: skip
def test_an_old_file_is_held_to_its_sums(path, value, said):
    document = json.loads((FROZEN / "whole.json").read_text())
    *inner, last = path
    place = document
    for part in inner:
        place = place[part]
    place[last] = value
    with pytest.raises(UnreadableError) as caught:
        restore(json.dumps(document).encode(), "old.json")
    assert said in str(caught.value)
