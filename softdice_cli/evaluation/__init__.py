"""From pairs of files to results: what a pair is, what is counted, and what is refused.

The way of a pair: `evaluate_pairs` gives it to an executor, `pair_tasks` is what is done with it
there, `prepared_pair` reads it and lines it up, `image_tally` or `device_tiles` adds up its pixels,
and `image_rows` makes the rows that are kept. What a pair gives depends on that pair alone.
"""

from softdice_cli.evaluation.evaluate_pairs import evaluate
from softdice_cli.evaluation.reading import Reading
from softdice_cli.evaluation.watching import Watcher

__all__ = ["Reading", "Watcher", "evaluate"]
