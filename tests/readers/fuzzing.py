"""Small valid files of every format, damage to them that a number alone decides, and a reading of them under limits.

By hand: ``python tests/readers/fuzzing.py READER FIRST COUNT`` reads a range of cases as the tests do, and
``python tests/readers/fuzzing.py READER CASE`` one of them, with the traceback; a path at the end keeps the file.
"""

from __future__ import annotations

import faulthandler
import functools
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from softdice_cli.errors import InputError, LabelError
from softdice_cli.readers import Blob, ReadOptions, read_array, stored
from softdice_cli.readers.labels import as_labels

READERS = ("npy", "npz", "pt", "png", "tiff")
LIMITS = ReadOptions(max_pixels=2**20, max_bytes=2**24)
"""Far below the memory that a case may take, so that running out of it shows what was not checked."""

MEMORY = 2**30
"""Bytes of addresses that a process may take beyond those it starts with."""

RESIDENT = 2**28
"""Bytes by which one case may raise the most memory ever used."""

SECONDS = 2.0
"""Processor time that one case may take."""

HANGS = 60
"""Seconds after which a case is ended from outside."""


@dataclass
class Report:
    """What became of a range of cases.

    Attributes:
        outcomes: how often each format was read and each error raised.
        failures: the case and what was wrong with it.
        slowest: processor time and number of the slowest case.
        memory: megabytes that were added to what the process started with.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    memory: int = 0


# Valid files


RNG = np.random.default_rng(11)
MAP = RNG.random((2, 3, 4))
VOLUME = RNG.random((2, 3, 4, 5)).astype("f4")
GREY = RNG.integers(0, 4, (9, 13)).astype(np.uint8)
WIDE = RNG.integers(0, 256, (20, 33)).astype(np.uint8)
BITS = GREY > 1
COLORS = RNG.integers(0, 256, (7, 5, 3)).astype(np.uint8)


@functools.cache
def seeds(reader: str) -> tuple[bytes, ...]:
    """The valid files of a reader."""
    return tuple({"npy": _npy, "npz": _npz, "pt": _pt, "png": _png, "tiff": _tiff}[reader]())


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def _npy() -> Iterator[bytes]:
    for kind in ("f2", "f4", "f8", ">f4", "u1", "i2", ">u2", "i4", "i8", "?"):
        yield _saved(functools.partial(np.save, arr=(MAP * 3).astype(kind)))
    yield _saved(functools.partial(np.save, arr=np.asfortranarray(MAP)))
    yield _saved(lambda stream: np.lib.format.write_array(stream, MAP, (2, 0)))
    yield _saved(functools.partial(np.save, arr=MAP.reshape(-1)))
    yield _saved(functools.partial(np.save, arr=(MAP.astype("f4").view("u4") >> 16).astype("u2").view("V2")))
    yield _saved(functools.partial(np.save, arr=np.array([1, "a"], object)))


def _npz() -> Iterator[bytes]:
    columns = np.asfortranarray(MAP)
    for arrays in ({"probs": MAP}, {"probs": columns, "labels": GREY}, {"mask": np.zeros((40, 50), np.uint8)}):
        members = {f"{name}.npy": _saved(functools.partial(np.save, arr=array)) for name, array in arrays.items()}
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield archive((name, content, method) for name, content in members.items())


def archive(members: Iterable[tuple[str, bytes, int]]) -> bytes:
    """An archive of members with their compression, in which no time of day stands."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the same name twice, which is meant
        for name, content, method in members:
            out.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def _pt() -> Iterator[bytes]:
    import torch

    tensor = torch.from_numpy(MAP)
    things = (
        *(tensor.to(kind) for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8)),
        tensor.permute(2, 0, 1),
        tensor[1],
        torch.nn.Parameter(tensor),
        {"probs": tensor.float()},
        {"probs": tensor.half(), "more": {"labels": tensor, "inner": {"x": tensor}}},
        {"probs": tensor, "labels": torch.from_numpy(GREY), "epoch": 3, "size": tensor.size()},
        torch.eye(3).to_sparse(),
    )
    for thing in things:
        yield _saved(functools.partial(torch.save, thing))


