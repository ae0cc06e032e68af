"""Pairs → rows → results: the one loop over the pairs of a run, in their order.

It prints nothing, and judges nothing but its input. Where and how many pairs are worked on at once
is up to the room `execution`; what is done with each of them stands in `pair_tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softdice_cli.errors import ConfigError, InputError
from softdice_cli.evaluation.gathering import Failures
from softdice_cli.evaluation.meaning import Found, FoundLabel, FoundPalette, Meaning
from softdice_cli.evaluation.outcomes import Evaluated, Outcome, not_tried
from softdice_cli.evaluation.pair_tasks import EvaluatePair, pairs_together
from softdice_cli.evaluation.reading import Reading
from softdice_cli.evaluation.since_start import SinceStart
from softdice_cli.evaluation.watching import Silent, Watcher
from softdice_cli.execution import executor_for
from softdice_cli.overlap import BatchEngine
from softdice_cli.overlap.devices import engine_for
from softdice_cli.pairing import STDIN, Pair
from softdice_cli.records import ImageRow, Results, Run, Settings, Shard
from softdice_cli.scores import summarize

if TYPE_CHECKING:
    from softdice_cli.journal import Journal

AnyPath = str | PathLike[str]


def evaluate(
    pairs: Iterable[Pair | tuple[AnyPath, AnyPath]],
    *,
    settings: Settings | None = None,
    device: str = "cpu",
    reading: Reading | None = None,
    workers: int | None = None,
    batch_size: int | None = None,
    journal: AnyPath | None = None,
    timeout: float | None = None,
    fail_fast: bool = False,
    left_out: Sequence[str] = (),
    shard: Shard | None = None,
    label: str = "",
    watcher: Watcher | None = None,
    notify: Callable[[str], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Results:
    """Evaluate saved predictions against their masks.

    The result does not depend on the device, the workers or the batches. With more pairs, only the
    memory for their rows grows.

    Args:
        pairs: `Pair` objects, or (prediction, truth) paths, which are named after the truth.
        settings: what the scores mean; the defaults take the classes from the first prediction.
        device: ``cpu``, ``auto``, ``cuda``, ``cuda:N`` or ``mps``.
        reading: how files are read.
        workers: how many pairs are read (and on the CPU counted) side by side, by default as many
            as there are cores. On the CPU they are processes where this one may be forked (Linux,
            no other thread is running, and torch is not imported): one in any case, and a single
            large image is shared out. Elsewhere they are threads, by default a single one.
        batch_size: greatest number of images that an accelerator counts at once; by its memory by
            default.
        journal: file that notes finished pairs, so that the same call goes on where it was cut off.
        timeout: seconds that a pair may take, by default any number. A pair that takes longer fails, and the process
            that worked on it is ended; so there have to be such processes (see `workers`).
        fail_fast: stop at the first pair that fails; those behind it fail as well, as they were not tried.
        left_out: files without a partner, for the results to name.
        shard: which part of a run the pairs are, for the results to say.
        label: a name of the run or model, likewise; `merge` joins only what has the same.
        watcher: is told of every pair as it is done, in the order of the pairs.
        notify: is told what a person may want to know about how a pair was read, in the same order.
        warn: is told what of the journal cannot be used, before the first pair.

    Returns:
        The results; pairs that could not be evaluated are in `Results.failures`.

    Raises:
        ConfigError: the settings, the layout or the device cannot be used, two pairs have one id, or the time of a
            pair cannot be limited here.
        InputError: the journal does not belong to this run.
    """
    listed = [_as_pair(pair) for pair in pairs]
    _refuse_repeats(listed)
    asked = _with_regions(settings or Settings(), listed)
    found = _Findings(listed, asked, reading or Reading(), watcher or Silent(), notify or _say_nothing)
    found.watcher.started(len(listed))
    with ExitStack() as stack:
        if journal is not None:
            found.journal = stack.enter_context(_journal(Path(journal), found, listed))
            for text in found.journal.warnings:
                (warn or _say_nothing)(text)
        fresh = [pair for pair in listed if not found.is_noted(pair)]
        outcomes = stack.enter_context(_outcomes(found, fresh, device, workers, batch_size, timeout))
        found.keep_all(listed, outcomes, fail_fast=fail_fast)
    return summarize(
        Run(
            settings=found.settings,
            rows=tuple(found.rows),
            failures=found.failures.cured(found.rows, found.settings),
            left_out=tuple(left_out),
            shard=shard,
            label=label,
            palette=found.palette,
        )
    )


@contextmanager
def _outcomes(
    found: _Findings,
    pairs: list[Pair],
    device: str,
    workers: int | None,
    batch_size: int | None,
    timeout: float | None,
) -> Iterator[Iterator[Outcome]]:
    """What becomes of each pair, in order; on leaving, whatever is not finished is ended."""
    engine = engine_for(device)
    journaled = found.journal is not None
    # Label maps are compared on the CPU, whatever the device.
    if isinstance(engine, BatchEngine) and found.asked.prediction != "labels":
        from softdice_cli.evaluation.device_tiles import ReadTiles, evaluate_on_device

        if timeout is not None:
            raise ConfigError(
                f"cannot be kept on {device}, as what it works on cannot be ended",
                option="timeout",
                hint="--device cpu, or leave out {option}",
            )
        read = ReadTiles(found.asked, found.reading, journaled, engine)
        with evaluate_on_device(read, pairs, workers, batch_size) as outcomes:
            yield outcomes
        return
    task = EvaluatePair(found.asked, found.reading, journaled, engine)
    with executor_for(workers, timeout).run(task, pairs, together=pairs_together(pairs)) as outcomes:
        yield outcomes


def _say_nothing(note: str) -> None:
    return


def _as_pair(pair: object) -> Pair:
    if isinstance(pair, Pair):
        return pair
    if isinstance(pair, tuple | list) and len(pair) == 2:
        prediction, truth = pair
        if isinstance(prediction, str | PathLike) and isinstance(truth, str | PathLike):
            return Pair.of_files(fspath(prediction), fspath(truth))
    raise ConfigError(f"{pair!r} is not a pair", expected="a list of (prediction, truth) paths or of Pair objects")


def _with_regions(settings: Settings, pairs: list[Pair]) -> Settings:
    """The settings, which say whether pixels outside a region of interest are left out: of all pairs, or of none.

    Raises:
        ConfigError: some pairs have a region, and some do not.
    """
    lacking = [pair for pair in pairs if not pair.roi]
    if not pairs or (len(lacking) == len(pairs) and not settings.roi):
        return settings
    if lacking:
        raise ConfigError(
            f"pair {lacking[0].id!r} has no region of interest, and other pairs have one",
            option="roi",
            expected="a region for every pair, or for none",
            found=f"{len(lacking)} of {len(pairs)} pairs without a region",
        )
    return replace(settings, roi=True)


def _refuse_repeats(pairs: Iterable[Pair]) -> None:
    known: set[str] = set()
    for pair in pairs:
        if pair.id in known:
            raise ConfigError(f"two pairs have the id {pair.id!r}", found=pair.pred, hint="Pair(id, pred, gt)")
        known.add(pair.id)


def _journal(path: Path, found: _Findings, pairs: list[Pair]) -> Journal:
    """The journal for a run of these pairs, all of whose files it can watch."""
    from softdice_cli.journal import Journal

    if any(STDIN in (pair.pred, pair.gt) for pair in pairs):
        raise ConfigError(
            "cannot note what came through standard input", option="journal", hint="save it to a file first"
        )
    reading = found.reading
    noted = {
        "layout": reading.layout,
        "key": reading.pred.key,
        "gt_key": reading.gt.key,
        # What was read without its checksum is not to pass for what was read with it.
        "verify": reading.pred.verify,
    }
    return Journal(
        path,
        Run(settings=found.asked),
        noted,
        {pair.id: pair.files for pair in pairs},
    )


class _Findings:
    """What a run has found so far.

    Attributes:
        asked: the settings as asked for; every pair is prepared with these, so that it depends on
            no other pair.
        settings: the same with the classes resolved, once a pair was evaluated.
        reading: how files are read.
        watcher: is told how the run goes on.
        journal: notes finished pairs, or ``None``.
        since_start: knows whether files were exchanged since the run began.
        rows: of the images that were evaluated.
        failures: of the pairs that were not.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        settings: Settings,
        reading: Reading,
        watcher: Watcher,
        notify: Callable[[str], None],
    ) -> None:
        self.asked = settings
        self.settings = settings
        self.reading = reading
        self.watcher = watcher
        self.journal: Journal | None = None
        self.since_start = SinceStart(pairs, reading)
        self.rows: list[ImageRow] = []
        self.failures = Failures()
        self._meaning = Meaning(named=bool(settings.classes))
        self._image_ids: set[str] = set()
        self._notify = notify

    @property
    def palette(self) -> str:
        """The colours of labels, where pictures have palettes."""
        return self._meaning.palette

    def is_noted(self, pair: Pair) -> bool:
        """Whether the journal holds the rows of a pair from an earlier run."""
        return self.journal is not None and pair.id in self.journal

    def noted(self, pair: Pair) -> Evaluated | None:
        """A pair as the journal holds it, or ``None``."""
        if self.journal is None:
            return None
        rows = self.journal.rows(pair.id)
        if rows is None:
            return None
        return Evaluated(len(rows[0].sums), rows, found=_found_before(self.journal.found(pair.id)))

    def keep_all(self, pairs: Sequence[Pair], outcomes: Iterator[Outcome], *, fail_fast: bool) -> None:
        """Take in what becomes of all pairs, in order: as the journal has it, or the next of the outcomes."""
        for place, pair in enumerate(pairs, start=1):
            outcome = self.noted(pair) or next(outcomes)
            if not self.keep(pair, outcome) and fail_fast:
                for left in pairs[place:]:
                    self.keep(left, not_tried(left, pair))
                return

    def keep(self, pair: Pair, outcome: Outcome) -> bool:
        """Take in the outcome of a pair; whether it could be evaluated."""
        if isinstance(outcome, Evaluated):
            outcome = self.since_start.refusal(pair) or self._fitting(pair, outcome)
        if isinstance(outcome, InputError):
            self.watcher.failed(self.failures.take(pair, outcome))
            return False
        if outcome.note:
            self._notify(outcome.note)
        if self.journal is not None and outcome.stamps is not None:
            found = {"labels": outcome.found.labels, "palettes": outcome.found.palettes}
            self.journal.add(pair.id, outcome.stamps, outcome.rows, found)
        self.rows += outcome.rows
        self._image_ids.update(row.id for row in outcome.rows)
        self.watcher.evaluated(self.settings, outcome.rows)
        return True

    def _fitting(self, pair: Pair, outcome: Evaluated) -> Outcome:
        """The outcome, if it goes together with those before it."""
        try:
            settings = self.settings.resolve(outcome.classes, path=pair.pred)
        except InputError as error:
            return error
        if contradiction := self._meaning.take(outcome.found, settings, outcome.rows):
            return contradiction
        for row in outcome.rows:
            if row.id in self._image_ids:
                return InputError(
                    f"gives image {row.id!r}, as another pair did",
                    path=pair.pred,
                    hint="give one of the pairs another id: Pair(id, pred, gt), or a column id in the manifest",
                )
        self.settings = settings
        for found in outcome.found.labels:
            self.settings = self.settings.with_label(found.label)
        return outcome


def _found_before(noted: Mapping[str, Any]) -> Found:
    """What a journal holds of the files of a pair."""
    labels = tuple(FoundLabel(path, label) for path, label in noted.get("labels", ()))
    palettes = []
    for path, colors in noted.get("palettes", ()):
        palettes.append(FoundPalette(path, tuple((label, color) for label, color in colors)))
    return Found(labels, tuple(palettes))
