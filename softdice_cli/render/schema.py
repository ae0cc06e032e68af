"""The JSON Schema of the results file, which follows from the list of metrics and from what a row and a class hold.

Each thing is defined once, under ``$defs``, in the order in which a reader of a file meets it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import fields
from typing import get_args

from softdice_cli.metrics import AVERAGES, METRICS, PER_CLASS, Metric
from softdice_cli.records import FORMAT, FORMAT_VERSION, Failure, Spread
from softdice_cli.records.intervals import Scope
from softdice_cli.records.results import Reason
from softdice_cli.records.run import members
from softdice_cli.records.to_json import COUNTS, SUMS
from softdice_cli.render.schema_words import (
    COUNT,
    FLAG,
    NUMBER_OR_NULL,
    TEXT,
    Schema,
    list_of,
    object_with,
    or_null,
    ref,
    told,
)
from softdice_cli.render.settings_schema import class_schema, region_schema, settings_schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_OF_SUMS = {
    "probability": "Σp of each class or region.",
    "intersection": "Σp·y of each, where y is 1 on its pixels.",
    "truth": "Pixels of each in the truth.",
    "predicted": "Pixels that were decided to be of each.",
    "true_positives": "Pixels of each in both.",
}


def schema_text() -> str:
    """The schema as a JSON document."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The schema of version 2 of the results file, in the words of JSON Schema 2020-12."""
    document = {
        "format": {"const": FORMAT},
        "version": {"const": FORMAT_VERSION},
        **{member.name: told(TEXT, member.description) for member in members().values()},
        "signature": told(TEXT, "How the numbers were made; equal signatures mean comparable numbers."),
        "settings": ref("settings"),
        "classes": told(list_of(ref("class")), "In the order of the channels."),
        "complete": told(FLAG, "Whether every pair was evaluated, and there was one; what was left out was not."),
        "shard": or_null(ref("shard")),
        "left_out": told(list_of(TEXT), "Files without a partner that were allowed to be missing."),
        "pooled": _pooled(),
        "image_mean": _image_mean(),
        "confusion": told(
            list_of(list_of(COUNT)),
            "Pixels of all images: a list for each predicted class, with a number for each true class. Only where "
            "each pixel is of exactly one of several classes.",
        ),
        "intervals": _intervals(),
        "images": told(list_of(ref("image")), "Sorted by id."),
        "failures": told(list_of(ref("failure")), "The pairs that could not be evaluated, sorted by id."),
        "requirements": told(list_of(ref("requirement")), "What was asked of the scores."),
        "digest": _digest(),
    }
    return {
        "$schema": _DIALECT,
        "title": "softdice results",
        "description": "What `softdice eval --format json` writes. Undefined scores are null. Sums are in pixels; "
        "every score follows from them.",
        **object_with(document, optional=(*_optional_texts(), "confusion", "intervals")),
        "$defs": _definitions(),
    }


def _digest() -> Schema:
    text = "Of all values but the scores of single images, which follow from their sums. It shows damage, not forgery."
    return told({**TEXT, "pattern": "^sha256:[0-9a-f]{64}$"}, text)


def _optional_texts() -> list[str]:
    """The texts about a run that are written only where there is something to say."""
    return [member.name for member in members().values() if not member.missing]


def _pooled() -> Schema:
    classes = {"items": _NOT_OVER_IMAGES}
    region_mean = {"properties": {"spread": False}}
    limits = {"properties": {"spread": False, "classes": classes, "regions": classes, "region_mean": region_mean}}
    return told({**ref("summary"), **limits}, "Sums over all images first, then the ratio.")


def _image_mean() -> Schema:
    classes = {"items": {"required": list(_OVER_IMAGES)}}
    limits = {"required": ["spread"], "properties": {"classes": classes, "regions": classes}}
    text = "Ratio per image, then the mean over the images where it is defined, then over classes."
    return told({**ref("summary"), **limits}, text)


def _intervals() -> Schema:
    return told(
        {**list_of(ref("score_interval")), "minItems": 1},
        "Only with --ci: 95 % bootstrap percentile intervals over the images; null for a single image, or where no "
        "resample defines the score.",
    )


def _definitions() -> Schema:
    return {
        "settings": settings_schema(),
        "class": class_schema(),
        "region": region_schema(),
        "shard": _shard(),
        **{_score_name(metric): _score(metric) for metric in METRICS},
        "class_scores": _class_scores(),
        "means": object_with(_means(PER_CLASS), optional=("spread",)),
        "summary": _summary(),
        "defined": _by_metric(
            COUNT, "How many images define each score of a class; how many classes, or images, stand behind a mean."
        ),
        "spreads": _by_metric(ref("spread"), "How each score is spread over the images where it is defined."),
        "spread": told(
            object_with({field.name: NUMBER_OR_NULL for field in fields(Spread)}),
            "Sample standard deviation (n − 1) and quartiles; null where too few images define the score.",
        ),
        "score_interval": _score_interval(),
        "interval": _interval(),
        "image": _image(),
        "sums": _sums(),
        "failure": object_with({field.name: TEXT for field in fields(Failure)}),
        "requirement": _requirement(),
    }


