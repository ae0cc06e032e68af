"""The JSON Schema of what a run means: its settings, classes and regions."""

from __future__ import annotations

from softdice_cli.render.schema_words import FLAG, LABEL, TEXT, Schema, list_of, object_with, ref, told


def class_schema() -> Schema:
    """A class and its labels."""
    several = {**list_of(LABEL), "minItems": 2}
    label = told(
        {"anyOf": [{"type": "null"}, LABEL, several]},
        "Its label, several in a list, or null where any label is meant; a colour is #rrggbb.",
    )
    return object_with({"name": TEXT, "value": label})


def region_schema() -> Schema:
    """A region and its classes."""
    members = told({**list_of(TEXT), "minItems": 1}, "Names of its classes, in the order of the channels.")
    return object_with({"name": TEXT, "members": members})


def _newer_settings() -> Schema:
    """Options that came after 0.1.0, which a file has only where they are used."""
    limit: Schema = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    return {
        "regions": told({**list_of(ref("region")), "minItems": 1}, "Several classes taken as one, each."),
        "foreground": told(TEXT, "Which values of the truth are foreground: nonzero, a label, or a cut like >127."),
        "multilabel": told(FLAG, "The channels are independent: a pixel can be of several classes, or of none."),
        "only": told(TEXT, "The one class that is evaluated against the rest by its own probability."),
        "white_is_zero": told({"enum": ["stored", "inverted"]}, "How labels are read from a TIFF in which 0 is white."),
        "roi": told(FLAG, "Pixels outside a region of interest are left out."),
        "thresholds": told({"type": "object", "additionalProperties": limit}, "Thresholds of single classes, by name."),
    }


def settings_schema() -> Schema:
    """The options that can change a score."""
    newer = _newer_settings()
    return object_with(
        {
            "prediction": {"enum": ["probabilities", "labels"]},
            "scale": {"type": ["integer", "null"], "minimum": 1},
            "activation": {"enum": ["none", "softmax", "sigmoid"]},
            "normalized": FLAG,
            "eps": {"type": "number", "exclusiveMinimum": 0},
            "threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "empty": {"enum": ["skip", "one", "zero"]},
            "background": FLAG,
            "ignore": list_of(LABEL),
            "colors": FLAG,
            **newer,
        },
        optional=tuple(newer),
    )
