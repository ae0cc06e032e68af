"""Records as JSON values, as they stand in results files, journals and JSON lines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from softdice_cli.records.classes import ClassDef
from softdice_cli.records.results import ClassScores, Matrix, Scores, Summary, Verdict
from softdice_cli.records.rows import ClassSums, Failure, ImageRow
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
    """The settings; the classes are written beside them, and options that came after 0.1.0 only where they are used."""
    regions = [{"name": region.name, "members": list(region.members)} for region in settings.regions]
    newer = {
        "regions": regions,
        "foreground": settings.foreground,
        "multilabel": settings.multilabel,
        "only": settings.only,
        "white_is_zero": settings.white_is_zero,
        "roi": settings.roi,
        "thresholds": dict(settings.thresholds),
    }
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
        **{name: value for name, value in newer.items() if value},
    }


def classes_to_json(settings: Settings) -> list[dict[str, Any]]:
    """The classes: name and label, in the order of the channels."""
    return [{"name": definition.name, "value": _value(settings, definition)} for definition in settings.classes]


def _value(settings: Settings, definition: ClassDef) -> int | str | list[int | str] | None:
    """The label of a class, its labels in a list where there are several, or nothing where any label is meant."""
    labels = [_label(settings, label) for label in definition.labels]
    if len(labels) > 1:
        return labels
    return labels[0] if labels else None


def _label(settings: Settings, value: int) -> int | str:
    """A label as a file holds it: a number, or a colour as ``#rrggbb``."""
    if settings.colors:
        return settings.label_text(value)
    return value


def run_to_json(run: Run) -> dict[str, Any]:
    """What a run is, without its rows and failures, of which there may be many."""
    return {
        **_texts(run),
        "signature": run.settings.signature,
        "settings": settings_to_json(run.settings),
        "classes": classes_to_json(run.settings),
        "complete": run.complete,
        "shard": shard_to_json(run.shard),
        "left_out": list(run.left_out),
    }


def _texts(run: Run) -> dict[str, str]:
    """What the run says about itself; nothing stands for nothing."""
    texts = {member.name: getattr(run, name) for name, member in members().items()}
    return {name: text for name, text in texts.items() if text}


def row_to_json(row: ImageRow) -> dict[str, Any]:
    """An image and its sums."""
    more: dict[str, Any] = {}
    if row.regions:
        more["region_sums"] = _sums(row.regions)
    if row.confusion is not None:
        more["confusion"] = list(map(list, row.confusion))
    if row.truth:
        more["truth"] = row.truth
    return {
        "id": row.id,
        "pred": row.pred,
        "gt": row.gt,
        "pixels": row.pixels,
        "ignored": row.ignored,
        "sums": _sums(row.sums),
        **more,
    }


def _sums(entries: tuple[ClassSums, ...]) -> dict[str, list[Any]]:
    """A list for each sum, with a number for each class or region."""
    return {name: [getattr(sums, name) for sums in entries] for name in SUMS}


def failure_to_json(failure: Failure) -> dict[str, Any]:
    """A pair that could not be evaluated."""
    return asdict(failure)


def shard_to_json(shard: Shard | None) -> dict[str, Any] | None:
    """Which part of a run this is, or nothing for the whole."""
    if shard is None:
        return None
    members = asdict(shard)
    if not shard.files:
        del members["files"]
    return members


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
        **_regions(summary),
    }


def _regions(summary: Summary) -> dict[str, Any]:
    """The scores of the regions and their mean, where there are any."""
    if not summary.regions:
        return {}
    return {
        "region_mean": _means_to_json(summary.region_means),
        "regions": [class_to_json(scores) for scores in summary.regions],
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


def matrix_to_json(confusion: Matrix | None) -> list[list[int]] | None:
    """The pooled confusion: a list for each predicted class, with the pixels of each true class."""
    if confusion is None:
        return None
    return list(map(list, confusion))


def interval_to_json(entry: ScoreInterval) -> dict[str, Any]:
    """A score with its interval."""
    return asdict(entry)


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """A requirement and its verdict."""
    return {**asdict(verdict), "margin": verdict.margin}
