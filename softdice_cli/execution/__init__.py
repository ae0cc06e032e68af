"""Do this for each item, side by side, and give the results in order.

Whatever runs side by side is here: processes, threads, and batches for a device. The room knows no
pixel and no file format, only items, tasks and results. So another way of executing is one more
module here and one more branch in `choice`, and whoever evaluates does not notice.
"""

from softdice_cli.execution.choice import executor_for, executor_within
from softdice_cli.execution.contract import Abandoned, Executor, Grant, Task

__all__ = ["Abandoned", "Executor", "Grant", "Task", "executor_for", "executor_within"]
