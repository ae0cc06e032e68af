"""Tensors as arrays over their stored bytes: the values that torch would load, and what is refused in their archive."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Softdice
from fuzzing import archive
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from softdice_cli.errors import UnreadableError
from softdice_cli.readers import Blob, ReadOptions, Source, in_file, read_array, stored

T = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5) / 7 - 3


def saved(thing: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(thing, stream)
    return stream.getvalue()


def load(data: bytes, key: str | None = None) -> Source:
    return read_array(Blob("p.pt", data), ReadOptions(key=key))


def by_torch(tensor: torch.Tensor) -> np.ndarray:
    plain = tensor.detach()
    return (plain.float() if tensor.dtype == torch.bfloat16 else plain).numpy()


def same(source: Source, tensor: torch.Tensor) -> None:
    expected = by_torch(tensor)
    loaded = source.load(source.array)
    assert source.stored == str(tensor.dtype).removeprefix("torch.")
    assert loaded.shape == expected.shape
    assert loaded.dtype.newbyteorder("=") == expected.dtype
    assert np.array_equal(loaded, expected, equal_nan=expected.dtype.kind == "f")


TYPES = [
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool),
    *(torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.uint8, torch.uint16, torch.uint32, torch.uint64),
]
VIEWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "whole": lambda t: t,
    "one": lambda t: t[1],
    "permuted": lambda t: t.permute(3, 0, 2, 1),
    # values with small gaps, which are read in blocks, and a part of each row
    "steps": lambda t: t[..., ::2],
    "channel": lambda t: t[..., 1],
    "window": lambda t: t[:, 1:, 1:3, 2:4],
    "channels-last": lambda t: t.contiguous(memory_format=torch.channels_last),
    # overlapping within the storage, and axes of one element, whose strides mean nothing
    "overlapping": lambda t: t.as_strided((3, 4), (2, 1), 5),
    "repeated": lambda t: t[0, :1].expand(3, 4, 5),
    "thin": lambda t: t.as_strided((1, 3, 1), (10**12, 2, 7)),
    "number": lambda t: t[0, 0, 0, 0],
}


@pytest.mark.parametrize("large", [False, True], ids=["memory", "file"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_the_values_are_those_of_torch(
    dtype: torch.dtype, view: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if large:
        monkeypatch.setattr(stored, "WHOLE", 0)
    tensor = VIEWS[view](T.to(dtype))
    path = tmp_path / "p.pt"
    torch.save({"p": tensor, "other": torch.ones(7)}, path)
    source = read_array(Blob(str(path)), ReadOptions(key="p"))
    same(source, tensor)
    assert isinstance(source.load, in_file.FileLoader) is large


@pytest.mark.parametrize("block", [1, 40, 2**16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_part_of_a_large_tensor_has_its_values(
    block: int, dtype: torch.dtype, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
):
    base = (torch.arange(4 * 5 * 6 * 3) * 1.5 - 20).reshape(4, 5, 6, 3).to(dtype)
    tensor = base.permute(data.draw(st.permutations(range(4))))[:, 1:, :, data.draw(st.integers(0, 2)) :: 2]
    path = tmp_path_factory.mktemp("part") / "p.pt"
    torch.save(tensor, path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stored, "WHOLE", 0)
        patched.setattr(in_file, "_BLOCK", block)
        source = read_array(Blob(str(path)), ReadOptions())
        index = tuple(
            data.draw(st.builds(slice, st.integers(0, length - 1), st.just(length), st.integers(1, 2)))
            for length in source.array.shape
        )
        np.testing.assert_array_equal(source.load(source.array[index]), by_torch(tensor)[index])


def test_every_bfloat16_keeps_its_bits():
    tensor = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.bfloat16)
    array = load(saved(tensor)).array
    np.testing.assert_array_equal(array.view(np.uint32), tensor.float().numpy().view(np.uint32))


def test_a_large_tensor_is_not_held_in_memory(tmp_path: Path):
    path = tmp_path / "p.pt"
    torch.save(torch.zeros(3, 400, 300), path)
    source = read_array(Blob(str(path)), ReadOptions(max_bytes=10))
    assert source.load(source.array[0]).shape == (400, 300)
    with pytest.raises(UnreadableError, match="larger than the limit"):
        read_array(Blob("standard input", path.read_bytes()), ReadOptions(max_bytes=10))


def test_a_tensor_whose_file_shrinks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored, "WHOLE", 0)
    path = tmp_path / "p.pt"
    torch.save(T[..., ::2], path)
    source = read_array(Blob(str(path)), ReadOptions())
    os.truncate(path, 700)
    with pytest.raises(UnreadableError, match="shrank while it was read"):
        source.load(source.array)


def test_checksums_that_were_not_computed_do_not_matter():
    torch.serialization.set_crc32_options(False)
    try:
        data = saved(T)
    finally:
        torch.serialization.set_crc32_options(True)
    same(load(data), T)


def rewritten(data: bytes, **changes: bytes | None) -> bytes:
    """The archive of a file with other members: a member of `None` is left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        members = {name.partition("/")[2]: whole.read(name) for name in whole.namelist()}
    members.update({name.replace("__", "/").replace("_pkl", ".pkl"): content for name, content in changes.items()})
    return archive((f"archive/{name}", content, 0) for name, content in members.items() if content is not None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int16, torch.uint16], ids=str)
