"""Failed pairs, grouped for people: what 200 pairs have in common is said once, with the count and the first names.

Outputs for programs keep a row for each pair.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from softdice_cli.records import Failure

# How many pairs of a group are named.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one kind: the same sentence apart from the files, and the same thing to try.

    Attributes:
        failures: at least one.
    """

    failures: tuple[Failure, ...]

    @property
    def first(self) -> Failure:
        """The one that stands for all: its error is shown, and what was expected and found there."""
        return self.failures[0]

    @property
    def subject(self) -> str:
        """Which pairs these are; not neutral."""
        if len(self.failures) == 1:
            return self.first.id
        names = ", ".join(failure.id for failure in self.failures[:_NAMED])
        if len(self.failures) > _NAMED:
            names = f"e.g. {names}"
        return f"{len(self.failures)} pairs ({names})"


def grouped(failures: Iterable[Failure]) -> list[FailureGroup]:
    """The failures by kind, the largest group first; groups of one size stay in their order."""
    kinds: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        kind = _without_files(failure.error, failure), _without_files(failure.hint, failure)
        kinds.setdefault(kind, []).append(failure)
    groups = [FailureGroup(tuple(alike)) for alike in kinds.values()]
    return sorted(groups, key=lambda group: -len(group.failures))


def _without_files(text: str, failure: Failure) -> str:
    """The text with placeholders for the two files of the pair, which no file name can hold."""
    # One name may begin with the other.
    for path, placeholder in sorted(((failure.pred, "\0"), (failure.gt, "\1")), key=lambda entry: -len(entry[0])):
        if path in text and path:
            text = _replaced(text, path, placeholder)
    return text


def _replaced(text: str, path: str, placeholder: str) -> str:
    """The text with a placeholder for a path, except within a word: a file may be called "m"."""
    done, *rest = text.split(path)
    for part in rest:
        within = done[-1:].isalnum() or part[:1].isalnum()
        done += (path if within else placeholder) + part
    return done