def _shard() -> Schema:
    place: Schema = {"type": "integer", "minimum": 1}
    digest = told(TEXT, "Digest of the ids of all pairs of the run.")
    files = told(TEXT, "Digest of the sizes and samples of all files of the run, where eval wrote the results.")
    members = {"index": place, "count": place, "pairs": place, "run": digest, "files": files}
    return object_with(members, optional=("files",))


def _score_name(metric: Metric) -> str:
    return f"{metric.name}_score"


def _score(metric: Metric) -> Schema:
    score = told(NUMBER_OR_NULL, f"{metric.title}: {metric.formula}.")
    if math.isfinite(metric.low):
        score["minimum"] = metric.low
    if math.isfinite(metric.high):
        score["maximum"] = metric.high
    return score


def _scores(metrics: Iterable[Metric]) -> Schema:
    return {metric.name: ref(_score_name(metric)) for metric in metrics}


def _class_scores() -> Schema:
    members = {"name": TEXT, **_scores(PER_CLASS), **dict.fromkeys(COUNTS, COUNT), **_OVER_IMAGES}
    return object_with(members, optional=tuple(_OVER_IMAGES))


def _means(metrics: Iterable[Metric]) -> Schema:
    """Scores over the classes; the spread is that over the images, so that only an image mean has it."""
    return {**_scores(metrics), **_OVER_IMAGES}


def _summary() -> Schema:
    members = {
        **_means(METRICS),
        "loss_present": told(NUMBER_OR_NULL, "Mean loss over the classes that have truth pixels."),
        "foreground": or_null(ref("means")),
        "classes": list_of(ref("class_scores")),
        "region_mean": told(ref("means"), "Over the regions, which overlap and are in none of the other means."),
        "regions": told(list_of(ref("class_scores")), "In the order of the settings."),
    }
    return object_with(members, optional=("spread", "region_mean", "regions"))


def _by_metric(value: Schema, description: str) -> Schema:
    """A value for each metric; the metrics that have no class stand beside means only."""
    without_class = [metric.name for metric in METRICS if not metric.per_class]
    return told(object_with({metric.name: value for metric in METRICS}, optional=without_class), description)


def _score_interval() -> Schema:
    return object_with(
        {
            "metric": {"enum": [metric.name for metric in METRICS]},
            "average": {"enum": list(AVERAGES)},
            "scope": {"enum": list(get_args(Scope))},
            "name": TEXT,
            "value": NUMBER_OR_NULL,
            "interval": or_null(ref("interval")),
        }
    )


def _interval() -> Schema:
    resamples = told({"type": "integer", "minimum": 1}, "How many resamples define the score.")
    return object_with({"low": {"type": "number"}, "high": {"type": "number"}, "resamples": resamples})


def _image() -> Schema:
    scores = {"$ref": "#/$defs/class_scores", **_NOT_OVER_IMAGES}
    return object_with(
        {
            "id": TEXT,
            "pred": TEXT,
            "gt": TEXT,
            "pixels": told(COUNT, "Without the ignored ones."),
            "ignored": COUNT,
            "sums": told(ref("sums"), "Of all classes, in the order of the channels."),
            "region_sums": told(ref("sums"), "Of the regions, in the order of the settings."),
            "confusion": _confusion(),
            "truth": told(
                {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                "Digest of the labels and of the region in which they are evaluated; equal digests mean one truth.",
            ),
            "classes": list_of(scores),
            "regions": list_of(scores),
        },
        optional=("region_sums", "confusion", "truth", "regions"),
    )


def _confusion() -> Schema:
    """What was counted wrongly in an image; what is right stands in the sums."""
    entry = {
        "type": "array",
        "prefixItems": [COUNT, COUNT, {"type": "integer", "minimum": 1}],
        "items": False,
        "minItems": 3,
    }
    return told(
        list_of(entry),
        "Places of the predicted and of the true class, and how many pixels; only of classes that differ, and only "
        "where there are such pixels.",
    )


def _sums() -> Schema:
    """A list for each sum, with one number a class or region."""
    members: Schema = {}
    for name, kind in SUMS.items():
        number: Schema = COUNT if kind is int else {"type": "number", "minimum": 0}
        members[name] = told(list_of(number), _OF_SUMS[name])
    return object_with(members)


def _requirement() -> Schema:
    return object_with(
        {
            "rule": TEXT,
            "value": NUMBER_OR_NULL,
            "operator": {"enum": [">=", ">", "<=", "<"]},
            "bound": {"type": "number"},
            "passed": FLAG,
            "reason": told({"enum": list(get_args(Reason))}, "Why it is not met whatever the value; or empty."),
            "images": list_of(TEXT),
            "note": told(TEXT, "What else is to be known, such as the classes that a mean is not over; or empty."),
            "margin": NUMBER_OR_NULL,
        }
    )


# What stands beside scores that are means over images.
_OVER_IMAGES: Schema = {"defined": ref("defined"), "spread": ref("spreads")}

_NOT_OVER_IMAGES: Schema = {"properties": dict.fromkeys(_OVER_IMAGES, False)}
