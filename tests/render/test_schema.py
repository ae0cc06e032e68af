"""The JSON Schema: what it is made of, what follows it, and what does not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from rendered import NAMES, NORMAL, results

from softdice_cli.comparison import intervals
from softdice_cli.metrics import METRICS
from softdice_cli.records import Shard
from softdice_cli.render import to_text
from softdice_cli.render.schema import schema, schema_text

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")


@pytest.fixture(scope="module")
def validator():
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def document(found=NORMAL) -> dict:
    return json.loads(to_text(found, "json"))


@pytest.mark.parametrize(
    "found",
    [
        NORMAL,
        replace(NORMAL, intervals=intervals(NORMAL, resamples=100)),
        replace(NORMAL, intervals=intervals(NORMAL, metrics=[metric.name for metric in METRICS], resamples=100)),
        replace(NORMAL, run=replace(NORMAL.run, shard=Shard(1, 3, 9, "run"), software="0.1.0, 0.2.0")),
        # one image, one class, no image, and names that try to act
        results(images=("x",)),
        results(names=("cell",)),
        results(images=(), failures=("w",)),
        results(names=NAMES, images=NAMES, failures=NAMES, left_out=NAMES),
    ],
)
def test_what_is_written_follows_it(validator, found):
    assert [error.message for error in validator.iter_errors(document(found))] == []


def objects(value: object, path: str = "") -> list[tuple[str, dict]]:
    """Every schema of an object, with its place."""
    if isinstance(value, list):
        return [entry for index, part in enumerate(value) for entry in objects(part, f"{path}[{index}]")]
    if not isinstance(value, dict):
        return []
    own = [(path, value)] if value.get("type") == "object" else []
    return own + [entry for name, part in value.items() for entry in objects(part, f"{path}.{name}")]


def test_objects_hold_nothing_else_and_are_defined_once():
    found = objects(schema())
    assert len(found) > 10
    # What has the names of classes has no members of its own.
    by_class = dict(found).pop(".$defs.settings.properties.thresholds")
    assert by_class["additionalProperties"] == {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    found = [(path, value) for path, value in found if value is not by_class]
    assert all(value["additionalProperties"] is False for _, value in found)
    members = [frozenset(value["properties"]) for _, value in found]
    # What each score of a metric has, and how many define it, are two things with the same members.
    repeated = {path for path, value in found if members.count(frozenset(value["properties"])) > 1}
    assert repeated == {".$defs.defined", ".$defs.spreads"}


def test_every_definition_is_used_and_every_reference_is_defined():
    text = schema_text()
    names = list(schema()["$defs"])
    assert all(f'"#/$defs/{name}"' in text for name in names)
    assert text.count('"$ref"') == sum(text.count(f'"#/$defs/{name}"') for name in names)


def test_each_metric_is_described_by_its_formula():
    for metric in METRICS:
        definition = schema()["$defs"][f"{metric.name}_score"]
        assert definition["description"] == f"{metric.title}: {metric.formula}."
        assert ("minimum" in definition) is (metric.name != "loss")


def edited(path: str, value: object) -> dict:
    """A results file with one member set, or taken away where the value is ``...``."""
    whole = copy.deepcopy(document(replace(NORMAL, intervals=intervals(NORMAL, resamples=100))))
    place: object = whole
    *inner, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in inner:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # another version, a member too many and one too few, at every depth
        ("version", 1),
        ("surplus", 1),
        ("softdice", ...),
        ("pooled", ...),
        ("pooled.surplus", 1),
        ("pooled.accuracy", ...),
        ("pooled.classes.0.surplus", 1),
        ("pooled.classes.0.recall", ...),
        ("pooled.foreground.accuracy", 0.5),
        ("settings.eps", ...),
        ("images.0.sums.surplus", [1]),
        ("failures.0.hint", ...),
        ("requirements.0.margin", ...),
        # what only an image mean has
        ("pooled.spread", {}),
        ("pooled.classes.0.defined", {}),
        ("images.0.classes.0.spread", {}),
        ("image_mean.spread", ...),
        ("image_mean.classes.0.defined", ...),
        ("image_mean.spread.dice.sd", ...),
        ("image_mean.defined.dice", ...),
        # wrong types, and values that no score has
        ("pooled.dice", 1.5),
        ("pooled.dice", "0.5"),
        ("image_mean.classes.0.defined.dice", -1),
        ("images.0.sums.truth.0", 0.5),
        ("images.0.pixels", -1),
        ("intervals", []),
        ("intervals.0.metric", "hausdorff"),
        ("intervals.0.interval.low", ...),
        ("requirements.0.operator", "=="),
        ("shard", {"index": 0, "count": 1, "pairs": 1, "run": ""}),
    ],
)
def test_what_is_not_a_results_file_does_not_follow_it(validator, path, value):
    assert not validator.is_valid(edited(path, value))


def test_the_command_prints_it(softdice):
    run = softdice("schema")
    assert (run.code, run.err) == (0, "")
    assert json.loads(run.out) == schema()
    assert run.out == schema_text()
