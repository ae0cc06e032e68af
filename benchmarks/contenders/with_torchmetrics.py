"""TorchMetrics: hard Dice of the argmax, image by image. It has no Dice of probabilities, so it does less."""

from __future__ import annotations

import torch
from torchmetrics.segmentation import DiceScore

from benchmarks.contenders.task import Task


def main() -> None:
    """Update the metric with every pair."""
    task = Task()
    metric: DiceScore | None = None
    for values, labels in task.pairs():
        probabilities = torch.from_numpy(values).to(task.device)[None]
        target = torch.from_numpy(labels).to(task.device)[None].long()
        if metric is None:
            metric = DiceScore(len(values), average="none", input_format="index").to(task.device)
        metric.update(probabilities.argmax(1), target)
    if metric is not None:
        task.report({"image_mean.dice": metric.compute().tolist()})


if __name__ == "__main__":
    main()
