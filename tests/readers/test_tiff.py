"""TIFF as it comes from maps, slide scanners, microscopes and fax machines: which page, which axis, which value."""

from __future__ import annotations

import importlib.util
import io
import struct
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from softdice_cli.errors import LabelError, UnreadableError
from softdice_cli.readers import Blob, ReadOptions, Source, read_array
from softdice_cli.readers.labels import as_labels
from softdice_cli.readers.tiff.fax import GROUP_3, GROUP_3_2D, GROUP_4, HUFFMAN, Scheme, unpack_fax
from softdice_cli.readers.tiff.segments import assembled
from softdice_cli.readers.tiff.strips import DamagedError

Write = Callable[[tifffile.TiffWriter], Any]

RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 4, (64, 96)).astype(np.uint8)
SLICES = RNG.integers(0, 4, (5, 24, 32)).astype(np.uint8)
MAPS = RNG.random((3, 5, 24, 32)).astype(np.float32)
TILES = {"tile": (16, 16)}
REDUCED, MASK = 1, 4


def load(path: Path) -> Source:
    return read_array(Blob(str(path)), ReadOptions())


def refused(path: Path, *words: str) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        load(path)
    for word in words:
        assert word in str(caught.value)
    return caught.value


def handmade(tags: dict[int, Any], strips: Sequence[bytes], order: str = "<") -> bytes:
    """A TIFF of one page with these tags, whose values are numbers or tuples of them."""
    count = len(strips)
    plain = {258: 8, 259: 1, 262: 1, 277: 1, 278: tags[257]}
    tags = {**plain, **tags, 273: (0,) * count, 279: tuple(map(len, strips))}
    tags = {tag: value for tag, value in tags.items() if value is not None}
    at = 8 + 2 + 12 * len(tags) + 4
    extra = b""
    starts = at + sum(4 * len(v) for v in tags.values() if isinstance(v, tuple) and len(v) > 1)
    tags[273] = tuple(starts + sum(map(len, strips[:index])) for index in range(count))
    entries = b""
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, tuple) else (value,)
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            packed, extra = struct.pack(f"{order}I", at + len(extra)), extra + packed
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return head + entries + bytes(4) + extra + b"".join(strips)


def strip_of(array: Any, **options: Any) -> bytes:
    """The one strip that Pillow writes for a picture."""
    stream = io.BytesIO()
    tags = {278: array.shape[0], **options.pop("tiffinfo", {})}
    Image.fromarray(array).save(stream, "TIFF", tiffinfo=tags, strip_size=2**30, **options)
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages[0]
        assert len(page.dataoffsets) == 1
        stream.seek(page.dataoffsets[0])
        return stream.read(page.databytecounts[0])


# Which pages


def levels(*sizes: int, array: Any = LABELS, marked: bool = False, **options: Any) -> Write:
    """The picture and smaller copies of it."""

    def write(out: tifffile.TiffWriter) -> None:
        for size in (1, *sizes):
            mark = REDUCED if marked and size > 1 else 0
            out.write(array[::size, ::size], subfiletype=mark, metadata=None, **options)

    return write


def with_mask(out: tifffile.TiffWriter) -> None:
    out.write(LABELS, metadata=None)
    out.write(LABELS > 0, photometric="mask", subfiletype=MASK, metadata=None)
    out.write(LABELS[::2, ::2], subfiletype=REDUCED, metadata=None)
    out.write(LABELS[::2, ::2] > 0, photometric="mask", subfiletype=MASK | REDUCED, metadata=None)


def in_directories_below(out: tifffile.TiffWriter) -> None:
    out.write(LABELS, subifds=2, metadata=None)
    out.write(LABELS[::2, ::2], subfiletype=REDUCED, metadata=None)
    out.write(LABELS[::4, ::4], subfiletype=REDUCED, metadata=None)


def thumbnail_first(out: tifffile.TiffWriter) -> None:
    out.write(LABELS[::2, ::2], subfiletype=REDUCED, metadata=None)
    out.write(LABELS, metadata=None)


