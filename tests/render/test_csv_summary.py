"""The averages as CSV: the numbers of the JSON, and cells that are data."""

from __future__ import annotations

import json

import pytest
from folders import COUNTS, broken, csv_rows, eval_, write
from rendered import NAMES, NORMAL, results

from softdice_cli.metrics import METRICS
from softdice_cli.render import to_text
from softdice_cli.render.spreadsheets import SUMMARY_COLUMNS

MEASURES = ("sd", "median", "q1", "q3")


def value(cell: str) -> float | None:
    return None if cell == "" else float(cell)


def expected(document: dict) -> list[tuple[str, str, str, dict]]:
    """Average, scope, name and scores of each row, from a results file."""
    rows = []
    for average in ("pooled", "image_mean"):
        summary = document[average]
        rows += [(average, "class", scores["name"], scores) for scores in summary["classes"]]
        rows.append((average, "mean", "mean", summary))
        if summary["foreground"] is not None:
            rows.append((average, "foreground", "foreground mean", summary["foreground"]))
    return rows


@pytest.mark.parametrize("classes", [1, 3])
def test_it_has_the_numbers_of_the_json(softdice, tmp_path, classes):
    write(tmp_path, classes=max(classes, 2))
    options = ("--no-background",) if classes == 1 else ()
    document = json.loads(softdice(*eval_(*options, "--format", "json")).out)
    text = softdice(*eval_(*options, "--format", "csv-summary")).out
    rows = csv_rows(text)
    assert tuple(rows[0]) == SUMMARY_COLUMNS
    assert [(row["average"], row["scope"], row["class"]) for row in rows] == [entry[:3] for entry in expected(document)]
    for row, (average, scope, _, scores) in zip(rows, expected(document), strict=True):
        for metric in METRICS:
            assert value(row[metric.name]) == scores.get(metric.name)
            spread = scores.get("spread", {}).get(metric.name, {})
            assert [value(row[f"{metric.name}_{m}"]) for m in MEASURES] == [spread.get(m) for m in MEASURES]
            # Behind a mean over classes stand classes, and not images.
            of_images = average == "image_mean" and (scope == "class") == metric.per_class and scope != "foreground"
            images = scores["defined"][metric.name] if of_images else None
            assert value(row[f"{metric.name}_images"]) == images
        assert value(row["loss_present"]) == (scores["loss_present"] if scope == "mean" else None)
        assert [value(row[name]) for name in COUNTS] == [scores.get(name) for name in COUNTS]
        assert row["error"] == ""


def test_reports_and_saved_results_have_it(softdice, tmp_path):
    write(tmp_path)
    first = softdice(*eval_("--format", "csv-summary", "--report", "json=r.json", "--report", "csv-summary=s.csv"))
    assert (tmp_path / "s.csv").read_text() == first.out
    assert softdice("show", "r.json", "--format", "csv-summary").out == first.out


def test_what_is_not_in_the_numbers_has_a_row(softdice, tmp_path):
    broken(tmp_path)
    run = softdice(*eval_("--allow-missing", "--format", "csv-summary"))
    assert run.code == 3
    errors = [row["error"] for row in csv_rows(run.out) if row["error"]]
    assert len([text for text in errors if not text.startswith("left out: ")]) == 3
    assert len([text for text in errors if text.startswith("left out: ")]) == 1
    assert any(text.startswith("nan: ") and "NaN" in text for text in errors)


def test_nothing_was_evaluated():
    rows = csv_rows(to_text(results(images=(), failures=("w",)), "csv-summary"))
    assert [row["error"] for row in rows] == ["w: cannot be read; expected a PNG; found 7 bytes; try look at it"]


@pytest.mark.parametrize("name", [*NAMES, "=1+1", "@x", "-y", "+z"])
def test_cells_are_never_formulas(name):
    found = results(names=("sky", name, "pole"), failures=(name,), left_out=(name,))
    text = to_text(found, "csv-summary")
    assert not [c for c in ("\x1b", "\x07", "\u202e", "\r", "\udcff") if c in text]
    rows = csv_rows(text)
    assert len(rows) == 12
    cells = [cell for row in rows for column, cell in row.items() if column in ("class", "error")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "::", "##["))]


def test_text_comes_row_by_row():
    from softdice_cli.render import render

    pieces = list(render(NORMAL, "csv-summary"))
    assert all(piece.count("\n") == 1 for piece in pieces)
