"""Markdown, GitHub annotations and JUnit, read back as the platforms read them, and names that try to break out."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from xml.etree import ElementTree

import junitparser
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from softdice_cli.gates import judge, parse_rule, with_verdicts
from softdice_cli.records import ClassDef, ClassSums, Failure, ImageRow, Results, Settings, Shard, Verdict
from softdice_cli.render import Page, neutral
from softdice_cli.render.github import github_text
from softdice_cli.render.junit import junit_text
from softdice_cli.render.markdown import LIMIT, markdown_text
from softdice_cli.render.table import _draw
from softdice_cli.render.verdicts import margin_text, rule_text, verdict_number, verdict_table
from softdice_cli.scores import summarize

NAMES = [
    "plain",
    "a|b",
    "a\\|b",
    "a\\\\|b|",
    "`x`",
    "`` | `",
    "`" * 200,  # no fence of cmark is longer than 80
    " ",
    "<img src=x onerror=alert(1)>",
    "</code></td></table><script>",
    "[l](https://example.com)",
    "![i](https://example.com/i.png)",
    "https://example.com",
    "www.example.com",
    "@user",
    "#1 GH-1 org/repo#1",
    "two\nlines",
    "cr\r\n::error::injected",
    "::error::injected",
    "::error title=x::injected",
    "##[error]injected",
    "%0A::error::injected",
    "%250A, a:b, c%3A%2C",
    "-->",
    "]]>",
    "&lt;&#64;user",
    "**bold** _it_ ~~no~~ $`x`$ :tada:",
    "\\",
    "# heading",
    "| --- |",
    "\u202egnp.exe",  # bidi
    "\x1b[31mred\x1b]0;title\x07",  # ANSI
    "\ufffe\uffff\x00\x0b\x85\u2028\udcff",  # forbidden by XML 1.0, line breaks to some, not UTF-8
    "\U000e0041\u200b",  # tags, zero width
    "größe 面积 😀",
    "'\"&<>",
]


def image(name: str, *counts: tuple[int, int, int]) -> ImageRow:
    """Truth, predicted and true positives of each class; the soft sums are the hard ones."""
    sums = tuple(ClassSums(float(p), float(hits), t, p, hits) for t, p, hits in counts)
    return ImageRow(name, "p", "m", sum(t for t, _, _ in counts), 0, sums)


def results(*rules: str, names=("sky", "cell", "pole"), images=("x", "y", "z"), failures=(), left_out=()) -> Results:
    """Images in which the last class is absent, and predicted in all but the first."""
    settings = Settings(classes=tuple(ClassDef(name, value) for value, name in enumerate(names)))
    counts = [(4, 4, 4), *[(2, 2, 1)] * (len(names) - 2)]
    rows = [image(name, *counts, (0, 2 if i else 0, 0)) for i, name in enumerate(images)]
    found = summarize(settings, rows, [failure(name) for name in failures], left_out=left_out)
    return with_verdicts(found, judge(found, [parse_rule(rule) for rule in rules]))


def failure(name: str, error: str = "cannot be read") -> Failure:
    return Failure(name, f"{name}.npy", f"{name}.png", error, "a PNG", "7 bytes", "look at it")


def unmet(number: int, name: str = "cell") -> tuple[Verdict, ...]:
    """Requirements that are missed by more and more; each is sunk by 20 images."""
    sank = tuple(f"{name} {index}" for index in range(20))
    return tuple(Verdict(f"dice[{name}{i}]>=0.9", 0.9 - i / 100, ">=", 0.9, False, "", sank) for i in range(1, number))


def markdown(found: Results, page: Page | None = None) -> str:
    return "".join(markdown_text(found, page or Page()))


def github(found: Results) -> str:
    return "".join(github_text(found))


def junit(found: Results) -> str:
    return "".join(junit_text(found))


NORMAL = results("dice>=0.5", "image_min:dice[cell]>=0.6", images=("x", "y"), failures=("w",), left_out=("v.npy",))
SIGNATURE = "softdice:1|classes:3|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none"
WARNING = (
    "a class has no truth pixels, so the loss is -ln(eps/(P+eps)) and hangs on eps: pole (12.2061); "
    "over the classes that are present the loss is 0.3466"
)
MARKDOWN = f"""\
### softdice: incomplete

1 pair failed, 2 of 2 requirements not met; 2 images, 12 pixels

**Requirements**

