"""Lines of JSON with a checksum as their last member, so that a damaged line is told from a whole one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_MEMBER = b', "check": "'
_END = b'"}'


def sealed(entry: dict[str, Any], key: bytes = b"") -> bytes:
    """An entry as a line, without the line end.

    Args:
        entry: with at least one member.
        key: what the line belongs to; a line is whole only with the same key.
    """
    body = json.dumps(entry, allow_nan=False).encode()[:-1]
    return body + _MEMBER + _checksum(body, key) + _END


def opened(line: bytes, key: bytes = b"") -> Any | None:
    """The entry of a line, with its checksum left out; ``None`` where it is damaged, or is not a sealed line."""
    body, found, rest = line.rpartition(_MEMBER)
    if not found or rest != _checksum(body, key) + _END:
        return None
    try:
        return json.loads(body + b"}")
    except (ValueError, RecursionError):
        return None


def seal_of(line: bytes) -> bytes:
    """The checksum of a sealed line, as a key for the lines that belong to it."""
    return line.rpartition(_MEMBER)[2].removesuffix(_END)


def _checksum(body: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=8, key=key).hexdigest().encode()
