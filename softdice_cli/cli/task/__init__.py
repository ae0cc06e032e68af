"""How people say what classes, labels and pixels mean: with options, or in one file that describes the whole task.

Whoever says it, the same `Said` comes out, and it becomes `Settings` in one place. Files are read here as they are
found: our own form, label files of other programs, and lists with a name a line.
"""

from softdice_cli.cli.task.flags import said_by_options
from softdice_cli.cli.task.meaning import Task, task_from

__all__ = ["Task", "said_by_options", "task_from"]
