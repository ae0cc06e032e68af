"""What is said where an optional part needs a library that is not installed."""

from __future__ import annotations

from softdice_cli.errors import MissingLibraryError

TORCH = "pip install torch"
"""How to install torch."""


def missing_torch(what: str, error: ImportError, *, option: str = "", instead: str = "") -> MissingLibraryError:
    """The error for something that cannot do without torch.

    Args:
        what: what needs torch.
        error: what importing it raised.
        option: the option that asked for it.
        instead: what to type to do without it.
    """
    alternative = f", or {instead}" if instead else ""
    return MissingLibraryError(
        f"{what} needs torch, which cannot be imported here",
        option=option,
        found=str(error),
        hint=f"{TORCH}{alternative}",
    )
