"""Pickles of tensors, changed step by step: what is written goes on being a sequence of valid steps."""

from __future__ import annotations

import pickletools
import random
import struct

from fuzz_bytes import absurd

_TEXTS = (
    *(
        "storage",
        "0",
        "1",
        "../version",
        "cpu",
        "cuda:0",
        "meta",
        "probs",
        "labels",
        "weight",
        "a.b",
        "",
        "9" * 99,
        "é",
    ),
    *("latin1", "data.pkl", "torch.strided", "torch.sparse_coo"),
)

_NAMES = (
    *("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3", "torch._utils _rebuild_tensor"),
    *("torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state"),
    *("torch._utils _rebuild_sparse_tensor", "torch._utils _rebuild_qtensor", "torch._utils _rebuild_nested_tensor"),
    *("torch._utils _rebuild_meta_tensor_no_storage", "torch._utils _rebuild_device_tensor_from_cpu_tensor"),
    *("torch._tensor _rebuild_from_type_v2", "torch Tensor", "torch Size", "torch device", "torch float32"),
    *("torch uint8", "torch bfloat16", "torch complex64", "torch uint16", "torch quint4x2", "torch float8_e4m3fn"),
    *("torch FloatStorage", "torch DoubleStorage", "torch HalfStorage", "torch BFloat16Storage", "torch BoolStorage"),
    *("torch ByteStorage", "torch CharStorage", "torch LongStorage", "torch IntStorage", "torch ShortStorage"),
    *("torch.storage UntypedStorage", "torch.storage TypedStorage", "torch ComplexFloatStorage", "torch QInt8Storage"),
    *("collections OrderedDict", "collections Counter", "collections defaultdict", "_codecs encode"),
    *("builtins bytearray", "builtins set", "builtins getattr", "os system", "numpy dtype", "no such.name"),
    *("torch.serialization _get_layout", "torch.nn.parameter Parameter", "numpy.core.multiarray scalar"),
)

# Steps that take what is on the stack, or put something there, without an argument.
_STEPS = [bytes([step]) for step in b"()]}tNQRbsuae0\x81\x85\x86\x87\x88\x89.21"]

_NESTED = 2000


def damaged_pickle(rng: random.Random, data: bytes) -> bytes:
    """The pickle with a few steps changed, doubled, moved, left out or added."""
    steps = _steps(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _change(rng, steps)
    return b"".join(steps)


def _steps(data: bytes) -> list[bytes]:
    starts = [at for _, _, at in pickletools.genops(data) if at is not None]
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _change(rng: random.Random, steps: list[bytes]) -> None:
    at = rng.randrange(max(1, len(steps)))
    end = min(len(steps), at + rng.choice((1, 1, 2, 3, 8)))
    match rng.randrange(12):
        case 0 | 1 | 2 | 3:
            _other_argument(rng, steps, rng.choice((b"K", b"M", b"J", b"\x8a")))
        case 4:
            _other_argument(rng, steps, rng.choice((b"X", b"c", b"\x88", b"\x89")))
        case 5:
            _other_argument(rng, steps, rng.choice((b"q", b"h", b"r", b"j")))
        case 6:
            steps[at:at] = steps[at:end]
        case 7:
            del steps[at:end]
        case 8:
            to = rng.randrange(max(1, len(steps)))
            steps[at:end], steps[to:to] = [], steps[at:end]
        case 9:
            steps.insert(at, rng.choice(_STEPS))
        case 10:
            steps[at:at] = _nested(rng)
        case _:
            steps.insert(at, rng.choice((_text(rng), _name(rng), _whole(absurd(rng)), b"G" + bytes(8), b"h\0")))


def _other_argument(rng: random.Random, steps: list[bytes], kind: bytes) -> None:
    """Another argument for one of the steps of a kind, if there is one."""
    places = [at for at, step in enumerate(steps) if step[:1] == kind]
    if not places:
        return
    at = rng.choice(places)
    if kind in b"KMJ\x8a":
        old = int.from_bytes(steps[at][1:], "little")
        steps[at] = _whole(rng.choice((absurd(rng, old), rng.choice(_numbers(steps)))))
    elif kind in b"qh":
        steps[at] = kind + bytes([rng.choice((0, 1, 2, 5, 255, max(0, steps[at][1] - 1)))])
    elif kind in b"rj":
        steps[at] = kind + struct.pack("<I", rng.choice((0, 1, 300, 2**31, 2**32 - 1)))
    elif kind in b"\x88\x89":
        steps[at] = rng.choice((b"\x88", b"\x89", b"N", b"K\1"))
    else:
        steps[at] = _text(rng) if kind == b"X" else _name(rng)


def _numbers(steps: list[bytes]) -> list[int]:
    """The numbers that a pickle has: sizes, strides and counts are made of each other."""
    return [int.from_bytes(step[1:], "little") for step in steps if step[:1] in (b"K", b"M")] or [0]


def _whole(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def _text(rng: random.Random) -> bytes:
    text = rng.choice(_TEXTS).encode()
    return b"X" + struct.pack("<I", len(text)) + text


def _name(rng: random.Random) -> bytes:
    module, _, name = rng.choice(_NAMES).partition(" ")
    return f"c{module}\n{name}\n".encode()


def _nested(rng: random.Random) -> list[bytes]:
    """A value that is deep, that holds itself, or that is shared more often than it could be written out."""
    depth = rng.choice((3, 40, _NESTED))
    return rng.choice(
        (
            [b")", *[b"\x85"] * depth],
            [b"]", b"q\xfe", *[b"h\xfe", b"a"]],
            [b"}", b"q\xfe", *[b"K\1", b"h\xfe", b"s"]],
            [b")", *[b"q\xfd", b"h\xfd", b"\x86"] * depth],
            [b"("] * depth,
            [*[b"]"] * depth, *[b"a"] * (depth - 1)],
        )
    )


def with_count(data: bytes, old: int, new: int) -> bytes:
    """The pickle with another number in each place of one."""
    steps = _steps(data)
    return b"".join(_whole(new) if step == _whole(old) else step for step in steps)
