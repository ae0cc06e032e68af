"""Damage that knows nothing of a format, and the numbers and words that all damage draws from."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from fuzz_files import put, seeds

Damage = Callable[[random.Random, bytes], bytes]

NUMBERS = (0, 1, 2, 3, 8, 16, 255, 256, 0x7F, 0x7FFF, 0xFFFF, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63)
FORMATS = ("<B", "<H", ">H", "<I", ">I", "<Q", ">Q")
WORDS = {
    "npy": (
        b"True",
        b"(1, -1)",
        b"(99999999999,)",
        b"((",
        b"'|O'",
        b"'<c8'",
        b"-",
        b"1e9",
        b"'<V2'",
        b"'|V1'",
        b"(2**9,)",
        b"0x7fffffff",
    ),
    "npz": (b".npy", b"/", b"..", b"\0"),
    "pt": (
        b"cbuiltins\nbytearray\n",
        b"cbuiltins\nset\n",
        b"ccollections\nCounter\n",
        b"ctorch\nTensor\n",
        b"ctorch.storage\nUntypedStorage\n",
        b"ctorch._utils\n_rebuild_sparse_tensor\n",
        b"ctorch._utils\n_rebuild_nested_tensor\n",
        b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n",
        b"ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n",
        b"ctorch._tensor\n_rebuild_from_type_v2\n",
        b"ctorch\nLongStorage\n",
        b"c_codecs\nencode\n",
        b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"J\xff\xff\xff\x7f",
        b"J\xff\xff\xff\xff",
        *(bytes([op]) for op in b"R)}]tbQ0(suaeNq\x00h\x00\x85\x86\x87."),
    ),
    "png": (b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"eXIf", b"iTXt"),
    "tiff": (
        *(b"II*\0", b"MM\0*", b"II+\0", b'{"shape": [9, 9, 9]}', b"ImageJ=1\nimages=99\n", b"<OME", b"SI."),
        *(b"channels=3\nslices=5\n", b"order=zct\n", b'"axes": "CZYX"', b"<Pixels ", b'SizeC="9"', b'IFD="3"'),
    ),
}


def absurd(rng: random.Random, old: int = 0) -> int:
    """A number that no honest header has in the place of this one; it may be negative, or too large for its field."""
    match rng.randrange(7):
        case 0:
            return rng.choice(NUMBERS)
        case 1:
            return old + rng.choice((-2, -1, 1, 2, 8))
        case 2:
            return old * rng.choice((2, 3, 10, 1000)) + rng.choice((0, 0, 1))
        case 3:
            return old // 2
        case 4:
            return -rng.choice((1, 2, old + 1, 2**15, 2**31, 2**63))
        case 5:
            return 2 ** rng.randrange(65) + rng.choice((-1, 0, 1))
        case _:
            return rng.randrange(64)


def anywhere(rng: random.Random, data: bytes, reader: str) -> bytes:
    """Damage that knows nothing of the format."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 16, 64, 256))
    end = min(len(data), at + length)
    other = rng.choice(seeds(reader))
    match rng.randrange(9):
        case 0:
            return put(data, at, bytes([(data[at] ^ 1 << rng.randrange(8)) if at < len(data) else 0]))
        case 1:
            return put(data, at, bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))]))
        case 2:
            return put(data, at, number(rng))
        case 3:
            return data[:at]
        case 4:
            return data[:at] + other[rng.randrange(len(other)) :]
        case 5:
            return data[:end] + data[at:]
        case 6:
            return data[:at] + data[end:]
        case 7:
            return data + rng.choice((b"\0", bytes(length), other))
        case _:
            word = rng.choice(WORDS[reader])
            return rng.choice((put(data, at, word), data[:at] + word + data[at:]))


def number(rng: random.Random) -> bytes:
    """A number as some header would write it."""
    form = rng.choice(FORMATS)
    return packed(form, rng.choice(NUMBERS))


def packed(form: str, value: int) -> bytes:
    """A whole number in a field of this form, without a sign; of one that does not fit, the lowest bytes."""
    return struct.pack(form, value % 256 ** struct.calcsize(form))


def fitted(rng: random.Random, data: bytes, size: int) -> bytes:
    """The bytes, cut, or with others behind them, so that they have this size."""
    return data[:size] + rng.randbytes(max(0, size - len(data)))
