"""Every reader on files that other tools wrote, and every refusal: which file, what was found, what to type next."""

from __future__ import annotations

import importlib.util
import io
import os
import shlex
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import tifffile
import torch
from PIL import Image
from systems import POSIX, linux, tile_by_tile

from softdice_cli.errors import LabelError, UnreadableError
from softdice_cli.readers import Blob, ReadOptions, Source, list_arrays, pillow, read_array, stored
from softdice_cli.readers.labels import as_labels, inverted

Write = Callable[[Path], Any]

P = np.random.default_rng(3).random((3, 4, 6))
U8 = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
BITS = np.indices((5, 11)).sum(0) % 3 == 0
RGB = np.random.default_rng(4).integers(0, 256, (4, 6, 3)).astype(np.uint8)
T = torch.from_numpy(P)
CODECS = importlib.util.find_spec("imagecodecs") is not None
without_codecs = pytest.mark.skipif(CODECS, reason="imagecodecs reads it")


def load(path: Path, **options: Any) -> Source:
    return read_array(Blob(str(path)), ReadOptions(**options))


def refused(path: Path, *words: str, **options: Any) -> UnreadableError:
    """The error of a file, which names the file and says all these words."""
    with pytest.raises(UnreadableError) as caught:
        load(path, **options)
    assert caught.value.path == str(path)
    text = str(caught.value).replace(str(path), "FILE")  # the path must not say the words
    for word in words:
        assert word in text, text
    return caught.value


def np_save(array: Any, **options: Any) -> Write:
    def write(path: Path) -> None:
        with path.open("wb") as stream:  # a stream, as np.save appends .npy to a path
            np.save(stream, array, **options)

    return write


def np_raw(header: str, data: bytes, version: tuple[int, int] = (1, 0)) -> Write:
    """A .npy put together by hand."""
    size = struct.pack("<H" if version == (1, 0) else "<I", len(header) + 1)
    return lambda path: path.write_bytes(b"\x93NUMPY" + bytes(version) + size + header.encode() + b"\n" + data)


def np_zip(compressed: bool = False, **arrays: Any) -> Write:
    def write(path: Path) -> None:
        with path.open("wb") as stream:
            (np.savez_compressed if compressed else np.savez)(stream, **arrays)

    return write


def pt(thing: Any, **options: Any) -> Write:
    return lambda path: torch.save(thing, path, **options)


def pil(image: Any, mode: str | None = None, kind: str = "PNG", **options: Any) -> Write:
    def write(path: Path) -> None:
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        (picture.convert(mode) if mode else picture).save(path, format=kind, **options)

    return write


def pages(arrays: Any, kind: str = "TIFF", **options: Any) -> Write:
    """Several pages, or frames, by Pillow."""
    first, *rest = map(Image.fromarray, arrays)
    return pil(first, kind=kind, save_all=True, append_images=rest, **options)


def tiff(*pages: Any, **options: Any) -> Write:
    """A TIFF by tifffile."""
    how = {key: options.pop(key) for key in ("bigtiff", "byteorder", "imagej") if key in options}

    def write(path: Path) -> None:
        with tifffile.TiffWriter(path, **how) as out:
            for page in pages:
                out.write(page, **options)

    return write


