"""The failures of a run, and one cure for those that have one cause.

A file shows only a part of what is wrong with a set: one crop has the label that tells a shift from a border, another
has not. So each failure keeps what its file shows, and when the run is over, all failures of one kind get the hint that
follows from all files together, also from those that could be evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softdice_cli.errors import Evidence, InputError, as_flag
from softdice_cli.pairing import Pair
from softdice_cli.records import Failure, ImageRow, Settings


class Failures:
    """The failures of a run, in the order of the pairs."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []
        # What the failures of a kind show together, and which they are.
        self._evidence: dict[object, Evidence] = {}
        self._kinds: list[object] = []

    def take(self, pair: Pair, error: InputError) -> Failure:
        """Take in the error of a pair; the failure, with the hint that its own file leads to."""
        # Failures are read where the command is run, and so they name options as flags.
        failure = Failure(
            pair.id, pair.pred, pair.gt, error.headline(as_flag), error.expected, error.found, error.next_step(as_flag)
        )
        self._failures.append(failure)
        evidence = error.evidence
        kind = None if evidence is None else (type(evidence), evidence.kind)
        self._kinds.append(kind)
        if evidence is not None:
            known = self._evidence.get(kind)
            self._evidence[kind] = evidence if known is None else known.joined(evidence)
        return failure

    def cured(self, rows: Sequence[ImageRow], settings: Settings) -> tuple[Failure, ...]:
        """The failures, each with the hint that all files of the run lead to.

        Args:
            rows: of the images that could be evaluated.
            settings: what those mean, with the classes resolved.
        """
        hints = {kind: _with_rows(evidence, rows, settings).hint() for kind, evidence in self._evidence.items()}
        cured = []
        for failure, kind in zip(self._failures, self._kinds, strict=True):
            cured.append(failure if kind is None else replace(failure, hint=hints[kind]))
        return tuple(cured)


def _with_rows(evidence: Evidence, rows: Sequence[ImageRow], settings: Settings) -> Evidence:
    """What the failures of a kind show, with what the images beside them show of the same."""
    if not rows:
        return evidence
    # Imported here, as most runs have no failures.
    from softdice_cli.evaluation.seen_labels import LabelsSeen

    if isinstance(evidence, LabelsSeen):
        return evidence.with_rows(rows, settings)
    return evidence