def png(width: int, height: int, depth: int, color: int, rows: bytes, *before: bytes, interlaced: int = 0) -> bytes:
    """A PNG of these scan lines, which begin with their filter."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    data = (*before, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(data)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png() -> Iterator[bytes]:
    palette = Image.fromarray(GREY, "L")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    images = (
        *(Image.fromarray(array) for array in (GREY, BITS, GREY.astype(np.uint16) * 999, COLORS)),
        Image.fromarray(COLORS).convert("RGBA"),
        Image.fromarray(GREY).convert("LA"),
        palette,
    )
    for image in images:
        yield _saved(functools.partial(image.save, format="PNG"))
    yield _saved(functools.partial(palette.save, format="PNG", bits=2))
    yield _saved(functools.partial(palette.save, format="PNG", transparency=2, dpi=(72, 72)))
    yield _saved(functools.partial(images[0].save, format="PNG", save_all=True, append_images=[images[0]]))
    for depth in (2, 4):
        yield png(8, 4, depth, 0, bytes(range(depth + 1)) * 4)
    for color, samples in ((2, 3), (6, 4)):
        yield png(4, 2, 16, color, b"\0" + b"\xff" * 8 * samples + b"\4" + bytes(8 * samples))
    oriented = Image.Exif()
    oriented[274] = 6
    yield _saved(functools.partial(palette.save, format="PNG", exif=oriented))
    yield png(4, 4, 8, 0, bytes(4 * 7 + 16), interlaced=1)  # seven passes of scan lines
    text = [chunk(b"tEXt", b"Title\0mask"), chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(999)))]
    yield png(4, 2, 8, 0, b"\0\1\2\3\4" * 2, *text, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(99))))


def _tiff() -> Iterator[bytes]:
    pictures = {
        "raw": (GREY, {}),
        "packbits": (GREY, {}),
        "tiff_lzw": (GREY, {}),
        "group3": (BITS, {}),
        "group4": (BITS, {}),
        "tiff_adobe_deflate": (BITS, {262: 0}),
        "tiff_deflate": (COLORS, {}),
    }
    for compression, (array, tags) in pictures.items():
        image = Image.fromarray(array)
        yield _saved(functools.partial(image.save, format="TIFF", compression=compression, tiffinfo=tags))
    written = (
        {"data": MAP[0]},
        {"data": MAP.astype("f4"), "photometric": "minisblack"},
        {"data": MAP.astype("f4"), "photometric": "minisblack", "compression": "zlib"},
        {"data": WIDE.astype("u2"), "compression": "lzma", "predictor": 2},
        {"data": WIDE, "tile": (16, 16)},
        {"data": WIDE, "tile": (16, 16), "compression": "zlib"},
        {"data": WIDE, "rowsperstrip": 3, "compression": "zlib"},
        {"data": GREY, "photometric": "miniswhite"},
        {"data": MAP.astype("f4"), "photometric": "minisblack", "planarconfig": "separate"},
        {"data": COLORS, "photometric": "rgb"},
        {"data": GREY, "photometric": "palette", "colormap": np.full((3, 256), 9, np.uint16)},
    )
    for options in written:
        for how in ({}, {"byteorder": ">"}, {"bigtiff": True}):
            yield _saved(lambda stream, options=options, how=how: tifffile.imwrite(stream, **options, **how))
    yield _saved(lambda stream: tifffile.imwrite(stream, MAP.astype("f4"), imagej=True))
    for how in ({"metadata": {"axes": "CZYX"}}, {"ome": True}, {"imagej": True}):
        yield _saved(lambda stream, how=how: tifffile.imwrite(stream, VOLUME, photometric="minisblack", **how))
    yield _saved(lambda stream: tifffile.imwrite(stream, np.stack([GREY] * 3), photometric="rgb", planarconfig=2))
    yield _saved(_pyramid)
    for tags in ({292: 1}, {292: 4}, {266: 2}):
        bits = Image.fromarray(BITS)
        yield _saved(functools.partial(bits.save, format="TIFF", compression="group3", tiffinfo=tags))
    yield _saved(functools.partial(Image.fromarray(BITS).save, format="TIFF", compression="tiff_ccitt"))
    yield _small_samples(4, 1)
    yield _small_samples(2, 32773)
    floats = Image.fromarray(MAP[0].astype("f4"))
    yield _saved(functools.partial(floats.save, format="TIFF", compression="tiff_lzw", tiffinfo={317: 3}))


def _pyramid(stream: io.BytesIO) -> None:
    """A picture in tiles and a smaller copy of it, in the chain of pages and below the page, and a mask."""
    with tifffile.TiffWriter(stream) as out:
        out.write(WIDE, tile=(16, 16), subifds=1)
        out.write(WIDE[::2, ::2], tile=(16, 16), subfiletype=1)
        out.write(WIDE[::2, ::2], tile=(16, 16), subfiletype=1)
        out.write(WIDE > 9, tile=(16, 16), subfiletype=4, photometric="mask")


def _small_samples(bits: int, compression: int) -> bytes:
    """Grey samples of a few bits, whose tags were those of bytes."""
    stream = io.BytesIO()
    kind = {1: "raw", 32773: "packbits"}[compression]
    Image.fromarray(WIDE).save(stream, "TIFF", compression=kind)
    data = stream.getvalue()
    for tag, value in ((256, WIDE.shape[1] * 8 // bits), (258, bits)):
        at = data.index(struct.pack("<H", tag), struct.unpack_from("<I", data, 4)[0])
        data = _put(data, at + 8, struct.pack("<H", value))
    return data


# Damage

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


def case(reader: str, number: int) -> bytes:
    """The damaged file of a number: always the same from the same libraries."""
    rng = random.Random(f"{reader}-{number}")
    data = rng.choice(seeds(reader))
    if rng.random() < 0.6:
        data = STRUCTURED[reader](rng, data)
        repeats = rng.choice((0, 0, 0, 1, 2))
    else:
        repeats = rng.choice((1, 1, 2, 4))
    for _ in range(repeats):
        data = _anywhere(rng, data, reader)
    return data


def _anywhere(rng: random.Random, data: bytes, reader: str) -> bytes:
    """Damage that knows nothing of the format."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 16, 64, 256))
    end = min(len(data), at + length)
    other = rng.choice(seeds(reader))
    match rng.randrange(9):
        case 0:
            return _put(data, at, bytes([(data[at] ^ 1 << rng.randrange(8)) if at < len(data) else 0]))
        case 1:
            return _put(data, at, bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))]))
        case 2:
            return _put(data, at, _number(rng))
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
            return rng.choice((_put(data, at, word), data[:at] + word + data[at:]))


