"""softdice's scores are those of scikit-learn, TorchMetrics and MONAI, per class, pooled, per image and as image mean.

The oracles see the pixels that count, as ``(classes, pixels)`` arrays with the ignored ones dropped by hand; softdice
sees the files as a user saves them, with NaN under every ignored pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.losses import DiceLoss
from monai.metrics import DiceMetric, MeanIoU, compute_dice, compute_iou
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score
from torchmetrics.functional.segmentation import dice_score, mean_iou
from torchmetrics.segmentation import DiceScore

from softdice_cli import ClassDef, ClassScores, Results, Settings, Summary, evaluate, score_image
from softdice_cli.scores import summarize

EXACT = 1e-12  # both sides in float64
SINGLE = 2e-7  # TorchMetrics divides integer counts in float32, MONAI's metrics average in it: a few units of rounding
IGNORE = 255


@dataclass(frozen=True)
class Case:
    """How the files of an evaluation are drawn."""

    channels: int
    shapes: tuple[tuple[int, ...], ...]
    truth: tuple[tuple[int, ...], ...] = ()  # the classes that stand in each image's truth; all of them if left out
    silent: tuple[int, ...] = ()  # channels that are never the greatest
    ignored: int = 0  # pixels of each image
    coarse: bool = False  # probabilities are quarters: many ties, and many p = 0.5 in one channel
    label_map: bool = False
    values: tuple[int, ...] = ()  # label of each class, where it is not its index

    @property
    def ids(self) -> list[int]:
        """The classes that have a score; the only one of a one-channel map is 1, and 0 is what is not it."""
        return [1] if self.channels == 1 else list(range(self.channels))

    @property
    def settings(self) -> Settings:
        values = self.values or tuple(range(self.channels))
        named = tuple(ClassDef(f"c{value}", value) for value in values) if self.label_map or self.values else ()
        ignore = (IGNORE,) if self.ignored else ()
        return Settings(classes=named, ignore=ignore, prediction="labels" if self.label_map else "probabilities")


CASES = {
    "one image of two classes": Case(2, ((7, 9),)),
    "three images of four classes": Case(4, ((12, 11),) * 3),
    "images of different sizes": Case(3, ((5, 8), (13, 3), (1, 30))),
    "volumes": Case(3, ((4, 5, 6),) * 2),
    "a row of pixels": Case(3, ((41,),) * 2),
    "more classes than an image has of each": Case(20, ((6, 7),) * 3),  # 20·20 + 19 is more than a uint8 holds
    "a class without truth, predicted": Case(3, ((8, 8),) * 2, truth=((0, 1), (0, 1))),  # Dice 0, counted
    "a class without truth, never predicted": Case(3, ((8, 8),) * 2, truth=((0, 1), (0, 1)), silent=(2,)),  # 0/0
    "a class that is in some images only": Case(3, ((8, 8),) * 3, truth=((0, 1), (0, 2), (0,)), silent=(1,)),
    "truth of one class only": Case(3, ((8, 8),) * 2, truth=((0,), (0,)), silent=(1, 2)),
    "a class that is never predicted": Case(3, ((8, 8),) * 2, silent=(1,)),  # precision 0/0, recall 0
    "an ignore label": Case(3, ((9, 9),) * 3, ignored=20),
    "an ignore label, images of different sizes": Case(3, ((5, 8), (13, 3)), ignored=11, silent=(2,)),
    "ties": Case(4, ((15, 15),) * 2, coarse=True),  # the first maximum wins
    "one channel": Case(1, ((10, 9),) * 3),
    "one channel, truth of one image empty": Case(1, ((10, 9),) * 3, truth=((0, 1), (0,), (0, 1))),
    "one channel, p = 0.5": Case(1, ((10, 9),) * 2, coarse=True),  # not foreground: p > 0.5
    "one channel, an ignore label": Case(1, ((10, 9),) * 2, ignored=7),
    "label maps": Case(4, ((10, 9),) * 2, label_map=True),
    "label maps, labels of their own, an ignore label": Case(
        3, ((4, 9),) * 2, ignored=5, label_map=True, values=(7, 3, 40)
    ),
    "labels of their own": Case(3, ((4, 9),) * 2, values=(0, 128, 254)),
}


@dataclass(frozen=True)
class Pixels:
    """The pixels that count: probabilities ``(C, n)``, and the classes of truth and decision ``(n,)``."""

    p: np.ndarray
    truth: np.ndarray
    decided: np.ndarray


@dataclass(frozen=True)
class Scene:
    """An evaluated case, and what the oracles see of it."""

    case: Case
    images: tuple[Pixels, ...]
    pooled: Pixels
    results: Results

    def judged(self, **changes: Any) -> Results:
        """The results under other settings, from the same sums."""
        return summarize(replace(self.results.run, settings=replace(self.results.settings, **changes)))


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    case, rng = request.param, np.random.default_rng(20)
    folder = tmp_path_factory.mktemp("scene")
    drawn = [_draw(case, rng, folder, index) for index in range(len(case.shapes))]
    results = evaluate([pair for pair, _ in drawn], settings=case.settings)
    assert results.complete
    images = tuple(pixels for _, pixels in drawn)
    pooled = (np.concatenate([getattr(i, name) for i in images], -1) for name in ("p", "truth", "decided"))
    return Scene(case, images, Pixels(*pooled), results)


def _draw(case: Case, rng: np.random.Generator, folder: Path, index: int) -> tuple[tuple[Path, Path], Pixels]:
    """Saves one prediction and its mask; returns their paths and the pixels that count."""
    shape = case.shapes[index]
    truth = rng.choice(case.truth[index] if case.truth else range(max(2, case.channels)), shape)
    p = _probabilities(case, rng, truth)
    decided = p.argmax(0) if case.channels > 1 else (p[0] > 0.5).astype(int)
    if case.label_map:
        p = (decided == np.arange(case.channels).reshape(-1, *[1] * len(shape))).astype(np.float64)
    labels = np.array(case.values or range(max(2, case.channels)))
    mask, stored = labels[truth], labels[decided] if case.label_map else p.copy()
    keep = np.ones(shape, bool)
    keep.flat[rng.choice(keep.size, case.ignored, replace=False)] = False
    mask[~keep] = IGNORE
    if not case.label_map:
        stored[:, ~keep] = np.nan
    paths = folder / f"p{index}.npy", folder / f"m{index}.npy"
    np.save(paths[0], stored)
    np.save(paths[1], mask)
    return paths, Pixels(p[:, keep], truth[keep], decided[keep])


def _probabilities(case: Case, rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """Float64 ``(C, *S)``, right in most pixels."""
    if case.coarse:
        weights = np.full(max(2, case.channels), 1 / max(2, case.channels))
        return np.moveaxis(rng.multinomial(4, weights, truth.shape) / 4, -1, 0)[-case.channels :]
    raw = rng.random((max(2, case.channels), *truth.shape))
    raw += 0.6 * (truth == np.arange(len(raw)).reshape(-1, *[1] * truth.ndim))
    raw[list(case.silent)] *= 1e-3
    return (raw / raw.sum(0))[-case.channels :]  # one channel: that of the foreground


def column(classes: Sequence[ClassScores], score: str) -> np.ndarray:
    """One score of each class, with NaN for undefined."""
    return np.array([np.nan if getattr(c, score) is None else getattr(c, score) for c in classes])


def same(found: Any, expected: Any, tolerance: float = EXACT) -> None:
    found = np.array(np.nan if found is None else found)
    np.testing.assert_allclose(found, np.asarray(expected, np.float64), rtol=0, atol=tolerance)


def mean(values: np.ndarray) -> np.ndarray | float:
    """Mean of the defined values over the first axis; NaN if there are none."""
    count = (~np.isnan(values)).sum(0)
    return np.where(count > 0, np.nansum(values, 0) / np.maximum(count, 1), np.nan)


def scopes(scene: Scene, results: Results) -> Iterator[tuple[Sequence[ClassScores], Pixels]]:
    """All images pooled, and each of them."""
    yield results.pooled.classes, scene.pooled
    yield from zip([score_image(results.settings, i) for i in results.images], scene.images, strict=True)


def one_hot(case: Case, classes: np.ndarray) -> torch.Tensor:
    """``(1, C, n)``, float64."""
    return torch.from_numpy((classes == np.array(case.ids)[:, None]).astype(np.float64))[None]


def batches(scene: Scene) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Probabilities, decision and truth of all images ``(B, C, n)``; end to end ``(1, C, Σn)`` where sizes differ."""
    axis = 0 if len({image.truth.size for image in scene.images}) == 1 else 2
    columns = zip(*(tensors(scene.case, image) for image in scene.images), strict=True)
    p, decided, truth = (torch.cat(column, axis) for column in columns)
    return p, decided, truth


