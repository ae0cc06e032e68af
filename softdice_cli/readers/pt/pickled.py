"""The pickle of a ``.pt`` file as data: what it describes is worked out, and nothing is imported, built or called.

A pickle is a program, and what it calls can run code, or take any amount of memory or time for a
hundred bytes. A saved tensor needs little of that: a few steps that describe where its elements
lie. These steps are followed here, with their sizes checked against the file. Everything else is
noted as a stranger and never built, and a file that has one where a value should be is refused;
only the attributes of a tensor with a class of its own may hold strangers.
"""

from __future__ import annotations

import pickletools
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from softdice_cli.readers.pt.rebuilding import called
from softdice_cli.readers.pt.values import ITEM_SIZES, STORAGE_TYPES, Forged, Global, Refused, Storage, Stranger

_KEYS = (str, int, float, type(None))

_STRANGE_KEY = Stranger("a key that is neither text nor a number")

# A dtype or a memory format, which may stand beside tensors.
_TORCH_CONSTANT = re.compile(r"torch [a-z0-9_]+")


@dataclass
class Pickle:
    """The machine that a pickle is a program for.

    Args:
        size_of: how many bytes the storage of a key has in the file, or ``None`` where there is no
            such storage.
    """

    size_of: Callable[[str], int | None]
    stack: list[Any] = field(default_factory=list)
    below: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def contents(self, data: bytes) -> Any:
        """What a pickle describes: a tensor, a dict, or anything else.

        Raises:
            Refused: it holds what no saved tensor needs, or, as Forged, declares what the file does
                not have.
            ValueError, IndexError, KeyError: it is broken.
        """
        for opcode, argument, _ in pickletools.genops(data):
            self._step(opcode.name, argument)
        value = self.stack.pop()
        _refuse_strangers(value)
        return value

    def _step(self, name: str, argument: Any) -> None:
        match name:
            case "PROTO" | "STOP":
                pass
            case "NONE" | "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE":
                self.stack.append(argument)
            case "NEWTRUE" | "NEWFALSE":
                self.stack.append(name == "NEWTRUE")
            case "GLOBAL":
                self.stack.append(Global(argument))
            case "MARK":
                self.below.append(self.stack)
                self.stack = []
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case _:
                self._collect(name)

    def _collect(self, name: str) -> None:
        """Tuples, lists and dicts."""
        match name:
            case "EMPTY_TUPLE":
                self.stack.append(())
            case "EMPTY_LIST":
                self.stack.append([])
            case "EMPTY_DICT":
                self.stack.append({})
            case "TUPLE":
                items = self._since_mark()
                self.stack.append(tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.stack.append(tuple(self._popped(int(name[-1]))))
            case "APPEND":
                self._extend(self._popped(1))
            case "APPENDS":
                self._extend(self._since_mark())
            case "SETITEM":
                self._update(self._popped(2))
            case "SETITEMS":
                self._update(self._since_mark())
            case _:
                self._describe(name)

    def _describe(self, name: str) -> None:
        """Storages, calls and objects."""
        match name:
            case "BINPERSID":
                self.stack.append(self._storage(self.stack.pop()))
            case "REDUCE":
                function, arguments = self._popped(2)
                self.stack.append(called(function, arguments))
            case "NEWOBJ":
                of_class, _ = self._popped(2)
                kind = of_class.dotted if isinstance(of_class, Global) else "what is not a name"
                self.stack.append(Stranger(f"an object of {kind}"))
            case "BUILD":
                (state,) = self._popped(1)
                self._check_state(state)
            case _:
                raise Refused(f"the step {name}")

    def _since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def _popped(self, count: int) -> list[Any]:
        """The last items of the stack, the first of them first."""
        if len(self.stack) < count:
            raise IndexError("the pickle takes more than it has put down")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        # Lists of strangers, such as a deque, are strangers themselves.
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Stranger):
            raise Refused("items for what is not a list")

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Stranger):
            return
        if not isinstance(target, dict):
            raise Refused("items for what is not a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # A key of another type could take any time to be hashed, so it is not put into the
            # dict.
            if isinstance(key, _KEYS):
                target[key] = value
            else:
                target[_STRANGE_KEY] = _STRANGE_KEY

    def _check_state(self, state: Any) -> None:
        """Attributes are for strangers, and for the ordered dict that the weights of a model are."""
        target = self.stack[-1]
        weights = type(target) is OrderedDict and isinstance(state, dict)
        if not weights and not isinstance(target, Stranger):
            raise Refused("the step BUILD")

    def _storage(self, found: Any) -> Storage:
        """The storage of an identifier: ``("storage", type, key, device, how many elements)``."""
        match found:
            case ("storage", Global(name), str(key), str(), int(count)) if count >= 0:
                kind = name.removeprefix("torch.storage ").removeprefix("torch ").removesuffix("Storage")
            case _:
                raise Refused("a storage without a type, a name or a size")
        if kind not in STORAGE_TYPES:
            raise Refused(f"a storage of type {name}")
        dtype = STORAGE_TYPES[kind]
        size, held = count * ITEM_SIZES[dtype], self.size_of(key)
        if held is None:
            raise Forged(f"a tensor in data/{key}, which the archive does not have")
        if size != held:
            raise Forged(f"{size} bytes for a tensor that has {held}")
        return Storage(key, dtype, size)


def _refuse_strangers(value: Any) -> None:
    """Raises Refused where a stranger is in a value, however deep."""
    # Not by recursion, and each item once: a tuple may be a million deep, or be shared by millions.
    waiting, seen = [value], set[int]()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Stranger):
            raise Refused(item.what)
        if isinstance(item, Global) and not _TORCH_CONSTANT.fullmatch(item.name):
            raise Refused(f"the name {item.dotted}")
        if not isinstance(item, tuple | list | dict) or id(item) in seen:
            continue
        seen.add(id(item))
        # The keys of a dict were looked at when they were put into it.
        inner = item.values() if isinstance(item, dict) else item
        waiting.extend(inner)
