"""What the notebook sets up before it computes: seeds, printing, and cuDNN.

It is here so that who comes from the notebook finds its set-up; softdice itself needs none of it.
See ``softdice_cli.notebook`` for what the notebook is.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from softdice_cli.libraries import missing_torch


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

    Raises:
        MissingLibraryError: torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise missing_torch("setup_system", error) from error

    config = config or SystemConfig()
    torch.manual_seed(config.seed)
    np.random.seed(config.seed)
    random.seed(config.seed)
    torch.set_printoptions(precision=config.print_precision)  # type: ignore[no-untyped-call]
    # The notebook sets another name here, which torch never reads.
    torch.backends.cudnn.benchmark = config.cudnn_benchmark_enabled
    torch.backends.cudnn.deterministic = config.cudnn_deterministic
