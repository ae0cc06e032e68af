"""The JSON Schema of the results file, which follows from the list of metrics and from what a row and a class hold.

Each thing is defined once, under ``$defs``, in the order in which a reader of a file meets it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any, get_args

from softdice_cli.metrics import AVERAGES, METRICS, PER_CLASS, Metric
from softdice_cli.records import FORMAT, FORMAT_VERSION, Failure, Spread
from softdice_cli.records.intervals import Scope
from softdice_cli.records.run import members
from softdice_cli.records.to_json import COUNTS, SUMS

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}

_OF_SUMS = {
    "probability": "Σp of each class.",
    "intersection": "Σp·y of each class, where y is 1 on the pixels of the class.",
    "truth": "Pixels of each class in the truth.",
    "predicted": "Pixels that were decided to be of each class.",
    "true_positives": "Pixels of each class in both.",
}


def schema_text() -> str:
    """The schema as a JSON document."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The schema of version 2 of the results file, in the words of JSON Schema 2020-12."""
    document = {
        "format": {"const": FORMAT},
        "version": {"const": FORMAT_VERSION},
        **{member.name: _told(_TEXT, member.description) for member in members().values()},
        "signature": _told(_TEXT, "How the numbers were made; equal signatures mean comparable numbers."),
        "settings": _ref("settings"),
        "classes": _told(_list_of(_ref("class")), "In the order of the channels."),
        "complete": _told(_FLAG, "Whether every pair was evaluated, and there was one."),
        "shard": _or_null(_ref("shard")),
        "left_out": _told(_list_of(_TEXT), "Files without a partner that were allowed to be missing."),
        "pooled": _pooled(),
        "image_mean": _image_mean(),
        "intervals": _intervals(),
        "images": _told(_list_of(_ref("image")), "Sorted by id."),
        "failures": _told(_list_of(_ref("failure")), "The pairs that could not be evaluated, sorted by id."),
        "requirements": _told(_list_of(_ref("requirement")), "What was asked of the scores."),
    }
    return {
        "$schema": _DIALECT,
        "title": "softdice results",
        "description": "What `softdice eval --format json` writes. Undefined scores are null. Sums are in pixels; "
        "every score follows from them.",
        **_object(document, optional=("intervals",)),
        "$defs": _definitions(),
    }


def _pooled() -> Schema:
    classes = {"items": _NOT_OVER_IMAGES}
    limits = {"properties": {"spread": False, "classes": classes}}
    return _told({**_ref("summary"), **limits}, "Sums over all images first, then the ratio.")


def _image_mean() -> Schema:
    classes = {"items": {"required": list(_OVER_IMAGES)}}
    limits = {"required": ["spread"], "properties": {"classes": classes}}
    text = "Ratio per image, then the mean over the images where it is defined, then over classes."
    return _told({**_ref("summary"), **limits}, text)


def _intervals() -> Schema:
    return _told(
        {**_list_of(_ref("score_interval")), "minItems": 1},
        "Only with --ci: 95 % bootstrap percentile intervals over the images; null for a single image, or where no "
        "resample defines the score.",
    )


def _definitions() -> Schema:
    return {
        "settings": _settings(),
        "class": _object({"name": _TEXT, "value": {"type": ["integer", "string", "null"]}}),
        "shard": _shard(),
        **{_score_name(metric): _score(metric) for metric in METRICS},
        "class_scores": _class_scores(),
        "means": _object(_means(PER_CLASS), optional=("spread",)),
        "summary": _summary(),
        "defined": _by_metric(
            _COUNT, "How many images define each score of a class; how many classes, or images, stand behind a mean."
        ),
        "spreads": _by_metric(_ref("spread"), "How each score is spread over the images where it is defined."),
        "spread": _told(
            _object({field.name: _NUMBER_OR_NULL for field in fields(Spread)}),
            "Sample standard deviation (n − 1) and quartiles; null where too few images define the score.",
        ),
        "score_interval": _score_interval(),
        "interval": _interval(),
        "image": _image(),
        "sums": _sums(),
        "failure": _object({field.name: _TEXT for field in fields(Failure)}),
        "requirement": _requirement(),
    }


def _settings() -> Schema:
    return _object(
        {
            "prediction": {"enum": ["probabilities", "labels"]},
            "scale": {"type": ["integer", "null"], "minimum": 1},
            "activation": {"enum": ["none", "softmax", "sigmoid"]},
            "normalized": _FLAG,
            "eps": {"type": "number", "exclusiveMinimum": 0},
            "threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "empty": {"enum": ["skip", "one", "zero"]},
            "background": _FLAG,
            "ignore": _list_of({"type": ["integer", "string"]}),
            "colors": _FLAG,
        }
    )


