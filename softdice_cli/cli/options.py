"""The options of the commands, each declared once, and what they mean together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from softdice_cli.errors import ConfigError, EmptyError, UnreadableError
from softdice_cli.records import Activation, ClassDef, Empty, Prediction, Settings, Shard
from softdice_cli.render import Format as OutputFormat

_DATA, _READ, _CLASSES, _SCORE, _RUN, _OUT = "Files", "Reading", "Classes", "Scores", "Run", "Output"


def _option(panel: str, help: str, *names: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=panel, **more)


Pred = Annotated[str | None, _option(_DATA, "Prediction: file, folder or pattern; '-' reads stdin.", metavar="PATH")]
Gt = Annotated[str | None, _option(_DATA, "Truth: label mask, folder of masks, or pattern.", metavar="PATH")]
Pairs = Annotated[
    str | None,
    _option(
        _DATA,
        "List of pairs instead: CSV, TSV or JSON lines with pred, gt and an optional id; '-' reads stdin.",
        metavar="FILE",
    ),
]
Recursive = Annotated[bool, _option(_DATA, "Folders: sub-folders too, which are mirrored.", "--recursive")]
PredSuffix = Annotated[
    str, _option(_DATA, "Folders: predictions end so, e.g. _prob; not part of the stem.", metavar="TEXT")
]
GtSuffix = Annotated[str, _option(_DATA, "Folders: truths end so, e.g. _mask; not part of the stem.", metavar="TEXT")]
AllowMissing = Annotated[
    bool, _option(_DATA, "Leave out files without a partner, and say so in the output.", "--allow-missing")
]
ShardOf = Annotated[
    str | None, _option(_DATA, "Evaluate every N-th pair, from the I-th; merge the results later.", metavar="I/N")
]
Key = Annotated[str | None, _option(_READ, "Prediction: array of an .npz, or tensor of a .pt dict.", metavar="NAME")]
GtKey = Annotated[str | None, _option(_READ, "The same for the truth.", metavar="NAME")]
Layout = Annotated[
    str,
    _option(
        _READ,
        "Axes of the prediction, e.g. CHW, HWC, BCHW, CDHW; by default they follow from the mask.",
        metavar="LETTERS",
    ),
]
Scale = Annotated[int | None, _option(_READ, "Integer predictions: the value that means 1 (255, 65535).", metavar="N")]
PredLabels = Annotated[bool, _option(_READ, "Predictions are label maps, not probabilities.", "--pred-labels")]
Activate = Annotated[Activation, _option(_READ, "Turn stored logits into probabilities.", "--activation")]
Unnormalized = Annotated[bool, _option(_READ, "Channels need not sum to 1.", "--allow-unnormalized")]
MaxPixels = Annotated[int, _option(_READ, "Largest image that is decoded, in pixels.", metavar="N", min=1)]
MaxBytes = Annotated[
    int,
    _option(
        _READ,
        "Largest array that is held in memory, in bytes; a large .npy is mapped, and does not count.",
        metavar="N",
        min=1,
    ),
]
Class = Annotated[
    list[str] | None,
    _option(
        _CLASSES,
        "A class and its label in the masks; repeat in the order of the channels. The label defaults to the position.",
        "--class",
        metavar="NAME[=VALUE|=#RRGGBB]",
    ),
]
ClassFile = Annotated[
    Path | None,
    _option(
        _CLASSES,
        "The same from a .json or .toml file: a list of names, or a table name → label, under 'classes'.",
        "--classes",
        metavar="FILE",
    ),
]
Ignore = Annotated[
    list[str] | None,
    _option(_CLASSES, "Label whose pixels are left out of everything; may be repeated.", "--ignore", metavar="VALUE"),
]
NoBackground = Annotated[bool, _option(_CLASSES, "Leave class 0 out of the rows and means.", "--no-background")]
Eps = Annotated[float, _option(_SCORE, "ε of the soft Dice.", metavar="X")]
Threshold = Annotated[float, _option(_SCORE, "One channel: foreground where p is greater.", metavar="X")]
EmptyScore = Annotated[Empty, _option(_SCORE, "What 0/0 counts as: undefined and left out, 1, or 0.", "--empty")]
Device = Annotated[str, _option(_RUN, "auto, cpu, cuda[:N] or mps; torch:cpu checks cpu.", metavar="NAME")]
Workers = Annotated[
    int | None,
    _option(_RUN, "Pairs that are read and counted side by side; one a core by default.", metavar="N", min=1),
]
BatchSize = Annotated[
    int | None,
    _option(_RUN, "Images that an accelerator counts at once; by its memory by default.", metavar="N", min=1),
]
JournalFile = Annotated[
    Path | None,
    _option(
        _RUN,
        "Note each finished pair there; the same command goes on where it was cut off.",
        "--journal",
        metavar="FILE",
    ),
]
FailFast = Annotated[bool, _option(_RUN, "Stop at the first pair that fails.", "--fail-fast")]
Quiet = Annotated[bool, _option(_RUN, "No progress and no notes on standard error.", "--quiet", "-q")]
Format = Annotated[OutputFormat, _option(_OUT, "For people (table), or for programs.")]
Worst = Annotated[int, _option(_OUT, "Table: how many of the worst images to list.", metavar="K", min=0)]
PerImage = Annotated[bool, _option(_OUT, "Table: list all images.", "--per-image")]
Output = Annotated[
    Path | None,
    _option(
        _OUT,
        "Write the result there instead of to standard output, whole or not at all.",
        "--output",
        "-o",
        metavar="FILE",
    ),
]
Debug = Annotated[bool, _option(_OUT, "Show the traceback of an error.", "--debug")]
ResultsFile = Annotated[str, typer.Argument(metavar="RESULTS", help="A results file (JSON); '-' reads stdin.")]
ResultsFiles = Annotated[list[str], typer.Argument(metavar="RESULTS…", help="Results files (JSON) to merge.")]
AnyFiles = Annotated[list[str], typer.Argument(metavar="FILE…", help="Files to look into.")]
Report = Annotated[Literal["table", "json"], _option(_OUT, "For people (table), or for programs.", "--format")]

_COLOR = re.compile(r"#([0-9a-fA-F]{6})")
_FORMS = '["a", "b"], {"a": 0, "b": 255} or [{"name": "a", "value": 0}], alone or under "classes"'


def settings_from(
    classes: list[str] | None, file: Path | None, ignore: list[str] | None, pred_labels: bool, **scores: Any
) -> Settings:
    """The settings that the options ask for.

    Raises:
        ConfigError: an option cannot be read, or two exclude each other.
    """
    if classes and file:
        raise ConfigError("--class and --classes exclude each other", hint="use one of the two")
    prediction: Prediction = "labels" if pred_labels else "probabilities"
    if file:
        with _naming(file):
            definitions, colors = _definitions(read_classes(file), ignore or [], "class ")
            Settings(classes=definitions, colors=colors)  # what is wrong with the classes is wrong in the file
    else:
        definitions, colors = _definitions([split_class(text) for text in classes or ()], ignore or [], "--class ")
    ignored = tuple(_label(text, "--ignore") for text in ignore or ())
    return Settings(classes=definitions, ignore=ignored, colors=colors, prediction=prediction, **scores)


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Names the file in every error about the classes that it holds, where --class is not the way out."""
    try:
        yield
    except ConfigError as error:
        hint = "give each class its label in the file" if error.hint.startswith("--class ") else error.hint
        expected = "a name for each class" if error.expected.startswith("--class ") else error.expected
        raise ConfigError(error.problem, path=str(file), expected=expected, found=error.found, hint=hint) from error


