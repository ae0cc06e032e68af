"""The only arithmetic on pixels: labels to codes, tiles to exact sums, on the CPU or an accelerator.

Arrays in, integers out; no files, no settings beyond the rule, no judgement of what the sums mean.
"""

from softdice_cli.overlap.contract import (
    TILE_PIXELS,
    BatchEngine,
    Engine,
    Facts,
    Rule,
    Tally,
    rule_for,
    to_pixels,
    tolerance,
)

__all__ = ["TILE_PIXELS", "BatchEngine", "Engine", "Facts", "Rule", "Tally", "rule_for", "to_pixels", "tolerance"]