SELECTED: dict[str, tuple[Write, Any]] = {
    # of a map: smaller copies, compressed and in tiles
    "overviews": (levels(2, 4, marked=True, compression="zlib", **TILES), LABELS),
    # a mask of what is valid, and a smaller copy of that as well
    "mask": (with_mask, LABELS),
    # smaller copies that the page names, and that are not in the chain of pages
    "below": (in_directories_below, LABELS),
    # of a slide: nothing but the size says what they are
    "unmarked": (levels(2, 4, 8, **TILES), LABELS),
    # sizes that are rounded up, and a factor of 3
    "odd": (levels(2, 4, array=LABELS[:61, :83], **TILES), LABELS[:61, :83]),
    "thirds": (levels(3, array=LABELS[:61, :83], **TILES), LABELS[:61, :83]),
    # a small copy in front
    "thumbnail-first": (thumbnail_first, LABELS),
    # slices are of one size, also in tiles
    "slices": (lambda out: [out.write(part, metadata=None, **TILES) for part in (LABELS, LABELS)], [LABELS, LABELS]),
    # a mask alone
    "only-mask": (lambda out: out.write(LABELS > 0, subfiletype=MASK, metadata=None), LABELS > 0),
}


@pytest.mark.parametrize(("write", "expected"), SELECTED.values(), ids=SELECTED)
def test_the_page_of_full_size_is_read(write: Write, expected: Any, tmp_path: Path):
    path = tmp_path / "m.tif"
    with tifffile.TiffWriter(path) as out:
        write(out)
    np.testing.assert_array_equal(load(path).array, expected)


NOT_SELECTED: dict[str, tuple[Write, list[str]]] = {
    # two pictures, of which nothing says that one is a copy
    "halves-in-strips": (levels(2), ["do not belong together", "(32, 48), uint8 (64, 96)"]),
    "no-factor": (
        lambda out: [out.write(part, metadata=None, **TILES) for part in (LABELS, LABELS[:40])],
        ["do not belong together"],
    ),
    "factor-of-one-axis": (
        lambda out: [out.write(part, metadata=None, **TILES) for part in (LABELS, LABELS[::2])],
        ["do not belong together"],
    ),
    "growing": (
        lambda out: [out.write(part, metadata=None, **TILES) for part in (LABELS[::2, ::2], LABELS)],
        ["do not belong together"],
    ),
    # a copy that is as large as the picture is none, and could be a slice
    "as-large": (
        lambda out: [out.write(LABELS, subfiletype=mark, metadata=None) for mark in (0, REDUCED)],
        ["page of reduced size", "(64, 96), uint8 (64, 96)"],
    ),
    "alone": (lambda out: out.write(LABELS, subfiletype=REDUCED), ["page of reduced size", "NewSubfileType"]),
}


@pytest.mark.parametrize(("write", "words"), NOT_SELECTED.values(), ids=NOT_SELECTED)
def test_pages_that_are_no_copies_are_refused(write: Write, words: list[str], tmp_path: Path):
    path = tmp_path / "m.tif"
    with tifffile.TiffWriter(path) as out:
        write(out)
    refused(path, *words)


# Which axis


def saved(array: Any, **options: Any) -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, array, **options)


def imagej(array: Any, text: str) -> Callable[[Path], None]:
    """Pages with a description as ImageJ itself writes it."""
    description = f"ImageJ=1.54f\nimages={len(array)}\n{text}\nmin=0.0\nmax=3.0\n"
    return lambda path: tifffile.imwrite(path, array, description=description, metadata=None, photometric="minisblack")


def ome(array: Any, pixels: str, planes: str = "") -> Callable[[Path], None]:
    text = f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org"><Image><Pixels {pixels}>{planes}</Pixels>'
    description = f"{text}</Image></OME>"
    return lambda path: tifffile.imwrite(path, array, description=description, metadata=None, photometric="minisblack")


GREY = {"photometric": "minisblack"}
FLAT = MAPS.reshape(15, 24, 32)
ZC = MAPS.transpose(1, 0, 2, 3)
ZC_FLAT = np.ascontiguousarray(ZC).reshape(15, 24, 32)
ORDERED = 'SizeX="32" SizeY="24" SizeC="3" SizeZ="5" SizeT="1" DimensionOrder='
COLORS = RNG.integers(0, 256, (24, 32, 3)).astype(np.uint8)

