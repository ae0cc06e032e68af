"""The calls that a saved tensor consists of, and what each of them would give. None of them is made."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from softdice_cli.readers.pt.values import ITEM_SIZES, Forged, Global, Known, OtherTensor, Storage, Stranger, Tensor

_TORCH = "torch._utils _rebuild_"


def called(function: Any, arguments: Any) -> Any:
    """What a call would give.

    Args:
        function: a name that the pickle asks for.
        arguments: a tuple of what the pickle describes.

    Returns:
        A tensor, or what may stand beside one; a `Stranger` for any other call.

    Raises:
        Forged: a tensor that does not lie in its storage.
    """
    name = function.name if isinstance(function, Global) else ""
    if not isinstance(arguments, tuple):
        return Stranger("a call without arguments")
    value = _tensor_of(name, arguments) or _beside_a_tensor(name, arguments)
    if value is None:
        return Stranger(f"a call of {name.replace(' ', '.') or 'what is not a name'}")
    return value


def _tensor_of(name: str, arguments: tuple[Any, ...]) -> Tensor | OtherTensor | None:
    if name == "torch._tensor _rebuild_from_type_v2":
        return _of_class(arguments)
    if not name.startswith(_TORCH):
        return None
    match name.removeprefix(_TORCH), arguments:
        case "tensor_v2", (Storage() as storage, offset, size, stride, bool(), dict() as hooks, *metadata) if not hooks:
            return _dense(storage, storage.dtype, offset, size, stride, metadata)
        case (
            "tensor_v3",
            (Storage() as storage, offset, size, stride, bool(), dict() as hooks, Global(dtype), *metadata),
        ) if not hooks:
            return _dense(storage, dtype.removeprefix("torch "), offset, size, stride, metadata)
        case "parameter", (Tensor() | OtherTensor() as tensor, bool(), dict() as hooks) if not hooks:
            return tensor
        # A parameter with attributes of its own, which say nothing about its elements.
        case "parameter_with_state", (Tensor() | OtherTensor() as tensor, bool(), dict() as hooks, _) if not hooks:
            return tensor
        case "sparse_tensor", (Known("layout", layout), tuple(parts)):
            # The indices are tensors too; the values come after them.
            types = [f"torch.{part.dtype}" for part in parts if isinstance(part, Tensor)]
            return OtherTensor(", ".join([layout, *types[-1:]]), "tensor.to_dense()")
        case "qtensor", (Storage() as storage, *_):
            return OtherTensor(f"torch.{storage.dtype}", "tensor.dequantize()")
        case "meta_tensor_no_storage", (Global() as dtype, tuple(), tuple(), bool()):
            return OtherTensor(f"{dtype.dotted}, device meta", "a tensor that was computed on a device")
    return None


def _of_class(arguments: tuple[Any, ...]) -> Tensor | OtherTensor | None:
    """The data of a tensor that has a class of its own, such as MONAI's ``MetaTensor``.

    Its class and its attributes say nothing about the elements of the tensor, so they are left
    alone.
    """
    match arguments:
        case (Global(name), Global(), tuple(inner), _) if name.startswith(_TORCH):
            return _tensor_of(name, inner)
    return None


def _beside_a_tensor(name: str, arguments: tuple[Any, ...]) -> Known | OrderedDict[Any, Any] | None:
    match name, arguments:
        case "collections OrderedDict", ():
            return OrderedDict()
        case "torch Size", (tuple(sizes),) if all(type(size) is int for size in sizes):
            return Known("Size")
        case "torch device", (str(text),):
            return Known("device", text)
        case "torch.serialization _get_layout", (str(text),):
            return Known("layout", text)
        case "_codecs encode", (str(), "latin1"):
            return Known("bytes")
    return None


def _dense(storage: Storage, dtype: str, offset: Any, size: Any, stride: Any, metadata: list[Any]) -> Tensor | None:
    """A tensor whose elements all lie in its storage."""
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
        raise Forged("a tensor with a number of sizes that is not its number of strides")
    if any(type(number) is not int or number < 0 for number in (offset, *size, *stride)):
        raise Forged("a tensor whose sizes are not whole numbers from 0 on")
    # In plain Python integers, so that no size can overflow.
    last = offset
    for length, step in zip(size, stride, strict=True):
        last += (length - 1) * step
    if 0 not in size and (last + 1) * ITEM_SIZES.get(dtype, 1) > storage.size:
        raise Forged(f"a tensor of shape {size} and strides {stride} beyond its {storage.size} bytes")
    flags = _flags(metadata)
    if flags is None:
        return None
    return Tensor(storage, dtype, offset, size, stride, flags)


def _flags(metadata: list[Any]) -> tuple[str, ...] | None:
    """The flags of a tensor that are set, or ``None`` where they are not what torch writes."""
    match metadata:
        case [] | [None]:
            return ()
        case [dict() as flags] if flags.keys() <= {"conj", "neg"} and all(type(v) is bool for v in flags.values()):
            return tuple(name for name, value in flags.items() if value)
    return None
