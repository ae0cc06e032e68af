"""Regions and confusion in saved results: files, shards that are merged, and what was changed by hand."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
from builders import confused_row, summarized
from folders import saved

from softdice_cli import restore, to_text
from softdice_cli.errors import UnreadableError
from softdice_cli.records import ClassDef, Region, Results, Settings
from softdice_cli.records.merge import Part, merge
from softdice_cli.scores import summarize

CLASSES = tuple(ClassDef(name, place) for place, name in enumerate(("background", "edema", "core")))
BRAIN = Settings(classes=CLASSES, regions=(Region("WT", ("edema", "core")), Region("C", ("core",))))
MEMBERS = ((1, 2), (2,))
MATRICES = (
    ((5, 1, 0), (2, 6, 1), (0, 0, 3)),
    ((7, 0, 0), (0, 4, 0), (1, 2, 0)),
    ((1, 0, 9), (0, 0, 0), (0, 1, 5)),
)


def made(*places: int) -> Results:
    """A run of some images; all of them are of one model."""
    results = summarized(BRAIN, [confused_row(f"i{place}", MATRICES[place], MEMBERS) for place in places])
    return replace(results, run=replace(results.run, label="model 7"))


def test_parts_merge_to_the_bytes_of_the_whole_in_every_order():
    whole = to_text(made(0, 1, 2), "json")
    parts = [restore(to_text(made(place), "json").encode(), f"{place}.json").run for place in range(3)]
    for order in itertools.permutations(parts):
        merged = merge([Part(f"{place}.json", part) for place, part in enumerate(order)])
        assert to_text(summarize(merged), "json") == whole


def test_the_commands_know_them_by_name(softdice, tmp_path):
    saved(tmp_path / "a.json", made(0, 1))
    saved(tmp_path / "b.json", made(2))
    saved(tmp_path / "whole.json", made(0, 1, 2))
    merged = softdice("merge", "a.json", "b.json", "-o", "m.json")
    assert (merged.code, merged.err) == (0, "")
    assert (tmp_path / "m.json").read_text() == (tmp_path / "whole.json").read_text()
    assert softdice("show", "m.json", "--format", "json").out == (tmp_path / "m.json").read_text()
    # hit are 10 + 6 + 6 of 11 + 6 + 15 pixels, and 12 + 7 + 6 are predicted
    judged = softdice("show", "m.json", "--require", f"dice[WT]>={2 * 22 / 57!r}", "--require", "dice[C]>=0.9")
    assert judged.code == 1
    assert "dice[WT]" not in judged.err
    assert "not met: dice[C]>=0.9" in judged.err
    assert softdice("show", "m.json", "--require", "dice[ET]>0").err.count("no class or region 'ET'") == 1
    dropped = softdice("show", "m.json", "--baseline", "whole.json", "--max-drop", "dice[WT]=0")
    assert dropped.code == 0
    compared = softdice("compare", "m.json", "whole.json", "--format", "csv")
    assert compared.code == 0
    assert "dice,pooled,region,WT," in compared.out
    assert "dice,image_mean,region_mean,region mean," in compared.out
    columns = softdice("show", "m.json", "--format", "csv-confusion").out.splitlines()
    assert columns[0] == "predicted,truth,pixels,error"
    assert "background,core,9," in columns


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("pooled", "regions", 0, "dice"), 0.99, "pooled.regions[0].dice is 0.99"),
        (("image_mean", "region_mean", "dice"), 0.99, "image_mean.region_mean.dice is 0.99"),
        (("images", 0, "regions", 1, "dice"), 0.01, "images[i0].regions[1].dice is 0.01"),
        (("confusion", 0, 1), 7, "confusion[0][1] is 7"),
        # the sums, of which the scores are no longer those; and counts that cannot be
        (("images", 0, "region_sums", "predicted", 0), 11, "pooled.region_mean.dice is "),
        (("images", 0, "region_sums", "predicted", 0), 5, "the counts of image 'i0' contradict each other"),
        (("images", 0, "confusion", 0, 2), 2, "the confusion of image 'i0' contradicts the counts of its classes"),
    ],
)
def test_what_was_changed_by_hand_is_found(path, value, found):
    document = json.loads(to_text(made(0, 1), "json"))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(UnreadableError) as caught:
        restore(json.dumps(document).encode(), "r.json")
    assert found in f"{caught.value.problem} {caught.value.found}"