AXES: dict[str, tuple[Callable[[Path], None], Any, str]] = {
    # pages of labels are slices; pages of floats are slices or classes
    "page": (saved(SLICES[0], metadata=None), SLICES[0], "HW"),
    "pages": (saved(SLICES, metadata=None, **GREY), SLICES, "DHW"),
    "pages-of-floats": (saved(FLAT, metadata=None, **GREY), FLAT, ""),
    # samples of a pixel are channels, in either arrangement
    "bands": (saved(MAPS[:, 0], planarconfig="separate", metadata=None, **GREY), MAPS[:, 0], "CHW"),
    "samples": (
        saved(np.moveaxis(MAPS[:, 0], 0, -1), planarconfig="contig", metadata=None, **GREY),
        np.moveaxis(MAPS[:, 0], 0, -1),
        "HWC",
    ),
    "colours": (saved(COLORS, metadata=None), COLORS, "HWC"),
    "pages-of-colours": (saved(np.stack([COLORS] * 2), metadata=None), np.stack([COLORS] * 2), "DHWC"),
    # tifffile writes the shape of the array, and what the axes are if it was told
    "shaped": (saved(MAPS, **GREY), MAPS, ""),
    "shaped-slices": (saved(SLICES, **GREY), SLICES, ""),
    "shaped-page": (saved(SLICES[0]), SLICES[0], "HW"),
    "shaped-with-ones": (saved(MAPS[None], **GREY), MAPS[None], ""),
    "shaped-and-named": (saved(MAPS, metadata={"axes": "CZYX"}, **GREY), MAPS, "CDHW"),
    "named-slices": (saved(SLICES, metadata={"axes": "ZYX"}, **GREY), SLICES, "DHW"),
    "named-frames": (saved(SLICES, metadata={"axes": "TYX"}, **GREY), SLICES, "THW"),
    "named-otherwise": (saved(SLICES, metadata={"axes": "QYX"}, **GREY), SLICES, ""),
    # ImageJ: channels change fastest, then slices, then frames
    "imagej-slices": (imagej(SLICES, "slices=5\nloop=false"), SLICES, "DHW"),
    "imagej-channels": (imagej(SLICES, "channels=5\nhyperstack=true"), SLICES, "CHW"),
    "imagej-frames": (imagej(SLICES, "frames=5"), SLICES, "THW"),
    "imagej-stack": (imagej(SLICES, "spacing=2.0"), SLICES, "DHW"),
    "imagej-both": (imagej(ZC_FLAT, "channels=3\nslices=5\nhyperstack=true\nmode=grayscale"), ZC, "DCHW"),
    "imagej-order": (imagej(FLAT, "channels=3\nslices=5\nhyperstack=true\norder=zct"), MAPS, "CDHW"),
    "imagej-miscounted": (imagej(FLAT, "channels=2\nslices=5"), FLAT, ""),
    "imagej-by-tifffile": (saved(ZC, imagej=True), ZC, "DCHW"),
    "imagej-named": (saved(SLICES, imagej=True, metadata={"axes": "ZYX"}), SLICES, "DHW"),
    # OME: in any order, whose first axis changes fastest
    "ome": (ome(FLAT, f'{ORDERED}"XYZCT"'), MAPS, "CDHW"),
    "ome-other-order": (ome(ZC_FLAT, f'{ORDERED}"XYCZT"', '<TiffData IFD="0" PlaneCount="15"/>'), ZC, "DCHW"),
    "ome-planes": (
        ome(
            FLAT[:2],
            'SizeC="2" DimensionOrder="XYZCT"',
            '<TiffData FirstC="0" IFD="0"/><TiffData FirstC="1" IFD="1"><UUID>urn:uuid:1</UUID></TiffData>',
        ),
        FLAT[:2],
        "CHW",
    ),
    "ome-by-tifffile": (saved(MAPS, ome=True, metadata={"axes": "CZYX"}), MAPS, "CDHW"),
    "ome-named": (saved(SLICES, ome=True, metadata={"axes": "ZYX"}), SLICES, "DHW"),
    # what tifffile calls channels where nobody said what it is
    "imagej-by-default": (saved(SLICES, imagej=True), SLICES, ""),
    "ome-by-default": (saved(SLICES, ome=True), SLICES, ""),
}


