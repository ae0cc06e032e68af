"""What the shards of one run have in common, wherever they are evaluated: the contents of all its files, in samples.

Paths and times are of a machine, and are left out, so that the same files under another mount point agree. Of a large
file only a few blocks are read: two models differ nearly everywhere, and reading every file in every shard would cost
as much as evaluating it. The last block of an .npz or .pt holds the checksums of all that is in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256

from softdice_cli.errors import UnreadableError
from softdice_cli.opening import open_regular
from softdice_cli.pairing.pair import STDIN, Pair

# A file up to this size is read whole, and of a larger one blocks at equal distances, the first and last bytes among
# them.
_WHOLE = 2**16
_BLOCK = 2**13
_BLOCKS = 4

# Reading a few bytes is waiting, above all where files come over a network.
_THREADS = 8

# What stands for the sample of a file that cannot be read.
_UNREADABLE = sha256(b"unreadable").digest()


def fingerprint(pairs: Sequence[Pair], read_as: Sequence[str | None] = ()) -> str:
    """The digest of the ids of all pairs of a run, and of the sizes and samples of their files, in this order.

    A file that cannot be read counts as such; its own pair says why.
    """
    from concurrent.futures import ThreadPoolExecutor

    paths = [path for pair in pairs for path in pair.files]
    # No thread may be left when processes are forked.
    with ThreadPoolExecutor(_THREADS) as threads:
        samples = threads.map(_sample, paths)
        # Another array of the same files is another run.
        found = sha256(repr(tuple(read_as)).encode("utf-8", "surrogatepass"))
        for pair in pairs:
            name = sha256(pair.id.encode("utf-8", "surrogatepass")).digest()
            files = [next(samples) for _ in pair.files]
            found.update(b"".join([name, bytes([len(files)]), *files]))
    return found.hexdigest()[:16]


def _sample(path: str) -> bytes:
    """A digest of 32 bytes of a file's size and samples."""
    # Standard input can be read only once.
    if path == STDIN:
        return _UNREADABLE
    try:
        return sha256(b"".join(_parts(path))).digest()
    except (UnreadableError, OSError):
        return _UNREADABLE


def _parts(path: str) -> list[bytes]:
    """The size of a regular file, and what of its contents is looked at.

    Raises:
        UnreadableError: it is not a regular file, or cannot be opened.
        OSError: it cannot be read.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        parts = [b"%d\n" % size]
        if size <= _WHOLE:
            return [*parts, stream.read(_WHOLE)]
        for place in range(_BLOCKS):
            stream.seek((size - _BLOCK) * place // (_BLOCKS - 1))
            parts.append(stream.read(_BLOCK))
        return parts
