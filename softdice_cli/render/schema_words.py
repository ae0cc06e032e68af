"""The few words of JSON Schema that the schema of results is written in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
LABEL: Schema = {"type": ["integer", "string"]}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}


def ref(name: str) -> Schema:
    """What is defined under a name."""
    return {"$ref": f"#/$defs/{name}"}


def or_null(value: Schema) -> Schema:
    """Null as well."""
    return {"anyOf": [{"type": "null"}, value]}


def list_of(value: Schema) -> Schema:
    """A list of any length."""
    return {"type": "array", "items": value}


def told(value: Schema, description: str) -> Schema:
    """The same with a description."""
    return {**value, "description": description}


def object_with(members: Schema, optional: Collection[str] = ()) -> Schema:
    """An object that has these members and no others."""
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }
