"""One NumPy array in a file: read whole when it is small, and tile by tile when it is large."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from softdice_cli.readers.npy.header import check_length, read_header
from softdice_cli.readers.source import ReadOptions, Source
from softdice_cli.readers.stored import StoredArray, widened


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The array of a ``.npy`` file or stream; a large one stays in its file until its tiles are asked for."""
    header = read_header(stream, name)
    check_length(header, stream.seek(0, os.SEEK_END) - header.offset, name)
    array = StoredArray(header.dtype, header.shape, header.strides, header.offset)
    if header.bfloat16:
        array = replace(array, decode=widened, decoded=np.dtype(np.float32))
    return array.source(stream, name, options, format="npy", stored=header.stored)
