"""A run that was cut off goes on where it stopped, ends with the same bytes, and believes nothing that changed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from systems import posix

from softdice_cli import InputError, Run, Settings, evaluate
from softdice_cli.journal import Journal

pytestmark = pytest.mark.slow

PAIRS = 40
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
    assert journal.read_bytes() == whole


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


def test_a_file_of_another_size_is_refused(tmp_path):
    pairs = write(tmp_path, ["a", "b"])
    evaluate(pairs, journal=tmp_path / "j")
    np.save(pairs[1][0], np.load(pairs[1][0]).astype(np.float32))
    with pytest.raises(InputError) as caught:
        evaluate(pairs, journal=tmp_path / "j")
    for text in (f"'b', whose file {pairs[1][0]} changed since", "448 bytes", "288 bytes"):
        assert text in str(caught.value)


@pytest.mark.parametrize("side", [0, 1])
def test_a_file_of_another_time_is_refused(tmp_path, side):
    pairs = write(tmp_path, ["a", "b"])
    evaluate(pairs, journal=tmp_path / "j")
    os.utime(pairs[0][side], ns=(0, 1_000_000_007))
    with pytest.raises(InputError) as caught:
        evaluate(pairs, journal=tmp_path / "j")
    for text in (f"'a', whose file {pairs[0][side]} changed since", "1000000007 nanoseconds"):
        assert text in str(caught.value)


def test_a_file_that_changes_while_it_is_read_is_not_believed_later(tmp_path, monkeypatch):
    import softdice_cli.evaluation.pair_tasks as tasks

    pairs = write(tmp_path, ["a"])
    prepare = tasks.prepare_pair

    def changed(*arguments):
        prepared = prepare(*arguments)
        os.utime(pairs[0][0], ns=(0, 5))
        return prepared

    monkeypatch.setattr(tasks, "prepare_pair", changed)
    evaluate(pairs, journal=tmp_path / "j")
    with pytest.raises(InputError, match="changed since"):
        evaluate(pairs, journal=tmp_path / "j")


def test_a_file_that_is_gone_is_refused(tmp_path):
    pairs = write(tmp_path, ["a"])
    evaluate(pairs, journal=tmp_path / "j")
    pairs[0][0].unlink()
    with pytest.raises(InputError, match="changed since"):
        evaluate(pairs, journal=tmp_path / "j")


def test_pairs_of_another_run_are_refused(tmp_path):
    pairs = write(tmp_path, ["a", "b"])
    evaluate(pairs, journal=tmp_path / "j")
    with pytest.raises(InputError, match="holds pair 'b', which this run does not have"):
        evaluate(pairs[:1], journal=tmp_path / "j")


def test_new_pairs_are_evaluated(tmp_path):
    pairs = write(tmp_path, ["a", "b", "c"])
    evaluate(pairs[::2], journal=tmp_path / "j")
    assert evaluate(pairs, journal=tmp_path / "j") == evaluate(pairs)


def test_another_model_of_equal_sizes_and_times_is_not_taken_for_the_first(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = write(tmp_path / "one", ["a", "b"], seed=1), write(tmp_path / "two", ["a", "b"], seed=2)
    for path in [path for pair in one + two for path in pair]:
        # as a reproducible archive or image unpacks them
        os.utime(path, (0, 0))
    evaluate(one, journal=tmp_path / "j")
    expected = evaluate(two)
    try:
        found = evaluate(two, journal=tmp_path / "j")
    except InputError:
        return
    assert found == expected


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


@pytest.mark.parametrize(
    "change",
    [
        # a line that is not JSON, or of another shape
        lambda entry: None,
        lambda entry: [],
        lambda entry: {"id": "a"},
        lambda entry: {**entry, "files": [[1]]},
        # the right size without a time
        lambda entry: {**entry, "files": [file[:1] for file in entry["files"]]},
        # rows that cannot be
        lambda entry: {**entry, "rows": 5},
        lambda entry: {**entry, "rows": [{}]},
        lambda entry: {**entry, "rows": []},
        lambda entry: {**entry, "rows": [{**entry["rows"][0], "pixels": -1}]},
        lambda entry: {**entry, "rows": [{**entry["rows"][0], "sums": {}}]},
    ],
)
def test_a_broken_line_is_refused(softdice, tmp_path, change):
    write(tmp_path, ["a"])
    assert softdice(*command()).code == 0
    header, entry, _ = (tmp_path / "j").read_text().split("\n")
    changed = change(json.loads(entry))
    (tmp_path / "j").write_text(f"{header}\n{'{' if changed is None else json.dumps(changed)}\n")
    run = softdice(*command())
    assert run.code == 3, run.err
    assert "j: " in run.err


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