| rule | value | margin | verdict | images that sank it |
| --- | ---: | ---: | --- | --- |
| `image_min:dice[cell]>=0.6` | 0.5000 | -0.1000 | not met: incomplete | `x`, `y` |
| `dice>=0.5` | 0.5000 | 0.0000 | not met: incomplete |  |

**Pooled**

| class | loss | soft Dice | hard Dice | IoU | truth px | predicted px |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| `sky` | 0.0000 | 1.0000 | 1.0000 | 1.0000 | 8 | 8 |
| `cell` | 0.6931 | 0.5000 | 0.5000 | 0.3333 | 4 | 4 |
| `pole` | 12.2061\\* | 0.0000 | 0.0000 | 0.0000 | 0 | 2 |
| **mean** | **4.2997** | **0.5000** | **0.5000** | **0.4444** |  |  |
| **foreground mean** | **6.4496** | **0.2500** | **0.2500** | **0.1667** |  |  |
| mean of present | 0.3466 |  |  |  |  |  |

\\* no truth pixels: this loss is −ln(ε/(P+ε)), set by ε; 'mean of present' is without it

**Image mean** over 2 images

| class | loss | soft Dice | hard Dice | IoU | Dice images |
| --- | ---: | ---: | ---: | ---: | ---: |
| `sky` | 0.0000 | 1.0000 | 1.0000 | 1.0000 | 2 |
| `cell` | 0.6931 | 0.5000 | 0.5000 | 0.3333 | 2 |
| `pole` | 6.1030 | 0.5000 | 0.0000 | 0.0000 | 1 |
| **mean** | **2.2654** | **0.6667** | **0.5000** | **0.4444** |  |
| **foreground mean** | **3.3981** | **0.5000** | **0.2500** | **0.1667** |  |

loss and soft Dice of all 2 images; hard Dice and IoU of those where they are defined (Dice images)

**The 2 worst images** by mean hard Dice

| image | hard Dice | loss | worst class | its Dice | its truth px |
| --- | ---: | ---: | --- | ---: | ---: |
| `y` | 0.5000 | 4.2997 | `pole` | 0.0000 | 0 |
| `x` | 0.7500 | 0.2310 | `cell` | 0.5000 | 2 |

**Incomplete: 1 pair failed**

- `w`: `cannot be read; expected a PNG; found 7 bytes; try look at it`

**Left out: 1 file**

- `v.npy`

**Warnings**

- `{WARNING}`

`{SIGNATURE}`
"""
GITHUB = f"""\
::error title=not met%3A image_min%3Adice[cell]>=0.6::value 0.5000, required >= 0.6000, margin -0.1000; \
the results are incomplete, and nothing passes on them%0Aimages that sank it: x, y
::error title=failed%3A w::cannot be read; expected a PNG; found 7 bytes; try look at it
::error title=not met%3A dice>=0.5::value 0.5000, required >= 0.5000, margin 0.0000; \
the results are incomplete, and nothing passes on them
::warning title=softdice::{WARNING}
::warning title=softdice::left out: v.npy
::notice title=softdice%3A incomplete::1 pair failed, 2 of 2 requirements not met\
%0Apooled over 2 images: mean hard Dice 0.5000, mean loss 4.2997%0A{SIGNATURE}
"""
JUNIT = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="softdice" tests="3" failures="1" errors="1" skipped="0" time="0">
  <testsuite name="softdice" tests="3" failures="1" errors="1" skipped="0" time="0">
    <properties>
      <property name="signature" value="{SIGNATURE}"/>
      <property name="complete" value="no"/>
      <property name="images" value="2"/>
      <property name="failed pairs" value="1"/>
      <property name="pooled:loss" value="0.5"/>
      <property name="pooled:soft_dice" value="0.5"/>
      <property name="pooled:dice" value="0.5"/>
      <property name="pooled:iou" value="0.5"/>
      <property name="pooled:loss_present" value="0.25"/>
      <property name="image_mean:loss" value="0.5"/>
      <property name="image_mean:soft_dice" value="0.5"/>
      <property name="image_mean:dice" value="undefined"/>
      <property name="image_mean:iou" value="0.5"/>
      <property name="image_mean:loss_present" value="0.25"/>
    </properties>
    <testcase classname="softdice.requirements" name="dice&gt;=0.5" time="0"/>
    <testcase classname="softdice.requirements" name="image_min:dice[cell]&gt;=0.6" time="0">
      <failure message="value 0.5000, required &gt;= 0.6000, margin -0.1000" type="requirement">\
value 0.5000, required &gt;= 0.6000, margin -0.1000
images that sank it, the worst first:
x
y</failure>
    </testcase>
    <testcase classname="softdice.pairs" name="w" time="0">
      <error message="cannot be read" type="pair">\
cannot be read; expected a PNG; found 7 bytes; try look at it</error>
    </testcase>
    <system-out>{WARNING}
left out: v.npy</system-out>
  </testsuite>
</testsuites>
"""


