"""Which tensor of a ``.pt`` file is meant, and what is said where there is none that can be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from softdice_cli.errors import UnreadableError, as_flag
from softdice_cli.readers.choice import choose, listed, proposed
from softdice_cli.readers.pt.archive import SAVE
from softdice_cli.readers.pt.values import Known, OtherTensor, Tensor

if TYPE_CHECKING:
    from softdice_cli.readers.source import ReadOptions

# What the last part of the name of a parameter of a model is.
_PARAMETERS = ("weight", "bias")


def pick(contents: Any, options: ReadOptions, path: str) -> Tensor | OtherTensor:
    """The tensor of a file, or the one that the key names in a dict of tensors.

    Raises:
        UnreadableError: there is none, no such one, or several and no key; or they are the weights
            of a model.
    """
    if isinstance(contents, Tensor | OtherTensor):
        if options.key is not None:
            raise UnreadableError(
                "holds one tensor and no keys", path=path, hint=f"leave out the key ({as_flag(options.option)})"
            )
        return contents
    if not isinstance(contents, Mapping):
        raise _refuse("does not hold a tensor", path, _type_name(contents))
    tensors = tensors_of(contents)
    if options.key in tensors:
        return tensors[str(options.key)]
    outer = [str(name) for name, value in contents.items() if isinstance(value, Tensor | OtherTensor)]
    inner = sorted(tensors.keys() - set(outer))
    _refuse_weights(tensors, outer, inner, path)
    if options.key is None and not outer:
        keys = [f"{name} ({_type_name(value)})" for name, value in contents.items()]
        cure = proposed(inner, options, path) if inner else ""
        raise _refuse("holds no tensor by itself", path, listed([*keys, *inner]) or "an empty dict", cure)
    # A tensor beside dicts of others is the one that is meant.
    if options.key is None and len(outer) == 1:
        return tensors[outer[0]]
    return tensors[choose([*outer, *inner], options, path)]


def tensors_of(contents: Any) -> dict[str, Tensor | OtherTensor]:
    """The tensors of a dict by their names; ``outputs.masks`` is ``masks`` in the dict ``outputs`` in it."""
    tensors: dict[str, Tensor | OtherTensor] = {}
    if not isinstance(contents, Mapping):
        return tensors
    # Not by recursion, and each dict once: a dict may hold itself. The outer names come first.
    waiting: deque[tuple[str, Mapping[Any, Any]]] = deque([("", contents)])
    seen = {id(contents)}
    while waiting:
        prefix, inner = waiting.popleft()
        for name, value in inner.items():
            if isinstance(value, Tensor | OtherTensor):
                tensors.setdefault(f"{prefix}{name}", value)
            elif isinstance(value, Mapping) and id(value) not in seen:
                seen.add(id(value))
                waiting.append((f"{prefix}{name}.", value))
    return tensors


def _refuse_weights(tensors: Mapping[str, Tensor | OtherTensor], outer: list[str], inner: list[str], path: str) -> None:
    # Single numbers, such as a loss, are saved beside the weights.
    names = [name for name in outer if not _is_number(tensors[name])] or inner
    if any(name.rpartition(".")[2] in _PARAMETERS for name in names):
        raise _refuse("looks like the weights of a model, not a prediction or a mask", path, listed(names))


def _is_number(tensor: Tensor | OtherTensor) -> bool:
    return isinstance(tensor, Tensor) and not tensor.shape


def _type_name(value: Any) -> str:
    return value.kind if isinstance(value, Known) else type(value).__name__


def _refuse(problem: str, path: str, found: str, cure: str = "") -> UnreadableError:
    return UnreadableError(
        problem,
        path=path,
        expected="a tensor, or a dict of tensors",
        found=found,
        hint=cure or f"save the output of the model, the tensor alone: {SAVE}",
    )