def _shard() -> Schema:
    place: Schema = {"type": "integer", "minimum": 1}
    digest = _told(_TEXT, "Digest of the ids of all pairs of the run.")
    return _object({"index": place, "count": place, "pairs": place, "run": digest})


def _score_name(metric: Metric) -> str:
    return f"{metric.name}_score"


def _score(metric: Metric) -> Schema:
    score = _told(_NUMBER_OR_NULL, f"{metric.title}: {metric.formula}.")
    if math.isfinite(metric.low):
        score["minimum"] = metric.low
    if math.isfinite(metric.high):
        score["maximum"] = metric.high
    return score


def _scores(metrics: Iterable[Metric]) -> Schema:
    return {metric.name: _ref(_score_name(metric)) for metric in metrics}


def _class_scores() -> Schema:
    members = {"name": _TEXT, **_scores(PER_CLASS), **dict.fromkeys(COUNTS, _COUNT), **_OVER_IMAGES}
    return _object(members, optional=tuple(_OVER_IMAGES))


def _means(metrics: Iterable[Metric]) -> Schema:
    """Scores over the classes; the spread is that over the images, so that only an image mean has it."""
    return {**_scores(metrics), **_OVER_IMAGES}


def _summary() -> Schema:
    members = {
        **_means(METRICS),
        "loss_present": _told(_NUMBER_OR_NULL, "Mean loss over the classes that have truth pixels."),
        "foreground": _or_null(_ref("means")),
        "classes": _list_of(_ref("class_scores")),
    }
    return _object(members, optional=("spread",))


def _by_metric(value: Schema, description: str) -> Schema:
    """A value for each metric; the metrics that have no class stand beside means only."""
    without_class = [metric.name for metric in METRICS if not metric.per_class]
    return _told(_object({metric.name: value for metric in METRICS}, optional=without_class), description)


def _score_interval() -> Schema:
    return _object(
        {
            "metric": {"enum": [metric.name for metric in METRICS]},
            "average": {"enum": list(AVERAGES)},
            "scope": {"enum": list(get_args(Scope))},
            "name": _TEXT,
            "value": _NUMBER_OR_NULL,
            "interval": _or_null(_ref("interval")),
        }
    )


def _interval() -> Schema:
    resamples = _told({"type": "integer", "minimum": 1}, "How many resamples define the score.")
    return _object({"low": {"type": "number"}, "high": {"type": "number"}, "resamples": resamples})


def _image() -> Schema:
    return _object(
        {
            "id": _TEXT,
            "pred": _TEXT,
            "gt": _TEXT,
            "pixels": _told(_COUNT, "Without the ignored ones."),
            "ignored": _COUNT,
            "sums": _ref("sums"),
            "classes": _list_of({"$ref": "#/$defs/class_scores", **_NOT_OVER_IMAGES}),
        }
    )


def _sums() -> Schema:
    """A list for each sum, with one number a class."""
    members: Schema = {}
    for name, kind in SUMS.items():
        number: Schema = _COUNT if kind is int else {"type": "number", "minimum": 0}
        members[name] = _told(_list_of(number), _OF_SUMS[name])
    return _told(_object(members), "Of all classes, in the order of the channels.")


def _requirement() -> Schema:
    return _object(
        {
            "rule": _TEXT,
            "value": _NUMBER_OR_NULL,
            "operator": {"enum": [">=", ">", "<=", "<"]},
            "bound": {"type": "number"},
            "passed": _FLAG,
            "reason": _TEXT,
            "images": _list_of(_TEXT),
            "margin": _NUMBER_OR_NULL,
        }
    )


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _or_null(value: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, value]}


def _list_of(value: Schema) -> Schema:
    return {"type": "array", "items": value}


def _told(value: Schema, description: str) -> Schema:
    return {**value, "description": description}


def _object(members: Schema, optional: Collection[str] = ()) -> Schema:
    """An object that has these members and no others."""
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


# What stands beside scores that are means over images.
_OVER_IMAGES: Schema = {"defined": _ref("defined"), "spread": _ref("spreads")}

_NOT_OVER_IMAGES: Schema = {"properties": dict.fromkeys(_OVER_IMAGES, False)}
