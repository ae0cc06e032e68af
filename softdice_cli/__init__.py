"""softdice: evaluate saved segmentation predictions. The public face; nothing inside imports it.

Names load on first use, so that ``import softdice_cli`` costs nothing and torch is imported only for what needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softdice_cli.errors import ConfigError, DeviceError, InputError, SoftdiceError
    from softdice_cli.evaluation import Reading, evaluate
    from softdice_cli.loss import SoftDiceLoss
    from softdice_cli.pairing import Pair
    from softdice_cli.readers import ReadOptions
    from softdice_cli.records import ClassDef, ClassScores, ClassSums, ImageRow, Results, Settings, Summary
    from softdice_cli.render import to_text
    from softdice_cli.reproducibility import SystemConfig, setup_system
    from softdice_cli.scores import restore, score_image

_HOMES = {
    "ClassDef": "records",
    "ClassScores": "records",
    "ClassSums": "records",
    "ConfigError": "errors",
    "DeviceError": "errors",
    "ImageRow": "records",
    "InputError": "errors",
    "Pair": "pairing",
    "ReadOptions": "readers",
    "Reading": "evaluation",
    "Results": "records",
    "Settings": "records",
    "SoftDiceLoss": "loss",
    "SoftdiceError": "errors",
    "Summary": "records",
    "SystemConfig": "reproducibility",
    "evaluate": "evaluation",
    "restore": "scores",
    "score_image": "scores",
    "setup_system": "reproducibility",
    "to_text": "render",
}

__all__ = [
    "ClassDef",
    "ClassScores",
    "ClassSums",
    "ConfigError",
    "DeviceError",
    "ImageRow",
    "InputError",
    "Pair",
    "ReadOptions",
    "Reading",
    "Results",
    "Settings",
    "SoftDiceLoss",
    "SoftdiceError",
    "Summary",
    "SystemConfig",
    "evaluate",
    "restore",
    "score_image",
    "setup_system",
    "to_text",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'softdice_cli' has no attribute {name!r}")
    return getattr(import_module(f"softdice_cli.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
