"""How fast pinned memory is copied to the accelerator; prints bytes a second, or null where there is none."""

from __future__ import annotations

import json
import time

import torch

_BYTES, _TIMES = 2**28, 10


def main() -> None:
    """Copy a quarter of a gibibyte ten times, after once to warm up."""
    print(json.dumps(_rate() if torch.cuda.is_available() else None))


def _rate() -> float:
    here = torch.empty(_BYTES, dtype=torch.uint8, pin_memory=True)
    there = torch.empty(_BYTES, dtype=torch.uint8, device="cuda")
    there.copy_(here, non_blocking=True)
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(_TIMES):
        there.copy_(here, non_blocking=True)
    torch.cuda.synchronize()
    return _BYTES * _TIMES / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
