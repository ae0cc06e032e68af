"""The notebook's loop on torch: masks and three sums a class for the soft Dice, an argmax and counts for the hard."""

from __future__ import annotations

import math

import torch

from benchmarks.contenders.task import EPS, Task


def main() -> None:
    """Pool the sums over all pairs, then take the ratios."""
    task = Task()
    soft: list[list[float]] = []  # a class: Σp·y, Σp, Σy
    hard: list[list[float]] = []  # a class: true positives, predicted
    for values, labels in task.pairs():
        probabilities = torch.from_numpy(values).to(task.device)
        if probabilities.dtype == torch.float16:
            probabilities = probabilities.float()
        target = torch.from_numpy(labels).to(task.device)
        _add(soft, [_soft_sums(p, target == c) for c, p in enumerate(probabilities)])
        decided = probabilities.argmax(0)
        _add(hard, [_hard_sums(decided == c, target == c) for c in range(len(probabilities))])
    task.report(
        {
            "pooled.loss": [-math.log((2 * i + EPS) / (p + y + EPS)) for i, p, y in soft],
            "pooled.dice": [2 * tp / (n + y) for (tp, n), (_, _, y) in zip(hard, soft, strict=True)],
        }
    )


def _soft_sums(p: torch.Tensor, truth: torch.Tensor) -> list[float]:
    y = truth.to(p.dtype)
    return [(p * y).sum().item(), p.sum().item(), y.sum().item()]


def _hard_sums(decided: torch.Tensor, truth: torch.Tensor) -> list[float]:
    return [(decided & truth).sum().item(), decided.sum().item()]


def _add(totals: list[list[float]], sums: list[list[float]]) -> None:
    totals[:] = [[a + b for a, b in zip(*both, strict=True)] for both in zip(totals or _zeros(sums), sums, strict=True)]


def _zeros(like: list[list[float]]) -> list[list[float]]:
    return [[0.0] * len(row) for row in like]


if __name__ == "__main__":
    main()