@pytest.mark.parametrize(("write", "expected", "axes"), AXES.values(), ids=AXES)
def test_the_pages_are_the_axes_that_the_file_says(
    write: Callable[[Path], None], expected: Any, axes: str, tmp_path: Path
):
    path = tmp_path / "p.tif"
    write(path)
    source = load(path)
    np.testing.assert_array_equal(source.array, expected)
    assert source.axes == axes


MISCOUNTED: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    # one file of several, and a file of two images
    "ome-other-files": (ome(FLAT[:3], f'{ORDERED}"XYZCT"'), ["declares more images", "15 pages", "found     3"]),
    "ome-fewer": (ome(FLAT, 'SizeZ="5" DimensionOrder="XYZCT"'), ["other pages than its OME header says", "5 pages"]),
    "ome-two": (
        ome(FLAT[:2], 'SizeZ="1"', '</Pixels></Image><Image><Pixels SizeZ="1">'),
        ["holds 2 images of OME", "file of its own"],
    ),
    "ome-other-places": (
        ome(
            FLAT[:2],
            'SizeC="2" DimensionOrder="XYZCT"',
            '<TiffData FirstC="1" IFD="0"/><TiffData FirstC="0" IFD="1"/>',
        ),
        ["other pages than its OME header says", "2 pages in the order XYZCT"],
    ),
    "imagej-more": (
        imagej(FLAT[:3], "images=9"),
        ["declares more images", "9 pages", "found     3", "one page an image"],
    ),
}


@pytest.mark.parametrize(("write", "words"), MISCOUNTED.values(), ids=MISCOUNTED)
def test_pages_that_are_not_counted_right_are_refused(write: Callable[[Path], None], words: list[str], tmp_path: Path):
    path = tmp_path / "p.tif"
    write(path)
    refused(path, *words)


@pytest.mark.filterwarnings("ignore:.*are stored as RGB with separate component planes:DeprecationWarning")
@pytest.mark.parametrize("planes", [3, 4])
def test_planes_that_tifffile_calls_red_green_and_blue_are_what_was_saved(planes: int, tmp_path: Path):
    path, array = tmp_path / "m.tif", SLICES[:planes].copy()
    array[-1] = 255  # which would be dropped as an opaque alpha channel
    tifffile.imwrite(path, array)
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].photometric.name == "RGB"
    source = load(path)
    np.testing.assert_array_equal(source.array, array)
    labels = as_labels(source, colors=False)
    np.testing.assert_array_equal(labels.array, array)
    assert (labels.axes, labels.samples) == ("", 1)
    # They are colours where the classes are named by colour.
    packed = as_labels(source, colors=True)
    red, green, blue = array[:3].astype(int)
    np.testing.assert_array_equal(packed.array, red << 16 | green << 8 | blue)


@pytest.mark.filterwarnings("ignore:.*are stored as RGB with separate component planes:DeprecationWarning")
def test_a_volume_of_three_slices_a_class_keeps_its_axes(tmp_path: Path):
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, MAPS[:, :3])
    np.testing.assert_array_equal(load(path).array, MAPS[:, :3])


def test_three_pages_of_bytes_are_no_colours(tmp_path: Path):
    path = tmp_path / "m.tif"
    first, *rest = map(Image.fromarray, SLICES[:3])
    first.save(path, save_all=True, append_images=rest)
    source = load(path)
    assert (source.colors, source.axes) == (False, "DHW")
    np.testing.assert_array_equal(as_labels(source, colors=False).array, SLICES[:3])


# Which value


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_samples_of_less_than_a_byte(bits: int, order: str, tmp_path: Path):
    path = tmp_path / "m.tif"
    samples = RNG.integers(0, 2**bits, (6, 13)).astype(np.uint8)
    as_bits = np.unpackbits(samples[..., None], axis=-1)[..., 8 - bits :]
    rows = np.packbits(as_bits.reshape(6, -1), axis=1)
    strips = [rows[:4].tobytes(), rows[4:].tobytes()]
    path.write_bytes(handmade({256: 13, 257: 6, 258: bits, 278: 4}, strips, order))
    source = load(path)
    np.testing.assert_array_equal(source.array, samples)
    assert source.bits == (bits if bits > 1 else 0)
    # packed as well
    data = strip_of(rows, compression="tiff_lzw")
    path.write_bytes(handmade({256: 13, 257: 6, 258: bits, 259: 5}, [data], order))
    np.testing.assert_array_equal(load(path).array, samples)


