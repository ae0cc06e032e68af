"""Regions through every output: below the classes, with a mean of their own, and never in the mean of the classes."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import get_args

import junitparser
import pytest
from builders import confused_row, summarized
from rendered import NAMES

from softdice_cli import restore
from softdice_cli.comparison import compare, intervals
from softdice_cli.gates import judge, parse_rule, with_verdicts
from softdice_cli.metrics import METRICS
from softdice_cli.records import ClassDef, Region, Results, Settings
from softdice_cli.render import Format, Page, render, to_text
from softdice_cli.render.compare import CompareFormat, render_comparison
from softdice_cli.render.github import github_text
from softdice_cli.render.markdown import LIMIT, markdown_text
from softdice_cli.render.schema import schema
from softdice_cli.render.table import table_text

CLASSES = tuple(ClassDef(name, place) for place, name in enumerate(("background", "edema", "core", "enhancing")))
REGIONS = (Region("WT", ("edema", "core", "enhancing")), Region("ET", ("enhancing",)))
BRAIN = Settings(classes=CLASSES, regions=REGIONS)
MEMBERS = ((1, 2, 3), (3,))

# By predicted class (rows) and true class (columns); enhancing is absent from the second image, and predicted there.
FIRST = ((50, 2, 1, 0), (3, 10, 4, 1), (0, 4, 8, 3), (1, 0, 2, 6))
SECOND = ((60, 1, 0, 0), (2, 12, 3, 0), (1, 2, 9, 0), (2, 0, 1, 0))
ABSENT = ((60, 1, 0, 0), (2, 12, 3, 0), (1, 2, 9, 0), (2, 0, 1, 0))


def made(*matrices, settings: Settings = BRAIN, members=MEMBERS) -> Results:
    """Results as an engine counts them: without confusion where a pixel is not of exactly one class."""
    rows = [confused_row(f"case_{n}", matrix, members) for n, matrix in enumerate(matrices)]
    if not settings.exclusive:
        rows = [replace(row, confusion=None) for row in rows]
    return summarized(settings, rows)


TWO = made(FIRST, SECOND)

TABLE = """\
pooled over 2 images, 188 pixels
class              loss  soft Dice  hard Dice     IoU  truth px  predicted px
─────────────────────────────────────────────────────────────────────────────
background       0.0574     0.9442     0.9442  0.8943       119           114
edema            0.4055     0.6667     0.6667  0.5000        31            35
core             0.4810     0.6182     0.6182  0.4474        28            27
enhancing        0.6061     0.5455     0.5455  0.3750        10            12

mean             0.3875     0.6936     0.6936  0.5542
foreground mean  0.4975     0.6101     0.6101  0.4408

WT               0.0953     0.9091     0.9091  0.8333        69            74
ET               0.6061     0.5455     0.5455  0.3750        10            12

region mean      0.3507     0.7273     0.7273  0.6042

image mean over 2 images
"""


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the rows of the first table of classes, by their names."""
    table = text.split("\n\nimage mean")[0].splitlines()[3:]
    split = [re.split(r"\s{2,}", line) for line in table if line]
    return {name: cells for name, *cells in split}


def test_the_table_has_them_below_the_means():
    text = table_text(TWO, Page())
    assert text.startswith(TABLE)
    names = list(rows(text))
    assert names == [*(c.name for c in CLASSES), "mean", "foreground mean", "WT", "ET", "region mean"]
    assert text.count("\n\nregion mean") == 2
    assert table_text(TWO, Page(width=80)) == text


def test_their_numbers_are_those_of_their_pixels():
    """WT: 38 + 27 of 41 + 28 pixels are hit, and 44 + 30 are predicted."""
    truth = sum(sum(row[1:]) for row in FIRST) + sum(sum(row[1:]) for row in SECOND)
    predicted = sum(sum(row) for row in FIRST[1:]) + sum(sum(row) for row in SECOND[1:])
    hits = sum(sum(row[1:]) for row in FIRST[1:]) + sum(sum(row[1:]) for row in SECOND[1:])
    assert (truth, predicted, hits) == (69, 74, 65)
    found = rows(table_text(TWO, Page()))
    assert found["WT"][2:] == [f"{2 * hits / (predicted + truth):.4f}", f"{hits / (predicted + truth - hits):.4f}",
                               str(truth), str(predicted)]  # fmt: skip
    dice = [float(found[name][2]) for name in ("WT", "ET")]
    assert float(found["region mean"][2]) == pytest.approx(sum(dice) / 2, abs=1e-4)
    # A region of one class has its numbers.
    assert found["ET"] == found["enhancing"]