def png(width: int, height: int, depth: int, color: int, rows: bytes, before: bytes = b"") -> Write:
    """A PNG put together by hand; `rows` are scan lines with their filter bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    body = header + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def packed(samples: Any, depth: int) -> bytes:
    """Scan lines of small samples, most significant first."""
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return b"".join(b"\0" + np.packbits(line).tobytes() for line in bits.reshape(len(samples), -1).astype(bool))


PALETTE = Image.fromarray(U8 // 10 % 3, "L")
PALETTE.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])

F32, F64 = P.astype("f4"), P[0]
INDICES = U8 // 10 % 3
PAGES = np.stack([U8, U8 + 1, U8 + 2])

READ: dict[str, tuple[Write, Any]] = {
    # every type that a prediction or a mask comes in keeps its values and its name
    **{f"npy-{t}": (np_save(P.astype(t)), P.astype(t)) for t in ("float16", "float32", "float64")},
    **{f"npy-{t}": (np_save(U8.astype(t)), U8.astype(t)) for t in ("uint8", "int16", "uint16", "int32", "uint64")},
    "npy-int8": (np_save(np.int8([-1, 5])), np.int8([-1, 5])),
    "npy-bool": (np_save(BITS), BITS),
    # bytes the other way round are the same numbers, and the type is named without its byte order
    "npy-big-endian": (np_save(P.astype(">f4")), F32),
    "npy-big-endian-integers": (np_save(U8.astype(">u2")), U8.astype("u2")),
    # column-major: the same indices
    "npy-fortran": (np_save(np.asfortranarray(P)), P),
    # written by Python 2, whose shape reads "(2L, 3L)"; and with the longer header of format 2.0
    "npy-python-2": (
        np_raw("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", np.arange(6, dtype="<f4").tobytes()),
        np.arange(6, dtype="f4").reshape(2, 3),
    ),
    "npy-version-2": (
        np_raw("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", b"\1\2\3", (2, 0)),
        np.uint8([1, 2, 3]),
    ),
    # one array in an archive needs no key, packed or not
    "npz": (np_zip(probs=P), P),
    "npz-compressed": (np_zip(compressed=True, probs=np.asfortranarray(P)), P),
    # tensors: plain, with a memory order of their own, trained, part of a larger one, alone in a dict
    "pt": (pt(T), P),
    "pt-permuted": (pt(T.permute(1, 2, 0)), P.transpose(1, 2, 0)),
    "pt-parameter": (pt(torch.nn.Parameter(T)), P),
    "pt-view": (pt(T[1]), P[1]),
    "pt-dict": (pt({"probs": T.half(), "epoch": 3}), P.astype("f2")),
    "pt-bool": (pt(T > 0.5), P > 0.5),
    # PNG: samples as stored in every grey depth, never spread over 0 to 255
    "png-L": (pil(U8), U8),
    "png-1": (pil(BITS), BITS),
    "png-I16": (pil(U8.astype("u2") * 250), U8.astype("u2") * 250),
    "png-2-bit": (png(6, 4, 2, 0, packed(U8 // 10 % 4, 2)), U8 // 10 % 4),
    "png-4-bit": (png(6, 4, 4, 0, packed(U8 // 10 % 16, 4)), U8 // 10 % 16),
    # a palette gives indices, never its colours, packed or not
    "png-P": (pil(PALETTE), INDICES),
    "png-P-2-bit": (pil(PALETTE, bits=2), INDICES),
    # an opaque alpha channel carries nothing
    "png-RGB": (pil(RGB), RGB),
    "png-opaque-RGBA": (pil(RGB, "RGBA"), RGB),
    "png-opaque-LA": (pil(U8, "LA"), U8),
    # TIFF: every type, one page and several
    **{f"tiff-{t}": (tiff(F64.astype(t)), F64.astype(t)) for t in ("float16", "float32", "float64")},
    **{f"tiff-{t}": (tiff(U8.astype(t)), U8.astype(t)) for t in ("uint8", "uint16", "int32")},
    "tiff-pages": (tiff(*F32), F32),
    "tiff-label-pages": (tiff(*PAGES), PAGES),
    "tiff-imagej": (tiff(F32, imagej=True), F32),
    "tiff-bits": (pil(BITS, kind="TIFF"), BITS),
    "tiff-palette": (tiff(U8, photometric="palette", colormap=np.full((3, 256), 9, np.uint16)), U8),
    # samples of one page: beside each other, and plane by plane; colours always come last
    "tiff-contiguous": (tiff(F32, photometric="minisblack", planarconfig="contig"), F32),
    "tiff-planar": (tiff(F32, photometric="minisblack", planarconfig="separate"), F32),
    "tiff-RGB": (tiff(RGB, photometric="rgb"), RGB),
    "tiff-planar-RGB": (tiff(RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate", metadata=None), RGB),
    "tiff-opaque-RGBA": (pil(RGB, "RGBA", "TIFF"), RGB),
    # compressions: by tifffile alone, and LZW and fax by way of Pillow
    "tiff-deflate": (tiff(F64, compression="zlib"), F64),
    "tiff-lzma": (tiff(F64, compression="lzma"), F64),
    "tiff-packbits": (pil(U8, kind="TIFF", compression="packbits"), U8),
    "tiff-LZW": (pil(U8, kind="TIFF", compression="tiff_lzw"), U8),
    "tiff-LZW-pages": (pages(PAGES, compression="tiff_lzw"), PAGES),
    "tiff-LZW-RGB": (pil(RGB, kind="TIFF", compression="tiff_lzw"), RGB),
    "tiff-LZW-palette": (pil(PALETTE, kind="TIFF", compression="tiff_lzw"), INDICES),
    "tiff-LZW-uint16": (pil(U8.astype("u2"), kind="TIFF", compression="tiff_lzw"), U8.astype("u2")),
    "tiff-LZW-float": (pil(F32[0], kind="TIFF", compression="tiff_lzw", tiffinfo={317: 3}), F32[0]),
    "tiff-fax": (pil(BITS, kind="TIFF", compression="group4"), BITS),
    # differences of neighbours are added up again
    "tiff-predictor-3": (pil(F32[0], kind="TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 3}), F32[0]),
    "tiff-predictor-2": (tiff(U8.astype("u2"), compression="zlib", predictor=2), U8.astype("u2")),
    # other byte order, other size of offsets, other order on disk
    "tiff-big-endian": (tiff(F64, byteorder=">"), F64),
    "tiff-big": (tiff(F64, bigtiff=True), F64),
    "tiff-tiles": (tiff(np.tile(F64, (5, 5)), tile=(16, 16)), np.tile(F64, (5, 5))),
}


# Samples of two bytes: the high one first, below the one above (2) or as it is (0).
WIDE = np.random.default_rng(6).integers(0, 2**16, (2, 5, 3)).astype(">u2")
OPAQUE = np.concatenate([WIDE, np.full_like(WIDE[..., :1], 2**16 - 1)], -1).astype(">u2")


def wide_rows(array: Any) -> bytes:
    first, second = array.view(np.uint8).reshape(2, -1)
    return b"\0" + first.tobytes() + b"\2" + (second - first).tobytes()


@pytest.mark.parametrize(("color", "array"), [(2, WIDE), (6, OPAQUE)], ids=["RGB", "RGBA"])
def test_colours_of_sixteen_bits_keep_them_all(color: int, array: Any, tmp_path: Path):
    path = tmp_path / "m.png"
    png(5, 2, 16, color, wide_rows(array))(path)
    source = load(path)
    np.testing.assert_array_equal(source.array, WIDE)
    assert (source.stored, source.colors) == ("uint16", True)


@pytest.mark.parametrize(("write", "expected"), READ.values(), ids=READ)
def test_reads_what_another_tool_wrote(write: Write, expected: Any, tmp_path: Path):
    path = tmp_path / "file.jpg"  # the wrong suffix throughout: only the content counts
    write(path)
    source = load(path)
    assert source.name == str(path)
    assert source.stored == expected.dtype.name
    assert source.array.shape == expected.shape
    np.testing.assert_array_equal(source.array, expected)
    assert source.colors == (expected is RGB)


def test_bfloat16_keeps_its_values_and_its_name(tmp_path: Path):
    path = tmp_path / "p.pt"
    torch.save(T.bfloat16(), path)
    source = load(path)
    np.testing.assert_array_equal(source.array, T.bfloat16().float().numpy())
    assert (source.stored, source.epsilon) == ("bfloat16", 2.0**-7)


@pytest.mark.parametrize("descr", ["<V2", "|V2", ">V2"])
def test_bfloat16_of_jax_is_read_by_its_two_bytes(descr: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    values = T.bfloat16()
    order = ">" if descr == ">V2" else "<"
    data = values.view(torch.int16).numpy().astype(f"{order}i2").tobytes()
    write = np_raw(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {P.shape}, }}", data)
    write(tmp_path / "p.npy")
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as out:
        out.write(tmp_path / "p.npy", "probs.npy")
    whole = load(tmp_path / "p.npy")
    if POSIX:
        monkeypatch.setattr(stored, "WHOLE", 0)
    for source in (whole, load(tmp_path / "p.npy"), load(tmp_path / "p.npz")):
        np.testing.assert_array_equal(source.load(source.array), values.float().numpy())
        assert (source.stored, source.array.dtype, source.epsilon) == ("bfloat16", np.float32, 2.0**-7)
    # It takes twice as much in memory as in the file.
    refused(tmp_path / "p.npz", "--max-bytes 288", max_bytes=287)


NESTED = {"out": {"probs": T, "deep": {"mask": torch.from_numpy(U8)}}, "x": torch.zeros(2), "out.x": torch.ones(3)}
NESTED["out"]["self"] = NESTED  # type: ignore[index]


@pytest.mark.parametrize(
    ("key", "shape"),
    [("x", (2,)), ("out.x", (3,)), ("out.probs", (3, 4, 6)), ("out.deep.mask", (4, 6))],
)
def test_tensors_in_dicts_in_a_dict_have_a_key(key: str, shape: tuple[int, ...], tmp_path: Path):
    path = tmp_path / "p.pt"
    torch.save(NESTED, path)
    assert load(path, key=key).array.shape == shape
    hint = refused(path, "several arrays", "x, out.x, out.deep.mask, out.probs").hint
    assert hint == f"--key and one of these names; softdice inspect {path} lists their shapes"
    assert key in [entry.key for entry in list_arrays(Blob(str(path)))[1]]


def test_every_key_of_a_few_is_proposed_by_the_option_of_its_side(tmp_path: Path):
    path = tmp_path / "m.npz"
    np_zip(**{"a b": P, "c": P})(path)
    assert refused(path, option="gt_key").hint == "--gt-key 'a b' or --gt-key c"
    assert refused(path, option="gt_key", key="d").hint == "--gt-key 'a b' or --gt-key c"
    np_save(P)(path)
    assert "--gt-key" in refused(path, "no key", key="d", option="gt_key").hint


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (np_zip(a=P, b=U8), ("npz", [("a", "float64", P.shape), ("b", "uint8", U8.shape)])),
        (np_zip(one=P), ("npz", [("one", "float64", P.shape)])),
        (
            np_zip(a=P, b=np.array([None], object)),
            ("npz", [("a", "float64", P.shape), ("b", "holds Python objects, which are never unpickled", None)]),
        ),
        (
            pt({"a": T.half(), "b": torch.eye(3).to_sparse()}),
            ("pt", [("a", "float16", P.shape), ("b", "torch.sparse_coo, torch.float32", None)]),
        ),
        (pt(T), ("pt", [])),
        (np_save(P), ("npy", [])),
        (pil(U8), ("png", [])),
    ],
    ids=["npz", "one", "objects", "pt", "tensor", "npy", "png"],
)
def test_the_arrays_of_a_file_are_listed(write: Write, expected: Any, tmp_path: Path):
    path = tmp_path / "file"
    write(path)
    form, entries = list_arrays(Blob(str(path)))
    assert (form, [(entry.key, entry.stored, entry.shape) for entry in entries]) == expected


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "dia", "bsr"])
def test_a_sparse_matrix_is_named(kind: str, tmp_path: Path):
    path = tmp_path / "m.npz"
    scipy.sparse.save_npz(path, scipy.sparse.eye(4, format=kind))
    refused(path, "scipy.sparse matrix", "scipy.sparse.load_npz(sys.argv[1]).toarray()")
    refused(path, "scipy.sparse matrix", key="data")
    with pytest.raises(UnreadableError, match="scipy"):
        list_arrays(Blob(str(path)))


def test_the_cure_of_a_sparse_matrix_works(tmp_path: Path):
    path = tmp_path / "m.npz"
    scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(U8))
    command = shlex.split(refused(path).hint)
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(load(tmp_path / "NEW.npy").array, U8)


@pytest.mark.parametrize("planar", ["separate", "contig"])
def test_four_planes_of_floats_are_no_picture(planar: str, tmp_path: Path):
    path = tmp_path / "p.tif"  # tifffile calls any three or four planes RGB unless it is told otherwise
    four = np.stack([*F32, F32[0]], 0 if planar == "separate" else -1)
    tiff(four, photometric="rgb", planarconfig=planar)(path)
    np.testing.assert_array_equal(load(path).array, four)
    assert not load(path).colors


def test_a_bool_mask_by_tifffile_is_not_inverted(tmp_path: Path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, BITS)
    np.testing.assert_array_equal(tifffile.imread(path), BITS)
    np.testing.assert_array_equal(load(path).array, BITS)


@pytest.mark.parametrize("compression", [None, "packbits", "tiff_lzw", "tiff_adobe_deflate", "group4"])
@pytest.mark.parametrize("array", [U8, BITS], ids=["8-bit", "1-bit"])
def test_white_is_zero_gives_what_is_stored_and_says_so(array: Any, compression: str | None, tmp_path: Path):
    if array is U8 and compression == "group4":
        return  # a fax has bits
    path = tmp_path / "m.tif"
    pil(array, kind="TIFF", compression=compression, tiffinfo={262: 0})(path)
    source = load(path)
    assert source.white_is_zero
    # Pillow turns the values round, when it writes and when it reads.
    with Image.open(path) as image:
        np.testing.assert_array_equal(inverted(source).array, np.asarray(image))
    assert not inverted(source).white_is_zero
    stored = ~array if array is BITS else 255 - array
    np.testing.assert_array_equal(source.array, stored)
    if compression in (None, "packbits", "tiff_adobe_deflate"):
        np.testing.assert_array_equal(tifffile.imread(path), stored)


TWO = {"probs": T, "labels": torch.from_numpy(U8), "epoch": 3}


@pytest.mark.parametrize("write", [np_zip(probs=P, labels=U8), pt(TWO)], ids=["npz", "pt"])
def test_a_key_chooses_among_several_arrays(write: Write, tmp_path: Path):
    path = tmp_path / "two"
    write(path)
    np.testing.assert_array_equal(load(path, key="probs").array, P)
    np.testing.assert_array_equal(load(path, key="labels").array, U8)
    refused(path, "several arrays", "probs, labels", "--key probs")
    refused(path, "no array 'prob'", "probs, labels", "--key probs", key="prob")


@pytest.mark.parametrize("name", ["png-L", "png-1", "png-I16", "png-4-bit", "png-P", "png-RGB", "tiff-LZW-pages"])
def test_a_large_image_is_copied_in_bands_with_the_same_values(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pillow, "LARGE", 13)
    test_reads_what_another_tool_wrote(*READ[name], tmp_path)


@tile_by_tile
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_npy_stays_in_its_file_with_the_same_values(order: str, tmp_path: Path, monkeypatch):
    path = tmp_path / "p.npy"
    array = np.arange(2 * 3 * 4 * 5, dtype=">f4").reshape(2, 3, 4, 5)
    np_save(np.array(array, order=order))(path)
    monkeypatch.setattr(stored, "WHOLE", 0)
    large = load(path, max_bytes=10)  # it is not held in memory
    assert large.describe() == "float32 (2, 3, 4, 5)"
    views = [
        lambda a: a,
        lambda a: a[1],
        lambda a: a[:, :, 1:3],
        lambda a: a[:, 2, :, 3:],
        lambda a: a.transpose(3, 0, 2, 1)[1:4, :, 2],
        lambda a: np.moveaxis(a, 1, -1)[:, 1:, :, 0],
        lambda a: a[:1, 1:2, 3:, 4:].squeeze(0),
    ]
    for view in views:
        np.testing.assert_array_equal(large.load(view(large.array)), view(array))
    np.testing.assert_array_equal(np.concatenate([c.reshape(-1) for c in large.chunks()]).sum(), array.sum())


@tile_by_tile
def test_a_file_that_shrinks_is_refused_and_nobody_dies_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored, "WHOLE", 0)
    path = tmp_path / "p.npy"
    np_save(P)(path)
    large = load(path)
    os.truncate(path, 200)
    with pytest.raises(UnreadableError, match="shrank while it was read") as caught:
        large.load(large.array)
    assert caught.value.path == str(path)


@linux
def test_large_files_are_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored, "WHOLE", 0)
    path = tmp_path / "p.npy"
    np_save(P)(path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        load(path)
    assert len(os.listdir("/proc/self/fd")) == before


class Evil:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["pt", "npy", "npz"])
def test_nothing_is_ever_unpickled(kind: str, tmp_path: Path):
    path, sentinel = tmp_path / "evil", tmp_path / "sentinel"
    evil = np.array([Evil(sentinel)], dtype=object)
    {
        "pt": pt({"probs": T, "x": Evil(sentinel)}),
        "npy": np_save(evil, allow_pickle=True),
        "npz": np_zip(evil=evil),
    }[kind](path)
    refused(path)
    assert not sentinel.exists()


def test_a_pickled_model_is_named_as_such(tmp_path: Path):
    path = tmp_path / "model.pt"
    torch.save(torch.nn.Linear(1, 1), path)
    error = refused(path, "never unpickled", "torch.save(tensor")
    assert "can still be loaded" not in str(error)


def deflated(path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(torch.zeros(1000), buffer)
    with zipfile.ZipFile(buffer) as stored, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in stored.namelist():
            out.writestr(name, stored.read(name))


def short_member(path: Path) -> None:
    """A whole archive with an array that was cut before it went in."""
    chopped(np_save(P), -8)(path)
    data = path.read_bytes()
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("p.npy", data)


def changed(write: Write, change: Callable[[bytes], bytes]) -> Write:
    def change_file(path: Path) -> None:
        write(path)
        path.write_bytes(change(path.read_bytes()))

    return change_file


def chopped(write: Write, keep: int) -> Write:
    """The first bytes only; all but the last ones where `keep` is negative."""
    return changed(write, lambda data: data[:keep])


def raw(data: bytes) -> Write:
    return lambda path: path.write_bytes(data)


def huge(shape: str) -> Write:
    return np_raw(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", b"\0" * 24)


SPARSE = torch.eye(3).to_sparse()
ALPHA = Image.fromarray(RGB).convert("RGBA")
ALPHA.putpixel((0, 0), (1, 2, 3, 254))

REFUSED: dict[str, tuple[Write, list[str]]] = {
    # .npy: types that are no numbers, or numbers that no engine counts exactly
    "object": (np_save(np.array([1, "a"], object), allow_pickle=True), ["never unpickled", "object"]),
    # what cellpose saves: one dictionary
    "one-object": (
        np_save(np.array({"masks": 0}, object), allow_pickle=True),
        ["never unpickled", "np.load(path, allow_pickle=True).item()['masks']"],
    ),
    "structured": (np_save(np.zeros(3, [("a", "f4")])), ["neither a probability nor a label", "('a', '<f4')"]),
    "complex": (np_save(np.zeros(3, complex)), ["neither a probability nor a label", "complex128"]),
    "longdouble": (np_save(np.zeros(3, np.longdouble)), ["neither a probability nor a label", "float128"]),
    "text": (np_save(np.array(["a"])), ["neither a probability nor a label", "<U1"]),
    # .npy: a length that is not the declared one, in both directions, before anything is allocated
    "npy-cut": (chopped(np_save(P), -1), ["is truncated", "576 bytes", "float64 (3, 4, 6)", "575"]),
    "npy-header-only": (chopped(np_save(P), 128), ["is truncated", "0 bytes"]),
    "npy-cut-in-header": (chopped(np_save(P), 40), ["cannot be read as npy", "expected 118 bytes"]),
    "npy-cut-in-magic": (chopped(np_save(P), 7), ["cannot be read as npy"]),
    "npy-trailing": (changed(np_save(P), lambda data: data + b"\0"), ["bytes after its array", "577"]),
    "npy-lies": (huge("(1000000, 1000000)"), ["is truncated", "4000000000000 bytes", "24 bytes"]),
    "npy-overflows": (huge("(4294967296, 4294967296)"), ["is truncated", "73786976294838206464"]),
    "npy-negative": (huge("(-1, -6)"), ["negative size"]),
    "npy-broken-header": (np_raw("{'descr': ", b""), ["cannot be read as npy", "a complete, valid file"]),
    "npy-version-9": (np_raw("{}", b"", (9, 0)), ["version 9.0", "1.0 or 2.0"]),
    # types of JAX that take a byte, or none that has a name
    "npy-float8": (np_save(np.zeros(3, "V1")), ["type of one byte", "array.astype(np.float32)"]),
    "npy-void": (np_save(np.zeros(3, "V4")), ["neither a probability nor a label", "|V4"]),
    "npy-fields-of-two-bytes": (np_save(np.zeros(3, [("a", "f2")])), ["neither a probability nor a label"]),
    "npz-sparse-array": (np_zip(coords=U8, data=U8, shape=U8), ["sparse.COO", "todense()"]),
    "npy-no-values": (np_save(np.zeros((0, 4))), ["holds no values", "float64 (0, 4)"]),
    # archives
    "npz-no-values": (np_zip(p=np.zeros((0, 4))), ["holds no values"]),
    "npz-member-cut": (short_member, ["is truncated", "576 bytes of data"]),
    "npz-empty": (np_zip(), ["archive of neither arrays nor tensors", "empty"]),
    "npz-cut": (chopped(np_zip(p=P), -30), ["broken archive", "copy the file again"]),
    # .pt: what is not a plain dense tensor
    "pt-legacy": (pt(T, _use_new_zipfile_serialization=False), ["old format", "torch.save(tensor"]),
    "pt-expanded": (pt(torch.ones(1).expand(5, 5)), ["expanded tensor", "(5, 5)", ".contiguous()"]),
    "pt-sparse": (pt(SPARSE), ["sparse", "torch.sparse_coo", "to_dense"]),
    "pt-meta": (pt(torch.empty(3, device="meta")), ["without data", "meta"]),
    "pt-complex": (pt(T.to(torch.complex64)), ["neither a probability nor a label", "complex64"]),
    "pt-dict-without-tensor": (pt({"epoch": 3}), ["holds no tensor", "dict"]),
    "pt-list": (pt([T, T]), ["does not hold a tensor", "list", "torch.save(tensor"]),
    "pt-no-values": (pt(torch.zeros(0, 4)), ["holds no values"]),
    "pt-deflated": (deflated, ["compressed entries", "save the tensor again"]),
    "pt-cut": (chopped(pt(T), -30), ["broken archive"]),
    # PNG
    "png-lies": (png(40000, 40000, 8, 0, b"\0"), ["larger than the limit", "1600000000"]),
    "png-implausible": (png(10000, 10000, 8, 0, b"\0"), ["more pixels than its bytes can hold"]),
    "png-few-rows": (png(6, 4, 8, 0, b"\0"), ["cannot be read as png"]),
    "png-no-width": (png(0, 4, 8, 0, b""), ["header is broken"]),
    "png-unknown-color": (png(6, 4, 8, 9, b""), ["header is broken"]),
    "png-cut-in-header": (chopped(pil(U8), 20), ["is truncated", "found     20 bytes"]),
    "png-cut": (chopped(pil(U8), -30), ["is truncated", "a whole PNG", "copy the file again"]),
    "png-animated": (pages([U8, U8 + 1], "PNG"), ["is animated", "one image"]),
    "png-transparent": (pil(ALPHA), ["transparent pixels", "without an alpha channel"]),
    # a picture in which only the transparency varies
    "png-object-in-alpha": (
        pil(np.dstack([np.zeros((2, 3, 3), np.uint8), np.uint8([[0, 255, 0], [0, 0, 255]])])),
        ["transparent pixels", "the object is in the alpha channel: save np.asarray(Image.open(path))[..., 3]"],
    ),
    "png-16-bit-LA": (png(1, 1, 16, 4, b"\0" + b"\1" * 4), ["16 bits of grey", "8- or 16-bit grey"]),
    "png-16-bit-transparent": (png(1, 1, 16, 6, b"\0" + b"\xff" * 7 + b"\xfe"), ["transparent pixels"]),
    # TIFF
    "tiff-cut": (chopped(tiff(*P), -100), ["is truncated", "beyond the end"]),
    "tiff-two-shapes": (tiff(U8, U8[:2]), ["do not belong together", "(4, 6)", "(2, 6)"]),
    "tiff-two-types": (tiff(U8, U8.astype("u2")), ["do not belong together", "uint8", "uint16"]),
    "tiff-jpeg": (pil(U8, kind="TIFF", compression="jpeg"), ["compressed with JPEG", "deflate"]),
    # one page that stands for several: the rest would be lost without a word
    "tiff-shaped": (
        lambda path: tifffile.imwrite(path, P, truncate=True, photometric="minisblack"),
        ["declares more images", "3 pages", "found     1"],
    ),
    "tiff-imagej": (
        lambda path: tifffile.imwrite(path, P.astype("f4"), truncate=True, imagej=True),
        ["declares more images", "3 pages", "one page an image"],
    ),
    "tiff-complex": (tiff(P.astype(complex)[0]), ["neither a probability nor a label", "complex128"]),
    "tiff-no-page": (raw(b"II*\0\0\0\0\0"), ["do not belong together", "no page"]),
    # other kinds, named where they are known
    "empty": (raw(b""), ["is empty", "0 bytes", ".npy, .pt (zip format), .npz"]),
    "jpeg": (pil(U8, kind="JPEG"), ["is JPEG", "PNG, TIFF or .npy"]),
    "hdf5": (raw(b"\x89HDF\r\n\x1a\n" + bytes(99)), ["is HDF5", "np.save"]),
    "gzip": (raw(b"\x1f\x8b\x08" + bytes(99)), ["is gzip (NIfTI?)", "np.save"]),
    "random": (raw(b"\x01\xfe\x77 random"), ["not in a format that softdice reads", r"b'\x01\xfew rand'"]),
    # not a regular file at all: opening a FIFO would wait for ever
    "folder": (os.mkdir, ["is a folder"]),
    "missing": (lambda path: None, ["no such file", "check the path"]),
}
if POSIX:
    REFUSED["fifo"] = (os.mkfifo, ["not a regular file", "--pred -"])


@pytest.mark.parametrize(("write", "words"), REFUSED.values(), ids=REFUSED)
def test_refuses(write: Write, words: list[str], tmp_path: Path):
    path = tmp_path / "file.npy"
    write(path)
    refused(path, *words)


@without_codecs
def test_a_tiff_that_needs_a_codec_names_the_extra(tmp_path: Path):
    path = tmp_path / "m"
    pil(U8, kind="TIFF", compression="zstd")(path)
    refused(path, "compressed with ZSTD", "pip install 'softdice-cli[codecs]'", "save it with deflate")


@without_codecs
def test_a_predictor_that_needs_a_codec_is_named(tmp_path: Path):
    path, tag = tmp_path / "p", b"\x3d\1\3\0\1\0\0\0"
    differences = tiff(U8, compression="zlib", predictor=2)
    # every second neighbour, as cameras write it
    changed(differences, lambda data: data.replace(tag + b"\2\0", tag + struct.pack("<H", 34892)))(path)
    error = refused(path, "predictor 34892", "softdice-cli[codecs]")
    assert "compressed with ADOBE_DEFLATE, which needs a codec" not in str(error)
    assert "copy the file again" not in str(error)


@pytest.mark.parametrize(
    ("write", "options", "words"),
    [
        # limits name the option that lifts them, with the number to give
        (pil(U8), {"max_pixels": 23}, ["at most 23 pixels", "24 pixels", "--max-pixels 24"]),
        (tiff(U8, U8), {"max_pixels": 47}, ["at most 47 pixels", "48 pixels", "--max-pixels 48"]),
        (tiff(*P), {"max_bytes": 575}, ["576 bytes", "--max-bytes 576"]),
        (np_save(P), {"max_bytes": 575}, ["576 bytes", "--max-bytes 576"]),
        (np_zip(compressed=True, p=np.zeros(10**6)), {"max_bytes": 10**6}, ["--max-bytes 80001"]),
        (pt(T), {"max_bytes": 575}, ["at most 575 bytes", "--max-bytes"]),
        # a key where there is but one tensor
        (pt(T), {"key": "probs"}, ["no keys", "leave out the key"]),
    ],
    ids=["png", "tiff-pages", "tiff-bytes", "npy", "npz-bomb", "pt", "pt-key"],
)
def test_refuses_by_option(write: Write, options: dict[str, Any], words: list[str], tmp_path: Path):
    path = tmp_path / "file"
    write(path)
    refused(path, *words, **options)


@pytest.mark.parametrize(
    "write",
    [np_save(P), np_zip(p=P), pt(T), pil(U8), tiff(P[0]), pil(U8, kind="TIFF", compression="tiff_lzw")],
    ids=["npy", "npz", "pt", "png", "tiff", "tiff-LZW"],
)
def test_a_file_cut_anywhere_is_refused_or_whole(write: Write, tmp_path: Path):
    path, cut = tmp_path / "whole", tmp_path / "cut"
    write(path)
    data, expected = path.read_bytes(), load(path).array
    for length in range(0, len(data), 1 + len(data) // 300):
        cut.write_bytes(data[:length])
        try:
            array = load(cut).array
        except UnreadableError:
            refused(cut)
        else:
            np.testing.assert_array_equal(array, expected)


def test_a_quantised_tensor_is_refused(tmp_path: Path):
    path = tmp_path / "q.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop them
        torch.save(torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.quint8), path)
        refused(path, "quantised", "torch.quint8", "dequantize")


def labels(array: Any, colors: bool = False, rgb: bool = False) -> Source:
    stored = Source(name="m", format="npy", array=array, stored=array.dtype.name, colors=rgb)
    return as_labels(stored, colors=colors)


@pytest.mark.parametrize(
    ("array", "colors", "expected"),
    [
        # integers stay what they are, of whatever type
        (U8, False, U8),
        # 1-bit masks are 0 and 1
        (BITS, False, BITS.astype(int)),
        # whole numbers saved as floats, negative and too large for 32 bits included
        (np.array([-1.0, 255.0]), False, np.array([-1, 255])),
        (np.array([2.0**31, 0.0]), False, np.array([2**31, 0])),
        # colours become one number each, without overflow in 8 bits
        (np.array([[[255, 128, 1]]], np.uint8), True, np.array([[0xFF8001]])),
    ],
    ids=["integers", "bool", "whole-floats", "large-floats", "colours"],
)
def test_as_labels(array: Any, colors: bool, expected: Any):
    source = labels(array, colors, rgb=colors)
    assert source.array.dtype.kind in "iuf"  # floats stay as they are, whole numbers all
    assert source.array.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("array", "colors", "rgb", "words"),
    [
        # an RGB mask without colour classes: the colours and their counts, and how to name them
        (np.array([[[255, 0, 0], [0, 0, 0], [0, 0, 0]]], np.uint8), False, True, ["#000000 (2 px), #ff0000 (1 px)"]),
        (RGB, False, True, ["and 16 more", "--class NAME=#rrggbb once a class, in the order of the channels"]),
        # colour classes, and a mask of numbers
        (U8, True, False, ["does not hold colours", "8-bit RGB", "uint8 (4, 6)", "--class NAME=VALUE"]),
        (RGB.astype(np.uint16), True, True, ["8-bit RGB", "uint16 (4, 6, 3)"]),
        # a probability map where a mask should be, and values that are no number
        (np.array([0.0, 0.5]), False, False, ["fractions", "float64 (2,), from 0 to 0.5", "swapped"]),
        (np.array([0.0, np.nan]), False, False, ["NaN"]),
        (np.array([0.0, np.inf]), False, False, ["infinity", "inf"]),
    ],
    ids=["rgb", "many-colours", "grey", "rgb-16-bit", "fractions", "nan", "inf"],
)
def test_as_labels_refuses(array: Any, colors: bool, rgb: bool, words: list[str]):
    with pytest.raises(LabelError) as caught:
        labels(array, colors, rgb)
    assert caught.value.path == "m"
    for word in words:
        assert word in str(caught.value)


GREY_RGB = np.stack([INDICES] * 3, -1)
OPAQUE_GREY = np.concatenate([GREY_RGB, np.full_like(GREY_RGB[..., :1], 255)], -1)
WIDE_GREY = np.stack([U8.astype("u2") * 250] * 3, -1)

EQUAL: dict[str, tuple[Write, Any]] = {
    # a label map whose number stands in each channel, as annotation programs and cv2 write it
    "png": (pil(GREY_RGB), INDICES),
    "png-RGBA": (pil(OPAQUE_GREY), INDICES),
    "png-16-bit": (
        png(6, 4, 16, 2, b"".join(b"\0" + row.astype(">u2").tobytes() for row in WIDE_GREY)),
        WIDE_GREY[..., 0],
    ),
    "tiff": (tiff(GREY_RGB, photometric="rgb"), INDICES),
    "tiff-16-bit": (tiff(WIDE_GREY, photometric="rgb"), WIDE_GREY[..., 0]),
    "tiff-RGBA": (tiff(OPAQUE_GREY, photometric="rgb", extrasamples=["unassalpha"]), INDICES),
    "tiff-pages": (tiff(GREY_RGB, GREY_RGB, photometric="rgb"), np.stack([INDICES] * 2)),
}


@pytest.mark.parametrize(("write", "expected"), EQUAL.values(), ids=EQUAL)
def test_equal_channels_are_one_label_map(write: Write, expected: Any, tmp_path: Path):
    path = tmp_path / "m"
    write(path)
    source = as_labels(load(path), colors=False)
    np.testing.assert_array_equal(source.array, expected)
    assert (source.colors, source.samples, source.axes) == (False, 1, "DHW"[-expected.ndim :])


def test_one_pixel_of_another_colour_is_a_colour(tmp_path: Path):
    path = tmp_path / "m.png"
    picture = GREY_RGB.copy()
    picture[3, 5, 2] += 1
    pil(picture)(path)
    with pytest.raises(LabelError, match="holds colours") as caught:
        as_labels(load(path), colors=False)
    # The order of the classes is the user's: no colour is put behind a name.
    assert "--class NAME=#rrggbb once a class" in caught.value.hint
    assert "#000000 (8 px), #010101 (8 px), #020202 (7 px), #020203 (1 px)" in caught.value.found


@pytest.mark.parametrize(
    ("write", "palette"),
    [
        (pil(PALETTE), (0xFF0000, 0x00FF00, 0x0000FF)),
        (pil(PALETTE, bits=2), (0xFF0000, 0x00FF00, 0x0000FF, 0)),
        (pil(PALETTE, kind="TIFF", compression="tiff_lzw"), (0xFF0000, 0x00FF00, 0x0000FF)),
    ],
    ids=["png", "png-2-bit", "tiff"],
)
def test_the_colours_of_a_palette_name_classes(write: Write, palette: tuple[int, ...], tmp_path: Path):
    path = tmp_path / "m"
    write(path)
    source = load(path)
    assert source.palette is not None
    assert source.palette[:3] == palette[:3]
    expected = np.array(palette)[INDICES]
    packed = as_labels(source, colors=True)
    np.testing.assert_array_equal(packed.array, expected)
    assert (packed.stored, packed.palette) == ("colours", None)
    # The indices are what numbers name.
    np.testing.assert_array_equal(as_labels(source, colors=False).array, INDICES)


def test_an_index_without_a_colour_is_named(tmp_path: Path):
    path = tmp_path / "m.png"
    png(2, 1, 8, 3, b"\0\0\3", palette_of(3))(path)
    with pytest.raises(LabelError, match="holds the index 3, which its palette has no colour for") as caught:
        as_labels(load(path), colors=True)
    assert "indices from 0 to 2" in caught.value.expected
    assert as_labels(load(path), colors=False).array.tolist() == [[0, 3]]


def palette_of(count: int) -> bytes:
    data = b"PLTE" + bytes(range(3 * count))
    return struct.pack(">I", 3 * count) + data + struct.pack(">I", zlib.crc32(data))


def test_a_colour_of_a_palette_takes_more_memory_than_its_index(tmp_path: Path):
    path = tmp_path / "m.png"
    pil(PALETTE)(path)
    with pytest.raises(UnreadableError, match="larger than the limit") as caught:
        as_labels(load(path), colors=True, options=ReadOptions(max_bytes=95))
    assert "--max-bytes 96" in caught.value.hint


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_shade_of_grey_is_a_colour(kind: str, tmp_path: Path):
    path = tmp_path / "m"
    pil(U8, kind=kind)(path)
    np.testing.assert_array_equal(as_labels(load(path), colors=True).array, U8.astype(int) * 0x10101)


@pytest.mark.parametrize(
    "write",
    [pil(BITS), pil(U8.astype("u2")), pil(U8, kind="TIFF", tiffinfo={262: 0}), np_save(U8), png(2, 1, 4, 0, b"\0\1")],
    ids=["bits", "16-bit", "white", "npy", "4-bit"],
)
def test_what_has_no_shade_of_its_own_is_no_colour(write: Write, tmp_path: Path):
    path = tmp_path / "m"
    write(path)
    with pytest.raises(LabelError, match="does not hold colours"):
        as_labels(load(path), colors=True)


@pytest.mark.parametrize(
    ("role", "value", "words", "never"),
    [
        ("truth", 0.5, ["holds fractions", "not swapped"], ["--ignore", "--foreground"]),
        ("prediction", 0.5, ["holds fractions", "leave out --pred-labels"], ["--ignore"]),
        ("truth", np.nan, ["holds NaN", "--ignore NUMBER"], ["swapped"]),
        ("prediction", np.nan, ["holds NaN", "save a label in each"], ["--pred-labels", "--ignore"]),
        ("truth", np.inf, ["holds NaN or infinity"], ["swapped"]),
    ],
)
def test_labels_as_floats_that_are_none(role: Any, value: float, words: list[str], never: list[str]):
    source = Source(name="m", format="npy", array=np.array([0, value, 2]), stored="float64")
    with pytest.raises(LabelError) as caught:
        as_labels(source, colors=False, role=role)
    for word in words:
        assert word in str(caught.value)
    for word in never:
        assert word not in str(caught.value)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_is_read_as_it_is_stored_however_it_is_to_be_turned(orientation: int, tmp_path: Path):
    path, exif = tmp_path / "m.png", Image.Exif()
    exif[274] = orientation
    pil(U8, exif=exif)(path)
    source = load(path)
    np.testing.assert_array_equal(source.array, U8)
    assert source.orientation == orientation


def test_signed_bytes_under_lzw_keep_their_sign(tmp_path: Path):
    path = tmp_path / "m.tif"
    pil(np.array([[0, 255, 1]], np.uint8), kind="TIFF", compression="tiff_lzw", tiffinfo={339: 2})(path)
    try:
        source = load(path)
    except UnreadableError:
        return  # as good: nothing is lost without a word
    assert source.array.tolist() == [[0, -1, 1]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("compression", [None, "group4"])
def test_bits_are_the_labels_0_and_1(kind: str, compression: str | None, tmp_path: Path):
    path = tmp_path / "m"
    options = {"compression": compression} if kind == "TIFF" else {}
    Image.fromarray(BITS).save(path, format=kind, **options)
    assert set(np.unique(as_labels(load(path), colors=False).array).tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("write", "words"),
    [
        # Pillow would turn it and tifffile would not
        (lambda p: Image.fromarray(U8).save(p, format="TIFF", tiffinfo={274: 6}), ["orientation 6", "save it upright"]),
        # no labels and no probabilities
        (lambda p: Image.new("CMYK", (4, 3)).save(p, format="TIFF"), ["SEPARATED picture"]),
        (lambda p: Image.new("LAB", (4, 3)).save(p, format="TIFF"), ["CIELAB picture"]),
        # a thumbnail beside the image
        (lambda p: tifffile.imwrite(p, U8, subfiletype=1), ["page of reduced size"]),
    ],
    ids=["turned", "cmyk", "lab", "thumbnail"],
)
def test_refuses_what_libraries_read_differently(write: Write, words: list[str], tmp_path: Path):
    path = tmp_path / "file"
    write(path)
    refused(path, *words)


def test_refuses_pages_that_form_a_loop(tmp_path: Path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, U8)
    data = bytearray(path.read_bytes())
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    after = first + 2 + 12 * entries  # where the offset of the next page stands
    data[after : after + 4] = data[4:8]
    path.write_bytes(data)
    refused(path, "its pages form a loop")


def test_a_truth_of_several_samples_a_pixel_is_no_volume(tmp_path: Path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, np.zeros((4, 5, 3), np.uint8), photometric="minisblack", planarconfig="contig")
    with pytest.raises(LabelError, match="has 3 samples a pixel"):
        as_labels(load(path), colors=False)
