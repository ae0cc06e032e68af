"""The example that softdice is checked against, rebuilt bit for bit with NumPy alone.

softdice grew from a notebook that defines a class ``SoftDiceLoss`` and prints its loss for one
example of random probabilities. Elsewhere in softdice, "the notebook" means that one: its
definition of the loss is that of softdice, and its example is what every engine is compared with.

The notebook calls ``torch.manual_seed(42)`` and draws ``torch.zeros(1, 3, 224,
224).uniform_().softmax(dim=1)``. torch's generator is the Mersenne Twister that NumPy has too. Its
softmax uses the exponential of SLEEF (``expf``, 1.0 ULP), whose fused multiply-adds are done here
in float64 and rounded once, so that no library and no machine changes a bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32_LOSS = 1.8738912343978882
"""What the notebook prints, from its own float32 sums."""

LOSS = 1.873891106797835
CLASS_LOSSES = (0.7206807817968619, 2.4530891364390177, 2.447903402157626)
DICE = (0.4838955192460285, 0.08190702725063344, 0.08483904465212877)

_SHAPE = (3, 224, 224)
_POLYNOMIAL = (0.00139304355252534151, 0.00833336077630519867, 0.0416664853692054749, 0.16666667163372039795, 0.5)

Float32 = NDArray[np.float32]


def example() -> tuple[Float32, NDArray[np.uint8]]:
    """The probabilities ``(3, 224, 224)``, float32, and the labels ``(224, 224)``, uint8."""
    labels = np.zeros(_SHAPE[1:], np.uint8)
    labels[:50, :50] = 1
    labels[50:100, 50:100] = 2
    return _softmax(_uniform()), labels


def _uniform() -> Float32:
    """Torch's float32 uniforms for seed 42: the low 24 bits of each draw."""
    size = int(np.prod(_SHAPE))
    draws = np.frombuffer(np.random.RandomState(42).bytes(4 * size), dtype="<u4")
    return ((draws & 0xFFFFFF) * np.float32(2**-24)).astype(np.float32).reshape(_SHAPE)


def _softmax(values: Float32) -> Float32:
    raised = _exp(values - values.max(axis=0))
    result: Float32 = raised / (raised[0] + raised[1] + raised[2])
    return result


def _exp(x: Float32) -> Float32:
    """SLEEF's ``expf``: 2^q · e^s with q = rint(x / ln 2), for x ≤ 0 and far from the underflow."""
    q = np.rint(x * np.float32(1.442695040888963407))
    s = _fma(q, np.float32(-0.693145751953125), x)
    s = _fma(q, np.float32(-1.428606765330187045e-06), s)
    u = np.full_like(x, 0.000198527617612853646)
    for coefficient in _POLYNOMIAL:
        u = _fma(u, s, np.float32(coefficient))
    result: Float32 = np.ldexp(np.float32(1) + _fma(s * s, u, s), q.astype(np.int32))
    return result


def _fma(a: Float32, b: Any, c: Any) -> Float32:
    """a·b + c, rounded once: the product of two float32 is exact in float64."""
    return (a.astype(np.float64) * np.float64(b) + np.float64(c)).astype(np.float32)
