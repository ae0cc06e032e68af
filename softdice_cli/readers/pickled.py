"""The pickle of a ``.pt`` file as data: what it would build is looked at before torch builds it.

``weights_only=True`` runs no code of the file, but what it calls can take any amount of memory or time for a hundred
bytes (``bytearray(10**12)``, the set of the elements of an expanded tensor, the hash of a tuple a million deep, which
ends the process). A saved tensor needs none of that: only the steps that tensors and dicts of them are saved by are let
through, with their sizes checked. Nothing is imported, built or called here.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_KEYS = (str, int, float, type(None))

_ITEM_SIZES = {
    **{"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1},
    **{"Bool": 1, "ComplexDouble": 16, "ComplexFloat": 8, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "Untyped": 1},
}


class Refused(Exception):  # noqa: N818 - said in the terms of the caller
    """What the pickle does that no saved tensor needs."""


class Forged(Refused):
    """Sizes that the bytes of the file do not bear out."""


@dataclass(frozen=True, slots=True)
class Global:
    """A name that the pickle asks for; it is not looked up."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of the file that tensors lie in, and how many one element takes."""

    size: int
    item: int


class Built(Enum):
    """What is not looked into."""

    LIST = "a list"
    DICT = "a dict"
    ORDERED = "an ordered dict"
    TENSOR = "a tensor"
    EXPANDED = "a tensor of which one stored value stands for many"
    OTHER = "something small"


@dataclass
class Pickle:
    """The machine that a pickle is a program for.

    Args:
        size_of: how many bytes the storage of a key has in the file; raises where there is none.
        most: how many bytes all storages may have together.
    """

    size_of: Callable[[str], int]
    most: int
    stack: list[Any] = field(default_factory=list)
    below: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    storages: dict[str, int] = field(default_factory=dict)

    def check(self, data: bytes) -> None:
        """Go through a pickle.

        Raises:
            Refused: it does what no saved tensor needs, or, as Forged, declares what the file does not have.
            ValueError, IndexError: it is broken.
        """
        for opcode, argument, _ in pickletools.genops(data):
            self._step(opcode.name, argument)

    def _step(self, name: str, argument: Any) -> None:
        match name:
            case "PROTO" | "STOP":
                pass
            case "NONE" | "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE":
                self.stack.append(argument)
            case "NEWTRUE" | "NEWFALSE":
                self.stack.append(name == "NEWTRUE")
            case "EMPTY_TUPLE":
                self.stack.append(())
            case "EMPTY_LIST" | "EMPTY_DICT":
                self.stack.append(Built.LIST if name == "EMPTY_LIST" else Built.DICT)
            case "GLOBAL":
                self.stack.append(Global(argument))
            case "MARK":
                self.below.append(self.stack)
                self.stack = []
            case "TUPLE":
                items = tuple(self._since_mark())
                self.stack.append(items)
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.stack.append(tuple(reversed([self.stack.pop() for _ in range(int(name[-1]))])))
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case _:
                self._build(name)

    def _build(self, name: str) -> None:
        match name:
            case "APPEND":
                self.stack.pop()
            case "APPENDS":
                self._since_mark()
            case "SETITEM":
                self.stack.pop()
                _check_keys([self.stack.pop()])
            case "SETITEMS":
                _check_keys(self._since_mark()[::2])
            case "BINPERSID":
                self.stack.append(self._storage(self.stack.pop()))
            case "REDUCE":
                arguments = self.stack.pop()
                self.stack.append(_called(self.stack.pop(), arguments))
            case "BUILD" if self.stack.pop() is Built.DICT and self.stack[-1] is Built.ORDERED:
                pass
            case _:
                raise Refused(name)

    def _since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def _storage(self, found: Any) -> Storage:
        """The storage of an identifier: ``("storage", type, key, device, how many elements)``."""
        match found:
            case ("storage", Global(name), str(key), str(), int(count)) if count >= 0:
                kind = name.removeprefix("torch.storage ").removeprefix("torch ").removesuffix("Storage")
            case _:
                raise Refused("a storage without a type, a name or a size")
        if kind not in _ITEM_SIZES:
            raise Refused(f"a storage of type {name}")
        size = count * _ITEM_SIZES[kind]
        if size > (held := self.size_of(key)):
            raise Forged(f"{size} bytes for a tensor that has {held}")
        self.storages[key] = size
        if sum(self.storages.values()) > self.most:
            raise Forged("the same bytes under several names")
        return Storage(size, _ITEM_SIZES[kind])


def _check_keys(keys: list[Any]) -> None:
    if not all(isinstance(key, _KEYS) for key in keys):
        raise Refused("a key that is neither text nor a number")


def _called(function: Any, arguments: Any) -> Built:
    """What a call would give, which is not made."""
    name = function.name if isinstance(function, Global) else "what is no name"
    match name, arguments:
        case "collections OrderedDict", ():
            return Built.ORDERED
        case "torch._utils _rebuild_tensor_v2" | "torch._utils _rebuild_tensor_v3", (storage, offset, size, stride, *_):
            return _tensor(storage, offset, size, stride)
        case "torch._utils _rebuild_qtensor", (storage, offset, size, stride, *_):
            return _tensor(storage, offset, size, stride)
        case "torch._utils _rebuild_parameter", (Built.TENSOR | Built.EXPANDED as tensor, bool(), Built.ORDERED):
            return Built(tensor)
        case "torch._utils _rebuild_sparse_tensor", (Built.OTHER, tuple(parts)) if Built.EXPANDED not in parts:
            return Built.OTHER
        case "torch._utils _rebuild_meta_tensor_no_storage", (Global(), tuple(), tuple(), bool()):
            return Built.OTHER
        case "torch Size", (tuple(sizes),) if all(type(size) is int for size in sizes):
            return Built.OTHER
        case "torch device" | "torch.serialization _get_layout", (str(),):
            return Built.OTHER
        case "_codecs encode", (str(), "latin1"):
            return Built.OTHER
    raise Refused(f"a call of {name.replace(' ', '.')}")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Built:
    """A view of a storage that lies in it."""
    numbers = (offset, *size, *stride)
    if not isinstance(storage, Storage) or any(type(number) is not int or number < 0 for number in numbers):
        raise Forged("a tensor of sizes that are no numbers")
    count, last = 1, offset
    for length, step in zip(size, stride, strict=True):
        count *= length
        last += (length - 1) * step
    if count and (last + 1) * storage.item > storage.size:
        raise Forged(f"a tensor of shape {size} and strides {stride} beyond its {storage.size} bytes")
    return Built.EXPANDED if count * storage.item > storage.size else Built.TENSOR
