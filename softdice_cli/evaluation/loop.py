"""Pairs → rows → results: read ahead, count, keep. The one loop; it prints nothing and judges nothing but its input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.evaluation.count import Outcome
from softdice_cli.evaluation.prepare import Counted, Reading
from softdice_cli.evaluation.work import Work, ahead, cores, count_all
from softdice_cli.overlap import BatchEngine
from softdice_cli.overlap.devices import engine_for
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.records import Failure, ImageRow, Results, Run, Settings, Shard
from softdice_cli.scores import summarize

if TYPE_CHECKING:
    from softdice_cli.journal import Journal

AnyPath = str | PathLike[str]


class Watcher(Protocol):
    """Is told how a run goes on."""

    def started(self, pairs: int) -> None:
        """So many pairs will be evaluated."""

    def evaluated(self, settings: Settings, rows: list[ImageRow]) -> None:
        """A pair gave these rows."""

    def failed(self, failure: Failure) -> None:
        """A pair could not be evaluated."""


class Silent:
    """Watches and says nothing."""

    def started(self, pairs: int) -> None:
        """Nothing to do."""

    def evaluated(self, settings: Settings, rows: list[ImageRow]) -> None:
        """Nothing to do."""

    def failed(self, failure: Failure) -> None:
        """Nothing to do."""


def evaluate(
    pairs: Iterable[Pair | tuple[AnyPath, AnyPath]],
    *,
    settings: Settings | None = None,
    device: str = "cpu",
    reading: Reading | None = None,
    workers: int | None = None,
    batch_size: int | None = None,
    journal: AnyPath | None = None,
    fail_fast: bool = False,
    left_out: Sequence[str] = (),
    shard: Shard | None = None,
    watcher: Watcher | None = None,
) -> Results:
    """Evaluate saved predictions against their masks.

    The result does not depend on the device, the workers or the batches; memory does not grow with the pairs but for
    their rows.

    Args:
        pairs: `Pair` objects, or (prediction, truth) paths, which are named after the truth.
        settings: what the scores mean; the defaults take the classes from the first prediction.
        device: ``cpu``, ``auto``, ``cuda``, ``cuda:N`` or ``mps``.
        reading: how files are read.
        workers: how many pairs are read (and on the CPU counted) side by side, by default as many as there are cores.
            On the CPU they are processes where this one may be forked (Linux, no other thread is running, and torch is
            not imported): one in any case, and a single large image is shared out. Elsewhere they are threads, by
            default a single one.
        batch_size: greatest number of images that an accelerator counts at once; by its memory by default.
        journal: file that notes finished pairs, so that the same call goes on where it was cut off.
        fail_fast: stop at the first pair that fails.
        left_out: files without a partner, for the results to name.
        shard: which part of a run the pairs are, for the results to say.
        watcher: is told of every pair as it is done, in the order of the pairs.

    Returns:
        The results; pairs that could not be evaluated are in `Results.failures`.

    Raises:
        ConfigError: the settings, the layout or the device cannot be used, or two pairs have one id.
        InputError: the journal does not belong to this run.
    """
    run = _Run(settings or Settings(), reading if reading is not None else Reading(), watcher or Silent())
    listed = [_as_pair(pair) for pair in pairs]
    _refuse_repeats(listed)
    run.watcher.started(len(listed))
    with ExitStack() as stack:
        if journal is not None:
            run.journal = stack.enter_context(_journal(Path(journal), run, listed))
        for pair, outcome in run.outcomes(listed, device, workers, batch_size, stack):
            if not run.keep(pair, outcome) and fail_fast:
                break
    return summarize(
        Run(
            settings=run.settings,
            rows=tuple(run.rows),
            failures=tuple(run.failures),
            left_out=tuple(left_out),
            shard=shard,
        )
    )


def _as_pair(pair: object) -> Pair:
    if isinstance(pair, Pair):
        return pair
    if isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(path, str | PathLike) for path in pair):
        return Pair.of_files(fspath(pair[0]), fspath(pair[1]))
    raise ConfigError(f"{pair!r} is no pair", expected="a list of (prediction, truth) paths or of Pair objects")


def _refuse_repeats(pairs: Iterable[Pair]) -> None:
    known: set[str] = set()
    for pair in pairs:
        if pair.id in known:
            raise ConfigError(f"two pairs have the id {pair.id!r}", found=pair.pred, hint="Pair(id, pred, gt)")
        known.add(pair.id)


def _journal(path: Path, run: _Run, pairs: Iterable[Pair]) -> Journal:
    """The journal for a run of these pairs, all of whose files it can watch."""
    from softdice_cli.journal import Journal

    listed = list(pairs)
    if any(STDIN in (pair.pred, pair.gt) for pair in listed):
        raise ConfigError("--journal cannot note what came through standard input", hint="save it to a file first")
    reading = run.reading
    return Journal(
        path,
        Run(settings=run.settings),
        {"layout": reading.layout, "key": reading.pred.key, "gt_key": reading.gt.key},
        {pair.id: (pair.pred, pair.gt) for pair in listed},
    )


class _Run:
    """What a run has found so far."""

    def __init__(self, settings: Settings, reading: Reading, watcher: Watcher) -> None:
        self.settings = settings
        self.reading = reading
        self.watcher = watcher
        self.journal: Journal | None = None
        self.rows: list[ImageRow] = []
        self._ids: set[str] = set()
        self.failures: list[Failure] = []
        self._asked = settings

    def outcomes(
        self, pairs: list[Pair], device: str, workers: int | None, batch_size: int | None, stack: ExitStack
    ) -> Iterator[tuple[Pair, Outcome]]:
        """Each pair with its rows or its error, in order."""
        engine = engine_for(device)
        work = Work(self._asked, self.reading, engine, self.journal is not None)
        fresh = [pair for pair in pairs if self.journal is None or pair.id not in self.journal]
        if isinstance(engine, BatchEngine) and self._asked.prediction != "labels":
            from softdice_cli.evaluation.batches import Batcher

            read = partial(work.read_tiles, engine)
            found = Batcher(engine, batch_size).run(ahead(work, read, fresh, workers or cores(), stack))
        else:
            found = count_all(work, fresh, workers, stack)
        for pair in pairs:
            noted = self.journal.rows(pair.id) if self.journal else None
            yield pair, next(found) if noted is None else Counted(len(noted[0].sums), noted)

    def keep(self, pair: Pair, outcome: Outcome) -> bool:
        """Take in the outcome of a pair; whether it could be evaluated."""
        if isinstance(outcome, Counted):
            outcome = self._fitting(pair, outcome)
        if isinstance(outcome, InputError):
            failure = Failure(
                pair.id, pair.pred, pair.gt, outcome.headline(), outcome.expected, outcome.found, outcome.hint
            )
            self.failures.append(failure)
            self.watcher.failed(failure)
            return False
        if outcome.note:
            self.reading.notify(outcome.note)
        if self.journal is not None and outcome.stamps is not None:
            self.journal.add(pair.id, outcome.stamps, outcome.rows)
        self.rows += outcome.rows
        self._ids.update(row.id for row in outcome.rows)
        self.watcher.evaluated(self.settings, outcome.rows)
        return True

    def _fitting(self, pair: Pair, outcome: Counted) -> Outcome:
        """The outcome, if it goes together with those before it."""
        try:
            self.settings = self.settings.resolve(outcome.classes, path=pair.pred)
        except InputError as error:
            return error
        twice = next((row.id for row in outcome.rows if row.id in self._ids), None)
        return outcome if twice is None else InputError(f"gives image {twice!r}, as another pair did", path=pair.pred)
