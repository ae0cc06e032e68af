"""A results file outlives the version that wrote it: what is missing is older, and what is unknown is newer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace

import pytest
from folders import pairs_of, write

from softdice_cli import evaluate, restore, to_text
from softdice_cli.errors import UnreadableError
from softdice_cli.records import Failure, Run
from softdice_cli.records.merge import Part, merge
from softdice_cli.records.run import members
from softdice_cli.scores import summarize
from softdice_cli.version import __version__

NEW_METRIC = """
import sys
import softdice_cli.metrics as metrics
extra = metrics.Metric(
    name="invented", title="invented", formula="1 - precision", lower_is_better=True,
    numerator=lambda sums: sums.predicted - sums.true_positives, denominator=lambda sums: sums.predicted,
)
metrics.METRICS += (extra,)
metrics.PER_CLASS += (extra,)
metrics.BY_NAME["invented"] = extra
from softdice_cli.cli import main
main()
"""
"""The program with one more metric."""


def with_one_more_metric(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", NEW_METRIC, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def document(tmp_path):
    write(tmp_path, ("a", "b"))
    return json.loads(to_text(evaluate(pairs_of(tmp_path, ("a", "b"))), "json"))


def restored(document):
    return restore(json.dumps(document).encode(), "r.json")


def test_a_file_with_one_more_metric_is_newer_for_a_program_without_it(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    made = with_one_more_metric(tmp_path, "eval", "--pred", "p", "--gt", "g", "--format", "json", "-o", "more.json")
    assert (made.returncode, made.stderr) == (0, "")
    assert "invented" in json.loads((tmp_path / "more.json").read_text())["pooled"]["classes"][0]
    run = softdice("show", "more.json")
    assert (run.code, run.out) == (3, "")
    assert (
        f"more.json: is newer than this softdice: it holds 'pooled.invented', which softdice {__version__}" in run.err
    )
    assert "pip install -U softdice-cli" in run.err
    assert "changed by hand" not in run.err


def test_a_file_without_a_metric_is_older_for_a_program_that_has_it(softdice, tmp_path):
    write(tmp_path, ("a", "b"))
    assert softdice("eval", "--pred", "p", "--gt", "g", "--format", "json", "-o", "less.json").code == 0
    shown = with_one_more_metric(tmp_path, "show", "less.json", "--format", "json")
    assert (shown.returncode, shown.stderr) == (0, "")
    classes = json.loads(shown.stdout)["pooled"]["classes"]
    assert [entry["invented"] for entry in classes] == pytest.approx([1 - entry["precision"] for entry in classes])
    gate = ("--require", "invented<=0.999", "--baseline", "less.json", "--max-drop", "invented=0")
    judged = with_one_more_metric(tmp_path, "show", "less.json", *gate)
    assert (judged.returncode, judged.stderr) == (0, "")
    compared = with_one_more_metric(tmp_path, "compare", "less.json", "less.json")
    assert compared.returncode == 0


@pytest.mark.parametrize("average", ["pooled", "image_mean"])
@pytest.mark.parametrize("metric", ["specificity", "dice"])
def test_a_score_that_is_missing_is_older_and_not_forged(document, average, metric):
    expected = restored(document)
    for entry in document[average]["classes"]:
        del entry[metric]
    document[average].pop("accuracy")
    document[average].pop("spread", None)
    assert restored(document) == expected


@pytest.mark.parametrize("option", ["scale", "threshold", "colors", "ignore", "normalized", "empty"])
def test_an_option_that_is_missing_has_the_meaning_that_it_had_then(document, option):
    expected = restored(document)
    del document["settings"][option]
    assert restored(document) == expected


def test_every_option_has_a_meaning_for_files_that_are_older(document):
    """An option that is added to the settings needs an entry in the table of what it meant before."""
    document["settings"] = {}
    assert restored(document).settings.signature == document["signature"]


@pytest.mark.parametrize(
    ("place", "member"),
    [
        ((), "invented"),
        (("settings",), "invented"),
        (("classes", 0), "color"),
        (("pooled",), "hd95"),
        (("pooled", "classes", 0), "hd95"),
        (("image_mean", "foreground"), "hd95"),
        (("image_mean", "classes", 1, "spread"), "hd95"),
        (("images", 0), "group"),
        (("images", 0, "sums"), "surface"),
        (("images", 0, "classes", 2), "hd95"),
    ],
)
def test_a_member_that_is_unknown_is_named_and_the_file_is_newer(document, place, member):
    entry = document
    for part in place:
        entry = entry[part]
    entry[member] = 1
    document["softdice"] = "9.1.0"
    with pytest.raises(UnreadableError) as caught:
        restored(document)
    assert caught.value.problem.startswith("is newer than this softdice: it holds ")
    assert f"{member}'" in caught.value.problem
    assert caught.value.found.endswith(f"{member}', written by softdice 9.1.0")
    assert __version__ in caught.value.problem


def test_a_failure_and_a_shard_with_more_members_are_newer(document):
    failure = dict.fromkeys(("id", "pred", "gt", "error", "expected", "found", "hint"), "x")
    for name, value in (
        ("failures", [{**failure, "code": "x"}]),
        ("shard", {"index": 1, "count": 2, "pairs": 4, "run": "r", "node": "x"}),
    ):
        with pytest.raises(UnreadableError, match="newer than this softdice"):
            restored({**document, name: value})


def test_a_newer_version_of_the_format_says_so(document):
    document["version"] = 3
    document["softdice"] = "9.1.0"
    with pytest.raises(UnreadableError) as caught:
        restored(document)
    assert caught.value.problem == "is newer than this softdice: it has version 3 of the results format"
    assert caught.value.found == "a file of softdice 9.1.0"


def test_the_version_that_counted_stays_in_a_file_that_is_saved_again(document):
    document["softdice"] = "7.0.0"
    assert json.loads(to_text(restored(document), "json"))["softdice"] == "7.0.0"


def test_every_text_about_a_run_is_saved_and_merged(document):
    """A field of `Run` that says something about the run needs no other place than the record."""
    texts = members()
    assert "software" in texts
    run = replace(restored(document).run, **{name: f"7.0.0 {name}" for name in texts})
    results = summarize(run)
    saved = json.loads(to_text(results, "json"))
    assert [saved[member.name] for member in texts.values()] == [f"7.0.0 {name}" for name in texts]
    assert restored(saved).run == run
    other = replace(run, rows=(), failures=(Failure("z", "p", "m", "no", "", "", ""),))
    for field in fields(Run):
        if field.name in texts:
            merged = merge([Part("1", run), Part("2", other)])
            assert getattr(merged, field.name) == texts[field.name].joined([getattr(run, field.name)] * 2)
    for member in texts.values():
        del saved[member.name]
    assert [getattr(restored(saved).run, name) for name in texts] == [member.missing for member in texts.values()]
