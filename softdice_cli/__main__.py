"""The program: ``softdice``, and ``python -m softdice_cli``."""

import gc
import os
import sys
from typing import NoReturn

# Importing makes many objects, none of which is garbage; looking through them takes a tenth of a short run.
gc.set_threshold(200_000)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy starts threads for what is never used here

from softdice_cli.cli import main  # noqa: E402 - after what speeds it up


def program() -> NoReturn:
    """Run the command line and end the process at once: clearing away what the kernel frees takes a tenth of a run."""
    try:
        main()
    except SystemExit as done:
        if sys.gettrace() is None and sys.getprofile() is None:  # a debugger or a coverage tool has things to write
            os._exit(done.code if isinstance(done.code, int) else 0)
        raise


if __name__ == "__main__":
    program()
