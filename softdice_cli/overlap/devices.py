"""Devices by name, and the engine for each. torch is imported for any but the CPU."""

from __future__ import annotations

from collections.abc import Callable

from softdice_cli.errors import DeviceError
from softdice_cli.overlap.contract import Engine
from softdice_cli.overlap.numpy_engine import NumpyEngine

CHECK = "torch:cpu"
"""The torch engine on the CPU: slower than NumPy, and there to be compared with it."""


def engine_for(device: str) -> Engine:
    """The engine for a device.

    Args:
        device: ``cpu`` (NumPy), ``auto`` (an accelerator if there is one), ``cuda``, ``cuda:N``, ``mps``, or
            ``torch:cpu``.

    Raises:
        DeviceError: there is no such device here.
    """
    if device == "cpu":  # first, as the question which others there are imports torch
        return NumpyEngine()
    present = devices()
    if device == "auto":
        device = present[0]
    if device == "cpu":
        return NumpyEngine()
    from softdice_cli.overlap.torch_engine import TorchEngine

    if device in present or (device == "cuda" and "cuda:0" in present):
        return TorchEngine(device.removeprefix("torch:"))
    raise DeviceError(
        f"{device!r} is not on this machine",
        option="device",
        expected=f"auto, {', '.join(present)}",
        found="torch sees no such device",
        hint=f"--device {present[0]}",
    )


def devices() -> list[str]:
    """The devices of this machine, the fastest first."""
    import torch

    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu", CHECK]


def choose(device: str, say: Callable[[str], None]) -> str:
    """The device to use: the one named, or for ``auto`` the fastest that is there, which is then said."""
    if device != "auto":
        return device
    chosen = devices()[0]
    say(f"device: {chosen}")
    return chosen