def test_a_comment_as_a_person_sees_it():
    assert markdown(NORMAL) == MARKDOWN


def test_annotations_as_the_runner_gets_them():
    assert github(NORMAL) == GITHUB


def test_junit_as_a_server_gets_it():
    """With short numbers in place of the means, whose last digits are not what this is about."""
    met, sunk = NORMAL.requirements
    means = replace(NORMAL.pooled.means, loss=0.5, soft_dice=0.5, dice=0.5, iou=0.5)
    pooled = replace(NORMAL.pooled, means=means, loss_present=0.25)
    image_mean = replace(NORMAL.image_mean, means=replace(means, dice=None), loss_present=0.25)
    verdicts = (replace(met, passed=True, reason=""), replace(sunk, reason=""))
    found = replace(NORMAL, pooled=pooled, image_mean=image_mean, requirements=verdicts)
    assert junit(found) == JUNIT.replace("0.3466", "0.2500")


def test_the_verdict_table():
    found = results("dice>=0.5", "image_min:dice[cell]>=0.6", "iou>=0.44444445", "dice[pole]>=0", images=("x", "y"))
    lines = _draw(verdict_table(found), Page()).splitlines()
    assert [line.split() for line in lines[0:1] + lines[2:]] == [
        ["rule", "value", "margin", "verdict"],
        ["dice>=0.5", "0.5000", "0.0000", "met"],
        ["image_min:dice[cell]>=0.6", "0.5000", "-0.1000", "not", "met"],
        ["x"],
        ["y"],
        ["iou>=0.44444445", "0.44444444", "-0.00000001", "not", "met"],
        ["dice[pole]>=0", "0.0000", "0.0000", "met"],
    ]


@pytest.mark.parametrize(
    ("value", "bound", "texts"),
    [
        (0.9, 0.85, ("0.9000", "0.8500")),
        (0.85, 0.85, ("0.8500", "0.8500")),
        (0.84999996, 0.85, ("0.84999996", "0.85000000")),  # not 0.8500
        (0.85000004, 0.85, ("0.85000004", "0.85000000")),
        (0.7499999999999999, 0.75, ("0.7499999999999999", "0.7500000000000000")),  # the next number below
        (2 / 3, 2 / 3, ("0.6666666666666666", "0.6666666666666666")),  # equal: what the rule says in full
        (0.1235, 0.12346, ("0.12350", "0.12346")),
        (None, 0.85, ("–", "0.8500")),
        (None, 0.123456, ("–", "0.123456")),
        (-0.0, 0.5, ("0.0000", "0.5000")),
        (-0.00001, 0.0, ("-0.00001", "0.00000")),  # a drop that is a gain
        (1e-300, 0.0, ("1e-300", "0.0")),
        (0.5, 1e300, ("0.5000", "1e+300")),  # not a page of digits
        (0.0, 1e-300, ("0.0", "1e-300")),
    ],
)
def test_digits_explain_the_verdict(value, bound, texts):
    assert verdict_number(value, bound) == texts


@pytest.mark.parametrize(
    ("value", "operator", "bound", "text"),
    [
        (0.9, ">=", 0.85, "+0.0500"),
        (0.8, ">=", 0.85, "-0.0500"),
        (0.8, "<=", 0.85, "+0.0500"),
        (0.85, ">", 0.85, "0.0000"),
        (0.84999996, ">=", 0.85, "-0.00000004"),
        (None, ">=", 0.85, "–"),
    ],
)
def test_a_margin_is_never_shown_as_nothing_where_there_is_one(value, operator, bound, text):
    assert margin_text(Verdict("r", value, operator, bound, False)) == text


