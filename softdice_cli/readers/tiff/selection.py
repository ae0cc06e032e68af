"""Which pages of a TIFF are the image: smaller copies of it and masks that say where it is valid are others.

A reader of maps is given the smaller copies to be fast, after the image (GDAL, COG) or in
directories of their own, which are never read here. The tag NewSubfileType marks them; scanners of
slides leave it out, and then only the sizes show what the pages are.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from softdice_cli.errors import UnreadableError

_REDUCED, _MASK = 1, 4

# The tag before NewSubfileType, and its value for a smaller copy.
_OLD_SUBFILE, _OLD_REDUCED = 255, 2

_PLAIN = {"MINISWHITE", "MINISBLACK", "RGB", "PALETTE", "MASK", "CFA"}


def image_pages(pages: list[Any], name: str) -> list[Any]:
    """The pages of full size, all of one shape and type.

    Raises:
        UnreadableError: there are none, they do not belong together, or they are no plain images.
    """
    image = _of_full_size(pages, name)
    kinds = {(page.shape, str(page.dtype), int(page.photometric)) for page in image}
    if len(kinds) != 1:
        raise UnreadableError(
            "has pages that do not belong together",
            path=name,
            expected="one page, or pages of one shape and type, besides smaller copies that are marked as such",
            found=", ".join(sorted(f"{dtype} {shape}" for shape, dtype, _ in kinds)) or "no page",
            hint="save the pages as files of their own",
        )
    for page in image:
        _check_kind(page, name)
    dtype = image[0].dtype
    if dtype is None or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise UnreadableError(
            "holds a type that is neither a probability nor a label",
            path=name,
            expected="whole numbers or floats of up to 64 bits",
            found=f"{dtype}",
        )
    return image


def _of_full_size(pages: list[Any], name: str) -> list[Any]:
    """The pages that are neither smaller copies nor masks; masks, where there is nothing else."""
    image = [page for page in pages if not _subfile(page) & (_REDUCED | _MASK)]
    reduced = [page for page in pages if _subfile(page) & _REDUCED]
    image = image or [page for page in pages if not _subfile(page) & _REDUCED]
    for page in reduced:
        if not image or not _is_smaller(page, image[0]):
            raise UnreadableError(
                "has a page of reduced size without the image that it is a copy of",
                path=name,
                expected="a larger page beside it",
                found=", ".join(f"{page.dtype} {page.shape}" for page in pages[:5]),
                hint="save the image alone, without the tag NewSubfileType",
            )
    return image[:1] if _is_pyramid(image) else image


def _subfile(page: Any) -> int:
    """What the page is, as the bits of NewSubfileType."""
    old = page.tags.valueof(_OLD_SUBFILE, 0) == _OLD_REDUCED
    return int(page.subfiletype) | (_REDUCED if old else 0)


def _is_smaller(page: Any, image: Any) -> bool:
    wide = page.imagewidth <= image.imagewidth
    high = page.imagelength <= image.imagelength
    return wide and high and (page.imagewidth, page.imagelength) != (image.imagewidth, image.imagelength)


def _is_pyramid(pages: list[Any]) -> bool:
    """Whether each page is the one before, made smaller by a whole factor: slices are all of one size."""
    kinds = {(str(page.dtype), int(page.photometric), page.samplesperpixel, page.is_tiled) for page in pages}
    if len(pages) < 2 or len(kinds) > 1 or not pages[0].is_tiled:
        return False
    return all(_is_level(above, page) for above, page in pairwise(pages))


def _is_level(above: Any, page: Any) -> bool:
    """Whether a page is the one above at a half, a third, … of its size, rounded up or down."""
    if not page.imagewidth or not page.imagelength:
        return False
    near = above.imagewidth // page.imagewidth
    for factor in (near, near + 1):
        wide = abs(page.imagewidth * factor - above.imagewidth) < factor
        high = abs(page.imagelength * factor - above.imagelength) < factor
        if factor > 1 and wide and high:
            return True
    return False


def _check_kind(page: Any, name: str) -> None:
    """Refuses what is not a plain image, or would come out turned."""
    orientation = page.tags.valueof(274, 1)
    if orientation != 1:
        raise UnreadableError(
            f"has orientation {orientation}", path=name, expected="1: upright", hint="save it upright, without that tag"
        )
    # A page without the tag has a bare number.
    photometric = getattr(page.photometric, "name", "MINISWHITE")
    if photometric not in _PLAIN:
        raise UnreadableError(
            f"is a {photometric} picture, which holds neither labels nor probabilities",
            path=name,
            expected="grey, a palette or RGB",
            hint="save the labels as one grey channel, or as a palette picture",
        )
