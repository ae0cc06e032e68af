"""A comparison as JSON, CSV, Markdown and a table."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from builders import summarized
from markdown_it import MarkdownIt
from two_results import hard, made, random_pair

from softdice_cli.comparison import compare, judge
from softdice_cli.records import ClassDef, Results, Settings
from softdice_cli.render import Page
from softdice_cli.render.compare import CSV_COLUMNS, render_comparison

EVIL = "a|b`c``<script>*_[x](y) @you #1 \x1b[31m\u202e=1"


def evil_pair() -> tuple[Results, Results]:
    settings = Settings(classes=(ClassDef(EVIL, 0), ClassDef("=SUM(A1)", 1)))
    tables = [[(9.0, 8.0, 10, 9, tp), (9.0, 8.0, 10, 9, 7)] for tp in (8, 6, 4)]
    a, b = made(settings, tables), made(settings, tables[::-1])
    rename = {"i0": EVIL}
    return tuple(summarized(settings, [replace(r, id=rename.get(r.id, r.id)) for r in x.images]) for x in (a, b))


def test_json_holds_everything():
    a, b = random_pair(6)
    c = compare(a, b, names=("a.json", EVIL), resamples=100)
    value = json.loads(render_comparison(c, "json", verdict=judge(c)))
    assert (value["format"], value["a"], value["b"], value["images"]) == ("softdice-comparison", "a.json", EVIL, 6)
    assert len(value["scores"]) == len(c.scores)
    first = value["scores"][0]
    assert (first["metric"], first["average"], first["name"]) == ("dice", "pooled", "sky")
    assert first["interval"]["low"] == c.scores[0].interval.low
    assert value["requirements"][0]["passed"] is judge(c).passed
    assert json.loads(render_comparison(c, "json"))["requirements"] == []


def test_csv_has_a_row_a_score_and_no_formula():
    c = compare(*evil_pair(), resamples=100)
    rows = list(csv.DictReader(io.StringIO(render_comparison(c, "csv"))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == len(c.scores)
    assert float(rows[0]["low"]) == c.scores[0].interval.low
    assert rows[1]["class"] == "'=SUM(A1)"
    assert "\x1b" not in rows[0]["class"]


def test_markdown_shows_names_as_they_are_and_as_nothing_else():
    c = compare(*evil_pair(), names=("x|y.json", EVIL), resamples=100)
    tokens = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .parse(render_comparison(c, "markdown", verdict=judge(c)))
    )
    assert sum(token.type == "table_open" for token in tokens) == 7
    inline = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    shown = EVIL.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    codes = [child.content.strip() for child in inline if child.type == "code_inline"]
    assert codes.count(shown) >= 8  # the file, the class in six tables and the image
    assert "x|y.json" in codes
    assert "@you" not in "".join(child.content for child in inline if child.type == "text")


def test_the_table_is_for_people():
    c = compare(*evil_pair(), names=("a.json", "b.json"), resamples=100)
    text = render_comparison(c, verdict=judge(c))
    assert text.startswith("A a.json, B b.json: 3 images, paired by id\n")
    for part in ("hard Dice, pooled", "soft Dice, pooled", "loss, lower is better, pooled", "hard Dice, image mean",
                 "changed most", "95 % interval of B - A", "met: --fail-if-worse", c.signature):  # fmt: skip
        assert part in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    plain = compare(hard((5, 5, 4), (5, 5, 3)), hard((5, 5, 3), (5, 5, 3)), resamples=100)
    narrow = render_comparison(plain, "table", Page(width=80, unicode=False))
    assert narrow.isascii()
    assert "…" not in narrow
    assert "mean  " not in narrow  # a single class needs no mean
