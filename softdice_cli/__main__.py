"""The program: ``softdice``, and ``python -m softdice_cli``."""

import gc
import os
import sys
from typing import NoReturn

# Importing makes many objects, none of which is garbage; looking through them takes a tenth of a
# short run.
gc.set_threshold(200_000)
# NumPy would start threads for linear algebra, which is never used here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from softdice_cli.cli import main  # noqa: E402 - after what speeds it up


def program() -> NoReturn:
    """Run the command line and end the process at once.

    Clearing away what the kernel frees anyway takes a tenth of a run.
    """
    try:
        main()
    except SystemExit as done:
        # A debugger or a coverage tool has things to write before the process ends.
        if sys.gettrace() is not None or sys.getprofile() is not None:
            raise
        code = 0
        if isinstance(done.code, int):
            code = done.code
        os._exit(code)


if __name__ == "__main__":
    program()
