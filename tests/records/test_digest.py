"""The digest of results files: honest programs keep it, and no change with another meaning does."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from builders import confused_row, signed, summarized

from softdice_cli import restore, to_text
from softdice_cli.comparison import intervals
from softdice_cli.errors import UnreadableError
from softdice_cli.gates import judge, parse_rule, with_verdicts
from softdice_cli.records import ClassDef, Failure, Region, Settings, Shard
from softdice_cli.records.digest import digest_of

# Names that an encoder escapes, that a file system cannot decode, and that look like numbers at the end of a value.
NAMES = ("ä", "\U0001f9e0", "a\udcffb", "7.0]\n-0.0", 'x\\"1.0}')

# How often the properties are tried; SOFTDICE_FUZZ=100000 tries longer.
ROUNDS = int(os.environ.get("SOFTDICE_FUZZ", "600"))


def results():
    """Results in which every member of the format has a value."""
    classes = tuple(ClassDef(name, place) for place, name in enumerate("abc"))
    settings = Settings(classes=classes, regions=(Region("AB", ("a", "b")),), ignore=(255,))
    matrices = ([[5, 1, 0], [0, 4, 2], [0, 0, 3]], [[6, 0, 0], [1, 2, 0], [0, 3, 1]], [[9, 0, 0], [0, 0, 0], [2, 0, 0]])
    rows = [
        replace(confused_row(name, matrix, [(0, 1)]), pred=f"p/{name}.npy", gt=f"g/{name}.png", ignored=place)
        for place, (name, matrix) in enumerate(zip(NAMES, matrices, strict=False))
    ]
    failures = [Failure(name, f"p/{name}.npy", f"g/{name}.png", "no", "x", "y", "try") for name in NAMES[3:]]
    made = summarized(settings, rows, failures, left_out=["w has no truth"], shard=Shard(1, 2, 10, "run"))
    made = replace(made, run=replace(made.run, palette="1=#ff0000"), intervals=intervals(made, resamples=100))
    return with_verdicts(made, judge(made, [parse_rule("dice>=0.5"), parse_rule("loss<=-0.0")]))


@pytest.fixture(scope="module")
def written() -> str:
    return to_text(results(), "json")


def like_javascript(value: Any) -> Any:
    """The value without a point in whole numbers, as JavaScript writes it."""
    if isinstance(value, dict):
        return {name: like_javascript(member) for name, member in value.items()}
    if isinstance(value, list):
        return list(map(like_javascript, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value


REWRITERS = {
    "sorted": lambda value: json.dumps(value, sort_keys=True),
    "reversed": lambda value: json.dumps(dict(reversed(value.items()))),
    "compact": lambda value: json.dumps(value, separators=(",", ":")),
    "indented": lambda value: json.dumps(value, indent="\t"),
    "whole numbers": lambda value: json.dumps(like_javascript(value)),
    "decimals": lambda value: json.dumps(value).replace(": 1e-05", ": 0.00001"),
    "exponents": lambda value: json.dumps(value).replace(" 0.5,", " 5E-1,"),
    "minus zero": lambda value: json.dumps(value).replace("-0.0,", "-0,"),
    # A name that cannot be decoded cannot be written without an escape.
    "escapes": lambda value: json.dumps(value, ensure_ascii=False).replace("\udcff", "\\uDCFF"),
}


@pytest.mark.parametrize("rewriter", REWRITERS)
def test_a_program_that_writes_the_same_values_keeps_it(written, rewriter):
    text = REWRITERS[rewriter](json.loads(written))
    assert text != json.dumps(json.loads(written))
    assert restore(text.encode(), "r.json") == restore(written.encode(), "r.json")


@pytest.mark.parametrize("command", [("jq", "."), ("jq", "-S", "."), ("jq", "-c", "."), ("node", "-e", "INDENT")])
def test_other_programs_keep_it(written, command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    # jq replaces what is not a character.
    text = written.replace("\\udcff", "-")
    text = signed(json.loads(text)).decode()
    script = "process.stdout.write(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')), null, 1))"
    done = subprocess.run(
        [script if word == "INDENT" else word for word in command],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout != text
    assert restore(done.stdout.encode(), "r.json") == restore(text.encode(), "r.json")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # numbers are the same however they are written, and texts are not
        ("7.0", "7"),
        ("7.0]", "7]"),
        ("a.0\n", "a\n"),
        ("-0", "0"),
        ("x-0]}\n", "x0]}\n"),
        ("é", "e\u0301"),
        ("\udcff", "\ufffd"),
        (7, "7"),
        (1, True),
        (0, False),
        (0, None),
        ([], {}),
        ([[1], 2], [1, [2]]),
        (2**53, 2**53 + 1),
        (10**400, 10**400 + 1),
        (0.1, 0.1 + 2**-56),
    ],
)
def test_other_values_have_another_digest(one, other):
    assert digest_of({"member": [one]}) != digest_of({"member": [other]})


@pytest.mark.parametrize(("one", "other"), [(1.0, 1), (-0.0, 0), (0.0, 0), (1e3, 1000), (-2.0, -2), (1e15, 10**15)])
def test_one_number_has_one_digest(one, other):
    assert digest_of({"a": {"b": one}, "images": [{"sums": [one, [one]]}]}) == digest_of(
        {"a": {"b": other}, "images": [{"sums": [other, [other]]}]}
    )


def test_members_cannot_change_places():
    """A value that moves to another member, and an image that moves to its neighbour, are changes."""
    documents = [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"images": [{"id": "a"}, {"id": "b"}]},
                 {"images": [{"id": "b"}, {"id": "a"}]}, {"images": []}, {"images": [[]]}, {}]  # fmt: skip
    digests = [digest_of(document) for document in documents]
    # A file without images is refused before its digest is looked at.
    assert digests[4] == digests[6]
    assert len(set(digests)) == len(digests) - 1


def test_saved_again_is_the_same(written):
    again = to_text(restore(written.encode(), "r.json"), "json")
    assert to_text(restore(again.encode(), "r.json"), "json") == again
    assert json.loads(again)["digest"] == digest_of(json.loads(again))
    # Requirements and intervals are not of the file, but of a command.
    assert json.loads(again)["digest"] != json.loads(written)["digest"]


def test_what_is_nested_too_deeply_is_one_error(written):
    document = {**json.loads(written), "requirements": "HERE"}
    for depth in (400, 900, 960, 980, 1000):
        text = json.dumps(document).replace('"HERE"', "[" * depth + "]" * depth)
        with pytest.raises(UnreadableError):
            restore(text.encode(), "r.json")


@pytest.mark.parametrize("twice", ['"complete": false, ', '"signature": "x", '])
def test_a_member_that_stands_twice_is_refused(written, twice):
    name = twice.split('"')[1]
    with pytest.raises(UnreadableError, match=f"an object holds '{name}' twice"):
        restore(written.replace(f'"{name}":', f'{twice}"{name}":', 1).encode(), "r.json")


def test_many_members_of_which_the_last_stands_twice_take_no_time():
    """Looking for each name among all others would take minutes."""
    names = [str(place) for place in range(200_000)]
    text = "{" + ",".join(f'"{name}":0' for name in [*names, names[-1]]) + "}"
    with pytest.raises(UnreadableError, match="an object holds '199999' twice"):
        restore(text.encode(), "r.json")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all members and entries."""
    found = [path] if path else []
    if isinstance(value, dict):
        inner = list(value.items())
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    for step, member in inner:
        found += places(member, (*path, step))
    return found


