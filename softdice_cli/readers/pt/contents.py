"""Which tensor of a ``.pt`` file is meant, and what is said where there is none that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.choice import choose, listed
from softdice_cli.readers.pt.archive import SAVE
from softdice_cli.readers.pt.values import Known, OtherTensor, Tensor

# What the last part of the name of a parameter of a model is.
_PARAMETERS = ("weight", "bias")


def pick(contents: Any, key: str | None, path: str) -> Tensor | OtherTensor:
    """The tensor of a file, or the one that the key names in a dict of tensors.

    Raises:
        UnreadableError: there is none, no such one, or several and no key; or they are the weights
            of a model.
    """
    if isinstance(contents, Tensor | OtherTensor):
        if key is not None:
            raise UnreadableError("holds one tensor and no keys", path=path, hint="leave out the key")
        return contents
    if not isinstance(contents, Mapping):
        raise _refuse("does not hold a tensor", path, _type_name(contents))
    tensors = {str(name): value for name, value in contents.items() if isinstance(value, Tensor | OtherTensor)}
    if key in tensors:
        return tensors[key]
    inner = sorted(_nested(contents))
    _refuse_weights(tensors, inner, path)
    if not tensors:
        keys = [f"{name} ({_type_name(value)})" for name, value in contents.items()]
        raise _refuse("holds no tensor by itself", path, listed([*keys, *inner]) or "an empty dict")
    return tensors[choose(list(tensors), key, path)]


def _nested(contents: Mapping[Any, Any]) -> set[str]:
    """The names of the tensors in dicts in a dict."""
    names = set()
    for name, inner in contents.items():
        if not isinstance(inner, Mapping):
            continue
        names |= {f"{name}.{part}" for part, value in inner.items() if isinstance(value, Tensor | OtherTensor)}
    return names


def _refuse_weights(tensors: Mapping[str, Tensor | OtherTensor], inner: list[str], path: str) -> None:
    # Single numbers, such as a loss, are saved beside the weights.
    names = [name for name, tensor in tensors.items() if not isinstance(tensor, Tensor) or tensor.shape] or inner
    if any(name.rpartition(".")[2] in _PARAMETERS for name in names):
        raise _refuse("looks like the weights of a model, not a prediction or a mask", path, listed(names))


def _type_name(value: Any) -> str:
    return value.kind if isinstance(value, Known) else type(value).__name__


def _refuse(problem: str, path: str, found: str) -> UnreadableError:
    return UnreadableError(
        problem,
        path=path,
        expected="a tensor, or a dict of tensors",
        found=found,
        hint=f"save the output of the model, the tensor alone: {SAVE}",
    )
