"""The table as people see it, and names that try to act on a terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from softdice_cli.records import ClassDef, ClassSums, ImageRow, Run, Settings
from softdice_cli.render import Page, neutral, warnings
from softdice_cli.render.table import table_text
from softdice_cli.scores import summarize


def results(names: list[str], *, absent: bool = False):
    pixels = 10 * len(names)
    sums = [ClassSums(10.0, 8.0, 10, 9, 8, pixels) for _ in names]
    if absent:
        sums[-1] = ClassSums(0.5, 0.0, 0, 0, 0, pixels)
    row = ImageRow("image", "p", "m", pixels, 0, tuple(sums))
    settings = Settings(classes=tuple(ClassDef(name, i) for i, name in enumerate(names)))
    return summarize(Run(settings=settings, rows=(row,)))


GOLDEN = """\
image: 1 image, 30 pixels
class                loss  soft Dice  hard Dice     IoU  truth px  predicted px
───────────────────────────────────────────────────────────────────────────────
sky                0.2231     0.8000     0.8421  0.7273        10             9
tree               0.2231     0.8000     0.8421  0.7273        10             9
pole             10.8198*     0.0000          –       –         0             0

mean               3.7554     0.5333     0.8421  0.7273
foreground mean    5.5215     0.4000     0.8421  0.7273
mean of present    0.2231
* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε; 'mean of present' is without it
– undefined (0/0); the means are over the hard Dice of 2 of 3 classes
softdice:1|classes:3|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none
"""


def test_the_table_shows_every_part():
    assert table_text(results(["sky", "tree", "pole"], absent=True), Page()) == GOLDEN


def test_a_terminal_of_80_columns_holds_it():
    text = table_text(results(["sky", "tree", "pole"], absent=True), Page(width=80))
    assert text == GOLDEN


@pytest.mark.parametrize("width", [20, 60, 80, 120, None])
@pytest.mark.parametrize("classes", [1, 2, 21, 150])
def test_no_digit_and_no_name_is_ever_cut(width, classes):
    names = [f"a class with quite a long name, number {i}" for i in range(classes)]
    text = table_text(results(names), Page(width=width))
    assert text.count("0.7273") == classes + (2 if classes > 1 else 0)
    assert "…" not in text
    if width is None:
        assert all(name in text for name in names)
    table = text.splitlines()[1:-1]
    assert max(map(cell_len, table)) <= max(width or 200, 79)


def test_ascii_where_the_stream_can_do_no_more():
    text = table_text(results(["a", "b"], absent=True), Page(unicode=False))
    assert text.isascii()
    assert "eps" in text


def test_color_only_where_asked():
    assert "\x1b[" in table_text(results(["a", "b"]), Page(color=True))
    assert "\x1b[" not in table_text(results(["a", "b"]), Page())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain [bold]name[/]", "plain [bold]name[/]"),  # markup is shown, not obeyed
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),  # colours, window title
        ("a\u202eb", "a\\u202eb"),  # bidi override
        ("two\nlines\r", "two\\nlines\\r"),
        ("bad\udcff", "bad\\udcff"),  # a name that is not UTF-8
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("größe 面积", "größe 面积"),  # other alphabets stay
        ("nbsp\u2028sep", "nbsp\\u2028sep"),
    ],
)
def test_names_are_data(name, shown):
    assert neutral(name) == shown
    assert shown in table_text(results([name, "other"]), Page())


def test_warnings_name_the_classes():
    (text,) = warnings(results(["sky", "po\x1ble"], absent=True))
    assert "po\\x1ble (10.8198)" in text
    assert "0.2231" in text
    assert warnings(results(["sky", "pole"])) == []
