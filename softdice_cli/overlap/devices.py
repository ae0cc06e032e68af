"""Devices by name, and the engine for each. torch is imported for any device but the CPU."""

from __future__ import annotations

from collections.abc import Callable

from softdice_cli.errors import DeviceError
from softdice_cli.optional import is_installed, require
from softdice_cli.overlap.contract import Engine
from softdice_cli.overlap.numpy_engine import NumpyEngine

CPU = "cpu"

CHECK = "torch:cpu"
"""The torch engine on the CPU: slower than NumPy, and there to be compared with it."""


def engine_for(device: str) -> Engine:
    """The engine for a device.

    Args:
        device: ``cpu`` (NumPy), ``auto`` (an accelerator if there is one), ``cuda``, ``cuda:N``, ``mps``, or
            ``torch:cpu``.

    Raises:
        DeviceError: there is no such device here.
        MissingLibraryError: torch is not installed, and the device is not the CPU.
    """
    if device == "auto":
        device = fastest()
    # The CPU comes first, because the question which other devices there are imports torch.
    if device == CPU:
        return NumpyEngine()
    require("torch", f"the device {device!r}")
    from softdice_cli.overlap.torch_engine import TorchEngine

    present = devices()
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
    """The devices of this machine, the fastest first; without torch, the CPU is the only one."""
    if not is_installed("torch"):
        return [CPU]
    import torch

    found = []
    if torch.cuda.is_available():
        found += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, CPU, CHECK]


def fastest() -> str:
    """The fastest device of this machine."""
    return devices()[0]


def choose(device: str, say: Callable[[str], None]) -> str:
    """The device to use: the one named, or for ``auto`` the fastest that is there, which is then said."""
    if device != "auto":
        return device
    chosen = fastest()
    if chosen == CPU and not is_installed("torch"):
        say("device: cpu, as torch is not installed, which would find an accelerator")
    else:
        say(f"device: {chosen}")
    return chosen