def _definitions(
    named: list[tuple[str, str | None]], ignore: list[str], option: str
) -> tuple[tuple[ClassDef, ...], bool]:
    """The classes, and whether labels are colours."""
    labels = [label for _, label in named if label is not None] + ignore
    colors = any(label.startswith("#") for label in labels)
    if colors and not all(label.startswith("#") for label in labels):
        raise ConfigError("labels are either all numbers or all colours", found=", ".join(labels))
    if colors and any(label is None for _, label in named):
        raise ConfigError("every class needs its colour", hint="--class NAME=#rrggbb")
    return tuple(
        _definition(index, name, label, len(named), option) for index, (name, label) in enumerate(named)
    ), colors


def split_class(text: str) -> tuple[str, str | None]:
    """``NAME`` or ``NAME=LABEL`` as (name, label or None); the label follows the last ``=``."""
    name, equals, label = text.rpartition("=")
    return (name, label) if equals else (text, None)


def read_classes(file: Path) -> list[tuple[str, str | None]]:
    """Names and labels from a JSON or TOML file.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    loaded = _load(file)
    classes = loaded.get("classes", loaded) if isinstance(loaded, dict) else loaded
    if isinstance(classes, list) and all(isinstance(entry, str) for entry in classes) and classes:
        return [(entry, None) for entry in classes]
    if isinstance(classes, list) and all(_is_entry(entry) for entry in classes) and classes:
        return [(entry["name"], None if entry.get("value") is None else str(entry["value"])) for entry in classes]
    if isinstance(classes, dict) and all(_is_label(label) for label in classes.values()) and classes:
        _refuse_reversed(classes)
        return [(name, str(label)) for name, label in classes.items()]
    raise ConfigError("holds no classes", path=str(file), expected=_FORMS, found=_what(classes))


def _refuse_reversed(classes: dict[str, int | str]) -> None:
    if all(map(_reads_as_label, classes)) and not any(_reads_as_label(str(label)) for label in classes.values()):
        turned = ", ".join(f"{name} → {label}" for label, name in list(classes.items())[:12])
        raise ConfigError(
            "label → name is the wrong way round: write name → label", expected=_FORMS, hint=f"turn it round: {turned}"
        )


def _reads_as_label(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text) is not None or _COLOR.fullmatch(text) is not None


def _load(file: Path) -> Any:
    """What a JSON or TOML file holds."""
    import json
    import tomllib

    suffix = file.suffix.lower()
    if suffix not in (".json", ".toml", ""):
        raise ConfigError(f"ends in {file.suffix}", path=str(file), expected=".json or .toml", hint="save it as .json")
    try:
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text) if suffix == ".toml" else json.loads(text, object_pairs_hook=_distinct)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(file), hint="check --classes") from error
    except ValueError as error:
        raise ConfigError(f"is not valid {suffix[1:].upper() or 'JSON'}: {error}", path=str(file)) from error
    except RecursionError:
        raise ConfigError("is nested too deeply", path=str(file), expected=_FORMS) from None


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no name may stand twice: one of the two would be lost."""
    table: dict[str, Any] = {}
    for name, value in members:
        if name in table:
            raise ConfigError(f"{name!r} is given twice in one table", hint="every class needs its own name and label")
        table[name] = value
    return table


