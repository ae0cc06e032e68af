"""Whether a contender found what softdice found: a time is worth nothing if the numbers are others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE = 1e-4
"""Absolute; most of the others sum in float32."""

Numbers = Mapping[str, Any]


def differences(results: Numbers, claim: Numbers, tolerance: float = TOLERANCE) -> list[str]:
    """What differs, one line each; none if they agree.

    Args:
        results: softdice's, as saved.
        claim: what a contender printed: ``pairs``, and ``numbers`` such as ``pooled.dice`` with one value a class.
        tolerance: greatest absolute difference.
    """
    found = []
    if claim["pairs"] != len(results["images"]):
        found.append(f"it read {claim['pairs']} pairs, softdice {len(results['images'])}")
    for name, values in claim["numbers"].items():
        found += _lines(name, values, _expected(results, name), tolerance)
    return found or ([] if claim["numbers"] else ["it printed no number"])


def _lines(
    name: str, values: Sequence[float | None], expected: Sequence[float | None] | None, tolerance: float
) -> list[str]:
    if expected is None:
        return [f"{name} is no number of softdice's"]
    if len(values) != len(expected):
        return [f"{name} has {len(values)} values, softdice {len(expected)}"]
    return [
        f"{name}[{place}] is {value}, softdice {wanted}"
        for place, (value, wanted) in enumerate(zip(values, expected, strict=True))
        if not _same(value, wanted, tolerance)
    ]


def _same(value: float | None, wanted: float | None, tolerance: float) -> bool:
    if wanted is None or value is None or math.isnan(value):
        return wanted is None and (value is None or math.isnan(value))
    return abs(value - wanted) <= tolerance


def _expected(results: Numbers, name: str) -> list[float | None] | None:
    """Softdice's values of a name: one a class, but for what the floor adds up; ``None`` if there is no such name."""
    if name == "probability_per_pixel":
        images = results["images"]
        total = math.fsum(value for image in images for value in image["sums"]["probability"])
        return [total / sum(image["pixels"] for image in images)]
    scope, _, score = name.partition(".")
    classes = results[scope]["classes"] if scope in ("pooled", "image_mean") else []
    return [row[score] for row in classes] if classes and score in classes[0] else None
