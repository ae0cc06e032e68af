"""Tensors: ``.pt`` and ``.pth`` files in the zip format of torch, read as NumPy arrays over the stored bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.choice import Entry
from softdice_cli.readers.pt.archive import PICKLE, SAVE, Archive, open_archive
from softdice_cli.readers.pt.contents import pick, tensors_of
from softdice_cli.readers.pt.pickled import Pickle
from softdice_cli.readers.pt.values import Forged, OtherTensor, Refused, Tensor
from softdice_cli.readers.source import ReadOptions, Source
from softdice_cli.readers.stored import WHOLE, StoredArray, widened

_MAX_PICKLE = 2**20

# The order of bytes that a file names, or does not; before torch named it, files were
# little-endian.
_ORDERS = {"little": "<", "big": ">", "": "<"}

# What NumPy reads each element type as.
_NUMPY = {
    **{"float64": "f8", "float32": "f4", "float16": "f2", "bool": "?"},
    **{"int64": "i8", "int32": "i4", "int16": "i2", "int8": "i1"},
    **{"uint64": "u8", "uint32": "u4", "uint16": "u2", "uint8": "u1"},
    # NumPy does not have this one, whose bits are the upper half of a float32.
    "bfloat16": "u2",
}


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The tensor of a file, or the one that the key names in a dict of tensors.

    A large one stays in its file until its tiles are asked for. The checksum of its storage, which it may share with
    other tensors, is looked at before, where the storage is small or the options ask for it.
    """
    archive = open_archive(stream, name)
    tensor = pick(_contents(archive), options, name)
    if isinstance(tensor, OtherTensor):
        raise UnreadableError(
            "holds a tensor that is sparse, quantised or without data",
            path=name,
            expected="a plain dense tensor",
            found=tensor.found,
            hint=f"save {tensor.cure}",
        )
    _check(tensor, name)
    if options.verify or tensor.storage.size <= WHOLE:
        archive.verify(f"data/{tensor.storage.key}")
    return _stored(tensor, archive).source(stream, name, options, format="pt", stored=tensor.dtype)


def entries(stream: BinaryIO, name: str) -> list[Entry]:
    """The tensors of a file, of which no element is read."""
    found: list[Entry] = []
    for key, tensor in tensors_of(_contents(open_archive(stream, name))).items():
        if isinstance(tensor, OtherTensor):
            found.append(Entry(key, tensor.found, None))
        else:
            found.append(Entry(key, tensor.dtype, tensor.shape))
    return found


def _contents(archive: Archive) -> Any:
    """What the pickle of a file describes."""
    if archive.members[PICKLE].file_size > _MAX_PICKLE:
        raise UnreadableError("holds more than tensors", path=archive.name, hint=f"save the tensor alone: {SAVE}")
    try:
        return Pickle(lambda key: archive.size_of(f"data/{key}")).contents(archive.read(PICKLE))
    except Refused as error:
        problem = "holds Python objects, which are never unpickled"
        if isinstance(error, Forged):
            problem = "declares tensors that its bytes do not hold"
        raise UnreadableError(
            problem,
            path=archive.name,
            expected="a tensor, or a dict of tensors and a key",
            found=str(error),
            hint=f"save the tensor alone: {SAVE}, or np.save(path, tensor.detach().cpu().numpy())",
        ) from error


def _check(tensor: Tensor, path: str) -> None:
    """Refuses tensors that are more than an array of numbers."""
    if tensor.dtype not in _NUMPY:
        raise UnreadableError(
            "holds a type that is neither a probability nor a label",
            path=path,
            expected="float16, bfloat16, float32, float64, an integer type or bool",
            found=f"torch.{tensor.dtype}",
        )
    if tensor.expanded:
        raise UnreadableError(
            "holds an expanded tensor: one stored value stands for many",
            path=path,
            found=f"shape {tensor.shape}, strides {tensor.strides}",
            hint=f"save the tensor in full: {SAVE}",
        )
    if tensor.flags:
        raise UnreadableError(
            "holds a tensor whose values are not those that are stored",
            path=path,
            found=f"the flag {' and '.join(tensor.flags)}",
            hint="save tensor.resolve_conj().resolve_neg()",
        )


def _stored(tensor: Tensor, archive: Archive) -> StoredArray:
    """Where the elements of a tensor lie in the file."""
    word = archive.word("byteorder")
    if word not in _ORDERS:
        raise UnreadableError("has a byte order that is not known", path=archive.name, found=word)
    dtype = np.dtype(_ORDERS[word] + _NUMPY[tensor.dtype])
    strides: list[int] = []
    for length, step in zip(tensor.shape, tensor.strides, strict=True):
        # The stride of an axis of one element means nothing, and may be any number.
        strides.append(dtype.itemsize * (step if length > 1 else 1))
    start = archive.start_of(f"data/{tensor.storage.key}") + tensor.offset * dtype.itemsize
    stored = StoredArray(dtype, tensor.shape, tuple(strides), start)
    if tensor.dtype == "bfloat16":
        return replace(stored, decode=widened, decoded=np.dtype(np.float32))
    return stored
