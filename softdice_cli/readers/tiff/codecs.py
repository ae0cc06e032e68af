"""The samples of one page of a TIFF, as stored, by tifffile where they are of unusual numbers of bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.tiff.segments import FAX, assembled, check_segments, readable
from softdice_cli.readers.tiff.strips import DamagedError, compression_of

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

# Each of these gives back what went in. Any other compression alters values, or may.
_LOSSLESS = {
    *{"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PIXTIFF", "LZMA", "ZSTD", "ZSTD_DEPRECATED", "PACKBITS"},
    *{"CCITTRLE", "CCITTFAX3", "CCITTFAX4"},
}

_WAVELETS = {"JPEG2000", "APERIO_JP2000_RGB", "APERIO_JP2000_YCBC"}

# The start of a code stream of JPEG 2000, and the marker of the segment that names the wavelet,
# which stands so many bytes behind it.
_CODE_STREAM, _CODING_STYLE, _WAVELET_AT = b"\xff\x4f\xff\x51", b"\xff\x52", 13

# This wavelet gives back what went in, as long as nothing of it was left out.
_REVERSIBLE = 1

_HEADER = 2**12

_INSTALL = "pip install 'softdice-cli[codecs]', or save it with deflate"


def read_page(page: Any, stream: BinaryIO, name: str) -> Array:
    """The samples of a page as they are stored, whatever its photometric interpretation.

    Raises:
        UnreadableError: its compression may alter values, needs a codec, or is damaged.
    """
    compression = compression_of(page)
    if compression not in _LOSSLESS:
        raise _lossy(page, stream, compression, name)
    try:
        # Whole bytes that are not packed lie there as they are.
        plain = page.compression == 1 and page.bitspersample >= 8
        if readable(page) and not plain:
            return assembled(page, stream)
        if int(page.compression) in FAX:
            raise _codec(page, name)
        check_segments(page, stream)
        return _by_tifffile(page, name)
    except ImportError:
        raise _codec(page, name) from None
    except DamagedError as error:
        raise UnreadableError(
            f"is damaged: its {compression} data hold {error}",
            path=name,
            expected=f"{page.imagelength} rows of {page.imagewidth} pixels",
            hint="copy the file again, or save it again from what it was made of",
        ) from error


def _by_tifffile(page: Any, name: str) -> Array:
    try:
        array: Array = page.asarray(maxworkers=1)
    except (ValueError, NotImplementedError) as error:
        # tifffile has no type of its own for a codec that is not installed.
        if "imagecodecs" not in str(error):
            raise
        raise _codec(page, name) from None
    return array


def _codec(page: Any, name: str) -> UnreadableError:
    """The error of a page that can be read where imagecodecs is installed."""
    problem = f"is compressed with {compression_of(page)}, which needs a codec"
    if page.bitspersample % 8:
        problem = f"has samples of {page.bitspersample} bits, which need a codec"
    elif page.predictor != 1:
        problem = f"has predictor {page.predictor}, which needs a codec"
    return UnreadableError(
        problem, path=name, expected="a TIFF that this installation can unpack", found=_described(page), hint=_INSTALL
    )


def _described(page: Any) -> str:
    return f"{page.dtype} {page.shape}, {compression_of(page)}"


def _lossy(page: Any, stream: BinaryIO, compression: str, name: str) -> UnreadableError:
    """The error of a page whose values may not be those that were saved."""
    if compression in _WAVELETS and _is_reversible(page, stream):
        return UnreadableError(
            f"is compressed with {compression}, and whether values were lost cannot be seen in it",
            path=name,
            expected="a compression that never alters labels and probabilities, such as deflate or LZW",
            found="the reversible wavelet, which loses nothing unless parts were left out",
            hint=(
                "if nothing was lost: pip install 'softdice-cli[codecs]', then python -c \"import sys, tifffile; "
                "tifffile.imwrite(sys.argv[2], tifffile.imread(sys.argv[1]), compression='zlib')\" OLD.tif NEW.tif"
            ),
        )
    return UnreadableError(
        f"is compressed with {compression}, which alters labels and probabilities, or may",
        path=name,
        expected="a compression that never does, such as deflate or LZW",
        hint="save what it was made of with deflate, LZW or no compression; to convert the file restores nothing",
    )


def _is_reversible(page: Any, stream: BinaryIO) -> bool:
    stream.seek(page.dataoffsets[0])
    head = stream.read(min(_HEADER, page.databytecounts[0]))
    style = head.find(_CODING_STYLE, max(0, head.find(_CODE_STREAM)) + len(_CODE_STREAM))
    return style >= 0 and head[style + _WAVELET_AT : style + _WAVELET_AT + 1] == bytes([_REVERSIBLE])
