"""What each class is taken for: in words, as a matrix, as CSV, and refused where no pixel can be confused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from builders import confused_row, counted_row, summarized
from folders import csv_rows
from rendered import NAMES, failed, failure
from sklearn.metrics import confusion_matrix

from softdice_cli.errors import ConfigError
from softdice_cli.records import ClassDef, Results, Settings
from softdice_cli.render import Page, render, to_text
from softdice_cli.render.confusion import confusion_sections, refuse_no_confusion
from softdice_cli.render.table import table_text

THREE = Settings(classes=tuple(ClassDef(name, place) for place, name in enumerate(("background", "organ", "lesion"))))

# By predicted class (rows) and true class (columns): 6363 of the 6550 lesion pixels are taken for organ.
LESIONS = ((900, 20, 30), (40, 500, 6363), (0, 20, 157))


def told(settings: Settings, *matrices) -> list[str]:
    """The sentences about results of one image for each matrix."""
    rows = [confused_row(f"i{place}", matrix) for place, matrix in enumerate(matrices)]
    found = summarized(settings, rows)
    return [entry.text for section in confusion_sections(found, found.confusion) for entry in section.entries]


@pytest.mark.parametrize(
    ("settings", "matrices", "sentences"),
    [
        # by share: 6363 of 6550, 40 of 940, 20 of 540, where the first of equals is named
        (
            THREE,
            [LESIONS],
            [
                "6363 of 6550 lesion pixels predicted as organ",
                "40 of 940 background pixels predicted as organ",
                "20 of 540 organ pixels predicted as background",
            ],
        ),
        # pooled over the images: neither image alone says it
        (
            THREE,
            [((5, 0, 3), (0, 5, 2), (0, 0, 5)), ((5, 0, 0), (0, 5, 2), (0, 0, 5))],
            ["4 of 17 lesion pixels predicted as organ"],
        ),
        # nothing is taken for anything else; a class that is nowhere
        (THREE, [((5, 0, 0), (0, 5, 0), (0, 0, 0))], []),
        # without the background, it is no class that is mistaken, and still one that others are taken for
        (
            replace(THREE, background=False),
            [((5, 3, 0), (2, 5, 0), (0, 0, 5))],
            ["3 of 8 organ pixels predicted as background"],
        ),
        # numbers are said to be classes
        (
            Settings(classes=(ClassDef("0", 0), ClassDef("30", 30))),
            [((4, 1), (0, 4))],
            ["1 of 5 class 30 pixels predicted as class 0"],
        ),
    ],
)
def test_what_each_class_is_most_taken_for(settings, matrices, sentences):
    assert told(settings, *matrices) == sentences


def many(classes: int) -> Results:
    """Class k loses k of its 100 pixels to the class before it."""
    matrix = np.diag(100 - np.arange(classes)) + np.diag(np.arange(1, classes), 1)
    settings = Settings(classes=tuple(ClassDef(f"c{place}", place) for place in range(classes)))
    return summarized(settings, [confused_row("i", matrix.tolist())])


@pytest.mark.parametrize("classes", [7, 19, 100])
def test_of_many_classes_the_worst_are_told(classes):
    found = many(classes)
    (section,) = confusion_sections(found, found.confusion)
    assert section.subtitle == f"(5 of {classes - 1} classes; csv-confusion has all)"
    assert [entry.text.split()[3] for entry in section.entries] == [f"c{classes - place}" for place in range(1, 6)]


def test_the_table_folds_where_the_page_is_narrow():
    names = "a" * 60, "b" * 60
    found = summarized(
        Settings(classes=tuple(ClassDef(name, place) for place, name in enumerate(names))),
        [confused_row("i", ((1, 2), (0, 1)))],
    )
    assert f"  2 of 3 {names[1]} pixels predicted as {names[0]}\n" in table_text(found, Page())
    lines = table_text(found, Page(width=80)).split("most often taken for another class\n")[1].splitlines()[:-1]
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80


def test_a_comment_has_the_matrix_of_few_classes():
    text = to_text(summarized(THREE, [confused_row("i", LESIONS)]), "markdown")
    assert (
        """\
**Most often taken for another class**

- `6363 of 6550 lesion pixels predicted as organ`
- `40 of 940 background pixels predicted as organ`
- `20 of 540 organ pixels predicted as background`

**Confusion** in pixels: predicted class in rows, true class in columns

| predicted | `background` | `organ` | `lesion` |
| --- | ---: | ---: | ---: |
| `background` | 900 | 20 | 30 |
| `organ` | 40 | 500 | 6363 |
| `lesion` | 0 | 20 | 157 |
"""
        in text
    )
    assert "**Confusion**" in to_text(many(8), "markdown")
    assert "**Confusion**" not in to_text(many(9), "markdown")


@pytest.mark.parametrize("name", NAMES)
def test_no_name_in_a_matrix_leaves_its_cell(name):
    settings = Settings(classes=(ClassDef("sky", 0), ClassDef(name, 1)))
    text = to_text(summarized(settings, [confused_row("i", ((1, 2), (0, 1)))]), "markdown")
    matrix = text.split("true class in columns\n\n")[1].split("\n\n")[0].splitlines()
    unescaped = [line.replace("\\|", "").count("|") for line in matrix]
    assert unescaped == [4] * 4


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of some pixels, true and predicted."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, 400)
    return true, np.where(rng.random(400) < 0.7, true, rng.integers(0, 3, 400))


def test_csv_has_what_sklearn_counts():
    images = [drawn(seed) for seed in range(3)]
    # sklearn has the true classes in rows.
    rows = [confused_row(f"i{n}", confusion_matrix(true, predicted).T.tolist()) for n, (true, predicted) in
            enumerate(images)]  # fmt: skip
    found = summarized(THREE, rows)
    expected = confusion_matrix(*(np.concatenate(side) for side in zip(*images, strict=True)))
    names = [definition.name for definition in THREE.classes]
    cells = {(row["truth"], row["predicted"]): int(row["pixels"]) for row in csv_rows(to_text(found, "csv-confusion"))}
    assert [[cells[true, predicted] for predicted in names] for true in names] == expected.tolist()
    assert json.loads(to_text(found, "json"))["confusion"] == expected.T.tolist()
    assert json.loads(to_text(found, "jsonl").splitlines()[-1])["confusion"] == expected.T.tolist()


def test_csv_names_what_is_not_in_the_numbers():
    found = failed(summarized(THREE, [confused_row("i", LESIONS)], left_out=["v.npy"]), [failure("=w")])
    rows = csv_rows(to_text(found, "csv-confusion"))
    assert len(rows) == 9 + 2
    assert [row["error"] for row in rows[9:]] == [
        "'=w: cannot be read; expected a PNG; found 7 bytes; try look at it",
        "left out: v.npy",
    ]
    # Where nothing was evaluated, nothing says whether there would be a matrix.
    assert len(csv_rows(to_text(failed(summarized(Settings(), []), [failure("w")]), "csv-confusion"))) == 1


ONE = Settings(classes=(ClassDef("cell", 1),))
CHANNELS = Settings(classes=(ClassDef("a", None), ClassDef("b", None)), multilabel=True)


@pytest.mark.parametrize(
    ("settings", "found", "hint"),
    [
        (ONE, "a single class, cell", "csv-summary in its place, which has the counts of each class"),
        (CHANNELS, "independent channels, of which a pixel can have several", "csv-summary in its place"),
        (replace(THREE, only="organ"), "organ, decided without the other classes", "csv-summary in its place"),
        # a file of softdice 0.1.0: only evaluating again gives it
        (THREE, "images whose confusion was not counted, by an older softdice", "run softdice eval again"),
    ],
)
def test_where_no_pixel_can_be_confused_csv_says_so_before_it_writes(settings, found, hint):
    row = counted_row("i", *[(2, 2, 1)] * len(settings.classes))
    results = summarized(settings, [row])
    with pytest.raises(ConfigError) as caught:
        next(render(results, "csv-confusion"))
    assert caught.value.found == found
    assert caught.value.hint.startswith(hint)
    assert "taken for" not in to_text(results)
    assert "confusion" not in json.loads(to_text(results, "json"))
    assert "onfusion" not in to_text(results, "markdown")


def test_one_image_without_its_confusion_leaves_none_of_the_whole():
    rows = [confused_row("i", LESIONS), replace(confused_row("j", LESIONS), confusion=None)]
    with pytest.raises(ConfigError, match="have none"):
        to_text(summarized(THREE, rows), "csv-confusion")


def test_what_is_known_before_the_evaluation_is_refused_before_it():
    refuse_no_confusion(Settings())
    refuse_no_confusion(THREE)
    for settings in (ONE, CHANNELS, replace(THREE, only="organ"), Settings(multilabel=True)):
        with pytest.raises(ConfigError, match="needs a confusion matrix"):
            refuse_no_confusion(settings)
