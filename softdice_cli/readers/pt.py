"""Torch tensors: ``.pt`` and ``.pth`` files in torch's zip format, loaded with ``weights_only=True``."""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.npz import choose
from softdice_cli.readers.pickled import Forged, Pickle, Refused
from softdice_cli.readers.source import ReadOptions, Source, check_bytes

LIBRARY = "torch"
_SAVE = "torch.save(tensor.detach().cpu().contiguous(), path)"
_LISTED = 12
_MAX_PICKLE = 2**20
_END = struct.Struct("<4s8xIIH")
_WIDE = 56 + 20
"""Bytes of what stands before the end of an archive of 4 GiB and more."""

_TAIL = _WIDE + _END.size
_PARAMETERS = ("weight", "bias")


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The tensor of a file, or the one that the key names in a dict of tensors."""
    import torch

    length = stream.seek(0, os.SEEK_END)
    _check_archive(zipfile.ZipFile(stream), length, name, options)
    _check_end(stream, length, name)
    stream.seek(0)
    try:
        _check_pickle(torch._C.PyTorchFileReader(stream), length, name)
        stream.seek(0)
        loaded = torch.load(stream, map_location="cpu", weights_only=True)
    except (Refused, pickle.UnpicklingError) as error:
        raise UnreadableError(
            "declares tensors that its bytes do not hold"
            if isinstance(error, Forged)
            else "holds Python objects, which are never unpickled",
            path=name,
            expected="a tensor, or a dict of tensors and --key",
            found=str(error) if isinstance(error, Refused) else "",
            hint=f"save the tensor alone: {_SAVE}",
        ) from error
    tensor = _pick(loaded, options.key, name)
    _check_tensor(tensor, name)
    stored = str(tensor.dtype).removeprefix("torch.")
    plain = tensor.detach().resolve_conj().resolve_neg()
    array = (plain.float() if tensor.dtype == torch.bfloat16 else plain).numpy()
    return Source(name=name, format="pt", array=array, stored=stored)


def refuse_legacy(name: str) -> UnreadableError:
    """The error for a file in torch's old format, a bare pickle whose sizes cannot be checked."""
    return UnreadableError(
        "is in torch's old format (before 1.6), or a bare pickle",
        path=name,
        expected="the zip format that torch.save writes",
        hint=f"load it where you trust it, and save the tensor again: {_SAVE}",
    )


def _check_archive(archive: zipfile.ZipFile, present: int, name: str, options: ReadOptions) -> None:
    """Refuses what could grow on loading: torch itself stores, and never compresses."""
    members = archive.infolist()
    if any(m.compress_type != zipfile.ZIP_STORED or m.compress_size != m.file_size for m in members):
        raise UnreadableError(
            "holds compressed entries, which torch.save never writes",
            path=name,
            hint=f"save the tensor again: {_SAVE}",
        )
    total = sum(m.file_size for m in members)
    if total > present:
        raise UnreadableError(
            "declares more bytes than it has", path=name, expected=f"{present} bytes", found=f"{total} bytes"
        )
    check_bytes(name, total, options)


def _check_end(stream: BinaryIO, length: int, name: str) -> None:
    """Refuses an archive whose list of members does not end where the file does.

    zipfile looks for the list before the end, and torch where the end says, so that each could see another list.
    """
    stream.seek(max(0, length - _TAIL))
    tail = stream.read()
    wide = tail[-_WIDE - _END.size : -_END.size]
    mark, size, start, comment = _END.unpack(tail[-_END.size :])
    if wide[-20:-16] == b"PK\6\7":
        size, start = struct.unpack("<QQ", wide[40:56])
        length -= _WIDE
    if mark != b"PK\5\6" or comment or start + size != length - _END.size:
        raise UnreadableError(
            "is an archive with something before or after it", path=name, hint=f"save the tensor again: {_SAVE}"
        )


def _check_pickle(reader: Any, length: int, name: str) -> None:
    """Looks at what torch would build from a file of this length; the sizes are those that torch sees."""
    if reader.get_record_size("data.pkl") > _MAX_PICKLE:
        raise UnreadableError("holds more than tensors", path=name, hint=f"save the tensor alone: {_SAVE}")
    Pickle(lambda key: int(reader.get_record_size(f"data/{key}")), length).check(reader.get_record("data.pkl"))


def _pick(loaded: Any, key: str | None, path: str) -> Any:
    import torch

    if isinstance(loaded, torch.Tensor):
        if key is not None:
            raise UnreadableError("holds one tensor and no keys", path=path, hint="leave out the key")
        return loaded
    if not isinstance(loaded, Mapping):
        raise _refuse("holds no tensor", path, type(loaded).__name__)
    tensors = {str(name): value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
    if key in tensors:
        return tensors[key]
    inner = {
        f"{name}.{part}"
        for name, nested in loaded.items()
        if isinstance(nested, Mapping)
        for part, value in nested.items()
        if isinstance(value, torch.Tensor)
    }
    names = [name for name, tensor in tensors.items() if tensor.ndim] or sorted(inner)
    if any(name.rpartition(".")[2] in _PARAMETERS for name in names):
        raise _refuse("looks like the weights of a model, not a prediction or a mask", path, _listed(names))
    if not tensors:
        keys = [f"{name} ({type(value).__name__})" for name, value in loaded.items()]
        raise _refuse("holds no tensor by itself", path, _listed([*keys, *sorted(inner)]))
    return tensors[choose(list(tensors), key, path)]


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:_LISTED]) + (", …" if len(keys) > _LISTED else "") or "an empty dict"


def _refuse(problem: str, path: str, found: str) -> UnreadableError:
    return UnreadableError(
        problem,
        path=path,
        expected="a tensor, or a dict of tensors",
        found=found,
        hint=f"save the output of the model, the tensor alone: {_SAVE}",
    )


def _check_tensor(tensor: Any, path: str) -> None:
    """Refuses tensors that are more than an array of numbers."""
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise UnreadableError(
            "holds a tensor that is sparse, quantised or without data",
            path=path,
            expected="a plain dense tensor",
            found=f"{tensor.layout}, {tensor.dtype}, device {tensor.device}",
            hint="save tensor.dequantize() or tensor.to_dense()",
        )
    if tensor.dtype not in _dtypes():
        raise UnreadableError(
            "holds a type that is no probability or label",
            path=path,
            expected="float16, bfloat16, float32, float64, an integer type or bool",
            found=f"{tensor.dtype}",
        )
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise UnreadableError(
            "holds an expanded tensor: one stored value stands for many",
            path=path,
            found=f"shape {tuple(tensor.shape)}, strides {tensor.stride()}",
            hint=f"save the tensor in full: {_SAVE}",
        )


def _dtypes() -> set[Any]:
    import torch

    return {
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
    }
