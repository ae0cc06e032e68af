"""Two saved results of the same images: what changed, and how much of it chance alone could do.

One result alone gets intervals here as well. Images are what is drawn again; the sums are exact and seeded, so that
the same files give the same digits.
"""

from softdice_cli.comparison.paired import compare, judge
from softdice_cli.comparison.refusals import RESAMPLES_RANGE
from softdice_cli.comparison.resampling import LEVEL, IntervalAt, PValueAt, intervals
from softdice_cli.comparison.resampling import Grid as _Grid
from softdice_cli.comparison.resampling import draws as _draws
from softdice_cli.comparison.shapes import Comparison, ImageChange, ScoreChange
from softdice_cli.comparison.sums import Floats
from softdice_cli.records.intervals import METRICS, Average, Interval, Metric, Scope, ScoreInterval

__all__ = [
    "LEVEL",
    "METRICS",
    "RESAMPLES_RANGE",
    "Average",
    "Comparison",
    "Floats",
    "ImageChange",
    "Interval",
    "IntervalAt",
    "Metric",
    "PValueAt",
    "Scope",
    "ScoreChange",
    "ScoreInterval",
    "_Grid",
    "_draws",
    "compare",
    "intervals",
    "judge",
]

_CELLS = 2**22
"""How many image weights are held at once (32 MB); it changes no digit. `resampling` reads it here."""
