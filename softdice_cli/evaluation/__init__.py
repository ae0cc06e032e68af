"""From pairs of files to results."""

from softdice_cli.evaluation.loop import Reading, evaluate

__all__ = ["Reading", "evaluate"]
