"""From pairs of files to results."""

from softdice_cli.evaluation.loop import Watcher, evaluate
from softdice_cli.evaluation.prepare import Reading

__all__ = ["Reading", "Watcher", "evaluate"]
