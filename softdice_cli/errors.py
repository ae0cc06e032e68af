"""Every failure that softdice foresees, as one small tree.

An error carries what it is about as data: the file, the option, what was expected, what was found,
and what to type next. The class of an error decides the exit code. So no caller has to look inside
a message to decide anything, and how an option is spelled is up to whoever shows the error.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, Protocol


class ExitCode(IntEnum):
    """What the process ends with; the table in the README is held to this list."""

    DONE = 0
    """Evaluated, and every requirement was met."""

    UNMET = 1
    """A requirement was not met, and only that."""

    USAGE = 2
    """Wrong usage or configuration, or an output that cannot be written."""

    INPUT = 3
    """Input that cannot be evaluated; also any failed pair, after the rest was evaluated and reported."""

    BUG = 4
    """A bug in softdice."""

    EMPTY = 5
    """Nothing to evaluate."""

    INTERRUPTED = 130
    """Interrupted by the user."""

    CLOSED_PIPE = 141
    """The reader of standard output went away."""


def advice(expected: str, found: str, hint: str) -> list[tuple[str, str]]:
    """What stands below the headline of an error, as (label, text) pairs; empty texts are left out.

    Every output shows these lines as they come from here: errors on standard error, failed pairs in
    tables, CSV, JUnit and Markdown.
    """
    labelled = [("expected", expected), ("found", found), ("try", hint)]
    return [(label, text) for label, text in labelled if text]


def as_field(option: str) -> str:
    """An option as Python spells it: ``max_drop``."""
    return option


# Fields whose option on the command line has another name.
_OTHER_FLAGS = {
    "background": "--no-background",
    "classes": "--class",
    "regions": "--region",
    "thresholds": "--threshold",
    "normalized": "--allow-unnormalized",
    "prediction": "--pred-labels",
}


def as_flag(option: str) -> str:
    """An option as a user of the command line types it: ``--max-drop``."""
    return _OTHER_FLAGS.get(option, f"--{option.replace('_', '-')}")


class Evidence(Protocol):
    """What a file shows of the mistake behind its error, as plain data that can be sent to any process.

    The files of a run mostly share one mistake. What they show together tells more of it than any single one.
    """

    @property
    def kind(self) -> object:
        """Equal for evidence that is joined, as it has one cure."""
        ...

    def joined(self, other: Any) -> Evidence:
        """What both show together."""
        ...

    def hint(self) -> str:
        """What to type next, as far as this shows it."""
        ...


class SoftdiceError(Exception):
    """Base of all foreseen errors.

    Args:
        problem: one sentence without a full stop. It continues the name of the option or of the
            file, where there is one: ``is truncated``, ``0.0 is out of range``.
        option: the option or field that it is about, as Python spells it, such as ``max_drop``.
        against: the option that excludes the first one; then the hint is to leave out one of the
            two.
        path: the file that it is about, as the user gave it.
        expected: what would have been right.
        found: what was there: shape, dtype, range, labels with their pixel counts.
        hint: what to type next. ``{option}`` stands for the name of the option.
        evidence: what the hint is drawn from, where other files of a run may show more.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(
        self,
        problem: str,
        *,
        option: str = "",
        against: str = "",
        path: str = "",
        expected: str = "",
        found: str = "",
        hint: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.option = option
        self.against = against
        self.path = path
        self.expected = expected
        self.found = found
        self.hint = hint
        self.evidence = evidence

    def headline(self, spell: Callable[[str], str] = as_field) -> str:
        """The problem in one line, behind the file and the option that it is about.

        Args:
            spell: writes the name of an option; as Python does by default.
        """
        sentence = self.problem
        if self.option:
            sentence = f"{spell(self.option)} {sentence}"
        if self.path:
            sentence = f"{self.path}: {sentence}"
        return sentence

    def details(self, spell: Callable[[str], str] = as_field) -> list[tuple[str, str]]:
        """The lines below the headline; see `advice`.

        Args:
            spell: writes the name of an option; as Python does by default.
        """
        return advice(self.expected, self.found, self.next_step(spell))

    def next_step(self, spell: Callable[[str], str] = as_field) -> str:
        """What to type next, or nothing."""
        if self.against:
            return f"leave out {spell(self.option)} or {spell(self.against)}"
        return self.hint.replace("{option}", spell(self.option))

    def __str__(self) -> str:
        lines = [f"  {label:<8}  {text}" for label, text in self.details()]
        return "\n".join([self.headline(), *lines])


class ConfigError(SoftdiceError):
    """Wrong usage: an option, or a combination of options, that cannot mean anything."""

    exit_code = ExitCode.USAGE


class DeviceError(ConfigError):
    """A device that is not on this machine, or that cannot do what was asked of it."""


class EmptyError(SoftdiceError):
    """Nothing to evaluate: never a success."""

    exit_code = ExitCode.EMPTY


class InputError(SoftdiceError):
    """Input data that cannot be evaluated: the base of the errors below."""

    exit_code = ExitCode.INPUT


class UnreadableError(InputError):
    """A file that is missing, broken, too large, or of a kind that softdice does not read."""


class ShapeError(InputError):
    """A prediction and a truth whose shapes do not belong together."""


class LayoutError(ShapeError):
    """Axes that fit in no way, or in more than one, so that only a layout could tell which is which."""


class LabelError(InputError):
    """Labels that are neither classes nor ignored."""


class ProbabilityError(InputError):
    """Values that are not probabilities."""


class MissingLibraryError(ConfigError):
    """A library that this installation lacks, and that what was asked for cannot do without."""
