"""Untrusted bytes → arrays: the only place where files are parsed.

A format is a folder that holds its reader and the guards of the reader; the table in
``softdice_cli.formats`` names them all. The format of a file is found by its content. Whatever a
library throws while it reads, exactly one kind of error leaves here, and the libraries load inside
functions, so that a run pays only for what it reads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import BinaryIO, TypeVar

from softdice_cli.errors import SoftdiceError, UnreadableError, as_flag
from softdice_cli.formats import Format
from softdice_cli.readers.choice import Entry
from softdice_cli.readers.recognition import recognise
from softdice_cli.readers.source import Blob, ReadOptions, Source, in_memory
from softdice_cli.readers.unchanged import Version

__all__ = ["Blob", "Entry", "ReadOptions", "Source", "list_arrays", "read_array", "warm"]

Result = TypeVar("Result")

Reader = Callable[[BinaryIO, str, ReadOptions], Source]


def read_array(blob: Blob, options: ReadOptions) -> Source:
    """The array in a file, as stored.

    Args:
        blob: the file, or bytes that came through a pipe.
        options: which array, and how large it may be.

    Raises:
        UnreadableError: whatever is wrong with the file, also that it changed while it was read. Where the values
            are still in the file, `Source.check` says so when they were.
    """
    return _with_errors(blob, lambda stream, form: _unchanging(stream, blob, form, options))


def _unchanging(stream: BinaryIO, blob: Blob, form: Format, options: ReadOptions) -> Source:
    """The array of a file that stays the same until all of it is read."""
    if blob.data is not None:
        return _read(stream, blob.name, form, options)
    version = Version.of(stream.fileno())
    source = _read(stream, blob.name, form, options)
    if source.load is in_memory:
        version.check(stream.fileno(), blob.name)
        return source
    # Its tiles are read later, and the check comes after them.
    from softdice_cli.readers.in_file import FileLoader

    assert isinstance(source.load, FileLoader)
    return replace(source, check=functools.partial(source.load.check, version))


def list_arrays(blob: Blob) -> tuple[str, list[Entry]]:
    """The format of a file, and its arrays where it may hold several; no value is read.

    Raises:
        UnreadableError: whatever is wrong with the file.
    """
    return _with_errors(blob, lambda stream, form: (form.name, _listed(stream, blob.name, form)))


def _with_errors(blob: Blob, look: Callable[[BinaryIO, Format], Result]) -> Result:
    """What is found in a file of a known format, with one kind of error for whatever is wrong with it."""
    with blob.open() as stream:
        form: Format | None = None
        try:
            form = recognise(stream, blob.name)
            return look(stream, form)
        except SoftdiceError:
            raise
        except Exception as error:
            raise _unreadable(error, blob.name, form) from error


def warm(blob: Blob) -> None:
    """Import what such a file is read with, so that forked processes inherit it; its errors are for its reader."""
    with suppress(Exception), blob.open() as stream:
        form = recognise(stream, blob.name)
        _module_of(form)
        import_module(form.library)


def _module_of(form: Format) -> ModuleType:
    return import_module(f"softdice_cli.readers.{form.reader}")


def _listed(stream: BinaryIO, name: str, form: Format) -> list[Entry]:
    if form.role != "archive":
        return []
    entries: list[Entry] = _module_of(form).entries(stream, name)
    return entries


def _read(stream: BinaryIO, name: str, form: Format, options: ReadOptions) -> Source:
    if options.key is not None and form.role != "archive":
        raise UnreadableError(
            f"is a file of format {form.name}: it holds one array and no key",
            path=name,
            hint=f"leave out the key ({as_flag(options.option)})",
        )
    reader: Reader = _module_of(form).read
    source = reader(stream, name, options)
    if not source.array.size:
        raise UnreadableError("holds no values", path=name, found=source.describe())
    return source


def _unreadable(error: Exception, name: str, form: Format | None) -> UnreadableError:
    """The error of a file for whatever a library threw while it was read."""
    if form is None:
        problem = "cannot be read"
    elif isinstance(error, ModuleNotFoundError) and error.name == form.library.partition(".")[0]:
        return UnreadableError(
            f"is a file of format {form.name}, and {error.name} is not installed, which reads it",
            path=name,
            hint="install softdice-cli with its dependencies",
        )
    else:
        problem = f"cannot be read as {form.name}"
    return UnreadableError(
        problem,
        path=name,
        expected="a complete, valid file",
        found=f"{type(error).__name__}: {error}".splitlines()[0][:300],
        hint="save or copy the file again",
    )