@pytest.mark.skipif(importlib.util.find_spec("imagecodecs") is not None, reason="imagecodecs reads it")
def test_samples_of_twelve_bits_name_the_extra(tmp_path: Path):
    path = tmp_path / "m.tif"
    path.write_bytes(handmade({256: 4, 257: 2, 258: 12}, [bytes(12)]))
    error = refused(path, "12 bits", "pip install 'softdice-cli[codecs]'")
    assert "copy the file again" not in str(error)


PALETTE = tuple(0x10101 * value for value in range(256))
RAMP = np.arange(256, dtype=np.uint16)


@pytest.mark.parametrize("scale", [1, 256, 257], ids=["8-bit", "shifted", "spread"])
def test_the_colours_of_a_palette(scale: int, tmp_path: Path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, LABELS, photometric="palette", colormap=np.stack([RAMP * scale] * 3))
    source = load(path)
    assert source.palette == PALETTE
    np.testing.assert_array_equal(source.array, LABELS)
    np.testing.assert_array_equal(as_labels(source, colors=True).array, LABELS * np.uint32(0x10101))


def test_a_file_of_imagej_without_the_compression_tag(tmp_path: Path):
    path = tmp_path / "m.tif"
    path.write_bytes(handmade({256: 96, 257: 64, 259: None}, [LABELS.tobytes()]))
    np.testing.assert_array_equal(load(path).array, LABELS)


def test_a_page_that_does_not_say_what_zero_is_is_like_one_where_it_is_white(tmp_path: Path):
    path = tmp_path / "m.tif"
    path.write_bytes(handmade({256: 96, 257: 64, 262: None}, [LABELS.tobytes()]))
    source = load(path)
    np.testing.assert_array_equal(source.array, LABELS)
    assert source.white_is_zero


def test_bits_by_tifffile_are_no_doubt(tmp_path: Path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, LABELS > 1)
    source = load(path)
    np.testing.assert_array_equal(source.array, LABELS > 1)
    assert not source.white_is_zero


# Strips and tiles, put together by tifffile and here


@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(("dtype", "predictor"), [*product(["u1", "i2", "u4", "f4", "f8"], [1, 2])])
def test_a_page_comes_out_as_by_tifffile(dtype: str, predictor: int, planar: str, tile: Any, tmp_path: Path):
    if predictor == 2 and dtype.startswith("f"):
        return  # tifffile does not write it
    path = tmp_path / "p.tif"
    array = (RNG.random((3, 40, 70)) * 99).astype(dtype)
    if planar == "contig":
        array = np.moveaxis(array, 0, -1)
    for byteorder, rows in product("<>", [None, 7]):
        options = {"compression": "zlib", "predictor": predictor, "tile": tile, "rowsperstrip": None if tile else rows}
        tifffile.imwrite(path, array, planarconfig=planar, byteorder=byteorder, **GREY, **options)
        with tifffile.TiffFile(path) as file, path.open("rb") as stream:
            page = file.pages[0]
            np.testing.assert_array_equal(assembled(page, stream), array)


@pytest.mark.parametrize("planar", [1, 2], ids=["by-pixel", "by-band"])
def test_four_bands_of_floats_in_lzw(planar: int, tmp_path: Path):
    path, bands = tmp_path / "p.tif", RNG.random((4, 20, 30)).astype("<f4")
    array = bands if planar == 2 else np.moveaxis(bands, 0, -1)
    parts = list(bands) if planar == 2 else [array[:12], array[12:]]
    strips = [
        strip_of(np.ascontiguousarray(part).view(np.uint8).reshape(len(part), -1), compression="tiff_lzw")
        for part in parts
    ]
    tags = {256: 30, 257: 20, 258: (32,) * 4, 259: 5, 277: 4, 278: 20 if planar == 2 else 12, 284: planar}
    path.write_bytes(handmade({**tags, 338: (0, 0, 0), 339: (3,) * 4}, strips))
    source = load(path)
    np.testing.assert_array_equal(source.array, array)
    assert source.axes == ("CHW" if planar == 2 else "HWC")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_floats_of_which_the_bytes_are_sorted(compression: str, tmp_path: Path):
    path, array = tmp_path / "p.tif", RNG.random((20, 30)).astype("f4")
    Image.fromarray(array).save(path, compression=compression, tiffinfo={317: 3})
    np.testing.assert_array_equal(load(path).array, array)