def test_they_change_nothing_of_the_classes():
    plain = made(FIRST, SECOND, settings=Settings(classes=CLASSES), members=())
    assert replace(TWO.pooled, regions=(), region_means=None) == plain.pooled
    assert replace(TWO.image_mean, regions=(), region_means=None) == plain.image_mean
    with_them, without = (rows(table_text(found, Page())) for found in (TWO, plain))
    assert {name: with_them[name] for name in without} == without


def test_the_mean_of_a_single_region_is_its_row():
    one = made(FIRST, SECOND, settings=replace(BRAIN, regions=REGIONS[:1]), members=MEMBERS[:1])
    for text in (table_text(one, Page()), to_text(one, "markdown")):
        assert "WT" in text
        assert "region mean" not in text
    assert json.loads(to_text(one, "json"))["pooled"]["region_mean"]["dice"] == one.pooled.regions[0].dice
    drawn = table_text(replace(one, intervals=intervals(one, resamples=100)), Page())
    assert "region mean" not in drawn
    assert "region mean" not in render_comparison(compare(one, one, resamples=100))


@pytest.mark.parametrize(
    ("members", "note"),
    [
        # the mean of the classes that are present is without the absent one, and the mean of regions is not
        (MEMBERS, "; 'mean of present' is without it, 'region mean' is not"),
        # a region that is there
        (((1, 2, 3), (1, 2)), "; 'mean of present' is without it"),
        # its row alone
        (((3,),), "; 'mean of present' is without it"),
    ],
)
def test_the_legend_is_right_for_an_absent_region(members, note):
    regions = tuple(Region(f"R{n}", tuple(CLASSES[place].name for place in m)) for n, m in enumerate(members))
    text = table_text(made(ABSENT, settings=replace(BRAIN, regions=regions), members=members), Page())
    assert f"* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε{note}\n" in text
    stars = [line for line in text.splitlines() if "*  " in line]
    assert len(stars) == 1 + sum(m == (3,) for m in members)


def test_the_legend_counts_undefined_classes_and_regions_apart():
    nowhere = [[*row[:3], 0] for row in (*SECOND[:3], (0, 0, 0, 0))]
    text = table_text(made(nowhere), Page())
    assert "– undefined (0/0); the means are over the hard Dice of 3 of 4 classes and 1 of 2 regions\n" in text
    one = made(nowhere, settings=replace(BRAIN, regions=REGIONS[1:]), members=MEMBERS[1:])
    assert "the means are over the hard Dice of 3 of 4 classes\n" in table_text(one, Page())


def test_the_spread_of_a_mean_over_regions_belongs_to_it_or_is_left_out():
    page = Page(columns=("dice", "dice_sd"))
    note = "– in the mean of a spread: some images lack a class, so it would be around another mean"
    nowhere = [[*row[:3], 0] for row in (*SECOND[:3], (0, 0, 0, 0))]
    text = table_text(made(FIRST, nowhere), page)
    assert note in text
    assert re.search(r"^region mean +0\.\d+ +–$", text, re.M)
    everywhere = table_text(TWO, page)
    assert note not in everywhere
    assert re.search(r"^region mean +0\.\d+ +0\.\d+$", everywhere, re.M)


