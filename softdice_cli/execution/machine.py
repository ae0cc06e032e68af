"""What this machine and this process allow, asked where the answer may differ from one system to the next."""

from __future__ import annotations

import os
import sys
import threading


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Whether this process may be forked: not on Windows and macOS, nor where other threads may hold locks.

    torch starts threads that Python does not know of. In a forked process they are missing, and
    whatever needs them waits forever.
    """
    alone = threading.active_count() == 1 and "torch" not in sys.modules
    return alone and hasattr(os, "fork") and sys.platform != "darwin"
