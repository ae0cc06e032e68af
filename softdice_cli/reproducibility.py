"""What the notebook sets up before it computes: seeds, printing, and cuDNN."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from softdice_cli.optional import require

require("torch", "setup_system")

import torch  # noqa: E402


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """Settings for a repeatable run; the defaults are the notebook's.

    Attributes:
        seed: of the generators of torch (every device), NumPy and `random`.
        print_precision: digits that torch prints.
        cudnn_benchmark_enabled: let cuDNN try algorithms and keep the fastest; may change results.
        cudnn_deterministic: let cuDNN use deterministic algorithms only.
    """

    seed: int = 42
    print_precision: int = 10
    cudnn_benchmark_enabled: bool = False
    cudnn_deterministic: bool = True


def setup_system(config: SystemConfig | None = None) -> None:
    """Seed the generators and set torch's printing and cuDNN flags.

    Args:
        config: an instance; the notebook's settings if left out.
    """
    config = config or SystemConfig()
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    random.seed(config.seed)
    torch.set_printoptions(precision=config.print_precision)  # type: ignore[no-untyped-call]
    torch.backends.cudnn.benchmark = config.cudnn_benchmark_enabled  # the notebook sets a name that nobody reads
    torch.backends.cudnn.deterministic = config.cudnn_deterministic