def test_a_comment_has_them_and_shortens_them_last():
    text = to_text(TWO, "markdown")
    assert re.search(r"\| \*\*foreground mean\*\* .*\n\| `WT` .*\n\| `ET` .*\n\| \*\*region mean\*\* ", text)
    names = tuple(f"region {n} {'long ' * 40}" for n in range(900))
    settings = replace(BRAIN, regions=tuple(Region(name, ("core",)) for name in names))
    large = "".join(markdown_text(made(FIRST, SECOND, settings=settings, members=((2,),) * 900), Page()))
    assert len(large) <= LIMIT
    assert re.search(r"^\d+ of 904 are left out of this comment$", large, re.M)
    assert large.count("**region mean**") == 2


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_csv_tells_them_apart_by_their_scope():
    document = json.loads(to_text(TWO, "json"))
    found = [(row["id"], row["scope"], row["class"], row["dice"]) for row in csv_rows(to_text(TWO, "csv"))]
    expected = []
    for image in document["images"]:
        for scope, scores in (("class", image["classes"]), ("region", image["regions"])):
            expected += [(image["id"], scope, entry["name"], repr(entry["dice"])) for entry in scores]
    assert found == expected
    summary = [row for row in csv_rows(to_text(TWO, "csv-summary")) if row["scope"].startswith("region")]
    assert [(row["average"], row["scope"], row["class"]) for row in summary] == [
        (average, *row)
        for average in ("pooled", "image_mean")
        for row in (("region", "WT"), ("region", "ET"), ("region_mean", "region mean"))
    ]
    for row, average in ((summary[2], "pooled"), (summary[5], "image_mean")):
        assert float(row["dice"]) == document[average]["region_mean"]["dice"]
    assert [row["dice_images"] for row in summary[3:]] == ["2", "2", ""]


def test_json_lines_have_what_the_document_has():
    document = json.loads(to_text(TWO, "json"))
    *images, summary = [json.loads(line) for line in to_text(TWO, "jsonl").splitlines()]
    assert [{**image, "type": "image"} for image in document["images"]] == images
    assert {name: summary[name] for name in ("pooled", "image_mean", "confusion", "settings")} == {
        name: document[name] for name in ("pooled", "image_mean", "confusion", "settings")
    }


MULTI = Settings(classes=(ClassDef("WT", (1, 2)), ClassDef("ET", 2)), multilabel=True, thresholds=(("ET", 0.3),))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
@pytest.mark.parametrize(
    "found",
    [
        TWO,
        made(FIRST),
        made(ABSENT),
        replace(TWO, intervals=intervals(TWO, resamples=100)),
        made(((5, 1), (2, 6)), settings=MULTI, members=()),
        made(FIRST, settings=replace(BRAIN, regions=(), only="core", threshold=0.3), members=()),
        made(((9,),), settings=Settings(classes=(ClassDef("cell", None),), foreground=">127"), members=()),
    ],
)
def test_the_document_follows_the_schema_and_comes_back(found):
    from jsonschema import Draft202012Validator

    text = to_text(found, "json")
    validator = Draft202012Validator(schema())
    assert [error.message for error in validator.iter_errors(json.loads(text))] == []
    again = restore(text.encode(), "r.json")
    assert to_text(replace(again, intervals=found.intervals), "json") == text


def test_junit_has_their_means_and_a_case_for_a_rule_on_one():
    judged = with_verdicts(TWO, judge(TWO, [parse_rule("dice[WT]>=0.99"), parse_rule("dice[ET]>=0.1")]))
    suite = next(iter(junitparser.JUnitXml.fromstring(to_text(judged, "junit").encode())))
    properties = {entry.name: entry.value for entry in suite.properties()}
    assert float(properties["pooled:region_mean:dice"]) == TWO.pooled.region_means.dice
    assert float(properties["image_mean:region_mean:loss"]) == TWO.image_mean.region_means.loss
    assert [(case.name, bool(case.result)) for case in suite] == [("dice[WT]>=0.99", True), ("dice[ET]>=0.1", False)]
    annotations = "".join(github_text(judged, Page()))
    assert "::error title=not met%3A dice[WT]>=0.99::" in annotations


def test_intervals_and_comparisons_show_them_in_the_order_of_the_table():
    columns = ("accuracy", "dice")
    found = replace(TWO, intervals=intervals(TWO, metrics=columns, resamples=100))
    block = table_text(found, Page(columns=columns)).split("95 % intervals (bootstrap over 2 images)\n")[1]
    lines = [line for line in block.split("\n\n95 %")[0].splitlines()[2:] if line]
    names = [re.match(r"(?:[a-z]+ )?\w+", line)[0] for line in lines]
    table = [*(c.name for c in CLASSES), "mean", "fg mean", "all classes", "WT", "ET", "region mean"]
    assert names == table
    text = render_comparison(compare(TWO, TWO, resamples=100))
    block = text.split("hard Dice, pooled\n")[1].split("\n\nIoU")[0].splitlines()[2:]
    names = [re.split(r"\s{2,}", line)[0] for line in block if line]
    assert names == [*(c.name for c in CLASSES), "mean", "foreground mean", "WT", "ET", "region mean"]
    scopes = [row["scope"] for row in csv_rows(render_comparison(compare(TWO, TWO, resamples=100), "csv"))][:9]
    assert scopes == ["class"] * 4 + ["mean", "foreground", "region", "region", "region_mean"]


