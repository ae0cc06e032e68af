"""A run that was cut off goes on where it stopped, ends with the same bytes, and believes nothing that changed."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from systems import posix

import softdice_cli.journal.stamps as stamps
from softdice_cli import InputError, Run, Settings, evaluate
from softdice_cli.evaluation import Reading
from softdice_cli.journal import Journal
from softdice_cli.journal.seals import seal_of, sealed
from softdice_cli.readers import ReadOptions

pytestmark = pytest.mark.slow

PAIRS = 40
READING = {"layout": "", "key": None, "gt_key": None, "verify": False}
"""How files are read by default, as the first line of a journal has it."""
SLOW = """
import sys, time
import softdice_cli.evaluation.pair_tasks as tasks
from softdice_cli.cli import main
prepare, seconds = tasks.prepare_pair, float(sys.argv.pop(1))
def slow(*arguments):
    time.sleep(seconds)
    return prepare(*arguments)
tasks.prepare_pair = slow
main()
"""
"""The command line with a pause before each pair, so that it can be killed halfway."""


def write(folder: Path, names: list[str], seed: int = 3) -> list[tuple[Path, Path]]:
    """Pairs of two classes over 5 × 4 pixels, in ``p`` and ``g``."""
    rng = np.random.default_rng(seed)
    for side in ("p", "g"):
        (folder / side).mkdir(exist_ok=True)
    for name in names:
        foreground = rng.random((5, 4))
        np.save(folder / f"p/{name}.npy", np.stack([1 - foreground, foreground]))
        np.save(folder / f"g/{name}.npy", rng.integers(0, 2, (5, 4)).astype(np.uint8))
    return [(folder / f"p/{name}.npy", folder / f"g/{name}.npy") for name in names]


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def command(*extra: str) -> tuple[str, ...]:
    return ("eval", "--pred", "p", "--gt", "g", "--format", "json", "--journal", "j", *extra)


def fresh(softdice) -> str:
    """What an undisturbed run prints."""
    run = softdice("eval", "--pred", "p", "--gt", "g", "--format", "json")
    assert run.code in (0, 3)
    return run.out


def kill_when(folder: Path, ready, seconds: float, *extra: str) -> None:
    """Start the slow command, and kill it once `ready` says so."""
    arguments = [sys.executable, "-c", SLOW, str(seconds), *command("-q", *extra)]
    process = subprocess.Popen(arguments, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not ready() and process.poll() is None:
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait(30)


def test_killed_twenty_times_and_resumed_gives_the_same_bytes(softdice, tmp_path):
    write(tmp_path, [f"i{i}" for i in range(PAIRS)])
    expected, journal = fresh(softdice), tmp_path / "j"
    chance = random.Random(20)
    reached = []
    for turn in range(20):
        journal.unlink(missing_ok=True)
        wanted, extra = chance.randrange(1, PAIRS), chance.random() * 0.01
        workers = str(chance.choice([1, 2, 4]))

        def ready(wanted=wanted, extra=extra):
            return lines(journal) >= wanted and not time.sleep(extra)

        kill_when(tmp_path, ready, 0.004, "--workers", workers)
        reached.append(lines(journal) - 1)
        # now and then it is killed again while it resumes
        if turn % 5 == 4:
            kill_when(tmp_path, lambda: lines(journal) > min(reached[-1] + 5, PAIRS - 1), 0.01)
        run = softdice(*command("-q"))
        assert (run.code, run.out) == (0, expected), f"turn {turn}, killed after {reached[-1]} pairs"
        assert lines(journal) == PAIRS + 1
    # most were cut off, at different places
    assert sum(pairs < PAIRS for pairs in reached) >= 15
    assert len(set(reached)) > 5
    assert min(reached) < PAIRS / 2 < max(reached)


def test_a_finished_journal_reads_no_pixels_again(softdice, tmp_path, monkeypatch):
    pairs = write(tmp_path, ["a", "b"])
    first = evaluate(pairs, journal=tmp_path / "j")
    monkeypatch.setattr("softdice_cli.evaluation.pair_tasks.prepare_pair", None)
    assert evaluate(pairs, journal=tmp_path / "j") == first


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
@pytest.mark.parametrize("cut", range(0, 400, 23))
def test_half_a_line_at_the_end_is_dropped(tmp_path, cut, device):
    pairs = write(tmp_path, ["a", "b", "c"])
    journal = tmp_path / "j"
    first = evaluate(pairs, journal=journal)
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) - cut])
    assert evaluate(pairs, journal=journal, device=device) == first
    assert lines(journal) == 4


@pytest.mark.parametrize("start", [b"", b"{", b'{"format": "softdice-journal", "vers'])
def test_a_journal_that_was_cut_off_in_its_first_line_begins_again(tmp_path, start):
    pairs = write(tmp_path, ["a"])
    journal = tmp_path / "j"
    journal.write_bytes(start)
    assert not evaluate(pairs, journal=journal).failures
    assert lines(journal) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        # a number that changes a score
        (["--eps", "0.001"], ["was made with other settings", "eps 0.001", "eps 1e-05"]),
        (["--empty", "one"], ["was made with other settings", "empty one", "empty skip"]),
        # several at once are all named
        (["--empty", "zero", "--no-background"], ["empty zero, background False", "empty skip, background True"]),
        # a label to ignore
        (["--ignore", "255"], ["was made with other settings", "ignore [255]", "ignore []"]),
        # named classes
        (["--class", "a", "--class", "b"], ["was made with other classes", "a=0, b=1", "no classes named"]),
        # how the files are read
        (["--layout", "CHW"], ["was made with other reading", "layout CHW"]),
    ],
)
def test_other_settings_are_refused_and_named(softdice, tmp_path, options, said):
    write(tmp_path, ["a", "b"])
    assert softdice(*command()).code == 0
    before = (tmp_path / "j").read_bytes()
    run = softdice(*command(*options))
    assert (run.code, run.out) == (3, "")
    for text in ["j: ", *said, "remove the journal"]:
        assert text in run.err
    assert (tmp_path / "j").read_bytes() == before


@pytest.mark.parametrize("options", [["--workers", "1"], ["--device", "torch:cpu"], ["--quiet"], ["--format", "csv"]])
def test_options_that_change_no_score_may_differ(softdice, tmp_path, options):
    write(tmp_path, ["a", "b"])
    assert softdice(*command()).code == 0
    assert softdice(*command(*options)).code == 0


@pytest.fixture
def warned() -> list[str]:
    """What a run says of its journal; see `resume`."""
    return []


def resume(pairs, folder: Path, warned: list[str]):
    """The results of a run that goes on with the journal ``j``."""
    warned.clear()
    return evaluate(pairs, journal=folder / "j", warn=warned.append)


def replaced(path: Path) -> None:
    """Another prediction of the same size and time, as an archive with fixed times unpacks it."""
    status = path.stat()
    array = np.load(path)
    path.unlink()
    np.save(path, array[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def smaller(path: Path) -> None:
    np.save(path, np.load(path).astype(np.float32))


@pytest.mark.parametrize("change", [replaced, smaller])
@pytest.mark.parametrize("dated", [pytest.param(True, marks=posix), False])
def test_a_pair_whose_file_changed_is_evaluated_again_and_named(tmp_path, warned, monkeypatch, change, dated):
    monkeypatch.setattr(stamps, "_is_dated", lambda status: dated)
    pairs = write(tmp_path, ["a", "b", "c"])
    assert resume(pairs, tmp_path, warned) == evaluate(pairs)
    time.sleep(0.05)
    change(pairs[1][0])
    assert resume(pairs, tmp_path, warned) == evaluate(pairs)
    assert warned == [f"{tmp_path / 'j'}: 1 pair is evaluated again, as a file of it changed: {pairs[1][0]}"]
    assert lines(tmp_path / "j") == 5
    # It is noted as it is now.
    assert resume(pairs, tmp_path, warned) == evaluate(pairs)
    assert (warned, lines(tmp_path / "j")) == ([], 5)


def test_a_model_that_took_the_place_of_another_does_not_pass_with_its_rows(softdice, tmp_path):
    pairs = write(tmp_path, ["a", "b"])
    for prediction, truth in pairs:
        labels = np.load(truth)
        np.save(prediction, np.stack([labels == 0, labels == 1]).astype(np.float32))
        os.utime(prediction, (0, 0))
    gate = ("eval", "--pred", "p", "--gt", "g", "--journal", "j", "--fail-under", "0.9")
    assert softdice(*gate).code == 0
    for prediction, _ in pairs:
        replaced(prediction)
    run = softdice(*gate)
    assert run.code == 1
    assert "softdice: warning: j: 2 pairs are evaluated again, as files of them changed, e.g. p/a.npy\n" in run.err


def test_a_copied_tree_is_used_as_far_as_it_is_the_same(tmp_path, warned, monkeypatch):
    """Another inode and another time, as a restored cache has them."""
    monkeypatch.setattr(stamps, "_is_dated", lambda status: True)
    pairs = write(tmp_path, ["a", "b"])
    first = resume(pairs, tmp_path, warned)
    for prediction, _ in pairs:
        moved = prediction.rename(prediction.with_suffix(".old"))
        shutil.copy2(moved, prediction)
    assert resume(pairs, tmp_path, warned) == first
    assert "2 pairs are evaluated again" in warned[0]


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_a_pair_whose_file_changes_while_it_is_read_is_not_noted(tmp_path, monkeypatch, device):
    import softdice_cli.evaluation.pair_tasks as tasks

    pairs = write(tmp_path, ["a", "b"])
    prepare = tasks.prepare_pair

    def changed(pair, *arguments):
        prepared = prepare(pair, *arguments)
        if pair.id == "a":
            replaced(pairs[0][0])
        return prepared

    monkeypatch.setattr(tasks, "prepare_pair", changed)
    assert len(evaluate(pairs, journal=tmp_path / "j", device=device).images) + 1 >= lines(tmp_path / "j")
    assert [json.loads(line)["id"] for line in (tmp_path / "j").read_text().splitlines()[1:]] == ["b"]


def test_a_pair_whose_file_is_gone_fails(tmp_path, warned):
    pairs = write(tmp_path, ["a", "b"])
    resume(pairs, tmp_path, warned)
    pairs[0][0].unlink()
    (failure,) = resume(pairs, tmp_path, warned).failures
    assert "no such file" in failure.error
    assert "1 pair is evaluated again" in warned[0]


def test_pairs_of_another_run_are_refused(tmp_path):
    pairs = write(tmp_path, ["a", "b"])
    evaluate(pairs, journal=tmp_path / "j")
    with pytest.raises(InputError, match="holds pair 'b', which this run does not have"):
        evaluate(pairs[:1], journal=tmp_path / "j")


def test_new_pairs_are_evaluated(tmp_path):
    pairs = write(tmp_path, ["a", "b", "c"])
    evaluate(pairs[::2], journal=tmp_path / "j")
    assert evaluate(pairs, journal=tmp_path / "j") == evaluate(pairs)


def test_shards_do_not_share_a_journal(softdice, tmp_path):
    write(tmp_path, ["a", "b", "c"])
    assert softdice(*command("--shard", "1/2")).code == 0
    run = softdice(*command("--shard", "2/2"))
    assert run.code == 3
    assert "which this run does not have" in run.err


FOREIGN = [
    # JSON of another kind, text, and what is binary
    b'{"format": "softdice-results"}\n',
    b"[]\n",
    b"pred,gt\na,b\n",
    b"\x93NUMPY\x01\x00\n\xff\xfe\n",
    # the same without a line end, so nothing that softdice wrote was cut off
    b"notes\nthat end without a line end",
    b"one line of notes",
    b"\x89PNG\r\n\x1a\n\x00\x00",
]


@pytest.mark.parametrize("content", FOREIGN)
def test_what_is_not_a_journal_is_refused_and_left_as_it_was(tmp_path, content):
    pairs = write(tmp_path, ["a"])
    journal = tmp_path / "j"
    journal.write_bytes(content)
    with pytest.raises(InputError, match="journal"):
        evaluate(pairs, journal=journal)
    assert journal.read_bytes() == content


def contents(whole: bytes) -> Iterator[bytes]:
    """A journal with a bit flipped, a byte left out or zeroed, or a digit changed, at every place."""
    for place, byte in enumerate(whole):
        before, after = whole[:place], whole[place + 1 :]
        yield before + bytes([byte ^ (1 << place % 8)]) + after
        yield before + after
        yield before + b"\0" + after
        yield before
        yield before + bytes(len(after) + 1)
        # Half a line and a line behind it, which a crash has glued together.
        yield before + whole[whole.index(b"\n") + 1 :]
        if chr(byte).isdigit():
            yield before + (b"1" if byte != ord("1") else b"2") + after


def test_whatever_happens_to_a_byte_no_other_row_is_believed(tmp_path):
    pairs = write(tmp_path, ["a", "b"])
    evaluate(pairs, journal=tmp_path / "j")
    whole = (tmp_path / "j").read_bytes()
    files = {path.stem: (str(path), str(truth)) for path, truth in pairs}

    def read() -> dict[str, list] | None:
        journal = Journal(tmp_path / "j", Run(settings=Settings()), READING, files)
        try:
            with journal:
                return {name: journal.rows(name) for name in files}
        except InputError:
            return None

    right, believed, refused = read(), 0, 0
    assert all(right.values())
    for content in contents(whole):
        (tmp_path / "j").write_bytes(content)
        rows = read()
        if rows is None:
            refused += 1
            continue
        for name, found in rows.items():
            assert found in (None, right[name]), content
            believed += found is not None
    assert believed > len(whole)
    assert 0 < refused < believed


def glued(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a[: len(a) // 2] + b]


def one_digit(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, b.replace('"pixels": 20', '"pixels": 21')]


def of_other_settings(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, other]


def without_checksum(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, json.dumps({**json.loads(b), "check": None})]


def zeros(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, "\0" * len(b)]


def rows_of_another_pair(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, sign(header, {**json.loads(b), "rows": json.loads(a)["rows"]})]


def rows_of_an_image_of_a_batch(header: str, a: str, b: str, other: str) -> list[str]:
    rows = [{**row, "id": "b[1]"} for row in json.loads(b)["rows"]]
    return [header, a, sign(header, {**json.loads(b), "rows": rows})]


def no_rows(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, sign(header, {**json.loads(b), "rows": []})]


def impossible_rows(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, sign(header, {**json.loads(b), "rows": [{**json.loads(b)["rows"][0], "pixels": -1}]})]


def too_few_stamps(header: str, a: str, b: str, other: str) -> list[str]:
    return [header, a, sign(header, {**json.loads(b), "files": json.loads(b)["files"][:1]})]


def sign(header: str, entry: dict) -> str:
    """A line with the right checksum, as a mistake in a program would write it."""
    entry.pop("check")
    return sealed(entry, seal_of(header.encode())).decode()


DAMAGES = [
    glued, one_digit, of_other_settings, without_checksum, zeros, rows_of_another_pair, rows_of_an_image_of_a_batch,
    no_rows, impossible_rows, too_few_stamps,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_is_told_and_its_pair_evaluated_again(softdice, tmp_path, damage):
    write(tmp_path, ["a", "b"])
    expected = fresh(softdice)
    assert softdice(*command("--eps", "1e-6")).code == 0
    other = (tmp_path / "j").read_text().splitlines()[2]
    (tmp_path / "j").unlink()
    assert softdice(*command()).out == expected
    changed = damage(*(tmp_path / "j").read_text().splitlines(), other)
    (tmp_path / "j").write_text("\n".join([*changed, ""]))
    run = softdice(*command())
    assert (run.code, run.out) == (0, expected)
    said = f"j: line {len(changed)} is damaged; what stands in no other line is evaluated again"
    assert f"softdice: warning: {said}\n" in run.err
    # What was evaluated again is noted behind it.
    before = (tmp_path / "j").read_bytes()
    assert softdice(*command()).out == expected
    assert (tmp_path / "j").read_bytes() == before


def test_many_damaged_lines_are_counted(tmp_path, warned):
    pairs = write(tmp_path, [f"i{index}" for index in range(9)])
    first = resume(pairs, tmp_path, warned)
    (tmp_path / "j").write_text((tmp_path / "j").read_text().replace('"pixels": 20', '"pixels": 21'))
    assert resume(pairs, tmp_path, warned) == first
    assert "j: lines 2, 3, 4, 5, 6 and 4 more are damaged" in warned[0]


def test_lines_that_are_doubled_or_in_another_order_are_whole(tmp_path, warned):
    pairs = write(tmp_path, ["a", "b"])
    first = resume(pairs, tmp_path, warned)
    header, a, b = (tmp_path / "j").read_text().splitlines()
    (tmp_path / "j").write_text("\n".join([header, b, a, b, a, ""]))
    assert resume(pairs, tmp_path, warned) == first
    assert warned == []


def test_a_damaged_first_line_is_refused_by_name(softdice, tmp_path):
    write(tmp_path, ["a"])
    assert softdice(*command()).code == 0
    whole = (tmp_path / "j").read_text()
    (tmp_path / "j").write_text(whole.replace('"eps": 1e-05', '"eps": 1e-06', 1))
    run = softdice(*command("--eps", "1e-6"))
    assert (run.code, run.out) == (3, "")
    assert "j: is damaged in its first line" in run.err
    assert "remove the journal to begin again" in run.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # a later version, and a member that only a later softdice knows
        ({"version": 3}, "is newer than this softdice: it holds 'version 3'"),
        ({"speed": 1}, "is newer than this softdice: it holds 'speed'"),
        # a line that says nothing of its settings
        ({"settings": None}, "is broken"),
    ],
)
def test_a_first_line_of_another_program_is_refused(tmp_path, change, said):
    pairs = write(tmp_path, ["a"])
    evaluate(pairs, journal=tmp_path / "j")
    header = json.loads((tmp_path / "j").read_text().splitlines()[0])
    header.pop("check")
    (tmp_path / "j").write_bytes(sealed({**header, **change}) + b"\n")
    with pytest.raises(InputError, match=said):
        evaluate(pairs, journal=tmp_path / "j")


def test_a_member_that_only_a_later_softdice_knows_is_not_damage(tmp_path):
    pairs = write(tmp_path, ["a"])
    evaluate(pairs, journal=tmp_path / "j")
    header, a = (tmp_path / "j").read_text().splitlines()
    entry = json.loads(a)
    entry["rows"][0]["speed"] = 1
    (tmp_path / "j").write_text(f"{header}\n{sign(header, entry)}\n")
    with pytest.raises(InputError, match="is newer than this softdice"):
        evaluate(pairs, journal=tmp_path / "j")


@posix
def test_two_runs_at_once_are_refused(softdice, tmp_path):
    write(tmp_path, ["a"])
    with Journal(tmp_path / "j", Run(settings=Settings()), {}, {}):
        run = softdice(*command())
    assert (run.code, run.out) == (3, "")
    assert "is in use by another run" in run.err
    (tmp_path / "j").unlink()
    assert softdice(*command()).code == 0


def test_failures_are_tried_again_after_the_file_is_fixed(softdice, tmp_path):
    pairs = write(tmp_path, ["a", "b", "c"])
    expected, good = fresh(softdice), pairs[1][0].read_bytes()
    pairs[1][0].write_bytes(good[:100])
    run = softdice(*command())
    assert run.code == 3
    assert [failure["id"] for failure in json.loads(run.out)["failures"]] == ["b"]
    assert lines(tmp_path / "j") == 3
    # still broken
    assert softdice(*command()).out == run.out
    pairs[1][0].write_bytes(good)
    run = softdice(*command())
    assert (run.code, run.out) == (0, expected)


def test_fail_fast_keeps_what_was_finished(softdice, tmp_path):
    pairs = write(tmp_path, ["a", "b", "c"])
    expected, good = fresh(softdice), pairs[1][0].read_bytes()
    pairs[1][0].write_bytes(b"")
    assert softdice(*command("--fail-fast", "--workers", "1")).code == 3
    assert lines(tmp_path / "j") == 2
    pairs[1][0].write_bytes(good)
    assert softdice(*command()).out == expected


def test_images_of_one_file_are_noted_together(tmp_path):
    rng = np.random.default_rng(0)
    p = rng.random((3, 4, 5))
    np.save(tmp_path / "p.npy", np.stack([1 - p, p], 1))
    np.save(tmp_path / "g.npy", rng.integers(0, 2, (3, 4, 5)))
    pairs = [(tmp_path / "p.npy", tmp_path / "g.npy")]
    first = evaluate(pairs, journal=tmp_path / "j")
    assert len(first.images) == 3
    assert lines(tmp_path / "j") == 2
    assert evaluate(pairs, journal=tmp_path / "j") == first


def test_standard_input_cannot_be_noted(softdice, tmp_path):
    pairs = write(tmp_path, ["a"])
    run = softdice("eval", "--pred", "-", "--gt", "g/a.npy", "--journal", "j", stdin=pairs[0][0].read_bytes())
    assert (run.code, run.out) == (2, "")
    assert "--journal" in run.err
    assert not (tmp_path / "j").exists()


@pytest.mark.parametrize("path", ["nowhere/j", "p"])
def test_a_journal_that_cannot_be_opened(softdice, tmp_path, path):
    write(tmp_path, ["a"])
    run = softdice("eval", "--pred", "p", "--gt", "g", "--journal", path)
    assert (run.code, run.out) == (3, "")
    assert f"{path}: cannot be opened" in run.err


def test_a_manifest_on_standard_input_may_be_noted(softdice, tmp_path):
    write(tmp_path, ["a", "b"])
    listed = b"pred,gt\np/a.npy,g/a.npy\np/b.npy,g/b.npy\n"
    arguments = ("eval", "--pairs", "-", "--journal", "j", "--format", "json")
    first, second = (softdice(*arguments, stdin=listed) for _ in range(2))
    assert first == second
    assert lines(tmp_path / "j") == 3


def test_the_journal_is_not_the_output(softdice, tmp_path):
    write(tmp_path, ["a"])
    run = softdice(*command("-o", "j"))
    assert run.code == 2


def test_rows_reach_the_file_before_the_run_ends(tmp_path):
    pairs = write(tmp_path, ["a", "b"])
    seen: list[int] = []

    class Watcher:
        def started(self, pairs):
            pass

        def evaluated(self, settings, rows):
            seen.append(lines(tmp_path / "j"))

        def failed(self, failure):
            pass

    thread = threading.Thread(target=evaluate, args=(pairs,), kwargs={"journal": tmp_path / "j", "watcher": Watcher()})
    thread.start()
    thread.join(60)
    assert seen == [2, 3]


def test_a_first_line_without_its_end_is_written_again(tmp_path):
    pairs = write(tmp_path, ["a"])
    journal = tmp_path / "j"
    first = evaluate(pairs, journal=journal)
    begin, _, rest = journal.read_bytes().partition(b"\n")
    # of another release, whose first line has the same meaning and other bytes
    other = {**json.loads(begin), "softdice": "0.2.9"}
    del other["check"]
    journal.write_bytes(sealed(other))
    assert evaluate(pairs, journal=journal) == first
    assert journal.read_bytes() == begin + b"\n" + rest


def test_what_was_not_verified_does_not_pass_for_what_was(tmp_path):
    pairs = write(tmp_path, ["a"])
    evaluate(pairs, journal=tmp_path / "j")
    with pytest.raises(InputError, match="other reading"):
        evaluate(pairs, journal=tmp_path / "j", reading=Reading(pred=ReadOptions(verify=True)))


def test_a_disk_that_is_found_full_at_the_end_is_an_error_of_the_journal(tmp_path, monkeypatch):
    pairs = write(tmp_path, ["a"])
    evaluate(pairs, journal=tmp_path / "j")

    def full(file):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    # nothing is added, so this is the one on leaving
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written") as caught:
        evaluate(pairs, journal=tmp_path / "j")
    assert "remove" not in caught.value.hint
