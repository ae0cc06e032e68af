"""MONAI: `DiceMetric` of the argmax, and `DiceLoss` of the probabilities, image by image."""

from __future__ import annotations

import torch
from monai.losses.dice import DiceLoss
from monai.metrics.meandice import DiceMetric

from benchmarks.contenders.task import EPS, Task


def main() -> None:
    """Give every pair to both."""
    task = Task()
    metric: DiceMetric | None = None
    loss = DiceLoss(to_onehot_y=True, reduction="none", smooth_nr=EPS, smooth_dr=EPS)
    losses: list[torch.Tensor] = []
    for values, labels in task.pairs():
        probabilities = torch.from_numpy(values).to(task.device)[None]
        target = torch.from_numpy(labels).to(task.device)[None, None]
        if metric is None:  # with ignore_empty=True, false positives of a class that is absent would vanish
            metric = DiceMetric(reduction="mean_batch", ignore_empty=False, num_classes=len(values))
        metric(probabilities.argmax(1, keepdim=True), target)
        losses.append(loss(probabilities.to(torch.promote_types(probabilities.dtype, torch.float32)), target).flatten())
    if metric is not None:
        soft = 1 - torch.stack(losses).double().mean(0)
        hard = torch.as_tensor(metric.aggregate())
        task.report({"image_mean.dice": hard.tolist(), "image_mean.soft_dice": soft.tolist()})


if __name__ == "__main__":
    main()
