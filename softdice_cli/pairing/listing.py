"""The files of a side: what a folder or a pattern holds, apart from what is not data."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

from softdice_cli.errors import UnreadableError
from softdice_cli.pairing.names import is_clutter, normal


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a folder run.

    Attributes:
        path: a folder, or a glob pattern.
        suffix: what the names of its files end with before the file type, which is not part of the
            stem; files without it do not belong to the side.
        prefix: what the names of its files start with, likewise.
    """

    path: str
    suffix: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Which files a user wants to have paired; also what an error proposes instead.

    Attributes:
        pred: the predictions.
        gt: the truths.
        recursive: whether the sub-folders of folders belong to them.
    """

    pred: Side
    gt: Side
    recursive: bool = False

    def listings(self) -> tuple[Listing, Listing]:
        """The files of both sides.

        Raises:
            UnreadableError: a folder cannot be listed.
        """
        return listed(self.pred, recursive=self.recursive), listed(self.gt, recursive=self.recursive)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a side.

    Attributes:
        name: its path below the root of the side, with ``/`` and in one Unicode form.
        path: its path, as the user named the side.
    """

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder or a pattern holds.

    Attributes:
        root: the folder, or the folders in front of a pattern.
        files: what may be data.
        clutter: paths of files that are not data.
        folders: names of the folders below the root, where they were not entered.
    """

    root: str
    files: tuple[File, ...]
    clutter: tuple[str, ...]
    folders: tuple[str, ...]


def is_many(path: str) -> bool:
    """Whether a path names many files: a folder, or a pattern that is not a file itself."""
    return os.path.isdir(path) or (glob.has_magic(path) and not os.path.lexists(path))


def listed(side: Side, *, recursive: bool) -> Listing:
    """The files of a side, in no particular order.

    Raises:
        UnreadableError: a folder cannot be listed.
    """
    folders: list[str] = []
    if os.path.isdir(side.path):
        root, paths = side.path, _in_folder(side.path, recursive, folders)
    else:
        root, paths = _of_pattern(side.path)
    front = os.path.join(root, "")
    files, clutter = [], []
    for path in paths:
        name = os.path.basename(path)
        # A suffix with the file type, such as .json, chooses that type.
        if is_clutter(name) and not (side.suffix and name.endswith(side.suffix)):
            clutter.append(path)
            continue
        # relpath looks at every part of a path, and most paths need no more than a cut.
        below = path[len(front) :] if path.startswith(front) else os.path.relpath(path, root)
        files.append(File(normal(below.replace(os.sep, "/")), path))
    return Listing(root, tuple(files), tuple(clutter), tuple(folders))


def _of_pattern(pattern: str) -> tuple[str, list[str]]:
    """The root of a pattern, and the files that it matches."""
    # On Windows, a pattern may be written with either separator.
    pattern = pattern.replace(os.sep, "/")
    root = pattern[: len(pattern) - len(pattern.lstrip("/"))] + _fixed(pattern)
    # A pattern can find a file in two ways.
    matches = dict.fromkeys(glob.iglob(pattern, recursive=True))
    return root or ".", [match for match in matches if not os.path.isdir(match)]


def _fixed(pattern: str) -> str:
    """The folders in front of a pattern that hold no wildcard."""
    parts = []
    for part in pattern.split("/")[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return "/".join(parts).lstrip("/")


def _in_folder(path: str, recursive: bool, folders: list[str]) -> list[str]:
    """The files in a folder; what lies in hidden folders does not count.

    Args:
        path: the folder.
        recursive: whether its sub-folders are entered.
        folders: takes the names of those that are not.
    """

    def fail(error: OSError) -> None:
        raise UnreadableError(f"cannot be listed: {error.strerror}", path=str(error.filename)) from error

    files: list[str] = []
    for folder, inner, names in os.walk(path, onerror=fail, followlinks=True):
        files += [os.path.join(folder, name) for name in names]
        # os.walk goes into the folders that are left in this list.
        inner[:] = [name for name in inner if not name.startswith(".")]
        if not recursive:
            folders += inner
            inner.clear()
        for name in inner:
            _refuse_loop(folder, name)
    return files


def _refuse_loop(folder: str, name: str) -> None:
    """Raises UnreadableError for a link to a folder that it lies in."""
    path = os.path.join(folder, name)
    if os.path.islink(path) and (os.path.realpath(folder) + os.sep).startswith(os.path.realpath(path) + os.sep):
        raise UnreadableError("is a link to a folder that it lies in", path=path, hint="remove the link")
