"""Two saved results of the same images: what changed, and how much of it chance alone could do.

One result alone gets its intervals here as well. Images are what is drawn again. The draws are
seeded and the sums are exact, so the same files give the same digits.
"""

from softdice_cli.comparison.kinds import Kind, kinds_of
from softdice_cli.comparison.paired import compare, judge
from softdice_cli.comparison.refusals import RESAMPLES_RANGE
from softdice_cli.comparison.resampling import LEVEL, intervals
from softdice_cli.comparison.shapes import Comparison, ImageChange, ScoreChange

__all__ = [
    "LEVEL",
    "RESAMPLES_RANGE",
    "Comparison",
    "ImageChange",
    "Kind",
    "ScoreChange",
    "compare",
    "intervals",
    "judge",
    "kinds_of",
]
