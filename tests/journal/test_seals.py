"""A line with a checksum: whatever happens to one of its bytes, it is not taken for another line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from softdice_cli.journal.seals import opened, seal_of, sealed

ENTRY = {"id": 'a, "check": "x', "rows": [[1, 2.5, 120.79999736696482]], "files": [[2176, "aa93"]]}
KEY = b"0123456789abcdef"


def damaged(line: bytes) -> Iterator[bytes]:
    """A line with one bit, byte or digit changed, at every place, and every line that is shorter."""
    for place, byte in enumerate(line):
        before, after = line[:place], line[place + 1 :]
        for bit in range(8):
            yield before + bytes([byte ^ (1 << bit)]) + after
        yield before + after
        yield before
        if byte in b"0123456789":
            yield from (before + bytes([digit]) + after for digit in b"0123456789" if digit != byte)


def test_a_whole_line_is_opened_and_is_ordinary_json():
    line = sealed(ENTRY, KEY)
    assert opened(line, KEY) == ENTRY
    assert json.loads(line) == {**ENTRY, "check": seal_of(line).decode()}


def test_no_damaged_line_is_opened():
    line = sealed(ENTRY, KEY)
    cases = list(damaged(line))
    assert len(cases) > 10 * len(line)
    assert [case for case in cases if opened(case, KEY) is not None] == []


@pytest.mark.parametrize(
    "line",
    [
        # nothing, and what has no checksum
        b"",
        json.dumps(ENTRY).encode(),
        # a right checksum behind what is not JSON
        sealed({"a": 1}).replace(b"{", b"", 1),
        b"\0" * 100,
        b"[" * 100_000,
    ],
)
def test_what_is_not_a_sealed_line_is_not_opened(line):
    assert opened(line) is None


def test_a_line_belongs_to_its_key():
    line = sealed(ENTRY, KEY)
    assert opened(line) is None
    assert opened(line, KEY[::-1]) is None
    assert opened(sealed(ENTRY), KEY) is None