def tensors(case: Case, pixels: Pixels) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.from_numpy(pixels.p)[None], one_hot(case, pixels.decided), one_hot(case, pixels.truth)


Metric = Callable[..., np.ndarray]
SKLEARN = {"dice": f1_score, "iou": jaccard_score, "precision": precision_score, "recall": recall_score}
EMPTY = {"skip": np.nan, "one": 1.0, "zero": 0.0}  # --empty is scikit-learn's zero_division


def _by_sklearn(metric: Metric, scene: Scene, pixels: Pixels, empty: str) -> np.ndarray:
    zero_division = EMPTY[empty]
    if metric is jaccard_score and empty == "skip":  # it knows 0 and 1 only; where they differ, it is 0/0
        zero, one = (_by_sklearn(metric, scene, pixels, value) for value in ("zero", "one"))
        return np.where(zero == one, zero, np.nan)
    options = {"labels": scene.case.ids, "average": None, "zero_division": zero_division}
    return metric(pixels.truth, pixels.decided, **options)


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("score", SKLEARN)
def test_scores_are_those_of_scikit_learn(scene: Scene, score: str, empty: str):
    results = scene.judged(empty=empty)
    expected = []
    for classes, pixels in scopes(scene, results):
        expected.append(_by_sklearn(SKLEARN[score], scene, pixels, empty))
        same(column(classes, score), expected[-1])
    image_mean = mean(np.array(expected[1:]))
    same(column(results.image_mean.classes, score), image_mean)
    if score in ("dice", "iou"):  # the two that have a mean over classes
        same(getattr(results.pooled.means, score), mean(expected[0]))
        same(getattr(results.image_mean.means, score), mean(image_mean))