def _put(data: bytes, at: int, part: bytes) -> bytes:
    return data[:at] + part + data[at + len(part) :]


def _number(rng: random.Random) -> bytes:
    form = rng.choice(FORMATS)
    return struct.pack(form, rng.choice(NUMBERS) % 256 ** struct.calcsize(form))


def _npy_header(rng: random.Random, data: bytes) -> bytes:
    """Another header of the right length."""
    wide = data[6] > 1
    start = 12 if wide else 10
    (size,) = struct.unpack("<I" if wide else "<H", data[8:start])
    header = _anywhere(rng, data[start : start + size], "npy")
    return data[:8] + struct.pack("<I" if wide else "<H", len(header) % 2**16) + header + data[start + size :]


def _archive(rng: random.Random, data: bytes, reader: str) -> bytes:
    """A directory that lies, or one that is true of a damaged member."""
    if rng.random() < 0.4:
        marks = [at for at in range(len(data)) if data[at : at + 2] == b"PK"]
        return _put(data, rng.choice(marks) + rng.randrange(4, 60), _number(rng))
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    main = [name for name in members if name.endswith((".pkl", ".npy"))]
    hit = rng.choice(main if rng.random() < 0.8 else list(members))
    change = _npy_header if hit.endswith(".npy") and rng.random() < 0.5 else _any(reader)
    members[hit] = change(rng, members[hit])
    methods = (0, 0, 8, 12, 14) if reader == "npz" else (0,)
    again = [(name, content, rng.choice(methods)) for name, content in members.items()]
    if rng.random() < 0.1:
        again.append((rng.choice((hit, "a/../b.npy", "x" * 999, "archive/data/9")), b"1", 0))
    return archive(again)