# Fax

SCHEMES: dict[str, tuple[str, dict[int, int], Scheme]] = {
    "huffman": ("tiff_ccitt", {}, HUFFMAN),
    "group3": ("group3", {}, GROUP_3),
    "group3-2d": ("group3", {292: 1}, GROUP_3_2D),
    "group3-bytes": ("group3", {292: 4}, GROUP_3),
    "group3-2d-bytes": ("group3", {292: 5}, GROUP_3_2D),
    "group4": ("group4", {}, GROUP_4),
}


def faxes() -> list[Any]:
    """Rows of long and short runs, rows like the one above, moved by a few pixels, empty and full."""
    pictures = []
    for width, run in ((1, 1), (7, 2), (64, 1), (333, 9), (2561, 40), (5300, 1500)):
        rows = (np.cumsum(RNG.random((12, width)) < 1 / run, axis=1) & 1).astype(bool)
        rows[5] = rows[4]
        rows[6] = np.roll(rows[4], 2)
        rows[7] = np.roll(rows[4], -3)
        rows[8], rows[9] = True, False
        pictures.append(rows)
    return pictures


@pytest.mark.parametrize(("compression", "tags", "scheme"), SCHEMES.values(), ids=SCHEMES)
def test_a_fax_comes_out_as_it_went_in(compression: str, tags: dict[int, int], scheme: Scheme):
    for picture in faxes():
        data = strip_of(picture, compression=compression, tiffinfo=tags)
        bits = unpack_fax(data, picture.shape[1], len(picture), scheme)
        np.testing.assert_array_equal(bits, picture)


def test_every_run_has_its_code():
    lengths = [*range(70), *range(64, 2700, 61), 1728, 1792, 2560, 2623, 2624, 5120]
    for length in lengths:
        picture = np.zeros((2, length + 3), bool)
        picture[0, :length] = True
        picture[1, length:] = True
        data = strip_of(picture, compression="tiff_ccitt")
        np.testing.assert_array_equal(unpack_fax(data, length + 3, 2, HUFFMAN), picture)


@pytest.mark.parametrize(("compression", "tags", "scheme"), SCHEMES.values(), ids=SCHEMES)
def test_a_fax_is_read_from_its_file(compression: str, tags: dict[int, int], scheme: Scheme, tmp_path: Path):
    path = tmp_path / "m.tif"
    picture = faxes()[3]
    Image.fromarray(picture).save(path, compression=compression, tiffinfo=tags)
    np.testing.assert_array_equal(load(path).array, picture)


def test_the_bits_of_a_byte_may_come_in_the_other_order(tmp_path: Path):
    path, picture = tmp_path / "m.tif", faxes()[3]
    data = strip_of(picture, compression="group4")
    turned = bytes(int(f"{value:08b}"[::-1], 2) for value in data)
    tags = {256: picture.shape[1], 257: len(picture), 258: 1, 259: 4, 266: 2}
    path.write_bytes(handmade(tags, [turned]))
    np.testing.assert_array_equal(load(path).array, picture)


DAMAGED = {
    # 1011 011 1(000): 4 white, 4 black and 3 white pixels, of which the last three bits are missing
    "cut": (b"\xb7", 11, 1, HUFFMAN, "rows that end too early"),
    # a row in which nothing changes takes one bit, 1
    "too-few-rows": (b"\xff", 8, 9, GROUP_4, "a code that stands for no mode"),
    "too-many-rows": (b"\xff\xff", 8, 8, GROUP_4, "more than its rows"),
    "much-more": (b"\xff" * 99, 8, 8, GROUP_4, "more than its rows"),
    "no-run": (b"\x20\0\0\0\xff", 8, 1, GROUP_4, "a code that stands for no run"),
    # 000010: two pixels to the left of the end of a row of one pixel
    "outside": (b"\x08", 1, 1, GROUP_4, "a change outside of its row"),
    # 0001: past a change that is not there
    "passed": (b"\x10", 8, 1, GROUP_4, "a row that is too long"),
    # 0111 11 0111: 2 white, 2 black and 2 white pixels
    "too-long": (b"\x7d\xc0", 5, 1, HUFFMAN, "a row that is too long"),
    "unmarked": (b"\xff", 8, 1, GROUP_3_2D, "a row without a mark"),
}


