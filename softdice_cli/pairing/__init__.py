"""Which prediction belongs to which truth: decided, and refused by name, before any pixel is read."""

from softdice_cli.pairing.folders import Side, is_many, pair_folders, refuse_mixture
from softdice_cli.pairing.manifest import pair_manifest
from softdice_cli.pairing.pair import STDIN, Pair, Pairing, PairingError

__all__ = [
    "STDIN",
    "Pair",
    "Pairing",
    "PairingError",
    "Side",
    "is_many",
    "pair_folders",
    "pair_manifest",
    "refuse_mixture",
]
