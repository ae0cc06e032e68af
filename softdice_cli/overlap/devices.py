"""Devices by name, and the engine for each.

The CPU is always there and needs NumPy alone; torch is imported for any other device, and to find
out which others there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from softdice_cli.errors import DeviceError
from softdice_cli.libraries import TORCH, missing_torch
from softdice_cli.overlap.contract import Engine
from softdice_cli.overlap.numpy_engine import NumpyEngine

CHECK = "torch:cpu"
"""The torch engine on the CPU: slower than NumPy, and there to be compared with it."""

_OF_TORCH = re.compile(r"cuda(:\d+)?|mps|torch:cpu")


def engine_for(device: str) -> Engine:
    """The engine for a device.

    Args:
        device: ``cpu`` (NumPy), ``auto`` (an accelerator if there is one), ``cuda``, ``cuda:N``,
            ``mps``, or ``torch:cpu``.

    Raises:
        DeviceError: there is no such device here.
        MissingLibraryError: the device needs torch, which is not installed.
    """
    # The CPU first, as the question which other devices there are imports torch.
    if device == "cpu":
        return NumpyEngine()
    present = devices()
    if device == "auto":
        device = present[0]
    if device == "cpu":
        return NumpyEngine()
    if device not in present and not (device == "cuda" and "cuda:0" in present):
        raise _absent(device, present)
    from softdice_cli.overlap.torch_engine import TorchEngine

    return TorchEngine(device.removeprefix("torch:"))


def _absent(device: str, present: list[str]) -> Exception:
    """The error for a device that is not here: because torch is missing, or because nothing has that name."""
    # Without torch nobody can tell whether an accelerator is there.
    error = torch_missing()
    if error and _OF_TORCH.fullmatch(device):
        return missing_torch(repr(device), error, option="device", instead="--device cpu")
    return DeviceError(
        f"{device!r} is not on this machine",
        option="device",
        expected=f"auto, {', '.join(present)}",
        found="torch is not installed" if error else "torch sees no such device",
        hint=f"--device {present[0]}",
    )


def torch_missing() -> ImportError | None:
    """Why torch cannot be imported, or ``None`` where it can."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        return error
    return None


def devices() -> list[str]:
    """The devices of this machine, the fastest first; the CPU alone where torch is not installed."""
    if torch_missing():
        return ["cpu"]
    import torch

    found: list[str] = []
    if torch.cuda.is_available():
        found += map("cuda:{}".format, range(torch.cuda.device_count()))
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu", CHECK]


def choose(device: str, say: Callable[[str], None]) -> str:
    """The device to use: the one named, or for ``auto`` the fastest that is there, which is then said."""
    if device != "auto":
        return device
    chosen = devices()[0]
    if torch_missing():
        say(f"device: {chosen} (torch, which would find an accelerator, is not installed: {TORCH})")
    else:
        say(f"device: {chosen}")
    return chosen
