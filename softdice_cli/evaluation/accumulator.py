"""The same scores for a loop that has arrays instead of files: update batch by batch, compute at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from softdice_cli.errors import ConfigError, LayoutError, ShapeError
from softdice_cli.evaluation.count import rows_of
from softdice_cli.evaluation.prepare import Reading, line_up
from softdice_cli.overlap.devices import engine_for
from softdice_cli.pairing import Pair
from softdice_cli.readers import Source
from softdice_cli.readers.labels import as_labels
from softdice_cli.records import ImageRow, Results, Run, Settings
from softdice_cli.scores import summarize

_SPACE = "TDHW"


class Accumulator:
    """Rows of the images seen so far; can be pickled, sent to another process, and merged there.

    Args:
        settings: what the scores mean; the defaults take the classes from the first batch.
        name: in front of the ids of the images; give each process its own, as ids must differ when merged.
    """

    def __init__(self, settings: Settings | None = None, *, name: str = "") -> None:
        self._settings = settings or Settings()
        self._name = name
        self._rows: dict[str, ImageRow] = {}

    def update(self, probabilities: Any, labels: Any, *, ids: Sequence[str] | None = None) -> None:
        """Take in a batch.

        Args:
            probabilities: ``(B, C, *S)`` array or tensor of any float type and device; for label maps, ``(B, *S)``.
            labels: ``(B, *S)`` or ``(B, 1, *S)`` array or tensor of whole numbers.
            ids: unique names of the B images; numbers in the order of the updates by default.

        Raises:
            InputError: the shapes do not belong together, or the values cannot be scored.
            ConfigError: an id is there already, or there are not B of them.
        """
        prediction, truth = _source("probabilities", probabilities), as_labels(_source("labels", labels), colors=False)
        maps = self._settings.prediction == "labels"
        space = _SPACE[-(prediction.array.ndim - (1 if maps else 2)) :]
        layout = ("B" if maps else "BC") + space
        try:
            prepared = line_up(Pair("", "", ""), prediction, truth, self._settings, Reading(layout=layout))
        except LayoutError as error:
            expected = "labels (B, *S) or (B, 1, *S) for probabilities (B, C, *S)"
            raise ShapeError(error.problem, path="probabilities", expected=expected, found=error.found) from error
        names = (
            [f"{self._name}{len(self._rows) + i:06}" for i in range(len(prepared.images))] if ids is None else list(ids)
        )
        if len(names) != len(prepared.images) or len({*names, *self._rows}) != len(names) + len(self._rows):
            raise ConfigError(
                "ids do not name each image once", expected=f"{len(prepared.images)} new ids", found=str(names)
            )
        rows = rows_of(prepared, engine_for("cpu"), lambda: False)
        self._settings = prepared.settings
        self._rows |= {
            name: ImageRow(name, "", "", row.pixels, row.ignored, row.sums)
            for name, row in zip(names, rows, strict=True)
        }

    def merge(self, other: Accumulator) -> None:
        """Take in the images of another accumulator.

        Raises:
            ConfigError: its settings differ, or an id is in both.
        """
        if other._rows and self._rows and other._settings != self._settings:
            raise ConfigError(
                "accumulators with other settings cannot be merged",
                expected=self._settings.signature,
                found=other._settings.signature,
            )
        if both := self._rows.keys() & other._rows.keys():
            raise ConfigError(
                f"image {min(both)!r} is in both accumulators", hint="Accumulator(name=…) for each process"
            )
        if other._rows:
            self._settings = other._settings
        self._rows |= other._rows

    def compute(self) -> Results:
        """The results of all images so far."""
        return summarize(Run(settings=self._settings, rows=tuple(self._rows.values())))


def _source(name: str, values: Any) -> Source:
    """An array or tensor as if it had been read from a file of that name."""
    if hasattr(values, "detach"):  # a torch tensor, without importing torch to ask
        tensor = values.detach().cpu()
        stored = str(tensor.dtype).removeprefix("torch.")
        array = (tensor.float() if stored == "bfloat16" else tensor).numpy()
    else:
        array = np.asarray(values)
        stored = array.dtype.newbyteorder("=").name
    if array.dtype.kind not in "biuf":
        raise ConfigError(f"{name} hold no numbers", found=f"{type(values).__name__} of {array.dtype}")
    return Source(name=name, format="array", array=array, stored=stored)
