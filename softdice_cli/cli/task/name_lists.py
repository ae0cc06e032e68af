"""Classes in a plain text, a class on each line: names alone, or names with their labels or colours.

Each way in which programs write such lines is one pattern, and a file is read by the first that fits every line. Where
none does, a line that could be a name as well as a name with a number is not decided for the user.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from softdice_cli.cli.task.said import Named
from softdice_cli.errors import ConfigError

LIST_SUFFIXES = (".txt", ".csv", ".tsv", ".names")

# What may stand between columns; a space may also be a part of a name.
_SEPARATOR = r"\s*[,;:=\t]\s*"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
_NAME = r"(?P<name>\S.*?)"
_INTEGER = "[+-]?[0-9]{1,18}"
_LABEL = rf"(?P<label>{_INTEGER}|#[0-9a-fA-F]{{6}})"
_GAP = rf"(?:{_SEPARATOR}|\s+)"
_RGB = rf"(?P<red>{_BYTE}){_GAP}(?P<green>{_BYTE}){_GAP}(?P<blue>{_BYTE})"
# Neither a number, nor a number and more.
_NO_NUMBER = rf"(?![0-9]+(?:{_SEPARATOR}|\s|$))"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # CVAT: name:r,g,b:parts:actions
        rf"{_NAME}:(?P<red>{_BYTE}),(?P<green>{_BYTE}),(?P<blue>{_BYTE}):[^:]*:[^:]*",
        # ITK-SNAP: label r g b alpha visible mesh "name"
        rf'{_LABEL}(?:\s+{_BYTE}){{3}}\s+[0-9.]+\s+[01]\s+[01]\s+"(?P<name>.+)"',
        # 3D Slicer, FreeSurfer and others: label name r g b, perhaps with a fourth; the colours are for the eye
        rf"{_LABEL}{_GAP}{_NO_NUMBER}{_NAME}(?:{_GAP}{_BYTE}){{3,4}}",
        # name,r,g,b
        rf"{_NO_NUMBER}{_NAME}{_SEPARATOR}{_RGB}",
        # r g b name
        rf"{_RGB}{_GAP}{_NO_NUMBER}(?P<name>\S.*)",
        # label: name, or label name
        rf"{_LABEL}{_GAP}{_NO_NUMBER}(?P<name>\S.*)",
        # name #rrggbb
        rf"{_NAME}{_GAP}(?P<label>#[0-9a-fA-F]{{6}})",
        # name,label
        rf"(?!.*{_SEPARATOR}[0-9]+{_SEPARATOR}{_INTEGER}$){_NO_NUMBER}{_NAME}{_SEPARATOR}(?P<label>{_INTEGER})",
    )
)
# A line that begins with a label, or ends in one.
_NUMBERED = re.compile(rf"{_LABEL}{_GAP}.*|.*{_SEPARATOR}{_INTEGER}|.*{_GAP}#[0-9a-fA-F]{{6}}")
_ENDS_IN_NUMBER = re.compile(r".*\s[0-9]+")
_CODE = re.compile(r"""[\[{("'].*|.*,|.*::.*""")
_COMMENT = re.compile(r"#(?![0-9a-fA-F]{6}\b).*")
# Characters of a line, so that no line keeps a pattern busy.
_LONGEST = 500
# The time of a pattern grows with the cube of what stands between two columns.
_WIDE = re.compile(r"\s{5,}")
_LINE_END = re.compile(r"\r\n|\r|\n")
_COLUMNS = frozenset({"id", "index", "value", "label", "class", "name", "pixel", "r", "g", "b", "red", "green", "blue"})

_EXPECTED = 'a name a line, or one of "label name", "label: name", "name,label", "name,r,g,b" on every line'
_CURE = 'say it in a .json: ["a", "b"] for names, or {"a": 0, "b": 255}'


def classes_in_lines(text: str) -> tuple[Named, ...]:
    """The classes of a text with a class on each line; blank lines and comments are skipped.

    Raises:
        ConfigError: it holds none, or lines that can be read in two ways.
    """
    lines = [_WIDE.sub(_narrowed, line.strip()) for line in _LINE_END.split(text)]
    lines = [line for line in lines if line and not _COMMENT.fullmatch(line)]
    if len(lines) > 1 and _is_header(lines[0]) and _NUMBERED.fullmatch(lines[1]):
        lines = lines[1:]
    if not lines:
        raise ConfigError("holds no classes", expected=_EXPECTED, found="no line with text", hint=_CURE)
    if any(len(line) > _LONGEST for line in lines):
        raise ConfigError("holds a line that is too long for a name", expected=_EXPECTED, hint=_CURE)
    for form in _FORMS:
        matches = [form.fullmatch(line) for line in lines]
        if all(matches):
            return _in_order([match for match in matches if match])
    _refuse_doubtful(lines)
    return tuple(map(Named, lines))


def _narrowed(gap: re.Match[str]) -> str:
    """A wide gap as a narrow one of the same kind."""
    return "\t" if "\t" in gap[0] else "    "


def _is_header(line: str) -> bool:
    """Whether a line names columns."""
    words = re.split(r"[,;:=\s_]+", line.lower())
    return len(words) > 1 and all(word in _COLUMNS for word in words)


def _in_order(matches: Sequence[re.Match[str]]) -> tuple[Named, ...]:
    """The classes of lines that all have one form; where the label comes first, they are in its order."""
    classes: list[Named] = []
    for match in matches:
        classes.append(Named(match["name"].strip(), (_label(match),)))
    first = matches[0].groupdict().get("label")
    if first is None or first.startswith("#") or matches[0].start("label") > 0:
        return tuple(classes)
    return tuple(sorted(classes, key=lambda named: int(named.labels[0])))


def _label(match: re.Match[str]) -> str:
    """The label of a line, or its colour as ``#rrggbb``."""
    parts = match.groupdict()
    if "label" in parts:
        return parts["label"]
    return f"#{int(parts['red']):02x}{int(parts['green']):02x}{int(parts['blue']):02x}"


def _refuse_doubtful(lines: Sequence[str]) -> None:
    """Raises ConfigError for lines that are perhaps not names alone."""
    for line in lines:
        if _CODE.fullmatch(line):
            raise ConfigError("holds a line that is not a name alone", expected=_EXPECTED, found=line[:60], hint=_CURE)
    numbered = [line for line in lines if _NUMBERED.fullmatch(line)]
    if not numbered and len(lines) > 1 and all(_ENDS_IN_NUMBER.fullmatch(line) for line in lines):
        numbered = list(lines)
    if numbered:
        raise ConfigError(
            "has lines that can be a name, or a name with a label",
            expected=_EXPECTED,
            found=f"{len(numbered)} of {len(lines)} lines, e.g. {numbered[0][:60]}",
            hint=_CURE,
        )
    if "__ignore__" in lines:
        raise ConfigError(
            "holds __ignore__, which stands for pixels to leave out and has no place among the labels",
            found="__ignore__ on a line",
            hint="take this line out, and name its label: --ignore 255",
        )
    if len(lines) == 1 and re.search(r"[,;\t]", lines[0]):
        raise ConfigError("holds one line, and perhaps several names in it", found=lines[0][:60], hint=_CURE)
