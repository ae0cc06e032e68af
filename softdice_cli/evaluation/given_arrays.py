"""Arrays and tensors of a caller as if they had been read from a file.

A file says what its numbers are, and a reader refuses what it cannot give exactly. An object in memory can be anything
that NumPy turns into an array, and some of that on the way loses digits, a mask, or its values. So what is not known to
survive is refused by name.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.errors import ConfigError, ShapeError
from softdice_cli.readers import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# Bytes of the floats whose sums are exact: float16, float32 and float64.
_FLOATS = (2, 4, 8)

_EXPECTED = "float16, bfloat16, float32, float64, integers or bools"


def source_of(name: str, values: Any) -> Source:
    """An array or tensor as a source of that name.

    Args:
        name: of the argument, for messages.
        values: an array, a tensor on any device, or what NumPy makes an array of.

    Raises:
        ConfigError: it does not hold numbers that are known to be exact here, or hides some of them.
        ShapeError: it holds none.
    """
    # Only tensors of torch can be detached; asking for that does not import torch.
    if hasattr(values, "detach"):
        array, stored = _of_tensor(name, values)
    else:
        array = _of_other(name, values)
        stored = array.dtype.newbyteorder("=").name
    if array.dtype.kind not in "biuf":
        raise _refuse(name, "do not hold numbers", f"{type(values).__name__} of {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize not in _FLOATS:
        hint = f"{name}.astype(np.float64), if that is exact enough"
        raise _refuse(name, f"are {array.dtype}, which softdice does not add up exactly", str(array.dtype), hint)
    if not array.size:
        raise ShapeError(
            f"{name} hold no values",
            expected="at least one image, one channel and one pixel",
            found=str(array.shape),
            hint="leave out the update for a batch that is empty",
        )
    return Source(name=name, format="array", array=array, stored=stored)


def _of_other(name: str, values: Any) -> Array:
    """What NumPy makes of an object that is not a tensor."""
    if isinstance(values, np.ma.MaskedArray):
        return _of_masked(name, values)
    try:
        with warnings.catch_warnings():
            # What NumPy warns of here loses something.
            warnings.simplefilter("error")
            return np.asarray(values)
    # Objects of others raise what they like.
    except Exception as error:
        raise _refuse(name, f"cannot be read as an array: {error}", type(values).__name__) from error


def _of_masked(name: str, values: np.ma.MaskedArray[Any, Any]) -> Array:
    """The values of a masked array that masks none of them."""
    masked = int(np.count_nonzero(np.ma.getmaskarray(values)))
    if not masked:
        return np.asarray(values.data)
    hint = "labels.filled(255), with Settings(ignore=(255,))"
    if name != "labels":
        hint = f"{name}.data, labels of 255 in the masked pixels, and Settings(ignore=(255,))"
    raise ConfigError(
        f"{name} have a mask, and what is masked would be counted",
        expected="an array without a mask",
        found=f"{masked} of {values.size} values are masked",
        hint=hint,
    )


def _of_tensor(name: str, tensor: Any) -> tuple[Array, str]:
    """The values of a tensor, and the name of their type; NumPy has no bfloat16, so float32 stands in for it."""
    stored = str(tensor.dtype).removeprefix("torch.")
    if cure := _hidden(tensor):
        found = f"{type(tensor).__name__} of {stored}, {str(tensor.layout).removeprefix('torch.')}, on {tensor.device}"
        raise ConfigError(
            f"{name} do not hold one number for each value", expected="a dense tensor", found=found, hint=cure
        )
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    if stored == "bfloat16":
        tensor = tensor.float()
    try:
        return tensor.numpy(), stored
    except (TypeError, RuntimeError) as error:
        # Types that NumPy does not have, such as float8.
        hint = f"{name}.float(), if that is exact"
        raise _refuse(name, f"are {stored}, which NumPy does not have", stored, hint) from error


def _hidden(tensor: Any) -> str:
    """What to do first where the values of a tensor do not lie in memory as they are; nothing for a dense one."""
    if tensor.device.type == "meta":
        return "a tensor on a device that holds its values"
    if tensor.is_quantized:
        return "dequantize() it"
    if getattr(tensor, "is_nested", False):
        return "pass one image at a time"
    if str(tensor.layout) != "torch.strided":
        return "to_dense() it"
    return ""


def _refuse(name: str, problem: str, found: str, hint: str = "") -> ConfigError:
    hint = hint or f"{name} as an array or tensor of one of these types"
    return ConfigError(f"{name} {problem}", expected=_EXPECTED, found=found, hint=hint)
