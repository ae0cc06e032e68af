"""softdice: evaluate saved segmentation predictions. The public face; nothing inside imports it.

Names load on first use, so that ``import softdice_cli`` costs nothing and torch is imported only
for what needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softdice_cli.errors import (
        ConfigError,
        DeviceError,
        EmptyError,
        InputError,
        LabelError,
        ProbabilityError,
        ShapeError,
        SoftdiceError,
        UnreadableError,
    )
    from softdice_cli.evaluation import Reading, Watcher, evaluate
    from softdice_cli.evaluation.accumulator import Accumulator
    from softdice_cli.loss import SoftDiceLoss
    from softdice_cli.pairing import Pair, Pairing, PairingError, Side, pair_folders, pair_manifest, with_regions
    from softdice_cli.readers import ReadOptions
    from softdice_cli.records import (
        ClassDef,
        ClassScores,
        ClassSums,
        Failure,
        ImageRow,
        Region,
        Results,
        Run,
        Scores,
        Settings,
        Shard,
        Spread,
        Summary,
    )
    from softdice_cli.render import to_text
    from softdice_cli.reproducibility import SystemConfig, setup_system
    from softdice_cli.saved_results import restore
    from softdice_cli.scores import score_image

_HOMES = {
    "Accumulator": "evaluation.accumulator",
    "ClassDef": "records",
    "ClassScores": "records",
    "ClassSums": "records",
    "ConfigError": "errors",
    "DeviceError": "errors",
    "EmptyError": "errors",
    "Failure": "records",
    "ImageRow": "records",
    "InputError": "errors",
    "LabelError": "errors",
    "Pair": "pairing",
    "Pairing": "pairing",
    "PairingError": "pairing",
    "ProbabilityError": "errors",
    "ReadOptions": "readers",
    "Reading": "evaluation",
    "Region": "records",
    "Results": "records",
    "Run": "records",
    "Scores": "records",
    "Settings": "records",
    "ShapeError": "errors",
    "Shard": "records",
    "Side": "pairing",
    "SoftDiceLoss": "loss",
    "SoftdiceError": "errors",
    "Spread": "records",
    "Summary": "records",
    "SystemConfig": "reproducibility",
    "UnreadableError": "errors",
    "Watcher": "evaluation",
    "evaluate": "evaluation",
    "pair_folders": "pairing",
    "pair_manifest": "pairing",
    "with_regions": "pairing",
    "restore": "saved_results",
    "score_image": "scores",
    "setup_system": "reproducibility",
    "to_text": "render",
}

__all__ = [
    "Accumulator",
    "ClassDef",
    "ClassScores",
    "ClassSums",
    "ConfigError",
    "DeviceError",
    "EmptyError",
    "Failure",
    "ImageRow",
    "InputError",
    "LabelError",
    "Pair",
    "Pairing",
    "PairingError",
    "ProbabilityError",
    "ReadOptions",
    "Reading",
    "Region",
    "Results",
    "Run",
    "Scores",
    "Settings",
    "ShapeError",
    "Shard",
    "Side",
    "SoftDiceLoss",
    "SoftdiceError",
    "Spread",
    "Summary",
    "SystemConfig",
    "UnreadableError",
    "Watcher",
    "evaluate",
    "pair_folders",
    "pair_manifest",
    "restore",
    "score_image",
    "setup_system",
    "to_text",
    "with_regions",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from softdice_cli.version import __version__

        return __version__
    if name not in _HOMES:
        raise AttributeError(f"module 'softdice_cli' has no attribute {name!r}")
    return getattr(import_module(f"softdice_cli.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
