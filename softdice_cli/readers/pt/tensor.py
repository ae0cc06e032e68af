"""Tensors: ``.pt`` and ``.pth`` files in the zip format of torch, read as NumPy arrays over the stored bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.pt.archive import PICKLE, SAVE, Archive, open_archive
from softdice_cli.readers.pt.contents import pick
from softdice_cli.readers.pt.pickled import Pickle
from softdice_cli.readers.pt.values import Forged, OtherTensor, Refused, Tensor
from softdice_cli.readers.source import ReadOptions, Source
from softdice_cli.readers.stored import StoredArray

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

_MAX_PICKLE = 2**20

_ORDERS = {"little": "<", "big": ">", "": "<"}
"""The order of bytes that a file names, or does not; before torch named it, files were little-endian."""

_NUMPY = {
    **{"float64": "f8", "float32": "f4", "float16": "f2", "bool": "?"},
    **{"int64": "i8", "int32": "i4", "int16": "i2", "int8": "i1"},
    **{"uint64": "u8", "uint32": "u4", "uint16": "u2", "uint8": "u1"},
}
"""NumPy's name of each element type that both have."""


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The tensor of a file, or the one that the key names in a dict of tensors.

    A large one stays in its file until its tiles are asked for.
    """
    archive = open_archive(stream, name)
    tensor = pick(_contents(archive), options.key, name)
    if isinstance(tensor, OtherTensor):
        raise UnreadableError(
            "holds a tensor that is sparse, quantised or without data",
            path=name,
            expected="a plain dense tensor",
            found=tensor.found,
            hint=f"save {tensor.cure}",
        )
    _check(tensor, name)
    return _stored(tensor, archive).source(stream, name, options, format="pt", stored=tensor.dtype)


def _contents(archive: Archive) -> Any:
    """What the pickle of a file describes."""
    if archive.members[PICKLE].file_size > _MAX_PICKLE:
        raise UnreadableError("holds more than tensors", path=archive.name, hint=f"save the tensor alone: {SAVE}")
    try:
        return Pickle(lambda key: archive.size_of(f"data/{key}")).contents(archive.read(PICKLE))
    except Refused as error:
        forged = isinstance(error, Forged)
        raise UnreadableError(
            "declares tensors that its bytes do not hold"
            if forged
            else "holds Python objects, which are never unpickled",
            path=archive.name,
            expected="a tensor, or a dict of tensors and a key",
            found=str(error),
            hint=f"save the tensor alone: {SAVE}, or np.save(path, tensor.detach().cpu().numpy())",
        ) from error


def _check(tensor: Tensor, path: str) -> None:
    """Refuses tensors that are more than an array of numbers."""
    if tensor.dtype not in (*_NUMPY, "bfloat16"):
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
    order, wide = _ORDERS[word], tensor.dtype == "bfloat16"
    dtype = np.dtype(order + _NUMPY.get(tensor.dtype, "u2"))
    item = dtype.itemsize
    # The stride of an axis of one element means nothing, and may be any number.
    strides = [item * (step if length > 1 else 1) for length, step in zip(tensor.shape, tensor.strides, strict=True)]
    start = archive.start_of(f"data/{tensor.storage.key}") + tensor.offset * item
    return StoredArray(
        dtype,
        tensor.shape,
        tuple(strides),
        start,
        decode=_widened if wide else None,
        decoded=np.dtype(np.float32) if wide else None,
    )


def _widened(values: Array) -> Array:
    """Exact float32 of bfloat16, which is its upper half, bit by bit."""
    widened: Array = np.left_shift(values, 16, dtype=np.uint32).view(np.float32)
    return widened
