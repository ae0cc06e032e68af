"""The notebook's example against everything that is shipped: does this machine give the digits that it should?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import softdice_cli.notebook as notebook
from softdice_cli.libraries import missing_torch
from softdice_cli.overlap import decoding_for
from softdice_cli.overlap.codes import translation
from softdice_cli.overlap.devices import devices, engine_for, torch_missing
from softdice_cli.records import ImageRow, Results, Run, Settings
from softdice_cli.scores import summarize

ALL = "all"

FLOAT32_TOLERANCE = 5e-7
"""Four units in the last place of the notebook's float32 loss: its sums depend on the order of addition."""


@dataclass(frozen=True, slots=True)
class Check:
    """One number that was computed here, and what it has to be.

    Attributes:
        what: what was computed, and where.
        found: the number.
        expected: the reference.
        tolerance: greatest difference that passes; 0 asks for the same bits.
    """

    what: str
    found: float
    expected: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the number is the reference."""
        return abs(self.found - self.expected) <= self.tolerance


def checks(device: str = ALL) -> Iterator[Check]:
    """Every check of a device.

    Args:
        device: see `overlap.devices.engine_for`; or ``all`` for every device that is present, and
            for `SoftDiceLoss`.

    Raises:
        DeviceError: there is no such device here.
        MissingLibraryError: torch is not installed, and it is needed.
    """
    if device != ALL:
        yield from _device_checks(device)
        return
    if error := torch_missing():
        raise missing_torch("the check of all devices", error, instead="softdice selfcheck, for the CPU alone")
    yield Check("loss in float32, SoftDiceLoss", _float32_loss(), notebook.FLOAT32_LOSS, FLOAT32_TOLERANCE)
    for present in reversed(devices()):
        yield from _device_checks(present)


def _device_checks(device: str) -> Iterator[Check]:
    """The example on one device."""
    results = _results(device)
    where = engine_for(device).name
    yield Check(f"loss, {where}", results.pooled.means.loss or 0.0, notebook.LOSS, 4e-16)
    for index, scores in enumerate(results.pooled.classes):
        yield Check(f"loss of class {index}, {where}", scores.loss or 0.0, notebook.CLASS_LOSSES[index], 4e-16)
        yield Check(f"hard Dice of class {index}, {where}", scores.dice or 0.0, notebook.DICE[index], 0)


def _float32_loss() -> float:
    import torch

    from softdice_cli.loss import SoftDiceLoss

    probabilities, labels = notebook.example()
    loss = SoftDiceLoss(num_classes=3)(torch.from_numpy(probabilities)[None], torch.from_numpy(labels)[None])
    return float(loss)


def _results(device: str) -> Results:
    probabilities, labels = notebook.example()
    settings = Settings().resolve(3, path="the notebook's example")
    decoding = decoding_for(settings, 2.0**-23)
    codes = translation(settings)(labels.reshape(-1))
    tally = engine_for(device).tally(probabilities.reshape(3, -1), codes, decoding)
    row = ImageRow("notebook", "", "", tally.pixels, tally.ignored, tally.class_sums())
    return summarize(Run(settings=settings, rows=(row,)))