def edited(document: dict[str, Any], path: tuple[Any, ...], rng: random.Random) -> dict[str, Any]:
    """The document with one member deleted, doubled or of another value."""
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    value = place[path[-1]]
    match rng.randrange(4):
        case 0:
            del place[path[-1]]
        case 1 if isinstance(place, list):
            place.insert(rng.randrange(len(place) + 1), copy.deepcopy(value))
        case 2:
            place[path[-1]] = rng.choice([None, 0, 1, -1, 0.5, "", "x", [], {}, True, False])
        case _:
            place[path[-1]] = _near(value, rng)
    return changed


def _near(value: Any, rng: random.Random) -> Any:
    """A value of the same type that may well be believed."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice([-1, 1])
    if isinstance(value, float):
        return value * (1 + 2.0 ** -rng.randrange(1, 52))
    if isinstance(value, str):
        return value[:-1] if rng.random() < 0.5 else f"{value}x"
    if isinstance(value, list):
        return value[1:]
    if isinstance(value, dict):
        return dict(list(value.items())[1:])
    return 1.0


def meaning(data: bytes) -> Any:
    """What a file says: results, requirements and intervals; ``None`` where it is refused."""
    try:
        found = restore(data, "r.json")
    except UnreadableError:
        return None
    document = json.loads(data)
    return found, [document.get(name) for name in ("requirements", "intervals", "shard", "complete", "signature")]


def test_no_edit_with_another_meaning_is_accepted(written):
    rng = random.Random(12)
    document, expected = json.loads(written), meaning(written.encode())
    everywhere = places(document)
    accepted = 0
    for _ in range(ROUNDS):
        path = rng.choice(everywhere)
        changed = edited(document, path, rng)
        found = meaning(json.dumps(changed).encode())
        accepted += found is not None
        assert found in (None, expected), path
    # Scores of single images may be absent, and may differ in the last digits; so may the order of members.
    assert accepted < ROUNDS / 4


def test_no_damaged_byte_with_another_meaning_is_accepted(written):
    rng = random.Random(13)
    data, expected = written.encode(), meaning(written.encode())
    for _ in range(ROUNDS):
        place = rng.randrange(len(data))
        damaged = bytearray(data)
        match rng.randrange(4):
            case 0:
                damaged[place] ^= 1 << rng.randrange(8)
            case 1:
                del damaged[place : place + rng.choice([1, 1, 2, 40])]
            case 2:
                damaged[place:place] = bytes([rng.choice(b'0123456789",:[]{} -.eE')])
            case _:
                damaged[place] = rng.choice(b"0123456789")
        assert meaning(bytes(damaged)) in (None, expected), place
