"""Markdown, read back as a renderer reads it, and names that try to break out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rendered import NAMES, NORMAL, SIGNATURE, WARNING, failed, results, unlike, unmet

from softdice_cli.records import Results, Shard, Verdict
from softdice_cli.render import Page, neutral
from softdice_cli.render.markdown import LIMIT, markdown_text

MARKDOWN = f"""\
### softdice: incomplete

1 pair failed, 1 of 4 pairs left out, 2 of 2 requirements not met; 2 of 4 images, 12 pixels

**Requirements**

| rule | value | margin | verdict | images that miss it |
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


def markdown(found: Results, page: Page | None = None) -> str:
    return "".join(markdown_text(found, page or Page()))


def test_a_comment_as_a_person_sees_it():
    assert markdown(NORMAL) == MARKDOWN


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
        failed(results(), unlike(f"pair {i}" for i in range(5000))),
        failed(results(left_out=["l" * 9999] * 5000), unlike("long " * 2000 + str(i) for i in range(5000))),
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
    text = markdown(failed(results(), unlike(f"pair {i}" for i in range(5000))))
    (number,) = re.findall(r"^(\d+) of 5000 are left out of this comment$", text, re.M)
    assert text.count("- `pair") == 5000 - int(number)
    assert text.count("- `pair") >= 200


def test_a_shortened_comment_keeps_what_is_not_met():
    met = tuple(Verdict(f"dice>={i}", 1.0, ">=", 0.0, True) for i in range(5000))
    text = markdown(replace(results(), requirements=(*met, *unmet(3))))
    assert "dice[cell2]>=0.9" in text
    assert text.index("dice[cell2]") < text.index("dice[cell1]") < text.index("dice>=0")


def test_a_comment_on_part_of_a_run_says_so():
    assert "2 of 10 images, 12 pixels (shard 1 of 3)" in markdown(
        replace(NORMAL, run=replace(NORMAL.run, shard=Shard(1, 3, 9, "")))
    )


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