@pytest.mark.parametrize(
    ("rule", "operator", "bound", "text"),
    [
        ("dice>=0.85", ">=", 0.85, "dice>=0.85"),
        ("dice >= .85", ">=", 0.85, "dice >= .85"),
        ("drop of dice from 0.85", "<=", 0.01, "drop of dice from 0.85 <= 0.0100"),  # does not say what is allowed
        ("drop of dice[a<=0.01] from 0.01", "<=", 0.01, "drop of dice[a<=0.01] from 0.01 <= 0.0100"),
        ("--fail-under 0.85", ">=", 0.85, "--fail-under 0.85 >= 0.8500"),
    ],
)
def test_a_rule_always_says_what_it_demands(rule, operator, bound, text):
    assert rule_text(Verdict(rule, 0.5, operator, bound, False)) == text


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (results("dice>=0.4"), "passed"),
        (results("dice>=0.4", "dice>=0.9"), "failed"),
        (results("dice>=0.4", failures=["w"]), "incomplete"),  # whatever the value
        (results(failures=["w"]), "incomplete"),
        (results(images=()), "incomplete"),  # nothing to evaluate is never green
        (results(images=(), failures=["w"]), "incomplete"),
        (results(), "no requirements"),
    ],
)
def test_the_verdict_stands_first_in_a_comment_and_in_the_notice(found, word):
    assert markdown(found).startswith(f"### softdice: {word}\n")
    assert commands(github(found))[-1][:2] == ("notice", f"softdice: {word}")


# Markdown, rendered


