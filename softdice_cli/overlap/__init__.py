"""The only arithmetic on pixels: labels to codes, tiles to exact sums, on the CPU or an accelerator.

Arrays in, integers out. There are no files here, no settings beyond the decoding, and no judgement
of what the sums mean.
"""

from softdice_cli.overlap.contract import TILE_PIXELS, BatchEngine, Engine, Facts, Tally, to_pixels
from softdice_cli.overlap.decoding import Decoding, decoding_for, tolerance

__all__ = [
    "TILE_PIXELS",
    "BatchEngine",
    "Decoding",
    "Engine",
    "Facts",
    "Tally",
    "decoding_for",
    "to_pixels",
    "tolerance",
]