def test_defined_counts_the_images_where_scikit_learn_has_a_number(scene: Scene):
    for score in ("dice", "precision", "recall"):
        numbers = np.array([_by_sklearn(SKLEARN[score], scene, image, "skip") for image in scene.images])
        counts = [scores.defined[score] for scores in scene.results.image_mean.classes]
        same(counts, (~np.isnan(numbers)).sum(0))


def test_dice_is_that_of_torchmetrics(scene: Scene):
    classes, results = len(scene.case.ids), scene.results
    for found, pixels in scopes(scene, results):
        _, decided, truth = (t.long() for t in tensors(scene.case, pixels))
        same(column(found, "dice"), dice_score(decided, truth, classes, average="none")[0], SINGLE)
    _, decided, truth = (t.long() for t in batches(scene))
    options = {"average": "none", "aggregation_level": "global"}
    same(column(results.pooled.classes, "dice"), dice_score(decided, truth, classes, **options)[0], SINGLE)
    macro = dice_score(decided, truth, classes, average="macro", aggregation_level="global")
    same([results.pooled.means.dice], macro, SINGLE)


def test_image_mean_of_dice_is_that_of_torchmetrics(scene: Scene):
    metric = DiceScore(len(scene.case.ids), average="none")  # samplewise, then nanmean over the samples
    for image in scene.images:
        _, decided, truth = tensors(scene.case, image)
        metric.update(decided.long(), truth.long())
    same(column(scene.results.image_mean.classes, "dice"), metric.compute(), SINGLE)


