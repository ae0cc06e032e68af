"""Records as JSON values, as they stand in results files, journals and JSON lines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from softdice_cli.records.results import ClassScores, Scores, Summary, Verdict
from softdice_cli.records.rows import Failure, ImageRow
from softdice_cli.records.run import Run, Shard, members
from softdice_cli.records.settings import Settings

# Most results have no intervals, and need not import them.
if TYPE_CHECKING:
    from softdice_cli.records.intervals import ScoreInterval

# What stands beside the scores of a class, in pixels.
COUNTS = ("truth_pixels", "predicted_pixels", "true_positives")
# The sums of a row that a file holds for each class, and their types. The pixels stand once beside
# them.
SUMS = {"probability": float, "intersection": float, "truth": int, "predicted": int, "true_positives": int}


def settings_to_json(settings: Settings) -> dict[str, Any]:
    """The settings; the classes are written beside them."""
    return {
        "prediction": settings.prediction,
        "scale": settings.scale,
        "activation": settings.activation,
        "normalized": settings.normalized,
        "eps": settings.eps,
        "threshold": settings.threshold,
        "empty": settings.empty,
        "background": settings.background,
        "ignore": [_label(settings, value) for value in settings.ignore],
        "colors": settings.colors,
    }


def classes_to_json(settings: Settings) -> list[dict[str, Any]]:
    """The classes: name and label, in the order of the channels."""
    return [{"name": c.name, "value": _label(settings, c.value)} for c in settings.classes]


def _label(settings: Settings, value: int | None) -> int | str | None:
    """A label as a file holds it: a number, a colour as ``#rrggbb``, or nothing where any label is meant."""
    if value is None or not settings.colors:
        return value
    return settings.label_text(value)


def run_to_json(run: Run) -> dict[str, Any]:
    """What a run is, without its rows and failures, of which there may be many."""
    return {
        **{member.name: getattr(run, name) for name, member in members().items()},
        "signature": run.settings.signature,
        "settings": settings_to_json(run.settings),
        "classes": classes_to_json(run.settings),
        "complete": run.complete,
        "shard": shard_to_json(run.shard),
        "left_out": list(run.left_out),
    }


def row_to_json(row: ImageRow) -> dict[str, Any]:
    """An image and its sums."""
    return {
        "id": row.id,
        "pred": row.pred,
        "gt": row.gt,
        "pixels": row.pixels,
        "ignored": row.ignored,
        "sums": {name: [getattr(sums, name) for sums in row.sums] for name in SUMS},
    }


def failure_to_json(failure: Failure) -> dict[str, Any]:
    """A pair that could not be evaluated."""
    return asdict(failure)


def shard_to_json(shard: Shard | None) -> dict[str, Any] | None:
    """Which part of a run this is, or nothing for the whole."""
    if shard is None:
        return None
    return asdict(shard)


def class_to_json(scores: ClassScores) -> dict[str, Any]:
    """The scores of a class."""
    return {
        "name": scores.name,
        **scores.values,
        "truth_pixels": scores.truth_pixels,
        "predicted_pixels": scores.predicted_pixels,
        "true_positives": scores.true_positives,
        **_behind(scores),
    }


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """One of the two averages."""
    return {
        **summary.means.values,
        **_behind(summary.means),
        "loss_present": summary.loss_present,
        "foreground": _means_to_json(summary.foreground),
        "classes": [class_to_json(scores) for scores in summary.classes],
    }


def _means_to_json(means: Scores | None) -> dict[str, Any] | None:
    if means is None:
        return None
    return {**means.values, **_behind(means)}


def _behind(scores: Scores) -> dict[str, Any]:
    """What stands behind scores; nothing for the scores of a single image."""
    behind: dict[str, Any] = {}
    if scores.defined:
        behind["defined"] = dict(scores.defined)
    if scores.spread:
        behind["spread"] = {name: asdict(spread) for name, spread in scores.spread.items()}
    return behind


def interval_to_json(entry: ScoreInterval) -> dict[str, Any]:
    """A score with its interval."""
    return asdict(entry)


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """A requirement and its verdict."""
    return {**asdict(verdict), "margin": verdict.margin}
