"""What a comparison of two results is made of: every score, the images that changed most, and notes.

These are plain values without NumPy, so that every output can draw them.
"""

from __future__ import annotations

from dataclasses import dataclass

from softdice_cli.records.intervals import Average, Interval, Scope


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A score in both results, and its change; ``None`` is undefined.

    Attributes:
        metric: name of the metric.
        average: how it is averaged over images.
        scope: a single class, or the mean over all or the foreground classes; a region, or the mean over the regions.
        name: of the class or region, or ``mean``, ``foreground mean`` or ``region mean``.
        a: the score in A.
        b: the score in B.
        difference: B − A; below 0 is worse, except for a loss. ``None`` also for means that are not over the same
            classes.
        interval: of the difference; ``None`` for a single image, or where no resample defines it.
        p: two-sided paired permutation p-value; ``None`` where there is no interval.
        permutations: how many permutations define the difference and so stand behind `p`.
        better: images whose own score is better in B.
        worse: images whose own score is worse in B.
        tied: images whose own score is the same.
        undefined: images without a score of their own in A or in B.
    """

    metric: str
    average: Average
    scope: Scope
    name: str
    a: float | None
    b: float | None
    difference: float | None
    interval: Interval | None
    p: float | None
    permutations: int
    better: int
    worse: int
    tied: int
    undefined: int


@dataclass(frozen=True, slots=True)
class ImageChange:
    """Mean hard Dice of one image in both results, and of the class without which it would have changed least.

    The class may be undefined in one of them: a false positive that came or went changes the mean.
    """

    id: str
    a: float
    b: float
    difference: float
    class_name: str
    class_a: float | None
    class_b: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from A to B.

    Attributes:
        a: what the results are called, usually the file.
        b: the same for B.
        signature: of both.
        images: how many there are in each.
        resamples: how many resamples and permutations were asked for.
        seed: of the random numbers.
        scores: ordered by metric and average; within those, classes first, then means, then regions.
        changed: the images that changed most by mean hard Dice, the most first; unchanged ones are
            not among them.
        notes: what a reader must know, in sentences.
        left_out: how many pairs of A and of B lack a file, and were left out.
        pairs: how many there should be in A and in B.
        shards: which of A and B are only shards of a run, in words; or empty.
        other_classes: the classes whose pooled hard Dice one of the two alone defines, in words; or empty.
    """

    a: str
    b: str
    signature: str
    images: int
    resamples: int
    seed: int
    scores: tuple[ScoreChange, ...]
    changed: tuple[ImageChange, ...]
    notes: tuple[str, ...]
    left_out: tuple[int, int] = (0, 0)
    pairs: tuple[int, int] = (0, 0)
    shards: str = ""
    other_classes: str = ""

    @property
    def judged(self) -> ScoreChange:
        """The pooled mean hard Dice, which a verdict is about."""
        kind = ("dice", "pooled", "mean")
        return next(score for score in self.scores if (score.metric, score.average, score.scope) == kind)
