"""Results: a run, and the scores that follow from its rows.

The arithmetic lives in `scores`, which fills the shapes declared here. None of them names a metric:
scores are held by the name of their metric, and the list of metrics is `metrics.METRICS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from softdice_cli.records.rows import Failure, ImageRow
from softdice_cli.records.run import Run, Shard
from softdice_cli.records.settings import Settings

# Most results have no intervals, and need not import them.
if TYPE_CHECKING:
    from softdice_cli.records.intervals import ScoreInterval

FORMAT = "softdice-results"
FORMAT_VERSION = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """How a score is spread over the images where it is defined.

    Attributes:
        mean: of the scores of the images. Of a class it is the image mean. Behind a mean over
            classes it is the average of the images' own means, which differs from the mean over
            the classes where an image lacks a class.
        sd: sample standard deviation (n − 1); ``None`` where fewer than two images define the
            score.
        q1: first quartile, linear between neighbours (NumPy's default); ``None`` where no image
            defines the score.
        median: second quartile.
        q3: third quartile.
    """

    mean: float | None
    sd: float | None
    q1: float | None
    median: float | None
    q3: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores by the name of their metric, which is also an attribute: ``scores.dice``.

    Attributes:
        values: the scores; ``None`` is undefined.
        defined: how many images stand behind each score of an image mean, or how many classes
            behind a mean.
        spread: how each score is spread over the images, in an image mean.
    """

    values: Mapping[str, float | None]
    defined: Mapping[str, int] = field(default_factory=dict)
    spread: Mapping[str, Spread] = field(default_factory=dict)

    def __getattr__(self, name: str) -> float | None:
        # Pickling and copying ask for special names before there are any values.
        if name.startswith("_") or name in ("values", "defined", "spread"):
            raise AttributeError(name)
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(f"there is no metric {name!r}") from None


@dataclass(frozen=True, slots=True)
class ClassScores(Scores):
    """The scores of one class, and the counts behind them, in pixels."""

    name: str = ""
    truth_pixels: int = 0
    predicted_pixels: int = 0
    true_positives: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """Scores of all images together, in one of the two ways of averaging.

    Attributes:
        classes: the scored classes.
        means: over the scored classes; beside them, the metrics that have no class.
        foreground: over the scored classes except the background; ``None`` if those are all or
            none.
        regions: the scores of the regions.
        region_means: over the regions, which overlap and so are never part of the other means; ``None`` where there
            are none.
        loss_present: mean loss over the classes that have truth pixels, in an image mean over the
            images that have the class; ``None`` if there are none.
    """

    classes: tuple[ClassScores, ...]
    means: Scores
    foreground: Scores | None
    loss_present: float | None
    regions: tuple[ClassScores, ...] = ()
    region_means: Scores | None = None

    @property
    def named(self) -> tuple[ClassScores, ...]:
        """The scores of the classes and of the regions: whatever a rule can name."""
        return self.classes + self.regions


Matrix = tuple[tuple[int, ...], ...]
"""Pixels by predicted class (rows) and true class (columns)."""

Reason = Literal["", "undefined", "incomplete", "incomparable", "refused"]
"""Why a requirement cannot be met whatever its bound, or nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A requirement and whether it is met.

    Attributes:
        rule: as the user wrote it, or as an option stands for it.
        value: the unrounded number that was judged; ``None`` is undefined, and never passes.
        operator: ``>=``, ``>``, ``<=`` or ``<``.
        bound: the number that it is held against.
        passed: whether it is met.
        reason: why it cannot be met whatever the value, or empty: ``undefined``, ``incomplete``, ``incomparable``
            with the baseline, because one of the two defines what the other does not, or ``refused``, because it could
            not be judged at all; then the note says why.
        images: for a rule on single images that is not met, the images that do not meet it, the
            worst first.
        note: what else is to be known of the value, such as the classes that it is not over; or empty.
    """

    rule: str
    value: float | None
    operator: str
    bound: float
    passed: bool
    reason: Reason = ""
    images: tuple[str, ...] = ()
    note: str = ""

    @property
    def margin(self) -> float | None:
        """How far the value is on the right side of the bound; below 0 on the wrong one."""
        if self.value is None:
            return None
        if self.operator.startswith(">"):
            return self.value - self.bound
        return self.bound - self.value


@dataclass(frozen=True, slots=True)
class Results:
    """A run and its scores.

    Attributes:
        run: what was evaluated; its rows and failures are sorted by id.
        pooled: sums first, then the ratio.
        image_mean: ratio per image, then the mean over images, then over classes.
        confusion: pixels of all images by predicted class (rows) and true class (columns), both in the order of the
            channels; ``None`` where that is not known of every image.
        requirements: what was asked of the scores, and whether it is met; `gates` fills it.
        intervals: 95 % bootstrap intervals, where they were asked for; `comparison` computes them.
    """

    run: Run
    pooled: Summary
    image_mean: Summary
    confusion: Matrix | None = None
    requirements: tuple[Verdict, ...] = ()
    intervals: tuple[ScoreInterval, ...] = ()

    @property
    def settings(self) -> Settings:
        """What the scores mean."""
        return self.run.settings

    @property
    def images(self) -> tuple[ImageRow, ...]:
        """One row an image, sorted by id."""
        return self.run.rows

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The pairs that could not be evaluated, sorted by id."""
        return self.run.failures

    @property
    def left_out(self) -> tuple[str, ...]:
        """Files without a partner that were allowed to be missing, one sentence each."""
        return self.run.left_out

    @property
    def shard(self) -> Shard | None:
        """Which part of a run this is, or ``None`` for the whole."""
        return self.run.shard

    @property
    def complete(self) -> bool:
        """Whether every pair was evaluated, and there was one; what was left out was not."""
        return self.run.complete
