"""What the pickle of a ``.pt`` file describes: storages, tensors over them, and what else there may be."""

from __future__ import annotations

from dataclasses import dataclass

ITEM_SIZES = {
    **{"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "bool": 1, "complex128": 16, "complex64": 8},
    **{"int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1},
    **{"qint8": 1, "quint8": 1, "qint32": 4},
}
"""Bytes of an element of each type, by its name in torch."""

STORAGE_TYPES = {
    **{"Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16", "Bool": "bool"},
    **{"Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Untyped": "uint8"},
    **{"ComplexDouble": "complex128", "ComplexFloat": "complex64"},
    **{"QInt8": "qint8", "QUInt8": "quint8", "QInt32": "qint32"},
}
"""The element type of each storage: ``FloatStorage`` holds float32."""


class Refused(Exception):  # noqa: N818 - said in the terms of the caller
    """What the pickle does that no saved tensor needs."""


class Forged(Refused):
    """Sizes that the bytes of the file do not bear out."""


@dataclass(frozen=True, slots=True)
class Global:
    """A name that the pickle asks for, as ``module name``; it is not looked up."""

    name: str

    @property
    def dotted(self) -> str:
        """The name as Python writes it."""
        return self.name.replace(" ", ".")


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of the file that tensors lie in.

    Attributes:
        key: name of the bytes in the archive.
        dtype: element type by its name in torch.
        size: bytes that the pickle declares; the file has them.
    """

    key: str
    dtype: str
    size: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A dense tensor over a storage, in which it lies entirely.

    Attributes:
        storage: the bytes.
        dtype: element type by its name in torch.
        offset: elements before the first one.
        shape: number of elements along each axis.
        strides: distance in elements between neighbours along each axis, not negative.
        flags: what is to be done to the elements before they are used: ``conj`` and ``neg``.
    """

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    flags: tuple[str, ...] = ()

    @property
    def expanded(self) -> bool:
        """Whether it has more elements than its storage, so that one stored value stands for many."""
        count = 1
        for length in self.shape:
            count *= length
        return count * ITEM_SIZES.get(self.dtype, 1) > self.storage.size


@dataclass(frozen=True, slots=True)
class OtherTensor:
    """A tensor that is not dense, or has no data.

    Attributes:
        found: what it is, for a message.
        cure: what makes a dense tensor of it.
    """

    found: str
    cure: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a saved tensor or its dict may hold beside tensors, and what is not looked into.

    Attributes:
        kind: its type.
        text: the argument that it was made from, if that is a text.
    """

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Stranger:
    """What a call would give that no saved tensor needs; the call is never made."""

    what: str