def _any(reader: str) -> Damage:
    return functools.partial(_anywhere, reader=reader)


def _png_chunks(rng: random.Random, data: bytes) -> bytes:
    """Chunks that are damaged, doubled, moved or left out, with true lengths and checksums; rows are packed again."""
    chunks = list(_split(data))
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    match rng.randrange(6):
        case 0:
            chunks.insert(rng.randrange(len(chunks)), chunks[at])
        case 1:
            del chunks[at]
        case 2:
            chunks.insert(at, rng.choice(list(_split(rng.choice(seeds("png"))))))
        case 3:
            chunks[at] = (rng.choice(WORDS["png"]), content)
        case 4 if kind == b"IDAT":
            chunks[at] = (kind, zlib.compress(_anywhere(rng, zlib.decompress(content), "png")))
        case _:
            chunks[at] = (kind, _anywhere(rng, content, "png"))
    return data[:8] + b"".join(chunk(kind, content) for kind, content in chunks)


def _split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


TAGS = (
    *(
        254,
        255,
        256,
        257,
        258,
        259,
        262,
        266,
        270,
        273,
        274,
        277,
        278,
        279,
        284,
        292,
        317,
        320,
        322,
        323,
        324,
        325,
        330,
        338,
        339,
    ),
    *(32997, 34412, 33628, 42113, 50838, 50839, 65426),
)


def _tiff_tags(rng: random.Random, data: bytes) -> bytes:
    """An entry of a directory with another tag, type, count or value, or another next directory."""
    order, big = "<>"[data[:1] == b"M"], data[2:4] in (b"+\0", b"\0+")
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    directories, at = [], struct.unpack_from(order + offset, data, 8 if big else 4)[0]
    while at and len(directories) < 9:
        (entries,) = struct.unpack_from(order + count, data, at)
        directories.append((at, at + struct.calcsize(count), entries))
        (at,) = struct.unpack_from(order + offset, data, directories[-1][1] + entries * entry)
    for _ in range(rng.choice((1, 1, 2, 3))):
        directory, start, entries = rng.choice(directories)
        where = start + rng.randrange(entries) * entry
        value = rng.choice((*NUMBERS, *(known for known, _, _ in directories), rng.randrange(len(data))))
        part = rng.choice(("tag", "type", "count", "value", "value", "value", "next", "entries"))
        place, form, value = {
            "tag": (where, "H", rng.choice(TAGS)),
            "type": (where + 2, "H", rng.randrange(20)),
            "count": (where + 4, offset, value),
            "value": (where + 4 + struct.calcsize(offset), rng.choice(("H", offset)), value),
            "next": (start + entries * entry, offset, value),
            "entries": (directory, count, value),
        }[part]
        data = _put(data, place, struct.pack(order + form, value % 256 ** struct.calcsize(form)))
    return data


STRUCTURED: dict[str, Damage] = {
    "npy": _npy_header,
    "npz": functools.partial(_archive, reader="npz"),
    "pt": functools.partial(_archive, reader="pt"),
    "png": _png_chunks,
    "tiff": _tiff_tags,
}


# Reading


