"""The digest of a results file, by which a change that no score contradicts is seen.

It is taken of the values and not of the bytes, so that a program that writes the same values again keeps it: the order
of members, spaces, escapes, and ``1.0`` written as ``1`` do not matter. Everything counts but the digest itself and the
scores of single images. Those are most of a file, and a reader computes them again.
"""

from __future__ import annotations

import re
from json import JSONEncoder
from typing import Any

# A line break ends every value but the last one of a list or an object. As it never stands inside a text, what stands
# before it, or before brackets and it, is the end of a number or a bracket, and never a part of a name.
_encode = JSONEncoder(sort_keys=True, separators=("\n", ":"), check_circular=False).encode
_END = r"(?=[\]}]*(?:\n|\Z))"
_POINT_ZERO = re.compile(rf"\.0{_END}")
_MINUS_ZERO = re.compile(rf"-0{_END}")

# The scores of an image, which follow from its sums.
_SCORES = ("classes", "regions")


class Digest:
    """The digest of a document that is written, or was read, member by member."""

    def __init__(self) -> None:
        # What writes and reads no file does not need it.
        from hashlib import sha256

        self._hash = sha256
        self._images = sha256()
        self._members: dict[str, str] = {}

    def add(self, name: str, value: Any) -> None:
        """Take in a member of the document, a JSON value."""
        self._members[name] = self._hash(_canonical(value)).hexdigest()

    def add_image(self, image: dict[str, Any]) -> None:
        """Take in the next of the images."""
        counted = {name: value for name, value in image.items() if name not in _SCORES}
        self._images.update(_canonical(counted) + b"\n")

    def text(self) -> str:
        """The digest, as it stands in the file."""
        members = {"images": self._images.hexdigest(), **self._members}
        return f"sha256:{self._hash(_canonical(members)).hexdigest()}"


def digest_of(document: dict[str, Any]) -> str:
    """The digest of the values in a document, whatever digest it claims.

    Args:
        document: the parsed JSON, of any version of the format, and even where it is broken.
    """
    digest = Digest()
    for name, value in document.items():
        if name == "images" and _are_objects(value):
            for image in value:
                digest.add_image(image)
        elif name != "digest":
            digest.add(name, value)
    return digest.text()


def _are_objects(value: Any) -> bool:
    """Whether a JSON value is a list of objects, as images are."""
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _canonical(value: Any) -> bytes:
    """A text that is the same for the same values, however they were written."""
    text = _POINT_ZERO.sub("", _encode(value))
    return _MINUS_ZERO.sub("0", text).encode("ascii")
