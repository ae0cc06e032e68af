"""``--ci``: the intervals of `comparison` in every output that shows them, and none where they were not asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from builders import signed
from folders import eval_, pairs_of, write

from softdice_cli import ClassDef, Results, Settings, evaluate, restore, to_text
from softdice_cli.comparison import intervals, kinds_of
from softdice_cli.records.intervals import Interval, ScoreInterval
from softdice_cli.render import Page
from softdice_cli.render.table import table_text

NAMED = Settings(classes=tuple(ClassDef(name, index) for index, name in enumerate(("sky", "tree", "pole"))))
SHOWN = (("dice", "pooled"), ("loss", "pooled"), ("dice", "image_mean"))
TITLE = "95 % intervals (bootstrap over 6 images)"


@pytest.fixture
def results(tmp_path) -> Results:
    """Six images of three classes, in the folders that the command line reads as well."""
    write(tmp_path)
    return evaluate(pairs_of(tmp_path), settings=NAMED)


def named(*extra: object) -> tuple[object, ...]:
    """The command that gives `results`."""
    classes = [part for name in ("sky", "tree", "pole") for part in ("--class", name)]
    return eval_(*classes, *extra)


def entries(results: Results) -> list[dict[str, object]]:
    """What stands in a file, written out once more."""
    return [
        {
            "metric": entry.metric,
            "average": entry.average,
            "scope": entry.scope,
            "name": entry.name,
            "value": entry.value,
            "interval": entry.interval
            and {"low": entry.interval.low, "high": entry.interval.high, "resamples": entry.interval.resamples},
        }
        for entry in intervals(results)
    ]


def block(table: str, title: str = TITLE) -> str:
    """The block of the intervals, without its title; what follows the means is another block."""
    return table.split(title + "\n")[1].split("\n\nmost often ")[0].split("\nsoftdice:1")[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
def test_json_has_the_intervals_of_the_comparison_and_follows_the_schema(softdice, results):
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(softdice("schema").out))
    document = json.loads(softdice(*named("--format", "json", "--ci")).out)
    assert [error.message for error in validator.iter_errors(document)] == []
    assert document["intervals"] == entries(results)
    assert len(document["intervals"]) == len(kinds_of()) * 5
    assert all(entry["interval"]["low"] <= entry["value"] <= entry["interval"]["high"]
               for entry in document["intervals"] if entry["metric"] == "soft_dice")  # fmt: skip
    names = list(document)
    assert names[names.index("image_mean") :][:4] == ["image_mean", "intervals", "confusion", "images"]
    for broken in ([], [{}], [{**document["intervals"][0], "interval": {"low": 0.0}}]):
        assert not validator.is_valid({**document, "intervals": broken})


def test_jsonl_has_them_in_its_summary(softdice, results):
    *rows, summary = map(json.loads, softdice(*named("--format", "jsonl", "--ci")).out.splitlines())
    assert summary["intervals"] == entries(results)
    names = list(summary)
    assert names[names.index("image_mean") :][:2] == ["image_mean", "intervals"]
    assert not any("intervals" in row for row in rows)


def test_the_table_shows_a_row_for_each_class_and_mean(softdice, results):
    run = softdice(*named("--ci"))
    assert (run.code, run.err) == (0, "")
    shown = block(run.out)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.splitlines()[0].split("  ")[0] == "class"
    assert all(title in shown.splitlines()[0] for title in ("pooled hard Dice", "pooled loss", "image-mean hard Dice"))
    of = {(entry.name, entry.metric, entry.average): entry for entry in intervals(results)}
    short = {"foreground mean": "fg mean"}
    for name in ("sky", "tree", "pole", "mean", "foreground mean"):
        cells = [of[name, *kind] for kind in SHOWN]
        texts = [f"{cell.value:.4f} [{cell.interval.low:.4f}, {cell.interval.high:.4f}]" for cell in cells]
        (line,) = [line for line in shown.splitlines() if line.startswith(short.get(name, name) + " ")]
        assert line.removeprefix(short.get(name, name)).split() == " ".join(texts).split()


@pytest.mark.parametrize("width", [None, 80, 100, 60])
@pytest.mark.parametrize("unicode", [True, False])
def test_cells_stand_above_each_other_where_a_line_is_too_short(results, width, unicode):
    wide = replace(results, intervals=tuple(replace(e, value=10.8198, interval=Interval(10.1234, 11.2345, 99))
                                            for e in intervals(results)))  # fmt: skip
    shown = block(table_text(wide, Page(width=width, unicode=unicode)))
    one_line = width == 100  # three cells of 26 need 88 columns
    assert ("10.8198 [10.1234, 11.2345]" in shown) is one_line
    assert (shown.count("10.8198"), shown.count("[10.1234, 11.2345]")) == (15, 15)
    assert max(map(len, shown.splitlines())) <= (width or 80) or width == 60
    assert shown.isascii() is not unicode


def test_an_undefined_score_is_a_dash(results):
    undefined = tuple(ScoreInterval(e.metric, e.average, e.scope, e.name, None, None) for e in intervals(results))
    rows = block(table_text(replace(results, intervals=undefined), Page())).splitlines()[2:]
    assert [line.split()[-3:] for line in rows if line] == [["–"] * 3] * 5


@pytest.mark.parametrize("format", ["table", "json", "jsonl"])
def test_one_image_has_no_interval(softdice, tmp_path, format):
    write(tmp_path, ("a",), classes=1)
    run = softdice(*eval_("--format", format, "--ci"))
    assert run.code == 0
    if format == "table":
        shown = block(run.out, "95 % intervals (bootstrap over 1 image)").splitlines()
        assert len(shown) == 3  # a single class is its own mean
        assert shown[2].split()[0] == "foreground"
        assert [part for part in shown[2].split()[1:] if part == "–"] == ["–"] * 3
        assert "[" not in shown[2]
        return
    document = json.loads(run.out.splitlines()[-1] if format == "jsonl" else run.out)
    assert [entry["interval"] for entry in document["intervals"]] == [None] * len(kinds_of()) * 2
    assert all(entry["value"] is not None for entry in document["intervals"])


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv"])
def test_show_and_merge_give_the_bytes_that_eval_gave(softdice, results, format):
    expected = softdice(*named("--format", format, "--ci"))
    assert (expected.code, expected.err) == (0, "")
    for number in (1, 2):
        softdice(*named("--format", "json", "--shard", f"{number}/2", "-o", f"{number}.json"))
    for options in ([], ["--ci"]):  # intervals in a file change nothing
        softdice(*named("--format", "json", "-o", "r.json", *options))
        shown = softdice("show", "r.json", "--format", format, "--ci")
        assert (shown.code, shown.out, shown.err) == (0, expected.out, "")
    merged = softdice("merge", "1.json", "2.json", "--format", format, "--ci")
    assert (merged.code, merged.out, merged.err) == (0, expected.out, "")


@pytest.mark.parametrize("format", ["table", "json", "jsonl"])
def test_only_where_they_are_asked_for(softdice, results, format):
    softdice(*named("--format", "json", "--ci", "-o", "r.json"))
    plain, asked = (softdice(*named("--format", format, *options)).out for options in ([], ["--ci"]))
    assert "intervals" in asked
    assert "intervals" not in plain
    assert softdice("show", "r.json", "--format", format).out == plain
    if format != "table":
        last = [json.loads(text.splitlines()[-1] if format == "jsonl" else text) for text in (plain, asked)]
        assert list(last[0]) == [name for name in last[1] if name != "intervals"]


def test_intervals_in_a_file_are_ignored(results):
    document = json.loads(to_text(replace(results, intervals=intervals(results)), "json"))
    document["intervals"][0]["value"] = 7
    assert restore(signed(document), "r.json") == restore(to_text(results, "json").encode(), "r.json")


def test_nothing_was_evaluated(softdice, tmp_path):
    write(tmp_path, ("a",))
    (tmp_path / "p/a.npy").write_bytes(b"")
    run = softdice(*eval_("--format", "json", "--ci"))
    assert run.code == 3
    assert "intervals" not in json.loads(run.out)


def test_intervals_go_into_reports_and_beside_a_gate(softdice, tmp_path, results):
    run = softdice(*named("--ci", "--report", "json=r.json", "--fail-under", "0.99", "-o", "r.txt"))
    assert run.code == 1
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["intervals"] == entries(results)
    assert document["requirements"][0]["passed"] is False
    assert TITLE in (tmp_path / "r.txt").read_text()
