"""The notebook's example is rebuilt bit for bit, `softdice selfcheck` agrees with it, and says so when it does not."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Softdice

from softdice_cli import notebook
from softdice_cli.cli.selfcheck import Selfcheck
from softdice_cli.overlap import numpy_engine
from softdice_cli.overlap.devices import devices
from softdice_cli.selfcheck import Check, checks

X86_64 = platform.machine().lower() in ("x86_64", "amd64")
REFERENCES = ("1.8738912343978882", "1.873891106797835")


def torch_example() -> np.ndarray:
    """What the notebook itself calls."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(42)
        return torch.zeros(1, 3, 224, 224).uniform_().softmax(dim=1)[0].numpy()


def test_the_example_is_the_one_that_torch_draws():
    probabilities, labels = notebook.example()
    theirs = torch_example()
    assert probabilities.dtype == theirs.dtype == np.float32
    if X86_64:
        assert np.array_equal(probabilities.view(np.uint32), theirs.view(np.uint32))
    else:  # another vector library may round the exponential otherwise
        np.testing.assert_array_max_ulp(probabilities, theirs, maxulp=1)
    expected = torch.zeros(1, 224, 224)
    expected[:, :50, :50] = 1
    expected[:, 50:100, 50:100] = 2
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, expected[0].numpy())


def test_the_reference_is_the_formula_in_float64():
    """The constants come from the example by the definition, written here once more without the engine."""
    probabilities, labels = notebook.example()
    wide, decided = probabilities.astype(np.float64), probabilities.argmax(0)
    losses, dice = [], []
    for index, channel in enumerate(wide):
        truth, predicted = labels == index, decided == index
        soft = (2 * channel[truth].sum() + 1e-5) / (channel.sum() + truth.sum() + 1e-5)
        losses.append(-np.log(soft))
        dice.append(2 * (truth & predicted).sum() / (truth.sum() + predicted.sum()))
    np.testing.assert_allclose(losses, notebook.CLASS_LOSSES, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dice, notebook.DICE, rtol=0, atol=1e-15)
    assert np.mean(losses) == pytest.approx(notebook.LOSS, abs=1e-12)
    assert (repr(notebook.FLOAT32_LOSS), repr(notebook.LOSS)) == REFERENCES


def test_the_example_leaves_the_generators_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    notebook.example()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


def test_all_checks_agree_on_every_device():
    found = list(checks())
    assert [check for check in found if not check.agrees] == []
    assert len(found) == 1 + 7 * len(devices())  # the float32 loss; the loss, and two numbers of each class
    assert len({check.what for check in found}) == len(found)


@pytest.mark.parametrize(
    ("found", "tolerance", "agrees"),
    [
        (1.0, 0, True),
        (1.0 + 2**-52, 0, False),  # tolerance 0 asks for the same bits
        (1.25, 0.25, True),
        (0.74, 0.25, False),
        (float("nan"), 0.25, False),
        (float("inf"), 0.25, False),
    ],
)
def test_a_check_agrees_within_its_tolerance(found: float, tolerance: float, agrees: bool):
    assert Check("", found, 1.0, tolerance).agrees is agrees


def test_the_command_prints_both_losses_and_succeeds(softdice: Softdice):
    done = softdice("selfcheck", "--device", "all")
    assert done.code == 0
    assert done.err == ""
    lines = done.out.splitlines()
    assert all(line.endswith(" ok") for line in lines)
    for reference in REFERENCES:
        assert any(reference in line for line in lines), done.out


def _a_unit_too_much(*args: Any) -> tuple[int, ...]:
    return tuple(total + 2**64 for total in SUM_ROWS(*args))


def _in_float32(values: Any, *args: Any) -> tuple[int, ...]:
    return tuple(int(float(np.cumsum(row, dtype=np.float32)[-1]) * 2.0**64) for row in values)


def _swapped(parts: Any, *args: Any) -> Any:
    return SUM_PARTS(parts[::-1], *args)


SUM_ROWS, SUM_PARTS = numpy_engine.sum_rows, numpy_engine.sum_parts

# what breaks: the owner, the name, its replacement, and a check that must notice
SABOTAGE = {
    "another reference": (notebook, "LOSS", notebook.LOSS + 1e-15, "loss, numpy"),
    "another float32 reference": (notebook, "FLOAT32_LOSS", 1.87388, "loss in float32, SoftDiceLoss"),
    "one pixel too many in each sum": (numpy_engine, "sum_rows", _a_unit_too_much, "loss of class 0, numpy"),
    "sums in float32": (numpy_engine, "sum_rows", _in_float32, "loss of class 1, numpy"),
    "truth against the wrong channel": (numpy_engine, "sum_parts", _swapped, "loss of class 2, numpy"),
    "another decision": (numpy_engine, "_chosen", lambda v, *_: v == v.min(0), "hard Dice of class 1, numpy"),
}


@pytest.mark.parametrize("case", SABOTAGE)
def test_a_wrong_number_is_noticed(case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    owner, name, replacement, notices = SABOTAGE[case]
    monkeypatch.setattr(owner, name, replacement)
    assert notices in {check.what for check in checks() if not check.agrees}
    assert Selfcheck(device="all").run() == 4
    out, err = capsys.readouterr()
    assert any(line.startswith(notices) and "DIFFERS from" in line for line in out.splitlines())
    assert "do not trust scores from this machine" in err
