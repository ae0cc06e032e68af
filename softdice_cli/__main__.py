"""The program: ``softdice``, and ``python -m softdice_cli``."""

import os
import sys
from typing import NoReturn

from softdice_cli.cli import main


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
