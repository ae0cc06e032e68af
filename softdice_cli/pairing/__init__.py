"""Which prediction belongs to which truth: decided, and refused by name, before any pixel is read.

What only folders and lists need is imported when it is asked for, as a single pair needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from softdice_cli.pairing.pair import STDIN, Pair, Pairing, PairingError

if TYPE_CHECKING:
    from softdice_cli.pairing.folders import pair_folders, refuse_mixture
    from softdice_cli.pairing.listing import Side, is_many
    from softdice_cli.pairing.manifest import pair_manifest
    from softdice_cli.pairing.regions import with_regions
    from softdice_cli.pairing.sampling import fingerprint
    from softdice_cli.pairing.unpaired import nothing_found

_HOMES = {
    "Side": "listing",
    "fingerprint": "sampling",
    "is_many": "listing",
    "nothing_found": "unpaired",
    "pair_folders": "folders",
    "pair_manifest": "manifest",
    "refuse_mixture": "folders",
    "with_regions": "regions",
}

__all__ = [
    "STDIN",
    "Pair",
    "Pairing",
    "PairingError",
    "Side",
    "fingerprint",
    "is_many",
    "nothing_found",
    "pair_folders",
    "pair_manifest",
    "refuse_mixture",
    "with_regions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'softdice_cli.pairing' has no attribute {name!r}")
    return getattr(import_module(f"softdice_cli.pairing.{_HOMES[name]}"), name)
