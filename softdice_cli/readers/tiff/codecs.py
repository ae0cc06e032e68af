"""The samples of one page of a TIFF: by tifffile, and by Pillow where tifffile lacks the codec."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.pillow import decoded

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

    from softdice_cli.readers.source import Array

# Lossless compressions that Pillow can read where tifffile needs its codecs.
_PILLOW = {"LZW", "CCITTRLE", "CCITTFAX3", "CCITTFAX4"}

_LOSSY = {"JPEG", "OJPEG", "JPEGXR_NDPI", "WEBP", "JPEG2000", "APERIO_JP2000_RGB", "APERIO_JP2000_YCBC"}

_INSTALL = "pip install 'softdice-cli[codecs]', or save it with"


class PageReader:
    """Reads the pages of one file.

    Args:
        stream: the file.
        name: of the file, for messages.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def read(self, page: Any) -> Array:
        """The samples of a page, where 0 is the least value."""
        compression = page.compression.name
        if compression in _LOSSY:
            raise UnreadableError(
                f"is compressed with {compression}, which alters labels and probabilities",
                path=self._name,
                hint="save it with deflate, LZW or no compression",
            )
        try:
            array: Array = page.asarray(maxworkers=1)
        except (ValueError, ImportError) as error:
            # tifffile has no type of its own for a codec that is not installed.
            if isinstance(error, ValueError) and "imagecodecs" not in str(error):
                raise
            self._check_codec(page)
            # Pillow has inverted what is to be inverted.
            return self._by_pillow(page)
        return _inverted(page, array) if _is_inverted(page) else array

    def _check_codec(self, page: Any) -> None:
        """Refuses what Pillow cannot read either."""
        compression = page.compression.name
        if page.predictor not in (1, 2) and compression not in _PILLOW:
            raise UnreadableError(
                f"has predictor {page.predictor}, which needs a codec",
                path=self._name,
                hint=f"{_INSTALL} predictor 2 or none",
            ) from None
        if compression not in _PILLOW:
            raise UnreadableError(
                f"is compressed with {compression}, which needs a codec", path=self._name, hint=f"{_INSTALL} deflate"
            ) from None

    def _by_pillow(self, page: Any) -> Array:
        image = self._pillow
        image.seek(page.index)
        array = np.empty(0)
        if image.size == (page.imagewidth, page.imagelength):
            array = decoded(image)
        # Pillow spreads, cuts or turns the samples of some types; those are not what is stored.
        if array.shape != page.shape or array.dtype.newbyteorder("=") != page.dtype.newbyteorder("="):
            raise UnreadableError(
                f"is compressed with {page.compression.name}, which needs a codec for {page.dtype} {page.shape}",
                path=self._name,
                hint=f"{_INSTALL} deflate",
            )
        return array

    @functools.cached_property
    def _pillow(self) -> TiffImageFile:
        """The file as Pillow sees it, from memory: its library would map the file, and die where that shrinks."""
        from PIL.TiffImagePlugin import TiffImageFile

        self._stream.seek(0)
        return TiffImageFile(io.BytesIO(self._stream.read()))


def _is_inverted(page: Any) -> bool:
    """Whether 0 stands for the greatest value: MinIsWhite of 1 and 8 bits, as Pillow reads and writes it.

    tifffile marks every bool array so and still stores True as 1.
    """
    white = page.photometric.name == "MINISWHITE" and page.dtype.kind in "bu" and page.dtype.itemsize == 1
    return white and not (page.dtype.kind == "b" and page.is_shaped)


def _inverted(page: Any, array: Array) -> Array:
    if array.dtype == bool:
        return ~array
    inverted: Array = array.dtype.type(2**page.bitspersample - 1) - array
    return inverted
