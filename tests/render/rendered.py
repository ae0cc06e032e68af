"""What the tests of the outputs share: hostile names, and results with failures, requirements and an absent class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from softdice_cli.gates import judge, parse_rule, with_verdicts
from softdice_cli.records import ClassDef, ClassSums, Failure, ImageRow, Results, Run, Settings, Verdict
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
    pixels = sum(t for t, _, _ in counts)
    sums = tuple(ClassSums(float(p), float(hits), t, p, hits, pixels) for t, p, hits in counts)
    return ImageRow(name, "p", "m", pixels, 0, sums)


def results(*rules: str, names=("sky", "cell", "pole"), images=("x", "y", "z"), failures=(), left_out=()) -> Results:
    """Images in which the last class is absent, and predicted in all but the first."""
    settings = Settings(classes=tuple(ClassDef(name, value) for value, name in enumerate(names)))
    counts = [(4, 4, 4), *[(2, 2, 1)] * (len(names) - 2)]
    rows = tuple(image(name, *counts, (0, 2 if i else 0, 0)) for i, name in enumerate(images))
    failed = tuple(failure(name) for name in failures)
    found = summarize(Run(settings=settings, rows=rows, failures=failed, left_out=tuple(left_out)))
    return with_verdicts(found, judge(found, [parse_rule(rule) for rule in rules]))


def failure(name: str, error: str = "cannot be read") -> Failure:
    return Failure(name, f"{name}.npy", f"{name}.png", error, "a PNG", "7 bytes", "look at it")


def unlike(names: Iterable[str]) -> tuple[Failure, ...]:
    """Failures of which no two have anything in common."""
    return tuple(failure(name, f"cannot be read at byte {place}") for place, name in enumerate(names))


def failed(found: Results, failures: Iterable[Failure]) -> Results:
    return replace(found, run=replace(found.run, failures=tuple(failures)))


def unmet(number: int, name: str = "cell") -> tuple[Verdict, ...]:
    """Requirements that are missed by more and more; each is sunk by 20 images."""
    sank = tuple(f"{name} {index}" for index in range(20))
    return tuple(Verdict(f"dice[{name}{i}]>=0.9", 0.9 - i / 100, ">=", 0.9, False, "", sank) for i in range(1, number))


NORMAL = results("dice>=0.5", "image_min:dice[cell]>=0.6", images=("x", "y"), failures=("w",), left_out=("v.npy",))
SIGNATURE = "softdice:1|classes:3|pred:p|decision:argmax|eps:1e-05|empty:skip|background:yes|ignore:none"
WARNING = (
    "a class has no truth pixels, so the loss is -ln(eps/(P+eps)) and depends only on eps: pole (12.2061); "
    "over the classes that are present the loss is 0.3466"
)
