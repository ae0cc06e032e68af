"""Annotations, read back as the runner of GitHub reads them, and names that try to be commands."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rendered import NAMES, NORMAL, SIGNATURE, WARNING, failed, failure, results, unlike, unmet

from softdice_cli.records import Results, Verdict
from softdice_cli.render import neutral, to_text

GITHUB = f"""\
::error title=not met%3A image_min%3Adice[cell]>=0.6::value 0.5000, required >= 0.6000, margin -0.1000; \
the results are incomplete, and nothing passes on them%0Aimages that miss it: x, y
::error title=failed%3A w::cannot be read; expected a PNG; found 7 bytes; try look at it
::error title=not met%3A dice>=0.5::value 0.5000, required >= 0.5000, margin 0.0000; \
the results are incomplete, and nothing passes on them
::warning title=softdice::{WARNING}
::warning title=softdice::left out: v.npy
::notice title=softdice%3A incomplete::1 pair failed, 1 of 4 pairs left out, 2 of 2 requirements not met\
%0Apooled over 2 of 4 images: mean hard Dice 0.5000, mean loss 4.2997%0A{SIGNATURE}
"""


def github(found: Results) -> str:
    return to_text(found, "github")


def test_annotations_as_the_runner_gets_them():
    assert github(NORMAL) == GITHUB


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
        assert parsed[0][2].endswith(f"\nimages that miss it: {plain}, other")
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
    found = failed(results(left_out=[f"{name}{i}" for i in range(30)]), unlike(f"{name}{i}" for i in range(pairs)))
    parsed = commands(github(replace(found, requirements=unmet(rules + 1, name))))
    kinds = [kind for kind, _, _ in parsed]
    assert kinds == ["error"] * min(10, rules + pairs) + ["warning"] * 10 + ["notice"]
    assert all(len(title.encode("utf-16-le")) // 2 <= 255 for _, title, _ in parsed)
    assert all(len(data.encode("utf-16-le")) // 2 <= 4096 for _, _, data in parsed)
    errors = [(title, data) for kind, title, data in parsed if kind == "error"]
    if left:
        assert errors[-1] == ("softdice: more errors", f"{left}; the log and the report name all")
    assert parsed[-2][2] == "and 22 more warnings; the report has all"  # 30 files and the absent class


def test_failures_of_one_kind_are_one_annotation():
    """What no longer fits is counted in pairs, not in kinds."""
    alike = [failure(f"a{i:02}") for i in range(30)]
    errors = commands(github(failed(results(), [*unlike(f"b{i:02}" for i in range(9)), *alike])))[:-2]
    assert errors[0][1:] == (
        "failed: 30 pairs (e.g. a00, a01, a02)",
        "cannot be read; expected a PNG; found 7 bytes; try look at it",
    )
    assert len(errors) == 10
    twelve = commands(github(failed(results(), [*unlike(f"b{i}" for i in range(10)), *alike])))
    assert twelve[9][1:] == ("softdice: more errors", "and 2 more pairs failed; the log and the report name all")


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
