"""The same scores for a loop that has arrays instead of files: update batch by batch, compute at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from softdice_cli.errors import ConfigError, LayoutError, ShapeError
from softdice_cli.evaluation.given_arrays import source_of
from softdice_cli.evaluation.image_tally import tally_image
from softdice_cli.evaluation.prepared_pair import PreparedPair, line_up
from softdice_cli.evaluation.reading import Reading
from softdice_cli.evaluation.settling import settled_rows
from softdice_cli.execution import Grant
from softdice_cli.layout import SPATIAL
from softdice_cli.overlap.devices import engine_for
from softdice_cli.pairing import Pair
from softdice_cli.readers import Source
from softdice_cli.readers.labels import as_labels
from softdice_cli.records import ImageRow, Results, Run, Settings
from softdice_cli.records.classes import is_cut
from softdice_cli.records.settings import aligned
from softdice_cli.scores import summarize


class Accumulator:
    """Rows of the images seen so far; can be pickled, sent to another process, and merged there.

    Args:
        settings: what the scores mean; the defaults take the classes from the first batch.
        name: in front of the ids of the images; give each process its own, as ids must differ when
            merged.
    """

    def __init__(self, settings: Settings | None = None, *, name: str = "") -> None:
        self._settings = settings or Settings()
        for option in ("roi", "colors", "white_is_zero"):
            if getattr(self._settings, option):
                raise ConfigError("is about files, and arrays have none", option=option, hint="leave it out")
        self._name = name
        self._rows: dict[str, ImageRow] = {}

    def update(self, probabilities: Any, labels: Any, *, ids: Sequence[str] | None = None) -> None:
        """Take in a batch.

        Args:
            probabilities: ``(B, C, *S)`` array or dense tensor of float16, bfloat16, float32 or float64, on any
                device; for label maps, ``(B, *S)``.
            labels: ``(B, *S)`` or ``(B, 1, *S)`` array or dense tensor of whole numbers.
            ids: unique names of the B images; numbers in the order of the updates by default.

        Raises:
            InputError: the shapes do not belong together, or the values cannot be scored.
            ConfigError: an id is there already, or there are not B of them; or the arrays hold what cannot be
                added up exactly, such as long doubles, or hide values, as masked arrays and sparse tensors do.
        """
        prepared = self._prepared(source_of("probabilities", probabilities), source_of("labels", labels))
        names = self._names(len(prepared.images), ids)
        engine = engine_for("cpu")
        tallies = (tally_image(prepared, image, engine, Grant()) for image in prepared.images)
        _, counted = settled_rows(prepared, tallies, engine, Grant())
        rows: dict[str, ImageRow] = {}
        for name, row in zip(names, counted, strict=True):
            rows[name] = replace(row, id=name, pred="", gt="")
        self._settings = prepared.settings
        self._rows |= rows

    def _prepared(self, prediction: Source, labels: Source) -> PreparedPair:
        """A batch as if it had been read from two files of many images."""
        truth = as_labels(labels, colors=False, fractions=is_cut(self._settings.foreground))
        maps = self._settings.prediction == "labels"
        spatial = prediction.array.ndim - (1 if maps else 2)
        layout = ("B" if maps else "BC") + SPATIAL[-spatial:]
        try:
            return line_up(Pair("", "", ""), prediction, truth, self._settings, Reading(layout=layout))
        except LayoutError as error:
            expected = "labels (B, *S) or (B, 1, *S) for probabilities (B, C, *S)"
            raise ShapeError(error.problem, path="probabilities", expected=expected, found=error.found) from error

    def _names(self, count: int, ids: Sequence[str] | None) -> list[str]:
        """The ids of so many new images.

        Raises:
            ConfigError: they do not name each image once.
        """
        if ids is None:
            seen = len(self._rows)
            ids = [f"{self._name}{index:06}" for index in range(seen, seen + count)]
        names = list(ids)
        if isinstance(ids, str) or not all(isinstance(name, str) for name in names):
            raise ConfigError("ids are not texts", expected=f"a list of {count} texts", found=repr(ids)[:80])
        repeated = len(set(names)) < len(names) or not self._rows.keys().isdisjoint(names)
        if len(names) != count or repeated:
            raise ConfigError("ids do not name each image once", expected=f"{count} new ids", found=str(names))
        return names

    def merge(self, other: Accumulator) -> None:
        """Take in the images of another accumulator.

        Raises:
            ConfigError: its settings differ, or an id is in both.
        """
        # One of them may not have met the label of the foreground yet.
        mine, theirs = aligned(self._settings, other._settings)
        if other._rows and self._rows and theirs != mine:
            raise ConfigError(
                "accumulators with other settings cannot be merged",
                expected=mine.signature,
                found=theirs.signature,
            )
        if both := self._rows.keys() & other._rows.keys():
            raise ConfigError(
                f"image {min(both)!r} is in both accumulators", hint="Accumulator(name=…) for each process"
            )
        if other._rows:
            self._settings = theirs
        self._rows |= other._rows

    def compute(self) -> Results:
        """The results of all images so far."""
        return summarize(Run(settings=self._settings, rows=tuple(self._rows.values())))
