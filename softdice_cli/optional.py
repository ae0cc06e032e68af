"""Libraries that only some things need: they are asked for by name, so that whoever lacks one reads what to install."""

from __future__ import annotations

from importlib import import_module

from softdice_cli.errors import MissingLibraryError


def require(library: str, purpose: str) -> None:
    """Import a library that this installation may lack.

    Args:
        library: its name, both to import and to install it.
        purpose: what needs it, as the beginning of a sentence: ``--device cuda``.

    Raises:
        MissingLibraryError: it is not installed, or cannot be imported.
    """
    try:
        import_module(library)
    except ImportError as error:
        raise MissingLibraryError(
            f"{purpose} needs {library}, which is not installed",
            found=f"{type(error).__name__}: {error}",
            hint=f"pip install {library}",
        ) from error


def is_installed(library: str) -> bool:
    """Whether a library can be imported; it is imported to find out."""
    try:
        import_module(library)
    except ImportError:
        return False
    return True
