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
            probabilities: ``(B, C, *S)``, any float type; summed in float32 or wider.
            target: labels ``(B, *S)`` or ``(B, 1, *S)``, of any type that holds whole numbers.

        Returns:
            A scalar tensor with a gradient; float32, or float64 for float64 input.

        Raises:
            ShapeError: the shapes do not belong together.
            LabelError: a label is neither a class nor ignored.
        """
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
        if not probabilities.is_floating_point():
            raise ShapeError("the probabilities are not floats", found=str(probabilities.dtype))
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