def test_iou_is_that_of_torchmetrics(scene: Scene):
    for classes, pixels in scopes(scene, scene.results):
        _, decided, truth = (t.long() for t in tensors(scene.case, pixels))
        expected = mean_iou(decided, truth, len(scene.case.ids), per_class=True)[0]
        same(np.nan_to_num(column(classes, "iou"), nan=-1), expected, SINGLE)  # its undefined is −1


def test_dice_and_iou_are_those_of_monai(scene: Scene):
    results = scene.judged(empty="one")  # MONAI's ignore_empty=True would drop false positives; with False, 0/0 is 1
    kinds = {"dice": DiceMetric, "iou": MeanIoU}
    metrics = {score: kind(reduction="mean_batch", ignore_empty=False) for score, kind in kinds.items()}
    tolerance = SINGLE if scene.case.channels == 1 else EXACT  # compute_dice makes one channel boolean, then float32
    for classes, pixels in scopes(scene, results):
        _, decided, truth = tensors(scene.case, pixels)  # float64, so that MONAI divides in float64
        same(column(classes, "dice"), compute_dice(decided, truth, ignore_empty=False)[0], tolerance)
        same(column(classes, "iou"), compute_iou(decided, truth, ignore_empty=False)[0])
        if pixels is not scene.pooled:
            for metric in metrics.values():
                metric(decided, truth)
    for name, metric in metrics.items():
        same(column(results.image_mean.classes, name), metric.aggregate(), SINGLE)


def _check_soft(summary: Summary | Sequence[ClassScores], f: torch.Tensor) -> None:
    classes = summary.classes if isinstance(summary, Summary) else summary
    soft = 1 - f.flatten().numpy()
    same(column(classes, "soft_dice"), soft)
    present = column(classes, "truth_pixels") > 0  # elsewhere 1 − f cancels to ε/(P + ε), and the logarithm shows it
    same(column(classes, "loss")[present], -np.log(soft[present]))


@pytest.mark.parametrize("eps", [1e-5, 1.0, 1e-9])
def test_soft_dice_is_that_of_monai(scene: Scene, eps: float):
    # DiceLoss is 1 − (2·tp + smooth_nr) / (2·(tp + fp/2 + fn/2) + smooth_dr) with tp = I, fp = P − I and fn = Y − I.
    # The denominator is 2I + (P − I) + (Y − I) = P + Y, so smooth_nr = smooth_dr = ε gives 1 − soft Dice.
    results = scene.judged(eps=eps)
    options = {"reduction": "none", "smooth_nr": eps, "smooth_dr": eps}
    p, _, truth = batches(scene)
    _check_soft(results.pooled, DiceLoss(batch=True, **options)(p, truth))
    for classes, image in zip([score_image(results.settings, i) for i in results.images], scene.images, strict=True):
        p, _, truth = tensors(scene.case, image)
        _check_soft(classes, DiceLoss(batch=False, **options)(p, truth))


def test_image_mean_of_soft_dice_is_that_of_monai(scene: Scene):
    rows = [DiceLoss(reduction="none")(*tensors(scene.case, image)[::2]).flatten().numpy() for image in scene.images]
    same(column(scene.results.image_mean.classes, "soft_dice"), 1 - np.mean(rows, 0))
    same([scene.results.image_mean.means.soft_dice], [1 - np.mean(rows)])


def test_foreground_is_monai_without_background(scene: Scene):
    if scene.case.channels == 1:
        assert scene.results.pooled.foreground is None  # there is no background to leave out
        return
    p, _, truth = batches(scene)
    f = DiceLoss(include_background=False, reduction="none", batch=True)(p, truth)
    bare = scene.judged(background=False)
    _check_soft(bare.pooled, f)
    foreground, means = scene.results.pooled.foreground, bare.pooled.means
    # Accuracy has no class, so there is none of the foreground.
    assert foreground.values == {name: means.values[name] for name in means.values if name != "accuracy"}
    assert foreground.defined == means.defined
    _, decided, truth = tensors(scene.case, scene.pooled)
    dice = compute_dice(decided, truth, include_background=False, ignore_empty=False)[0]
    same(column(scene.judged(background=False, empty="one").pooled.classes, "dice"), dice)
    same(scene.judged(empty="one").pooled.foreground.dice, dice.mean())