def test_a_file_of_a_big_endian_machine_is_read(dtype: torch.dtype):
    tensor = T.abs().to(dtype)
    swapped = tensor.view(torch.uint8).numpy().reshape(-1, tensor.element_size())[:, ::-1].tobytes()
    same(load(rewritten(saved(tensor), data__0=swapped, byteorder=b"big")), tensor)
    same(load(rewritten(saved(tensor), byteorder=None)), tensor)


class Labelled(torch.Tensor):
    """A tensor with a class and attributes of its own."""


def test_a_tensor_of_a_class_of_its_own_is_read():
    tensor = torch.arange(6.0).as_subclass(Labelled)
    tensor.path, tensor.spacing, tensor.history = Path("case.nii.gz"), np.ones(3, "f4"), [{"name": slice(1, 2)}]
    same(load(saved({"p": tensor})), torch.arange(6.0))
    parameter = torch.nn.Parameter(torch.arange(6.0))
    parameter.note = {Path("a"): np.float64(1)}
    same(load(saved(parameter)), torch.arange(6.0))


def test_a_metatensor_of_monai_is_read(softdice: Softdice, tmp_path: Path):
    from monai.data import MetaTensor

    meta = {"filename_or_obj": "case.nii.gz", "spatial_shape": np.array([4, 6]), "pixdim": np.float32(1)}
    plain = torch.rand(3, 4, 6).softmax(0)
    tensor = MetaTensor(plain, affine=torch.eye(4), meta=meta)
    same(load(saved(tensor)), plain)
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) % 3).save(tmp_path / "m.png")
    torch.save(tensor, tmp_path / "p.pt")
    torch.save(plain, tmp_path / "q.pt")
    runs = [softdice("eval", "--pred", name, "--gt", "m.png", "--format", "jsonl") for name in ("p.pt", "q.pt")]
    assert [run.code for run in runs] == [0, 0]
    assert runs[0].out.replace("p.pt", "q.pt") == runs[1].out


class Wrapper(torch.Tensor):
    """A tensor without data of its own."""

    def __new__(cls) -> Wrapper:
        return torch.Tensor._make_wrapper_subclass(cls, (2, 3))

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        return torch.ones(2, 3)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return torch._utils._rebuild_wrapper_subclass, (torch.float32, (2, 3), (3, 1), 0, torch.strided, "cpu", False)


def test_the_cure_for_a_tensor_that_cannot_be_read_is_one(tmp_path: Path):
    with pytest.raises(UnreadableError) as caught:
        load(saved({"p": Wrapper()}))
    assert "np.save(path, tensor.detach().cpu().numpy())" in caught.value.hint
    tensor = torch.ones(2, 3)
    np.save(tmp_path / "p.npy", tensor.detach().cpu().numpy())
    assert read_array(Blob(str(tmp_path / "p.npy")), ReadOptions()).array.tolist() == tensor.tolist()


def test_a_flag_is_refused_with_its_cure():
    for tensor in (torch._neg_view(T), torch.view_as_complex(torch.ones(3, 2)).conj().imag):
        with pytest.raises(UnreadableError, match="not those that are stored") as caught:
            load(saved(tensor))
        assert caught.value.found == "the flag neg"
        same(load(saved(tensor.resolve_conj().resolve_neg())), tensor.resolve_neg())


