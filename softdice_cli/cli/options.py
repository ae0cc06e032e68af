"""The options of the commands, each declared once, and what they mean together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from softdice_cli import render
from softdice_cli.errors import ConfigError
from softdice_cli.records import Activation, ClassDef, Empty, Prediction, Settings

_DATA, _CLASSES, _SCORE, _OUT = "Files", "Classes", "Scores", "Output"

Pred = Annotated[
    str,
    typer.Option(metavar="FILE", help="Prediction: probabilities; '-' reads standard input.", rich_help_panel=_DATA),
]
Gt = Annotated[str, typer.Option(metavar="FILE", help="Truth: a label mask.", rich_help_panel=_DATA)]
GtKey = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The same for the truth.", rich_help_panel=_DATA),
]
Key = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Prediction: the array of an .npz, or the tensor of a .pt dict.", rich_help_panel=_DATA
    ),
]
Layout = Annotated[
    str,
    typer.Option(
        metavar="LETTERS",
        help="Axes of the prediction, e.g. CHW, HWC, BCHW, CDHW; by default they follow from the mask.",
        rich_help_panel=_DATA,
    ),
]
Scale = Annotated[
    int | None,
    typer.Option(metavar="N", help="Integer predictions: the value that means 1 (255, 65535).", rich_help_panel=_DATA),
]
PredLabels = Annotated[
    bool, typer.Option("--pred-labels", help="Predictions are label maps, not probabilities.", rich_help_panel=_DATA)
]
Activate = Annotated[Activation, typer.Option(help="Turn stored logits into probabilities.", rich_help_panel=_DATA)]
Unnormalized = Annotated[
    bool, typer.Option("--allow-unnormalized", help="Channels need not sum to 1.", rich_help_panel=_DATA)
]
MaxPixels = Annotated[
    int, typer.Option(min=1, metavar="N", help="Largest image that is decoded, in pixels.", rich_help_panel=_DATA)
]
MaxBytes = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Largest array that is held in memory, in bytes; a large .npy is mapped and does not count.",
        rich_help_panel=_DATA,
    ),
]
Class = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="NAME[=VALUE|=#RRGGBB]",
        help="A class and its "
        "label in the masks; repeat in the order of the channels. The label "
        "defaults to the position.",
        rich_help_panel=_CLASSES,
    ),
]
ClassFile = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="The same from a .json or .toml file: a list of names, or a table name → label, under 'classes'.",
        rich_help_panel=_CLASSES,
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        metavar="VALUE",
        help="Label whose pixels are left out of everything; may be repeated.",
        rich_help_panel=_CLASSES,
    ),
]
NoBackground = Annotated[
    bool, typer.Option("--no-background", help="Leave class 0 out of the rows and means.", rich_help_panel=_CLASSES)
]
Eps = Annotated[float, typer.Option(metavar="X", help="ε of the soft Dice.", rich_help_panel=_SCORE)]
Threshold = Annotated[
    float, typer.Option(metavar="X", help="One channel: foreground where p is greater.", rich_help_panel=_SCORE)
]
EmptyScore = Annotated[
    Empty, typer.Option("--empty", help="What 0/0 counts as: undefined and left out, 1, or 0.", rich_help_panel=_SCORE)
]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="auto, cpu, cuda[:N] or mps; torch:cpu checks cpu.", rich_help_panel=_SCORE)
]
Format = Annotated[render.Format, typer.Option(help="For people, or for programs.", rich_help_panel=_OUT)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the result there instead of to standard output, whole or not at all.",
        rich_help_panel=_OUT,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=_OUT)]

_COLOR = re.compile(r"#([0-9a-fA-F]{6})")


def settings_from(
    classes: list[str] | None, file: Path | None, ignore: list[str] | None, pred_labels: bool, **scores: Any
) -> Settings:
    """The settings that the options ask for.

    Raises:
        ConfigError: an option cannot be read, or two exclude each other.
    """
    if classes and file:
        raise ConfigError("--class and --classes exclude each other", hint="use one of the two")
    named = [split_class(text) for text in classes] if classes else read_classes(file) if file else []
    labels = [label for _, label in named if label is not None] + (ignore or [])
    colors = any(label.startswith("#") for label in labels)
    if colors and not all(label.startswith("#") for label in labels):
        raise ConfigError("labels are either all numbers or all colours", found=", ".join(labels))
    if colors and any(label is None for _, label in named):
        raise ConfigError("every class needs its colour", hint="--class NAME=#rrggbb")
    prediction: Prediction = "labels" if pred_labels else "probabilities"
    return Settings(
        classes=tuple(_definition(index, name, label, len(named)) for index, (name, label) in enumerate(named)),
        ignore=tuple(_label(text, "--ignore") for text in ignore or ()),
        colors=colors,
        prediction=prediction,
        **scores,
    )


def split_class(text: str) -> tuple[str, str | None]:
    """``NAME`` or ``NAME=LABEL`` as (name, label or None); the label follows the last ``=``."""
    name, equals, label = text.rpartition("=")
    return (name, label) if equals else (text, None)


def read_classes(file: Path) -> list[tuple[str, str | None]]:
    """Names and labels from a JSON or TOML file.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    import json
    import tomllib

    try:
        text = file.read_text(encoding="utf-8")
        loaded = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(file), hint="check --classes") from error
    except ValueError as error:
        raise ConfigError(f"is not valid {file.suffix[1:].upper() or 'JSON'}: {error}", path=str(file)) from error
    classes = loaded.get("classes", loaded) if isinstance(loaded, dict) else loaded
    if isinstance(classes, list) and all(isinstance(entry, str) for entry in classes) and classes:
        return [(entry, None) for entry in classes]
    if isinstance(classes, list) and all(_is_entry(entry) for entry in classes) and classes:
        return [(entry["name"], None if entry.get("value") is None else str(entry["value"])) for entry in classes]
    if isinstance(classes, dict) and all(_is_label(label) for label in classes.values()) and classes:
        return [(name, str(label)) for name, label in classes.items()]
    raise ConfigError(
        "holds no classes",
        path=str(file),
        expected='["a", "b"], {"a": 0, "b": 255} or [{"name": "a", "value": 0}], alone or under "classes"',
        found=type(classes).__name__,
    )


def _is_label(label: object) -> bool:
    return isinstance(label, int | str) and not isinstance(label, bool)


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and (entry.get("value") is None or _is_label(entry["value"]))
    )


def _definition(index: int, name: str, label: str | None, count: int) -> ClassDef:
    if label is None:
        return ClassDef(name, index if count > 1 else None)
    return ClassDef(name, _label(label, f"--class {name}="))


def _label(text: str, option: str) -> int:
    if match := _COLOR.fullmatch(text):
        return int(match[1], 16)
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{option} {text!r} is no label", expected="an integer or #rrggbb") from None
