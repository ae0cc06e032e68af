"""Which prediction belongs to which truth: decided, and refused by name, before any pixel is read."""

from softdice_cli.pairing.folders import pair_folders, refuse_mixture
from softdice_cli.pairing.listing import Side, is_many
from softdice_cli.pairing.manifest import pair_manifest
from softdice_cli.pairing.pair import STDIN, Pair, Pairing, PairingError
from softdice_cli.pairing.regions import with_regions
from softdice_cli.pairing.unpaired import nothing_found

__all__ = [
    "STDIN",
    "Pair",
    "Pairing",
    "PairingError",
    "Side",
    "is_many",
    "nothing_found",
    "pair_folders",
    "pair_manifest",
    "refuse_mixture",
    "with_regions",
]
