"""The program: ``softdice``, and ``python -m softdice_cli``."""

import gc
import os
import sys
from typing import Any, NoReturn

# Importing makes many objects, none of which is garbage; looking through them takes a tenth of a
# short run.
gc.set_threshold(200_000)
# NumPy would start threads for linear algebra, which is never used here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Bytes of addresses that loading NumPy takes, and some more.
_ROOM = 88 * 2**20


class RoomForNumPy:
    """Raises MemoryError where NumPy is imported and cannot be loaded.

    Its library for linear algebra would end the process with exit code 1, which says that a requirement was not met.
    """

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        """Look whether there is room before the first module of NumPy is looked for; others find it."""
        if name != "numpy":
            return
        sys.meta_path.remove(RoomForNumPy)
        import mmap

        try:
            mmap.mmap(-1, _ROOM, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
        except OSError:
            raise MemoryError from None


def program() -> NoReturn:
    """Run the command line and end the process at once.

    Clearing away what the kernel frees anyway takes a tenth of a run.
    """
    if _is_limited():
        sys.meta_path.insert(0, RoomForNumPy)
    try:
        # Imported here, after what speeds it up, and where it may fail.
        from softdice_cli.cli import main

        main()
    except SystemExit as done:
        # A debugger or a coverage tool has things to write before the process ends.
        if sys.gettrace() is not None or sys.getprofile() is not None:
            raise
        code = 0
        if isinstance(done.code, int):
            code = done.code
        os._exit(code)
    except (MemoryError, ImportError, OSError) as error:
        # Python would end with 1, which says that a requirement was not met.
        os.write(2, b"softdice: error: cannot be loaded: %a\n" % error)
        os._exit(3)


def _is_limited() -> bool:
    """Whether the process may have only so much memory, as ``ulimit`` says."""
    try:
        import resource
    except ImportError:
        # Windows has no such limits.
        return False
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    return any(resource.getrlimit(kind)[0] != resource.RLIM_INFINITY for kind in kinds)


if __name__ == "__main__":
    program()