@pytest.mark.parametrize("name", NAMES)
def test_their_names_act_nowhere(name):
    settings = replace(BRAIN, regions=(Region(name, ("core",)), REGIONS[0]))
    found = made(FIRST, SECOND, settings=settings, members=((2,), (1, 2, 3)))
    found = replace(found, intervals=intervals(found, resamples=100))
    texts = {medium: to_text(found, medium) for medium in get_args(Format)}
    comparison = compare(found, found, resamples=100)
    compared = [render_comparison(comparison, medium) for medium in get_args(CompareFormat)]
    for text in (*texts.values(), *compared):
        assert not [c for c in ("\x1b", "\x07", "\u202e", "\r", "\udcff", "\x0b") if c in text]
        assert not re.search(r"^(::error::|##\[)", text, re.M)
    for medium in ("csv", "csv-summary"):
        assert not [row for row in csv_rows(texts[medium]) if row["class"].startswith(("=", "+", "-", "@"))]


CHANNELS = Settings(classes=(ClassDef("a", None), ClassDef("b", None)), multilabel=True)
OVERLAP = ((5, 1), (2, 6))


@pytest.mark.parametrize("format", [name for name in get_args(Format) if name != "csv-confusion"])
def test_what_is_of_all_classes_together_is_undefined_where_they_overlap(format):
    """Accuracy of independent channels: null, an empty cell or a dash, and never a number or a traceback."""
    found = made(OVERLAP, OVERLAP, settings=CHANNELS, members=())
    metrics = [metric.name for metric in METRICS]
    found = replace(found, intervals=intervals(found, metrics=metrics, resamples=100))
    text = "".join(render(found, format, Page(columns=tuple(metrics))))
    assert "nan" not in text.lower()
    if format == "table":
        assert re.search(r"^all classes +–$", text, re.M)
        assert "– all classes: a pixel can be of several of them, so there is no score of all together\n" in text
    if format == "json":
        assert json.loads(text)["pooled"]["accuracy"] is None
        accuracy = [entry for entry in json.loads(text)["intervals"] if entry["metric"] == "accuracy"]
        assert [(entry["value"], entry["interval"]) for entry in accuracy] == [(None, None)] * 2
    if format == "csv-summary":
        assert {row["accuracy"] for row in csv_rows(text)} == {""}


def test_a_comparison_of_overlapping_classes_has_no_change_of_all_together():
    found = made(OVERLAP, OVERLAP, settings=CHANNELS, members=())
    comparison = compare(found, found, metrics=["accuracy"], resamples=100)
    (change,) = [score for score in comparison.scores if (score.metric, score.average) == ("accuracy", "pooled")]
    assert (change.a, change.b, change.interval, change.p, change.undefined) == (None, None, None, None, 2)
    for medium in get_args(CompareFormat):
        assert "nan" not in render_comparison(comparison, medium).lower()


def test_independent_classes_have_no_foreground():
    """The first of them is a class like the others, so a mean without it would say nothing."""
    found = made(OVERLAP, OVERLAP, settings=CHANNELS, members=())
    assert (found.pooled.foreground, found.image_mean.foreground) == (None, None)
    assert "foreground" not in table_text(found, Page())
    assert {entry.scope for entry in intervals(found, resamples=100)} == {"class", "mean"}


def test_one_class_of_several_stands_alone():
    only = made(FIRST, settings=replace(BRAIN, regions=(), only="core"), members=())
    text = table_text(only, Page(columns=("dice", "accuracy")))
    names = [line.split("  ")[0] for line in text.splitlines()[3:] if line and not line.startswith("softdice:1")]
    assert names == ["core", "one against the rest"]
    # 8 hits, 15 predicted and 15 true of 95 pixels: right are the 8, and the 95 - 22 that are neither
    assert f"{(8 + 95 - 22) / 95:.4f}" in text
