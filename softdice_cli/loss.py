"""The soft-Dice loss as a module to train with: differentiable, and safe with any target.

Its definition is that of the notebook that softdice grew from; see ``softdice_cli.notebook``. This
is the one part of the library that is about tensors in a training loop and not about files, and so
it needs torch.
"""

from __future__ import annotations

from softdice_cli.errors import ConfigError, LabelError, ShapeError
from softdice_cli.libraries import missing_torch

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:
    raise missing_torch("SoftDiceLoss", error) from error


# Types with which torch computes; of the others, such as float8, it only knows the names.
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class SoftDiceLoss(nn.Module):
    """−ln of the soft Dice, pooled over the batch, as the mean over all classes.

    For class c, with P = Σp, Y = Σy and I = Σp·y over all pixels of the batch that are not ignored,
    the soft Dice is (2I + ε) / (P + Y + ε). Source: the notebook's ``SoftDiceLoss``, which returned
    a number instead of a tensor.

    Args:
        num_classes: C ≥ 1. With C = 1 the channel is the foreground and targets are 0 or 1.
        eps: ε > 0, once in the numerator and once in the denominator, in pixels.
        ignore_index: label whose pixels are left out of every sum, or ``None``.
    """

    def __init__(self, num_classes: int, eps: float = 1e-5, *, ignore_index: int | None = None) -> None:
        super().__init__()
        if num_classes < 1:
            raise ConfigError(f"num_classes is {num_classes}", expected="1 or more")
        if not torch.finfo(torch.float32).tiny <= eps < float("inf"):
            raise ConfigError(f"eps is {eps}", expected="a finite number above 0 that float32 can hold")
        self.num_classes = num_classes
        self.eps = eps
        self.ignore_index = ignore_index

    def forward(self, probabilities: Tensor, target: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            probabilities: ``(B, C, *S)``, dense, of float16, bfloat16, float32 or float64; summed in float32 or
                wider.
            target: labels ``(B, *S)`` or ``(B, 1, *S)``, of any type that holds whole numbers, on the same device.

        Returns:
            A scalar tensor with a gradient; float32, or float64 for float64 input.

        Raises:
            ShapeError: the shapes do not belong together, hold no pixel, or are not those of dense tensors.
            LabelError: a label is neither a class nor ignored.
        """
        _check_tensors(probabilities, target)
        labels = self._labels(probabilities, target)
        wide = torch.promote_types(probabilities.dtype, torch.float32)
        truth = self._one_hot(labels).to(wide)
        values = probabilities.to(wide)
        if self.ignore_index is not None:
            # By where and not by a product, as NaN under an ignored pixel must not reach the sums
            # or the gradient.
            values = torch.where((labels != self.ignore_index).unsqueeze(1), values, values.new_zeros(()))
        axes = [0, *range(2, values.ndim)]
        intersection = (values * truth).sum(axes)
        total = values.sum(axes) + truth.sum(axes)
        return -torch.log((2 * intersection + self.eps) / (total + self.eps)).mean()

    def extra_repr(self) -> str:
        """The arguments, for ``print(module)``."""
        return f"num_classes={self.num_classes}, eps={self.eps}, ignore_index={self.ignore_index}"

    def _labels(self, probabilities: Tensor, target: Tensor) -> Tensor:
        """Targets as ``(B, *S)``, squeezed and never broadcast."""
        if probabilities.ndim < 3 or probabilities.shape[1] != self.num_classes:
            raise ShapeError(
                "the probabilities do not fit the classes",
                expected=f"(B, {self.num_classes}, *S)",
                found=str(tuple(probabilities.shape)),
            )
        plain = (probabilities.shape[0], *probabilities.shape[2:])
        if tuple(target.shape) == (plain[0], 1, *plain[1:]):
            target = target.squeeze(1)
        if tuple(target.shape) != plain:
            raise ShapeError(
                "the target does not fit the probabilities",
                expected=f"{plain}, with or without a 1 at axis 1",
                found=str(tuple(target.shape)),
            )
        # In a small integer type, comparisons would wrap.
        return target if target.is_floating_point() else target.long()

    def _one_hot(self, labels: Tensor) -> Tensor:
        """Whether each pixel is of each class, ``(B, C, *S)``; refuses labels that are not classes."""
        known = [1] if self.num_classes == 1 else list(range(self.num_classes))
        classes = torch.tensor(known, device=labels.device).reshape(1, -1, *[1] * (labels.ndim - 1))
        truth = labels.unsqueeze(1) == classes
        allowed = truth.any(1) if self.num_classes > 1 else truth.any(1) | (labels == 0)
        if self.ignore_index is not None:
            truth = truth & (labels != self.ignore_index).unsqueeze(1)
            allowed = allowed | (labels == self.ignore_index)
        if not bool(allowed.all()):
            raise self._refuse_labels(labels[~allowed])
        return truth

    def _refuse_labels(self, labels: Tensor) -> LabelError:
        strange = sorted(set(labels.tolist()))
        return LabelError(
            "the target has labels that are not classes",
            expected=f"0 to {max(self.num_classes - 1, 1)}",
            found=", ".join(map(str, strange[:12])),
            hint="ignore_index=…",
        )


def _check_tensors(probabilities: Tensor, target: Tensor) -> None:
    """Refuse what torch would refuse in words of its own, or turn into other numbers."""
    _check_dense("probabilities", probabilities)
    _check_dense("target", target)
    expected = "float16, bfloat16, float32 or float64"
    if not probabilities.is_floating_point():
        raise ShapeError("the probabilities are not floats", expected=expected, found=str(probabilities.dtype))
    if probabilities.dtype not in _FLOATS:
        problem = "torch cannot compute with the type of the probabilities"
        found = str(probabilities.dtype)
        raise ShapeError(problem, expected=expected, found=found, hint="probabilities.float()")
    if target.is_complex() or (target.is_floating_point() and target.dtype not in _FLOATS):
        raise ShapeError("the target does not hold labels", expected="whole numbers", found=str(target.dtype))
    if probabilities.device != target.device:
        raise ShapeError(
            "the target is on another device than the probabilities",
            expected=str(probabilities.device),
            found=str(target.device),
            hint="target.to(probabilities.device)",
        )
    if not target.numel():
        hint = "leave out a batch that is empty"
        raise ShapeError(
            "the target holds no pixel", expected="at least one", found=str(tuple(target.shape)), hint=hint
        )


def _check_dense(name: str, tensor: Tensor) -> None:
    found = type(tensor).__name__
    if not isinstance(tensor, Tensor):
        hint = f"torch.as_tensor({name})"
        raise ShapeError(f"not a tensor: {name}", expected="a tensor of torch", found=found, hint=hint)
    hint = ""
    if tensor.is_nested:
        hint = "one image at a time"
    elif tensor.layout != torch.strided:
        hint = f"{name}.to_dense()"
    elif tensor.is_quantized:
        hint = f"{name}.dequantize()"
    elif tensor.is_meta:
        hint = "a device that holds values"
    if hint:
        found = f"{found} of {tensor.dtype}, {tensor.layout}, on {tensor.device}"
        raise ShapeError(f"not a dense tensor: {name}", expected="one number in each place", found=found, hint=hint)
