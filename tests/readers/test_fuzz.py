"""Thousands of damaged files for each reader: what comes out is an array or a named error, soon, and in little memory.

``SOFTDICE_FUZZ=100000 python -m pytest tests/readers/test_fuzz.py`` reads more of them.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import fuzzing
import pytest

from softdice_cli.readers import Blob, read_array

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("SOFTDICE_FUZZ", "3000"))

HARM = """
import os, time
fuzzing.SECONDS, read = 1.0, fuzzing.read_array
def harmful(blob, options):
    harmful.calls += blob.data is not None
    if harmful.calls == 3:
        {}
    return read(blob, options)
harmful.calls = 0
fuzzing.read_array = harmful
"""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")


@linux
@pytest.mark.parametrize("reader", fuzzing.READERS)
def test_damaged_files_end_in_an_array_or_a_named_error(reader: str):
    report = fuzzing.run(reader, 0, CASES)
    again = [f"{what}\n  python tests/readers/fuzzing.py {reader} {number}" for number, what in report.failures]
    assert not again, "\n".join(again[:9])
    assert sum(report.outcomes.values()) == CASES
    # Most of the files that are read have another reader that reads them too, and some can be evaluated.
    assert report.others[fuzzing.SAME] > report.outcomes[reader] / 2
    assert any(role.endswith("evaluated") for role in report.roles)
    assert min(report.outcomes[reader], report.outcomes["UnreadableError"]) > CASES / 50, (
        "damage too great or too small"
    )


@pytest.mark.parametrize("reader", fuzzing.READERS)
def test_the_files_that_are_damaged_are_valid(reader: str):
    refused = [data for data in fuzzing.seeds(reader) if reader not in (_outcome(data), _outcome(data, "probs"))]
    assert len(refused) <= 1  # objects, sparse tensors and pictures that move are there to be refused


def _outcome(data: bytes, key: str | None = None) -> str:
    return fuzzing.outcome(Blob("seed", data), key)


@pytest.mark.parametrize("reader", fuzzing.READERS)
def test_a_value_that_another_decoder_reads_otherwise_is_seen(reader: str):
    data = fuzzing.seeds(reader)[0]
    source = read_array(Blob("seed", data), fuzzing.LIMITS)
    assert fuzzing.compared(source, data, None) == fuzzing.SAME
    other = source.array.copy()
    other[-1, ..., -1] = 1 - other[-1, ..., -1]
    with pytest.raises(AssertionError, match="other values"):
        fuzzing.compared(replace(source, array=other), data, None)


def test_a_checksum_and_rows_that_do_not_hold_are_seen():
    whole = fuzzing.png(4, 3, 8, 0, b"\0\1\2\3\4" * 3)
    source = read_array(Blob("seed", whole), fuzzing.LIMITS)
    fuzzing.checked(source, whole)
    with pytest.raises(AssertionError, match="rows"):
        fuzzing.checked(source, fuzzing.png(4, 3, 8, 0, b"\0\1\2\3\4" * 2))
    with pytest.raises(AssertionError, match="checksum of b'IDAT'"):
        fuzzing.checked(source, whole.replace(b"IDATx", b"IDATy"))


@linux
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        # the process dies, or hangs, and the case that it was at is known
        ("os.abort()", "ended with -6"),
        ("time.sleep(99)", "ended with 1: Timeout"),
        # a time that no case may take, and memory: what is there, what is not, and what no limit allows
        ("sum(range(5 * 10**7))", "took "),
        ("bytearray(2**29)", " MB"),
        ("bytearray(2**34)", "MemoryError"),
        ("raise fuzzing.InputError('') from MemoryError()", "memory was asked for that no limit allows"),
        # an error that is none of ours
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_what_must_not_happen_is_seen(harm: str, said: str):
    limit = "fuzzing.HANGS = 3\n" if "sleep" in harm else ""
    report = fuzzing.run("npy", 40, 3, limit + HARM.format(harm))
    # A slow machine takes too long over 512 MB as well: both are findings of the same case.
    assert {number for number, _ in report.failures} == {41}
    assert said in "\n".join(what for _, what in report.failures)
