"""Marks for tests that need what only some systems have; elsewhere they are collected, and skipped with a reason."""

from __future__ import annotations

import importlib.util
import mmap
import os
import sys

import pytest

POSIX = hasattr(os, "fork")
LINUX = POSIX and sys.platform == "linux"

posix = pytest.mark.skipif(
    not POSIX, reason="needs signals, named pipes, links or file names that Windows does not have"
)
linux = pytest.mark.skipif(not LINUX, reason="looks into /proc, or at processes that are forked on Linux only")
terminal = pytest.mark.skipif(importlib.util.find_spec("pty") is None, reason="needs a pseudo-terminal")
tile_by_tile = pytest.mark.skipif(
    not (hasattr(os, "preadv") and hasattr(mmap, "MAP_ANONYMOUS")), reason="large files are read whole here"
)

untraced = pytest.mark.skipif(
    "COVERAGE_PROCESS_CONFIG" in os.environ, reason="a coverage tool changes what is looked at"
)
"""For tests of what a process imports or writes, to which a coverage tool adds its own."""
