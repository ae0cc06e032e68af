"""Folders and patterns: files of two sides that have the same stem belong together, whatever their types."""

from __future__ import annotations

import glob
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.formats import without_suffix
from softdice_cli.pairing.pair import STDIN, Pair, Pairing, refuse, settle
from softdice_cli.records import natural

_SIDES = ("prediction", "truth")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a folder run.

    Attributes:
        path: a folder, or a glob pattern.
        suffix: what the names of its files end with before the file type, which is not part of the
            stem; files without it do not belong to the side.
    """

    path: str
    suffix: str = ""


def is_many(path: str) -> bool:
    """Whether a path names many files: a folder, or a pattern that is not a file itself."""
    return os.path.isdir(path) or (glob.has_magic(path) and not os.path.lexists(path))


def pair_folders(pred: Side, gt: Side, *, recursive: bool = False, allow_missing: bool = False) -> Pairing:
    """Pairs of two folders or patterns, by stem; with `recursive`, by the path below the folder.

    Raises:
        PairingError: files without a partner, several files of one stem on a side, or partners that
            differ in case.
        UnreadableError: a folder cannot be listed.
    """
    sides = [_by_key(side, recursive) for side in (pred, gt)]
    for name, option, files in zip(_SIDES, ("pred", "gt"), sides, strict=True):
        refuse(
            f"stem that several {name} files have",
            f"stems that several {name} files have",
            [" and ".join(sorted(same)) for same in files.values() if len(same) > 1],
            hint=f"move one away, or choose with --{option}-suffix or a pattern",
        )
    # From here on, each key has one file.
    preds, gts = [{key: paths[0] for key, paths in side.items()} for side in sides]
    pairs = [Pair(key, preds[key], gts[key]) for key in preds.keys() & gts.keys()]
    alone = [*_alone(preds, gts, _SIDES[1]), *_alone(gts, preds, _SIDES[0])]
    return settle(pairs, alone, allow_missing=allow_missing)


def _alone(files: Mapping[str, str], others: Mapping[str, str], missing: str) -> Iterator[str]:
    """A sentence for each file that has no partner; one that differs in case only is named."""
    folded = {key.casefold(): path for key, path in others.items()}
    for key, path in files.items():
        if key not in others:
            near = folded.get(key.casefold())
            remark = f" ({near} differs in case)" if near else ""
            yield f"{path} has no {missing}{remark}"


def _by_key(side: Side, recursive: bool) -> dict[str, list[str]]:
    """The files of a side by what pairs them: their path below the folder, without suffix and type."""
    root, paths = _listed(side.path, recursive)
    found: defaultdict[str, list[str]] = defaultdict(list)
    front = os.path.join(root, "")
    for path in paths:
        # relpath looks at every part of a path, and most paths need no more than a cut.
        below = path[len(front) :] if path.startswith(front) else os.path.relpath(path, root)
        key = _key(below.replace(os.sep, "/"), side.suffix)
        if key is not None:
            found[key].append(path)
    return dict(sorted(found.items(), key=lambda item: natural(item[0])))


def _key(name: str, suffix: str) -> str | None:
    """What pairs a file, or ``None`` where its name lacks the suffix of the side."""
    if not suffix:
        return without_suffix(name)
    for text in (name, without_suffix(name), os.path.splitext(name)[0]):
        if text.endswith(suffix):
            return text[: -len(suffix)].rstrip("/") or text
    return None


def _listed(path: str, recursive: bool) -> tuple[str, list[str]]:
    """The root of a side, and its files; hidden files do not count."""
    if not os.path.isdir(path):
        # On Windows, a pattern may be written with either separator.
        path = path.replace(os.sep, "/")
        root = path[: len(path) - len(path.lstrip("/"))] + _fixed(path)
        # A pattern can find a file in two ways.
        matches = dict.fromkeys(glob.iglob(path, recursive=True))
        return root or ".", [match for match in matches if not os.path.isdir(match)]

    def fail(error: OSError) -> None:
        raise UnreadableError(f"cannot be listed: {error.strerror}", path=str(error.filename)) from error

    files: list[str] = []
    for folder, inner, names in os.walk(path, onerror=fail, followlinks=True):
        files += [os.path.join(folder, name) for name in names if not name.startswith(".")]
        # os.walk goes into the folders that are left in this list.
        inner[:] = [name for name in inner if recursive and not name.startswith(".")]
        for name in inner:
            _refuse_loop(folder, name)
    return path, files


def _refuse_loop(folder: str, name: str) -> None:
    """Raises UnreadableError for a link to a folder that it lies in."""
    path = os.path.join(folder, name)
    if os.path.islink(path) and (os.path.realpath(folder) + os.sep).startswith(os.path.realpath(path) + os.sep):
        raise UnreadableError("is a link to a folder that it lies in", path=path, hint="remove the link")


def _fixed(pattern: str) -> str:
    """The folders in front of a pattern that hold no wildcard."""
    parts = []
    for part in pattern.split("/")[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return "/".join(parts).lstrip("/")


def refuse_mixture(pred: str, gt: str) -> None:
    """Raises ConfigError where one side is many files and the other is one."""
    if is_many(pred) != is_many(gt):
        for path in (pred, gt):
            if path != STDIN and not is_many(path) and not os.path.lexists(path):
                raise UnreadableError("there is no such file or folder", path=path, hint="check the path")
        one, many = sorted((pred, gt), key=is_many)
        raise ConfigError(
            "one side is a folder or a pattern, and the other is a file",
            expected="two files, or two folders or patterns",
            found=f"{many} and {one}",
            hint="name a folder on both sides, or write a manifest: --pairs list.csv",
        )
