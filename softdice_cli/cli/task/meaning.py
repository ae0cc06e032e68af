"""What the options and the file beside them say together → settings; what is wrong is said of whoever said it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softdice_cli.cli.task.labels import are_colors, label_of
from softdice_cli.cli.task.said import Limits, Named, Said
from softdice_cli.errors import ConfigError, as_flag
from softdice_cli.records import ClassDef, Settings

# The field of `Said` behind an option, where it has another name.
_FIELDS = {"threshold": "limits", "thresholds": "limits", "num_classes": "count"}
# The key of a file behind a field, where it has another name.
_KEYS = {"limits": "threshold", "count": "num-classes", "white_is_zero": "white-is-zero"}


@dataclass(frozen=True, slots=True)
class Task:
    """What a run is to do.

    Attributes:
        settings: everything that changes a score.
        roi: the file, folder or pattern of the region of interest, or ``None``.
    """

    settings: Settings
    roi: str | None


def task_from(options: Said, file: Path | None, **scores: Any) -> Task:
    """What the options ask for, beside a file or without one.

    Args:
        options: what they say of classes, labels and pixels.
        file: the file of ``--classes``.
        scores: the other fields of `Settings`.

    Raises:
        ConfigError: the file cannot be read, or what is said cannot be.
    """
    in_file = Said()
    if file is not None:
        _refuse_both(options)
        # Most runs have none.
        from softdice_cli.cli.task.file import read_task

        in_file = read_task(file)
    said = options.over(in_file)
    with _blaming(file, in_file.given - options.given):
        definitions, colors = _definitions(said)
        settings = Settings(
            classes=definitions,
            colors=colors,
            regions=said.regions or (),
            ignore=tuple(label_of(text, "ignore", text) for text in said.ignore or ()),
            foreground=said.foreground or "",
            multilabel=bool(said.multilabel),
            only=said.only or "",
            white_is_zero=said.white_is_zero or "",  # type: ignore[arg-type]
            roi=said.roi is not None,
            **_thresholds(said.limits),
            **scores,
        )
    return Task(settings, said.roi)


def _refuse_both(options: Said) -> None:
    """Raises ConfigError for classes beside a file of them: a file says all or nothing of the classes."""
    for option, given in (("classes", options.classes), ("num_classes", options.count)):
        if given is not None:
            flag = as_flag(option)
            raise ConfigError("cannot stand beside --classes", option=option, hint=f"leave out {flag} or --classes")


def _thresholds(limits: Limits | None) -> dict[str, Any]:
    """The thresholds as fields of `Settings`, whose default holds where none is given."""
    if limits is None:
        return {}
    if limits.common is None:
        return {"thresholds": limits.own}
    return {"threshold": limits.common, "thresholds": limits.own}


@contextmanager
def _blaming(file: Path | None, keys: set[str]) -> Iterator[None]:
    """Says of the file what is wrong with its keys, and not of options that nobody typed."""
    try:
        yield
    except ConfigError as error:
        if file is None or error.path:
            raise
        field = _field(error.option)
        of_classes = field in ("", "classes") and not keys.isdisjoint(("classes", "count"))
        if field in keys or of_classes:
            raise _in_file(error, field, file, keys) from error
        raise ConfigError(
            error.problem,
            option=error.option,
            expected=error.expected,
            found=error.found,
            hint=error.next_step(_spelling(keys, f" in {file}")),
        ) from error


def _in_file(error: ConfigError, field: str, file: Path, keys: set[str]) -> ConfigError:
    """The error with the file in the place of the option."""
    problem = error.problem
    if field not in ("", "classes"):
        problem = f"{_key(field)} {problem}"
    hint = error.hint
    if error.against:
        hint = f"leave out {_key(field)} or {_spelling(keys, '')(error.against)}"
    return ConfigError(problem, path=str(file), expected=error.expected, found=error.found, hint=hint)


def _spelling(keys: set[str], more: str) -> Callable[[str], str]:
    """Spells an option as a key where the file has said it, and as a flag where it was typed."""

    def spell(option: str) -> str:
        field = _field(option)
        if field in keys:
            return _key(field) + more
        return as_flag(option)

    return spell


def _field(option: str) -> str:
    return _FIELDS.get(option, option)


def _key(field: str) -> str:
    return _KEYS.get(field, field)


def _definitions(said: Said) -> tuple[tuple[ClassDef, ...], bool]:
    """The classes, and whether labels are colours."""
    classes = said.classes or ()
    if said.count is not None:
        classes = _numbered(said)
    given = [label for named in classes for label in named.labels]
    colors = are_colors([*given, *(said.ignore or ())])
    if colors and not all(named.labels for named in classes):
        raise ConfigError(
            "must give every class its colour", option="classes", hint="write NAME=#rrggbb for every class"
        )
    # The label of a single class is decided by the masks, and independent channels may need none.
    is_open = bool(said.multilabel) or len(classes) == 1
    definitions: list[ClassDef] = []
    for position, named in enumerate(classes):
        definitions.append(ClassDef(named.name, _value(named, position, is_open)))
    return tuple(definitions), colors


def _numbered(said: Said) -> tuple[Named, ...]:
    """So many classes, whose names and labels are their numbers."""
    count = said.count or 0
    if count < 2:
        raise ConfigError(
            f"{count} is not a number of several classes",
            option="num_classes",
            expected="2 or more",
            hint="leave it out: a map of one channel is one class",
        )
    names = [str(number) for number in range(count)]
    # Independent channels find their pixels in a channel of the truth, and not in a label.
    if said.multilabel:
        return tuple(map(Named, names))
    if taken := [label for label in said.ignore or () if label in names]:
        raise ConfigError(
            f"{count} has a class {taken[0]}, and its label is ignored",
            option="num_classes",
            expected=f"labels outside 0 to {count - 1} among the ignored ones",
            hint="name each class with its label instead, in the order of the channels",
        )
    return tuple(Named(name, (name,)) for name in names)


def _value(named: Named, position: int, is_open: bool) -> int | tuple[int, ...] | None:
    """The label or labels of a class."""
    if named.labels:
        return _labels(named)
    return None if is_open else position


def _labels(named: Named) -> int | tuple[int, ...]:
    """The labels that a class was given.

    Raises:
        ConfigError: one is not a label, or stands twice, as it does in a list of red, green and blue.
    """
    written = f"{named.name}={'+'.join(named.labels)}"
    values = tuple(label_of(text, "classes", written) for text in named.labels)
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        hint = "name each label once"
        if len(values) == 3 and all(0 <= value <= 255 for value in values):
            red, green, blue = values
            hint += f'; if it is a colour, "#{red:02x}{green:02x}{blue:02x}"'
        raise ConfigError(f"{written!r} holds {repeated[0]} twice", option="classes", hint=hint)
    if len(values) == 1:
        return values[0]
    return values
