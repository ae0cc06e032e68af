"""Tags of a TIFF page that libraries read in different ways: what they say of the pixels has to be one thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.tiff.strips import compression_of

# Of each of these a page has one, with one value: of several, libraries take the first one, the last one, or none.
_SINGLE = {
    256: "ImageWidth", 257: "ImageLength", 259: "Compression", 262: "PhotometricInterpretation", 266: "FillOrder",
    274: "Orientation", 277: "SamplesPerPixel", 278: "RowsPerStrip", 284: "PlanarConfiguration", 317: "Predictor",
    322: "TileWidth", 323: "TileLength",
}  # fmt: skip

_PLANES = (1, 2)

# The compressions that undo a predictor: LZW, deflate by both of its numbers, LZMA, and ZSTD by both of its numbers.
# With others, some libraries undo it all the same, and others take no notice of it.
_PREDICTED = (5, 8, 32946, 34925, 34926, 50000)


def check_tags(pages: Iterable[Any], name: str) -> None:
    """Refuses pages of whose tags libraries make different pixels.

    Raises:
        UnreadableError: a tag stands twice or has several values, the planes are of an unknown kind, or the
            compression knows no predictor.
    """
    for page in pages:
        for code, tag_name in _SINGLE.items():
            tags = page.tags.getall(code) or []
            if len(tags) > 1 or any(tag.count != 1 for tag in tags):
                values = ", ".join(str(tag.value) for tag in tags)
                raise _invalid(f"the tag {tag_name} has several values", name, "one value", values[:80])
        if page.samplesperpixel > 1 and page.planarconfig not in _PLANES:
            raise _invalid(
                "its samples are arranged in an unknown way", name, "PlanarConfiguration 1 or 2", str(page.planarconfig)
            )
        if page.predictor != 1 and int(page.compression) not in _PREDICTED:
            raise _invalid(
                f"it has a predictor, which its compression ({compression_of(page)}) does not know",
                name,
                "a predictor with LZW, deflate, LZMA or ZSTD only",
                f"predictor {int(page.predictor)}",
            )


def _invalid(problem: str, name: str, expected: str, found: str) -> UnreadableError:
    return UnreadableError(
        f"is not a valid TIFF: {problem}",
        path=name,
        expected=expected,
        found=found,
        hint="save it again from what it was made of",
    )
