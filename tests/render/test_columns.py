"""The columns that users choose: what they hold, which rows have them, and what is refused."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace

import pytest
from builders import image_row, summarized
from folders import csv_rows, eval_, write
from rendered import NAMES, NORMAL, results

from softdice_cli.comparison import intervals
from softdice_cli.errors import ConfigError
from softdice_cli.metrics import METRICS, SHOWN
from softdice_cli.records import ClassDef, Settings
from softdice_cli.render import Page, neutral, render
from softdice_cli.render.columns import COLUMNS, columns_of, metrics_of, parse_columns
from softdice_cli.render.content import Name, Table
from softdice_cli.render.sections import page_sections
from softdice_cli.scores import score_image

FOUND = results(images=("x", "y", "z"))


def tables(found=FOUND, *columns: str) -> dict[str, Table]:
    page = Page(columns=columns or None)
    return {section.kind: section.table for section in page_sections(found, page) if section.table is not None}


def column(table: Table, title: str) -> dict[str, str]:
    """The cells below a title, by the first cell of their row."""
    place = [column.title for column in table.columns].index(title)
    heads = [row.cells[0].text if isinstance(row.cells[0], Name) else row.cells[0] for row in table.rows]
    return {head: row.cells[place] for head, row in zip(heads, table.rows, strict=True)}


def test_every_metric_has_its_columns():
    for metric in METRICS:
        for name in (metric.name, *(f"{metric.name}_{end}" for end in ("sd", "median", "q1", "q3", "images"))):
            assert COLUMNS[name].metric == metric.name
    assert len(COLUMNS) == len(METRICS) * 6 + 4


def test_the_usual_columns_are_what_tables_always_showed():
    usual = [column.name for column in columns_of(None)]
    assert usual == [*(metric.name for metric in SHOWN), "truth_pixels", "predicted_pixels", "images"]
    shown = tables()
    assert [column.title for column in shown["pooled"].columns] == [
        "class", "loss", "soft Dice", "hard Dice", "IoU", "truth px", "predicted px",
    ]  # fmt: skip
    assert [column.title for column in shown["image_mean"].columns] == [
        "class", "loss", "soft Dice", "hard Dice", "IoU", "Dice images",
    ]  # fmt: skip


def test_columns_stand_in_the_order_in_which_they_were_chosen():
    shown = tables(FOUND, "recall", "true_positives", "dice", "dice_sd", "precision_images")
    assert [column.title for column in shown["pooled"].columns] == ["class", "recall", "TP px", "hard Dice"]
    assert [column.title for column in shown["image_mean"].columns] == [
        "class", "recall", "hard Dice", "hard Dice sd", "precision images",
    ]  # fmt: skip


def test_the_spread_is_over_the_images_that_define_the_score():
    shown = tables(FOUND, "loss_sd", "loss_median", "loss_q1", "loss_q3", "dice_sd", "dice_images")["image_mean"]
    losses = [score_image(FOUND.settings, row)[2].loss for row in FOUND.images]
    quartiles = statistics.quantiles(losses, method="inclusive")
    expected = [statistics.stdev(losses), quartiles[1], quartiles[0], quartiles[2]]
    cells = [column(shown, f"loss {measure}")["pole"] for measure in ("sd", "median", "q1", "q3")]
    assert cells == [f"{value:.4f}" for value in expected]
    # The last class is absent from the first image, and predicted in the others.
    assert column(shown, "hard Dice images") == {
        "sky": "3", "cell": "3", "pole": "2", "mean": "", "foreground mean": "",
    }  # fmt: skip
    means = [statistics.fmean(scores.loss for scores in score_image(FOUND.settings, row)) for row in FOUND.images]
    assert column(shown, "loss sd")["mean"] == f"{statistics.stdev(means):.4f}"


def test_a_metric_without_classes_has_a_row_of_its_own():
    shown = tables(FOUND, "dice", "accuracy", "accuracy_images", "accuracy_sd")
    value = f"{FOUND.pooled.means.accuracy:.4f}"
    assert column(shown["pooled"], "accuracy") == {
        "sky": "", "cell": "", "pole": "", "mean": "", "foreground mean": "", "all classes": value,
    }  # fmt: skip
    assert column(shown["pooled"], "hard Dice")["all classes"] == ""
    assert column(shown["image_mean"], "accuracy images")["all classes"] == "3"
    assert column(shown["image_mean"], "accuracy sd")["all classes"] != ""


def test_rows_that_would_be_empty_are_left_out():
    assert list(column(tables(FOUND, "accuracy")["pooled"], "accuracy")) == ["all classes"]


def test_an_average_without_a_chosen_column_has_no_table():
    assert "image_mean" not in tables(FOUND, "truth_pixels")
    assert "pooled" not in tables(FOUND, "dice_sd")
    text = "".join(render(FOUND, "table", Page(columns=("dice_sd",))))
    assert text.startswith("pooled over 3 images, 18 pixels\nnone of the chosen columns is of the pooled scores\n\n")


def test_the_loss_is_explained_only_where_it_is_shown():
    for output in ("table", "markdown"):
        with_loss, without = ("".join(render(NORMAL, output, Page(columns=(name,)))) for name in ("loss", "recall"))
        assert ("no truth pixels: this loss" in with_loss, "mean of present" in with_loss) == (True, True)
        assert ("no truth pixels: this loss" in without, "mean of present" in without) == (False, False)


def test_what_is_undefined_is_told_for_each_chosen_metric():
    notes = {name: "".join(render(NORMAL, "table", Page(columns=(name,)))) for name in ("recall", "iou", "loss")}
    assert "– undefined (0/0); the means are over the recall of 2 of 3 classes" in notes["recall"]
    assert "undefined (0/0)" not in notes["iou"] + notes["loss"]


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        (None, "loss and soft Dice of all 3 images; hard Dice and IoU of those where they are defined (Dice images)"),
        (("loss", "dice"), "loss of all 3 images; hard Dice of those where it is defined"),
        (("soft_dice",), "soft Dice of all 3 images"),
        (("recall", "iou", "dice"), "recall, IoU and hard Dice of the images where they are defined"),
    ],
)
def test_a_comment_says_which_images_stand_behind_the_means(columns, note):
    assert f"\n\n{note}\n\n" in "".join(render(FOUND, "markdown", Page(columns=columns)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", ["table", "markdown"])
def test_names_are_data_in_chosen_columns(name, format):
    found = results(names=("sky", name, "pole"), images=("x", "y"))
    found = replace(found, intervals=intervals(found, metrics=["recall", "accuracy"], resamples=100))
    text = "".join(render(found, format, Page(columns=("recall", "accuracy"), worst=0)))
    assert not [c for c in ("\x1b", "\x07", "\u202e", "\r", "\udcff") if c in text]
    assert not [line for line in text.splitlines() if line.startswith(("::", "##["))]
    if format == "markdown" and len(name) < 100:
        assert neutral(name).replace("|", "\\|") in text


def test_a_list_is_read():
    assert parse_columns(None) is None
    assert parse_columns("dice") == ("dice",)
    assert parse_columns(" dice , iou,dice") == ("dice", "iou")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        # a slip, another spelling, a name that is like none, and no name
        ("dice,precison", "--columns dice,precision"),
        ("Soft-Dice", "--columns soft_dice"),
        ("hausdorff95", "--columns dice"),
        ("xyzzy,plugh,recall", "--columns dice,recall"),
        ("", "--columns dice"),
        ("iou,", "--columns iou,dice"),
    ],
)
def test_an_unknown_column_is_refused_with_what_there_is(text, hint):
    with pytest.raises(ConfigError) as caught:
        parse_columns(text)
    assert caught.value.option == "columns"
    assert caught.value.hint == hint
    # What the hint says can be typed.
    assert parse_columns(hint.removeprefix("--columns "))
    for name in (*(metric.name for metric in METRICS), "truth_pixels", "images", "_sd", "_q3"):
        assert name in caught.value.expected


def test_the_metrics_of_the_columns():
    assert metrics_of(None) is None
    assert metrics_of(("truth_pixels", "dice_sd")) is None
    assert metrics_of(("recall", "truth_pixels", "dice", "iou_sd")) == ("recall", "dice")


def test_intervals_of_the_chosen_metrics():
    chosen = ("recall", "accuracy")
    found = replace(FOUND, intervals=intervals(FOUND, metrics=chosen, resamples=100))
    sections = [s for s in page_sections(found, Page(columns=chosen)) if s.kind == "intervals"]
    heads = [[column.title for column in section.table.columns] for section in sections]
    assert heads == [
        ["class", "pooled recall", "pooled accuracy"],
        ["class", "image-mean recall", "image-mean accuracy"],
    ]
    assert list(column(sections[0].table, "pooled accuracy")) == [
        "sky", "cell", "pole", "mean", "fg mean", "all classes",
    ]  # fmt: skip
    assert column(sections[0].table, "pooled recall")["all classes"] == ""


@pytest.mark.parametrize("command", ["eval", "show", "merge"])
def test_the_commands_take_them(softdice, tmp_path, command):
    write(tmp_path)
    softdice(*eval_("--format", "json", "-o", "r.json"))
    arguments = {"eval": eval_(), "show": ("show", "r.json"), "merge": ("merge", "r.json")}[command]
    run = softdice(*arguments, "--columns", "recall,recall_sd", "--ci", "--format", "table")
    assert run.code == 0
    for title in ("recall sd", "pooled recall", "image-mean recall"):
        assert title in run.out
    assert "IoU" not in run.out
    entries = json.loads(softdice(*arguments, "--columns", "recall", "--ci", "--format", "json").out)["intervals"]
    assert {(entry["metric"], entry["average"]) for entry in entries} == {
        ("recall", "pooled"),
        ("recall", "image_mean"),
    }
    refused = softdice(*arguments, "--columns", "recal")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("softdice: error: --columns 'recal' is not a column\n")


def test_a_file_can_choose_them(softdice, tmp_path):
    write(tmp_path)
    softdice(*eval_("--format", "json", "-o", "r.json"))
    (tmp_path / "softdice.toml").write_text('columns = "recall,specificity"\n')
    for run in (softdice(*eval_()), softdice("show", "r.json")):
        assert run.out.splitlines()[1].split() == ["class", "recall", "specificity"]


def test_a_comparison_takes_metrics(softdice, tmp_path):
    write(tmp_path)
    softdice(*eval_("--format", "json", "-o", "r.json"))
    run = softdice(
        "compare", "r.json", "r.json", "--metrics", "recall, accuracy", "--resamples", 100, "--format", "csv"
    )
    assert run.code == 0
    kinds = {(row["metric"], row["average"]) for row in csv_rows(run.out)}
    # Hard Dice is what images are judged by.
    assert kinds == {
        ("dice", "pooled"), ("recall", "pooled"), ("recall", "image_mean"), ("accuracy", "pooled"),
        ("accuracy", "image_mean"),
    }  # fmt: skip
    for output in ("table", "markdown"):
        text = softdice("compare", "r.json", "r.json", "--metrics", "accuracy", "--format", output).out
        assert "accuracy, image mean" in text
        assert "all classes" in text
    refused = softdice("compare", "r.json", "r.json", "--metrics", "dyce")
    assert (refused.code, "--metrics 'dyce' is not a metric" in refused.err) == (2, True)


def test_a_mean_is_shown_with_its_own_spread_or_with_none():
    """``0.84 ± 0.03`` has to be the mean and the spread of the same numbers."""
    settings = Settings(classes=(ClassDef("a", 0), ClassDef("b", 1)))
    rows = [
        image_row("x", (4, 4, 4, 4, 4), (4, 2, 4, 4, 2)),
        image_row("y", (4, 4, 4, 4, 3), (4, 4, 4, 4, 4)),
        image_row("z", (8, 8, 8, 8, 8), (0, 0, 0, 0, 0)),
    ]
    note = "some images lack a class, so it would be around another mean"
    for images, shown, noted in ((rows[:2], True, False), (rows, False, True)):
        results = summarized(settings, images)
        text = "".join(render(results, "table", Page(columns=("dice", "dice_sd", "dice_q1"))))
        (line,) = [line for line in text.split("image mean over")[1].splitlines() if line.startswith("mean ")]
        assert (line.split()[2:] != ["–", "–"]) is shown
        assert (note in text) is noted
        summary = csv_rows("".join(render(results, "csv-summary")))
        (row,) = [row for row in summary if (row["average"], row["scope"]) == ("image_mean", "mean")]
        assert bool(row["dice_sd"]) is shown