@pytest.mark.parametrize(("data", "width", "rows", "scheme", "words"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_fax_is_refused(data: bytes, width: int, rows: int, scheme: Scheme, words: str):
    with pytest.raises(DamagedError, match=words):
        unpack_fax(data, width, rows, scheme)


def test_a_damaged_fax_is_named_and_nothing_else_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path, picture = tmp_path / "m.tif", faxes()[3]
    data = bytearray(strip_of(picture, compression="group4"))
    data[len(data) // 2] ^= 0x55
    path.write_bytes(handmade({256: picture.shape[1], 257: len(picture), 258: 1, 259: 4}, [bytes(data)]))
    refused(path, "is damaged: its CCITTFAX4 data hold", "12 rows of 333 pixels", "copy the file again")
    assert capfd.readouterr() == ("", "")


# Compressions that alter values

CODE_STREAM = b"\xff\x4f\xff\x51\0\4\0\0" + b"\xff\x52\0\x0c\0\0\0\1\0\5\4\4\0"


@pytest.mark.parametrize(
    ("compression", "data", "words"),
    [
        # JPEG 2000: the wavelet that rounds, and the one that can be undone
        (34712, CODE_STREAM + b"\0", ["JPEG2000, which alters labels and probabilities, or may"]),
        (34712, CODE_STREAM + b"\1", ["JPEG2000, and whether values were lost cannot be seen", "tifffile.imwrite"]),
        # not every compression of these gives back what went in, and some never do
        (34887, b"Lerc2 ", ["LERC, which alters"]),
        (50002, b"\xff\x0a", ["JPEGXL, which alters"]),
        (50001, b"RIFF", ["WEBP, which alters"]),
        (33004, b"\0", ["JPEG_2000_LOSSY, which alters"]),
        (34892, b"\0", ["JPEG_LOSSY, which alters"]),
        (52546, b"\0", ["JPEGXL_DNG, which alters"]),
        (6, b"\xff\xd8", ["OJPEG, which alters"]),
        (7, b"\xff\xd8", ["JPEG, which alters"]),
        (34934, b"\0", ["JPEGXR, which alters"]),
        # a number that nobody has given
        (12345, b"\0", ["12345, which alters"]),
    ],
)
def test_a_compression_that_may_alter_values_is_refused(
    compression: int, data: bytes, words: list[str], tmp_path: Path
):
    path = tmp_path / "m.tif"
    path.write_bytes(handmade({256: 4, 257: 4, 259: compression}, [data.ljust(40, b"\0")]))
    refused(path, *words)


def test_pages_of_several_palettes_are_refused(tmp_path):
    """One number would be another colour on each page."""
    indices = np.zeros((16, 16), np.uint8)
    indices[:8] = 1
    first, second = Image.fromarray(indices, "P"), Image.fromarray(1 - indices, "P")
    first.putpalette([0, 0, 0, 255, 0, 0])
    second.putpalette([255, 0, 0, 0, 0, 0])
    first.save(tmp_path / "several.tif", save_all=True, append_images=[second])
    with pytest.raises(UnreadableError, match="pages with different palettes"):
        read_array(Blob(str(tmp_path / "several.tif")), ReadOptions())
    first.save(tmp_path / "one.tif", save_all=True, append_images=[first])
    assert read_array(Blob(str(tmp_path / "one.tif")), ReadOptions()).palette


def test_a_plane_of_transparency_is_not_dropped(tmp_path):
    planes = np.zeros((4, 16, 16), np.uint8)
    planes[0, 8:] = 255
    for alpha, refused in ((planes[0], True), (np.full((16, 16), 255, np.uint8), False)):
        planes[3] = alpha
        tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
        source = read_array(Blob(str(tmp_path / "planes.tif")), ReadOptions())
        if not refused:
            assert set(np.unique(as_labels(source, colors=True).array)) == {0, 0xFF0000}
            continue
        with pytest.raises(LabelError, match="transparent pixels"):
            as_labels(source, colors=True)