def tokens(text: str) -> list[Token]:
    """Everything that a renderer makes of it, inline parts included; HTML and bare links are obeyed, as on GitHub."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    flat: list[Token] = []
    for token in parser.parse(text):
        flat += [token, *(token.children or [])]
    return flat


def spans(text: str) -> list[str]:
    return [token.content for token in tokens(text) if token.type == "code_inline"]


def cells(text: str) -> list[int]:
    """How many cells each row of each table has."""
    parts = [token.type for token in tokens(text) if token.type in ("tr_open", "td_open", "th_open")]
    return [len(row.split()) for row in " ".join(parts).split("tr_open")[1:]]


def shown(name: str) -> str:
    """A name as a reader of a comment sees it."""
    return re.sub("`{10,}", lambda run: r"\x60" * len(run[0]), neutral(name))


ALLOWED = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "code_inline",
    "strong_open", "strong_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
    "th_open", "th_close", "td_open", "td_close", "text_special",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leaves_its_code_span(name):
    verdicts = (Verdict(f"dice[{name}]>=0.9", 0.5, ">=", 0.9, False, "", (name, "other")),)
    found = results(names=("sky", name, "pole"), images=(name, "y"), failures=(name,), left_out=(name,))
    text = markdown(replace(found, requirements=verdicts))
    parsed = tokens(text)
    assert {token.type for token in parsed} <= ALLOWED  # no HTML, link, image, rule, quote or fence
    plain = " ".join(token.content for token in parsed if token.type == "text")
    assert not re.search(r"[@<>`\[\]\\|#]|http|www|injected", plain)
    assert spans(text).count(shown(name)) == 7  # every place where it stands, whole
    assert cells(text) == cells(markdown(replace(results(images=("x", "y")), requirements=NORMAL.requirements[1:])))


@pytest.mark.parametrize(
    "found",
    [
        replace(results(), requirements=unmet(50)),
        replace(results(), requirements=unmet(50, "long " * 2000)),
        results(failures=[f"pair {i}" for i in range(5000)]),
        results(failures=["long " * 2000 + str(i) for i in range(5000)], left_out=["l" * 9999] * 5000),
        results(names=[f"{i} {'`' * 10000}" for i in range(300)]),
        results(images=[f"{i} {'|😀' * 5000}" for i in range(1000)]),
    ],
)
def test_a_comment_fits(found):
    """And says how much of it is left out, in tables and lists that are still whole."""
    text = markdown(found, Page(per_image=True))
    assert len(text) <= LIMIT < 65_536
    assert {token.type for token in tokens(text)} <= ALLOWED
    assert spans(text)[-1] == found.settings.signature
    for number, of in re.findall(r"^(\d+) of (\d+) are left out of this comment$", text, re.M):
        assert int(of) in (49, 300, 1000, 5000)
        assert 0 < int(number) < int(of)


def test_what_is_left_out_of_a_comment_is_counted():
    text = markdown(results(failures=[f"pair {i}" for i in range(5000)]))
    (number,) = re.findall(r"^(\d+) of 5000 are left out of this comment$", text, re.M)
    assert text.count("- `pair") == 5000 - int(number)
    assert text.count("- `pair") >= 200


def test_a_shortened_comment_keeps_what_is_not_met():
    met = tuple(Verdict(f"dice>={i}", 1.0, ">=", 0.0, True) for i in range(5000))
    text = markdown(replace(results(), requirements=(*met, *unmet(3))))
    assert "dice[cell2]>=0.9" in text
    assert text.index("dice[cell2]") < text.index("dice[cell1]") < text.index("dice>=0")


def test_a_comment_on_part_of_a_run_says_so():
    assert "2 images, 12 pixels (shard 1 of 3)" in markdown(replace(NORMAL, shard=Shard(1, 3, 9, "")))


def test_a_comment_on_one_image_names_it():
    text = markdown(results(images=("a|b",)))
    assert "1 image evaluated; 1 image (`a|b`), 6 pixels" in text
    assert "Image mean" not in text


def test_only_so_many_of_the_worst_images():
    found = results(images=[str(i) for i in range(30)])
    assert "**The 5 worst images**" in markdown(found)
    assert "**The 7 worst images**" in markdown(found, Page(worst=7))
    assert "worst images" not in markdown(found, Page(worst=0))
    assert "**All images**" in markdown(found, Page(per_image=True))


# GitHub, parsed back


COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]+)::([^\r\n]*)")


def commands(text: str) -> list[tuple[str, str, str]]:
    """As ``ActionCommand.TryParseV2`` of actions/runner reads them; any other line is an error."""
    found = []
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        match = COMMAND.fullmatch(line)
        assert match, line
        assert line.isprintable()
        title = match[2].replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",")
        data = match[3].replace("%0D", "\r").replace("%0A", "\n")
        found.append((match[1], title.replace("%25", "%"), data.replace("%25", "%")))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_name_starts_a_command(name):
    verdicts = (Verdict(f"dice[{name}]>=0.9", 0.5, ">=", 0.9, False, "", (name, "other")),)
    found = results(names=("sky", "cell", name), images=("x", name), failures=(name,), left_out=(name,))
    parsed = commands(github(replace(found, requirements=verdicts)))
    assert [kind for kind, _, _ in parsed] == ["error", "error", "warning", "warning", "notice"]
    plain = neutral(name)
    if len(plain) < 100:
        assert parsed[0][1] == f"not met: dice[{plain}]>=0.9"
        assert parsed[0][2].endswith(f"\nimages that sank it: {plain}, other")
        assert parsed[1][1] == f"failed: {plain}"
        assert f"eps: {plain} (" in parsed[2][2]
        assert parsed[3][2] == f"left out: {plain}"


@pytest.mark.parametrize("name", ["cell", "long " * 2000, "😀" * 5000, "%" * 5000])
@pytest.mark.parametrize(
    ("rules", "pairs", "left"),
    [
        (50, 0, "and 41 more requirements not met"),
        (0, 5000, "and 4991 more pairs failed"),
        (50, 5000, "and 45 more requirements not met and 4996 more pairs failed"),
        (50, 2, "and 43 more requirements not met"),
        (3, 5000, "and 4994 more pairs failed"),
        (9, 1, None),
        (10, 1, "and 2 more requirements not met"),
        (0, 11, "and 2 more pairs failed"),
    ],
)
def test_annotations_stay_within_the_limits(name, rules, pairs, left):
    found = results(failures=[f"{name}{i}" for i in range(pairs)], left_out=[f"{name}{i}" for i in range(30)])
    parsed = commands(github(replace(found, requirements=unmet(rules + 1, name))))
    kinds = [kind for kind, _, _ in parsed]
    assert kinds == ["error"] * min(10, rules + pairs) + ["warning"] * 10 + ["notice"]
    assert all(len(title.encode("utf-16-le")) // 2 <= 255 for _, title, _ in parsed)
    assert all(len(data.encode("utf-16-le")) // 2 <= 4096 for _, _, data in parsed)
    errors = [(title, data) for kind, title, data in parsed if kind == "error"]
    if left:
        assert errors[-1] == ("softdice: more errors", f"{left}; the log and the report name all")
    assert parsed[-2][2] == "and 22 more warnings; the report has all"  # 30 files and the absent class


def test_the_worst_come_first():
    low, lower, undefined, held = (
        Verdict("dice>=0.9", 0.8, ">=", 0.9, False, "incomplete"),
        Verdict("iou>=0.9", 0.7, ">=", 0.9, False, "incomplete"),
        Verdict("recall>=0.9", None, ">=", 0.9, False, "undefined"),
        Verdict("loss<=0.9", 0.1, "<=", 0.9, False, "incomplete"),  # only the failed pair holds it up
    )
    met = Verdict("dice>=0.1", 0.8, ">=", 0.1, True)
    found = replace(results(failures=["w"]), requirements=(held, met, low, undefined, lower))
    errors = [title for kind, title, _ in commands(github(found)) if kind == "error"]
    assert errors == [
        "not met: recall>=0.9",
        "not met: iou>=0.9",
        "not met: dice>=0.9",
        "failed: w",
        "not met: loss<=0.9",
    ]


def test_no_annotation_but_a_notice_where_all_is_well():
    assert [kind for kind, _, _ in commands(github(results("dice>=0.4", images=("x",))))] == ["notice"]


def test_nothing_to_evaluate_is_an_error_everywhere():
    found = results("dice>=0.4", images=())
    assert [kind for kind, _, _ in commands(github(found))] == ["error", "notice"]
    assert "nothing was evaluated, 1 of 1 requirement not met" in markdown(found)
    assert ElementTree.fromstring(junit(found)).find(".//error").get("message") == "nothing was evaluated"


# JUnit, parsed back


def suite(found: Results) -> tuple[ElementTree.Element, junitparser.TestSuite]:
    text = junit(found)
    assert text.isascii()
    root = ElementTree.fromstring(text.encode())
    (read,) = junitparser.JUnitXml.fromstring(text.encode())
    assert {element.get("time") for element in root.iter() if element.tag.startswith("test")} == {"0"}
    assert not {"timestamp", "hostname"} & {name for element in root.iter() for name in element.keys()}  # noqa: SIM118
    counts = [(read.tests, read.failures, read.errors, read.skipped)]
    read.update_statistics()
    assert counts == [(read.tests, read.failures, read.errors, read.skipped)]  # as declared, so counted
    return root.find("testsuite"), read


def test_a_reader_of_junit_finds_every_verdict():
    _, read = suite(NORMAL)
    cases = [(c.classname, c.name, [(type(r).__name__, r.type) for r in c.result]) for c in read]
    assert cases == [
        ("softdice.requirements", "dice>=0.5", [("Failure", "incomplete")]),
        ("softdice.requirements", "image_min:dice[cell]>=0.6", [("Failure", "incomplete")]),
        ("softdice.pairs", "w", [("Error", "pair")]),
    ]
    values = {p.name: p.value for p in read.properties()}
    assert values["signature"] == NORMAL.settings.signature
    assert float(values["pooled:loss"]) == NORMAL.pooled.means.loss  # unrounded


def test_an_undefined_mean_says_so():
    found = summarize(Settings(classes=(ClassDef("a", 0), ClassDef("b", 1))), [image("x", (0, 0, 0), (0, 0, 0))])
    _, read = suite(found)
    assert {p.name: p.value for p in read.properties()}["pooled:dice"] == "undefined"


@pytest.mark.parametrize("name", NAMES)
def test_no_name_breaks_the_xml(name):
    verdicts = (Verdict(f"dice[{name}]>=0.9", 0.5, ">=", 0.9, False, "", (name, "other")),)
    found = results(names=("sky", "cell", name), images=("x", name), failures=(name,), left_out=(name,))
    root, read = suite(replace(found, requirements=verdicts))
    plain = neutral(name)
    rule, pair = read
    assert (rule.name, pair.name) == (f"dice[{plain}]>=0.9", plain)
    assert rule.result[0].text.endswith(f"first:\n{plain}\nother")
    assert root.find("system-out").text.endswith(f"\nleft out: {plain}")


def test_no_character_at_all_breaks_the_xml():
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    found = replace(results(), failures=(failure(every),))
    _, read = suite(found)
    assert next(iter(read)).name == neutral(every)


def test_every_failure_has_its_case():
    found = replace(results(failures=[f"pair {i}" for i in range(5000)]), requirements=unmet(51))
    _, read = suite(found)
    assert (read.tests, read.failures, read.errors) == (5050, 50, 5000)


@pytest.mark.parametrize("render", [markdown, github, junit])
def test_the_same_results_give_the_same_bytes(render):
    assert render(NORMAL) == render(replace(NORMAL))
    assert render(NORMAL).encode().endswith(b"\n")