def _what(classes: object) -> str:
    """What was found instead of classes, down to the first entry that is none."""
    wrong: list[str] = []
    if isinstance(classes, dict):
        wrong = [f"{name!r}: {_brief(label)}" for name, label in classes.items() if not _is_label(label)]
    if isinstance(classes, list):
        wrong = [_brief(entry) for entry in classes if not (isinstance(entry, str) or _is_entry(entry))]
    kind = type(classes).__name__ if classes or not isinstance(classes, list | dict) else "nothing"
    return f"{kind} with {wrong[0]}" if wrong else kind


def _brief(entry: object) -> str:
    if isinstance(entry, dict):
        return f"a table of {', '.join(entry) or 'nothing'}"
    return "a list" if isinstance(entry, list) else repr(entry)[:60]


def _is_label(label: object) -> bool:
    return isinstance(label, int | str) and not isinstance(label, bool)


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() <= {"name", "value"}
        and isinstance(entry.get("name"), str)
        and (entry.get("value") is None or _is_label(entry["value"]))
    )


def _definition(index: int, name: str, label: str | None, count: int, option: str) -> ClassDef:
    if label is None:
        return ClassDef(name, index if count > 1 else None)
    return ClassDef(name, _label(label, f"{option}{name}="))


def _label(text: str, option: str) -> int:
    if match := _COLOR.fullmatch(text):
        return int(match[1], 16)
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{option} {text!r} is no label", expected="an integer or #rrggbb") from None


def shard_of(text: str | None, pairs: int) -> Shard | None:
    """The part of a run that ``I/N`` names.

    Raises:
        ConfigError: it is no such thing.
        EmptyError: the part holds none of the pairs.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ConfigError(f"--shard {text!r} is no part", expected="I/N with 1 ≤ I ≤ N", hint="--shard 1/4")
    shard = Shard(int(match[1]), int(match[2]), pairs)
    if shard.index > pairs:
        raise EmptyError(f"shard {text} of {pairs} pairs is empty", hint="merge does not ask for it")
    return shard


def read_file(path: str) -> bytes:
    """The bytes of a small file that the user named.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}", path=path, hint="check the path") from error


class Notes:
    """What may be worth knowing about the files that were read; told once, however many there are."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def add(self, text: str) -> None:
        """Keep a note; may be called from any thread."""
        self._notes.append(text)

    def tell(self, say: Callable[[str], None]) -> None:
        """Say the first note, and how many there are."""
        if self._notes:
            more = f" (and {len(self._notes) - 1} more files likewise)" if len(self._notes) > 1 else ""
            say(min(self._notes) + more)
