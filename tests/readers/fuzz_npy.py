"""Headers of ``.npy`` that are valid in form and absurd in content, with lengths that are right."""

from __future__ import annotations

import ast
import math
import random
import struct
from typing import Any

import numpy as np
from fuzz_bytes import absurd, anywhere, fitted, packed

_TYPES = (
    *("<f2", "<f4", "<f8", ">f4", ">f8", "<i8", ">u2", "|u1", "|b1", "|i1", "<u8", "=f4", "f", "<f16", "<c8", "|O"),
    *("<V2", "|V2", ">V2", "|V1", "|V3", "<U1", "|S1", "<M8[s]", "<m8[ns]", "V0", "<f3", "<f-4", "<i99999999999"),
    *([("a", "<f4")], [("a", "<f4", (2, 3))], [("", "<f4")], ("<f4", (2,)), [], "", None, 7, "(2,3)<f4", "<f4,<i2"),
)

_TEXTS = (
    *("(2L, 3L, 4L)", "(0x2, 0b11, 0o4)", "(2_0,)", "(-1, -24)", "(True, 24)", "(2.0, 12)", "()", "(24)", "[2, 3, 4]"),
    *("(1,) * 9", "(2**3, 3)", "(lambda: 0)", "(" * 90 + ")" * 90, "-" * 200 + "1", "(1" + "0" * 4400 + ",)"),
    *("(1e0,)", "{}", "(None,)", "('2', 3)", "((2, 3), 4)", "(2, 3, 4) # ,", "(2,\n3,\r4)", "(２, 3, 4)", "\\u0028"),
)

# A header is not written for more data than these: the file would be as large as its header says.
_MOST = 2**14


def damaged_npy(rng: random.Random, data: bytes) -> bytes:
    """Another header, mostly with as much data as it declares."""
    start = 12 if data[6] > 1 else 10
    (size,) = struct.unpack("<I" if data[6] > 1 else "<H", data[8:start])
    text, values = data[start : start + size], data[start + size :]
    if rng.random() < 0.25:
        return _file(rng, data, anywhere(rng, text, "npy"), values)
    header = ast.literal_eval(text.decode("latin1"))
    for _ in range(rng.choice((1, 1, 2))):
        _change(rng, header)
    written = repr(header)
    if rng.random() < 0.15 and "shape" in header:
        written = written.replace(repr(header["shape"]), rng.choice(_TEXTS))
    if rng.random() < 0.05:
        written = written.replace("}", f", 'shape': {rng.choice(_TEXTS)}}}")
    if rng.random() < 0.8:
        values = fitted(rng, values, _declared(header, len(values)))
    return _file(rng, data, written.encode("utf-8"), values)


def _change(rng: random.Random, header: dict[str, Any]) -> None:
    match rng.randrange(8):
        case 0:
            header["descr"] = rng.choice(_TYPES)
        case 1:
            header["fortran_order"] = rng.choice((True, False, 0, 1, None, "x", (True,)))
        case 2:
            header.pop(rng.choice(list(header)), None)
        case 3:
            header[rng.choice(("more", "", 3, None))] = rng.choice((1, "x", (1,)))
        case _:
            header["shape"] = _shape(rng, header.get("shape"))


def _shape(rng: random.Random, shape: Any) -> Any:
    sizes = list(shape) if isinstance(shape, tuple) else [2, 3]
    at = rng.randrange(len(sizes) + 1)
    match rng.randrange(7):
        case 0:
            sizes.insert(at, rng.choice((0, 1, 1, -1, True)))
        case 1:
            del sizes[at:]
        case 2:
            rng.shuffle(sizes)
        case 3:
            sizes += [1] * rng.choice((1, 28, 29, 30, 32, 60, 61, 62, 64, 200))
        case 4:
            sizes = [rng.choice((2**31, 2**32, 2**16, 2**62)) for _ in range(rng.choice((1, 2, 4)))]
        case 5 if sizes:
            sizes[at - 1] = rng.choice((1.0, "3", None, (3,), True, -3))
        case _ if sizes:
            sizes[at - 1] = absurd(rng, sizes[at - 1] if isinstance(sizes[at - 1], int) else 0)
    return tuple(sizes)


def _declared(header: dict[str, Any], otherwise: int) -> int:
    """How many bytes of data a header declares, if these are few."""
    if not all(isinstance(length, int) for length in header.get("shape") or ()):
        return otherwise
    try:
        size = math.prod(header["shape"]) * np.dtype(header["descr"]).itemsize
    except (KeyError, TypeError, ValueError, SyntaxError, OverflowError, MemoryError):
        return otherwise
    return size if 0 <= size <= _MOST else otherwise


def _file(rng: random.Random, data: bytes, header: bytes, values: bytes) -> bytes:
    version = rng.choice((data[6:8], data[6:8], b"\1\0", b"\2\0", b"\3\0"))
    form = "<H" if version == b"\1\0" else "<I"
    around = 8 + struct.calcsize(form) + 1
    if rng.random() < 0.9:
        header += b" " * (-(len(header) + around) % 64) + b"\n"
    return data[:6] + version + packed(form, len(header)) + header + values
