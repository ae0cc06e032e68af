"""NumPy archives: one ``.npy`` member of an ``.npz``, chosen by its key."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.choice import Entry, choose, listed
from softdice_cli.readers.npy.header import check_length, read_header
from softdice_cli.readers.source import MAX_RATIO, ReadOptions, Source, check_bytes
from softdice_cli.readers.stored import read_exactly

_SUFFIX = ".npy"

# How many times longer each method makes a member at most.
_RATIOS = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: MAX_RATIO}


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The array of an archive that holds one, or the one that the key names."""
    with zipfile.ZipFile(stream) as archive:
        names = [member for member in archive.namelist() if member.endswith(_SUFFIX)]
        keys = [member.removesuffix(_SUFFIX) for member in names]
        _refuse_sparse(keys, name)
        member = archive.getinfo(choose(keys, options, name) + _SUFFIX)
        if names.count(member.filename) > 1:
            raise UnreadableError(f"holds {member.filename} more than once", path=name)
        _check_packing(member, name)
        check_bytes(name, member.file_size, options)
        with archive.open(member) as inner:
            header = read_header(inner, name)  # type: ignore[arg-type]
            check_length(header, member.file_size - header.offset, name)
            # bfloat16 takes twice as much when it is read.
            check_bytes(name, header.nbytes * (2 if header.bfloat16 else 1), options)
            array = header.array(read_exactly(inner, header.nbytes, name))
    return Source(name=name, format="npz", array=array, stored=header.stored)


def entries(stream: BinaryIO, name: str) -> list[Entry]:
    """The arrays of an archive, of which the headers alone are read."""
    found: list[Entry] = []
    with zipfile.ZipFile(stream) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(_SUFFIX)]
        _refuse_sparse([member.filename.removesuffix(_SUFFIX) for member in members], name)
        for member in members:
            key = member.filename.removesuffix(_SUFFIX)
            try:
                _check_packing(member, name)
                with archive.open(member) as inner:
                    header = read_header(inner, name)  # type: ignore[arg-type]
                found.append(Entry(key, header.stored, header.shape))
            except UnreadableError as error:
                found.append(Entry(key, error.problem, None))
    return found


def _refuse_sparse(keys: list[str], name: str) -> None:
    """Refuses the parts of a sparse matrix, none of which is the map."""
    import shlex

    if {"format", "shape", "data"} <= set(keys):
        kind, load = "scipy.sparse matrix", "scipy.sparse; array = scipy.sparse.load_npz(sys.argv[1]).toarray()"
    elif {"coords", "shape", "data"} <= set(keys):
        kind, load = "sparse array (sparse.COO)", "sparse; array = sparse.load_npz(sys.argv[1]).todense()"
    else:
        return
    raise UnreadableError(
        f"holds a {kind}",
        path=name,
        expected="an array in full",
        found=listed(keys),
        hint=f'python -c "import sys, numpy, {load}; numpy.save(sys.argv[2], array)" {shlex.quote(name)} NEW.npy',
    )


def _check_packing(member: zipfile.ZipInfo, name: str) -> None:
    """Refuses what can unpack to more than it declares, or declares what it cannot unpack to."""
    ratio = _RATIOS.get(member.compress_type)
    if ratio is None:
        # zipfile unpacks the other methods in one piece, however large.
        raise UnreadableError(
            f"holds {member.filename} packed by method {member.compress_type}, which NumPy never uses",
            path=name,
            hint="save it again with np.savez or np.savez_compressed",
        )
    if member.file_size > member.compress_size * ratio:
        raise UnreadableError(
            "declares more than its bytes can hold",
            path=name,
            expected=f"at least {member.file_size // ratio} bytes",
            found=f"{member.compress_size} bytes",
        )