def encrypted(data: bytes) -> bytes:
    """Every member marked as encrypted."""
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data = data[: at + 8] + b"\1" + data[at + 9 :]
    return data


def moved(data: bytes) -> bytes:
    """The list of members says that the elements are where another member is."""
    at = data.rindex(b"archive/data/0") - 4
    return data[:at] + struct.pack("<I", 0) + data[at + 4 :]


def again(data: bytes, name: str) -> bytes:
    """The archive with one more member."""
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        members = [(member, whole.read(member), 0) for member in whole.namelist()]
    return archive([*members, (name, bytes(480), 0)])


def scripted() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.ReLU(), torch.ones(2)), stream)
    return stream.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    # the archive: members that are there twice, elsewhere, encrypted, or not where the list says
    "duplicate": (lambda: again(saved(T), "archive/data/0"), "two members of one name"),
    "two-pickles": (lambda: again(saved(T), "b/data.pkl"), "other members"),
    "outside": (lambda: again(saved(T), "b"), "other members"),
    "encrypted": (lambda: encrypted(rewritten(saved(T))), "is encrypted"),
    "moved": (lambda: moved(rewritten(saved(T))), "broken archive"),
    # a storage that is longer or shorter than the pickle says
    "longer": (lambda: rewritten(saved(T), data__0=bytes(484)), "480 bytes for a tensor that has 484"),
    "shorter": (lambda: rewritten(saved(T), data__0=bytes(476)), "480 bytes for a tensor that has 476"),
    # what the format is
    "order": (lambda: rewritten(saved(T), byteorder=b"middle"), "byte order that is not known"),
    "long-order": (lambda: rewritten(saved(T), byteorder=b"little" * 9), "byteorder of 54 bytes"),
    "version": (lambda: rewritten(saved(T), version=b"11\n"), "version of torch's format that is not known"),
    "no-version": (lambda: rewritten(saved(T), version=None), "no version"),
    "torchscript": (lambda: rewritten(saved(T), constants_pkl=b"\x80\2)."), "is a TorchScript model"),
    # types that NumPy does not have
    "float8": (lambda: saved(T.to(torch.float8_e5m2)), "torch.float8_e5m2"),
    "csr": (lambda: saved(torch.eye(3).to_sparse_csc()), "torch.sparse_csc, torch.float32"),
    # objects beside a tensor, in a list, as a key, and names that were not called
    "beside": (lambda: saved({"p": T, "x": Path("a")}), "pathlib.PosixPath"),
    "in-list": (lambda: saved({"p": T, "x": [1, [Path("a")]]}), "pathlib.PosixPath"),
    "as-key": (lambda: saved({"p": T, Path("a"): 1}), "neither text nor a number"),
    "name": (lambda: saved({"p": T, "x": os.system}), "posix.system"),
    "set": (lambda: saved({"p": T, "x": {1}}), "set"),
    "hooks": (lambda: saved({"p": T, "x": np.ones(2)}), "numpy"),
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
def test_is_refused_by_name(make: Callable[[], bytes], words: str):
    with pytest.raises(UnreadableError) as caught:
        load(make(), None)
    assert words in str(caught.value)
    assert "a bug" not in str(caught.value)


def test_what_may_stand_beside_a_tensor():
    things = {"dtype": torch.float32, "device": torch.device("cpu"), "size": T.size(), "x": [1, ("a", None, 2.5)]}
    weights = OrderedDict(a=1)
    weights._metadata = {"version": 1}
    same(load(saved({"p": T, "bytes": b"ab", "weights": weights, 3: True, **things})), T)


def test_no_torch_is_imported_for_a_tensor(tmp_path: Path):
    torch.save(torch.full((2, 4, 6), 0.5), tmp_path / "p.pt")
    torch.save(torch.ones(4, 6, dtype=torch.uint8), tmp_path / "m.pt")
    program = (
        "import sys; from softdice_cli import evaluate; from softdice_cli.execution.machine import can_fork\n"
        "results = evaluate([('p.pt', 'm.pt')])\n"
        "print(len(results.failures), 'torch' in sys.modules, can_fork())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    ).stdout
    assert done.split() == ["0", "False", str(sys.platform == "linux")]
