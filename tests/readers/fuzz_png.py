"""PNGs whose chunks, header and packed rows are absurd, with lengths and checksums that are right."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

from fuzz_bytes import WORDS, absurd, anywhere, fitted, packed
from fuzz_files import chunk, png_rows, seeds

Chunks = list[tuple[bytes, bytes]]

_HEADER = ">IIBBBBB"

# Rows are not written for more bytes than these: the file would be as large as its header says.
_MOST = 2**14


def damaged_png(rng: random.Random, data: bytes) -> bytes:
    """Other chunks, with true lengths and checksums."""
    chunks = list(split(data))
    for _ in range(rng.choice((1, 1, 2, 3))):
        change = rng.choice(
            (_other_header, _other_header, _other_rows, _other_rows, _other_cuts, _other_chunks, _beside)
        )
        chunks = change(rng, chunks)
    return data[:8] + b"".join(chunk(kind, content) for kind, content in chunks)


def split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the content of each chunk."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _other_header(rng: random.Random, chunks: Chunks) -> Chunks:
    """A header with another field, and mostly as many rows as it declares then."""
    if len(chunks[0][1]) != struct.calcsize(_HEADER):
        return chunks
    fields = list(struct.unpack(_HEADER, chunks[0][1]))
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(fields))
        fields[at] = absurd(rng, fields[at])
        if at == 2 and rng.random() < 0.8:
            fields[at] = rng.choice((1, 2, 4, 8, 16))
        if at == 3 and rng.random() < 0.8:
            fields[at] = rng.choice((0, 2, 3, 4, 6))
        if at > 3 and rng.random() < 0.8:
            fields[at] = rng.choice((0, 1))
    header = b"".join(packed(f">{form}", value) for form, value in zip(_HEADER[1:], fields, strict=True))
    width, height, depth, color, _, _, interlaced = struct.unpack(_HEADER, header)
    others = chunks[1:]
    rows = png_rows(width, height, depth, color, interlaced)
    if rows and sum(rows) <= _MOST and rng.random() < 0.8:
        content = b"".join(bytes([rng.randrange(5)]) + rng.randbytes(row - 1) for row in rows)
        others = _with_data(others, [zlib.compress(content)])
    return [(b"IHDR", header), *others]


def _with_data(chunks: Chunks, parts: list[bytes]) -> Chunks:
    """The chunks with other ones of pixels, in the place of the first of these."""
    at = next((index for index, (kind, _) in enumerate(chunks) if kind == b"IDAT"), len(chunks))
    before = chunks[:at]
    after = [(kind, content) for kind, content in chunks[at:] if kind != b"IDAT"]
    return [*before, *((b"IDAT", part) for part in parts), *after]


def _data(chunks: Chunks) -> bytes:
    return b"".join(content for kind, content in chunks if kind == b"IDAT")


def _other_rows(rng: random.Random, chunks: Chunks) -> Chunks:
    """Rows that are damaged, too many or too few, and packed again; or packed in another way."""
    try:
        content = zlib.decompress(_data(chunks))
    except zlib.error:
        return chunks
    match rng.randrange(5):
        case 0:
            content = anywhere(rng, content, "png")
        case 1:
            content = fitted(rng, content, max(0, len(content) + rng.choice((-9, -1, 1, 9, 999, -len(content)))))
        case 2:
            content += bytes(rng.choice((2**10, 2**20)))
        case 3 if content:
            at = rng.randrange(len(content))
            content = content[:at] + bytes([rng.choice((0, 1, 2, 3, 4, 5, 255))]) + content[at + 1 :]
        case _:
            pass
    pack = zlib.compressobj(rng.choice((0, 1, 9)), zlib.DEFLATED, rng.choice((9, 12, 15)))
    body = pack.compress(content)
    if rng.random() < 0.2:
        body += pack.flush(rng.choice((zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH)))
    body += pack.flush()
    match rng.randrange(8):
        case 0:
            body += rng.choice((b"\0", body, bytes(999)))
        case 1:
            body = body[: -rng.choice((1, 3, 4, 5, 9))]
        case 2:
            body = anywhere(rng, body, "png")
        case _:
            pass
    return _with_data(chunks, [body])


def _other_cuts(rng: random.Random, chunks: Chunks) -> Chunks:
    """The same pixels in more chunks, some of them empty."""
    data = _data(chunks)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice((1, 2, 9, 300))))
    return _with_data(chunks, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])


def _other_chunks(rng: random.Random, chunks: Chunks) -> Chunks:
    """Chunks that are damaged, doubled, moved or left out."""
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    match rng.randrange(6):
        case 0:
            chunks.insert(rng.randrange(len(chunks) + 1), chunks[at])
        case 1 if len(chunks) > 1:
            del chunks[at]
        case 2:
            chunks.insert(at, rng.choice(list(split(rng.choice(seeds("png"))))))
        case 3:
            chunks[at] = (rng.choice(WORDS["png"]), content)
        case 4:
            chunks.insert(rng.randrange(len(chunks)), chunks.pop(at))
        case _:
            chunks[at] = (kind, anywhere(rng, content, "png"))
    return chunks


def _beside(rng: random.Random, chunks: Chunks) -> Chunks:
    """A chunk that stands beside the pixels, valid in form."""
    bomb = zlib.compress(bytes(rng.choice((9, 2**16, 2**20))))
    exif = b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0" + packed("<I", absurd(rng, 6)) + bytes(4)
    some = (
        *((b"PLTE", bytes(range(256)) * 3), (b"PLTE", bytes(3 * rng.choice((0, 1, 2, 4, 255, 257, 999))))),
        *((b"PLTE", bytes(rng.choice((1, 2, 4)))), (b"tRNS", bytes(rng.choice((0, 1, 2, 3, 6, 256, 257))))),
        *((b"iCCP", b"p\0\0" + bomb), (b"zTXt", b"c\0\0" + bomb), (b"iTXt", b"k\0\1\0\0\0" + bomb)),
        *((b"tEXt", b"k\0" + bytes(999)), (b"eXIf", exif), (b"gAMA", packed(">I", absurd(rng)))),
        *((b"pHYs", packed(">I", absurd(rng)) * 2 + b"\1"), (b"sRGB", b"\0"), (b"cHRM", bytes(32))),
        *((b"acTL", packed(">I", absurd(rng)) + bytes(4)), (b"fdAT", bytes(4) + _data(chunks))),
        *((b"fcTL", bytes(4) + packed(">I", absurd(rng)) * 4 + bytes(6)), (b"ABCD", b"x"), (b"abcd", bytes(999))),
    )
    chunks.insert(rng.randrange(len(chunks) + 1), rng.choice(some))
    return chunks