def read_case(reader: str, number: int, folder: Path) -> str:
    """What became of a case: the format that was read, or the name of the error.

    Raises:
        AssertionError: something that must not happen to any file.
    """
    data, path = case(reader, number), folder / "case"
    key = "probs" if reader in ("npz", "pt") and number % 2 else None
    found = outcome(Blob("case", data), key)
    if reader in ("npy", "pt", "tiff"):  # which read a file tile by tile, and by its descriptor
        path.write_bytes(data)
        again = outcome(Blob(str(path)), key)
        assert again == found, f"from memory {found}, from a file {again}"
    return found


def outcome(blob: Blob, key: str | None = None) -> str:
    """The format that was read, every value of it, or the name of the error."""
    try:
        source = read_array(blob, replace(LIMITS, key=key))
        for colors in (False, True):
            with suppress(LabelError):
                as_labels(source, colors=colors, options=LIMITS)
        values = 0
        for part in source.chunks():
            part.max()
            values += part.size
    except InputError as error:
        return _named(error, blob)
    assert values == source.array.size
    assert source.array.dtype.kind in "biuf"
    return source.format


def _named(error: InputError, blob: Blob) -> str:
    assert not isinstance(error.__cause__, MemoryError), "memory was asked for that no limit allows"
    assert error.path == blob.name
    assert str(error)
    return type(error).__name__


def run(reader: str, first: int, count: int, before: str = "") -> Report:
    """Read a range of cases in another process; its death is the failure of the case that it was at.

    Args:
        reader: one of `READERS`.
        first: number of the first case.
        count: how many.
        before: what the process does first, for the tests of this module.
    """
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fuzzing\n{before}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", f"{program}\nfuzzing.main({reader!r}, '{first}', '{count}', {folder!r})"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Report(**json.loads(done.stdout))
        at = (Path(folder) / "at").read_text() if (Path(folder) / "at").exists() else first
    return Report(failures=[(int(at), f"the process ended with {done.returncode}: {done.stderr[-2000:]}")])


def _run_here(reader: str, first: int, count: int, folder: Path) -> Report:
    warnings.simplefilter("ignore")  # as the command line does
    stored.WHOLE = 0
    read_case(reader, first, folder)  # imports what the reader needs
    _limit_memory()
    outcomes: Counter[str] = Counter()
    report, before = Report(), _resident()
    with (folder / "at").open("w") as at:
        for number in range(first, first + count):
            os.pwrite(at.fileno(), f"{number:012}".encode(), 0)
            faulthandler.dump_traceback_later(HANGS, exit=True)
            resident, begun = _resident(), time.process_time()
            try:
                outcomes[read_case(reader, number, folder)] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                report.failures.append((number, f"{type(error).__name__}: {error}"[:500]))
            seconds = time.process_time() - begun
            report.slowest = max(report.slowest, (seconds, number))
            if seconds > SECONDS:
                report.failures.append((number, f"took {seconds:.1f} s"))
            if _resident() - resident > RESIDENT:
                report.failures.append((number, f"took {(_resident() - resident) // 2**20} MB"))
    faulthandler.cancel_dump_traceback_later()
    report.outcomes, report.memory = dict(outcomes.most_common()), (_resident() - before) // 2**20
    return report


def _limit_memory() -> None:
    # Windows lacks it, and has to be able to import this file.
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _resident() -> int:
    """The greatest memory of this process since it began; what getrusage tells begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(reader: str, first: str, count: str = "", folder: str = "") -> None:
    """Read a range of cases and print the report, or one case and show what became of it."""
    with tempfile.TemporaryDirectory() as own:
        if count.isdigit():
            shown = json.dumps(vars(_run_here(reader, int(first), int(count), Path(folder or own))))
        else:
            Path(count or os.devnull).write_bytes(case(reader, int(first)))
            stored.WHOLE = 0
            shown = read_case(reader, int(first), Path(own))
    sys.stdout.write(shown + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
