"""Every failure that softdice foresees, as one small tree.

An error says which file, what was expected, what was found and what to type next; the command line decides how that
is shown. The class of an error decides the exit code, so no caller has to look inside a message.
"""

from __future__ import annotations


class SoftdiceError(Exception):
    """Base of all foreseen errors.

    Args:
        problem: one sentence, without a full stop.
        path: the file (or option) it is about, as the user gave it.
        expected: what would have been right.
        found: what was there: shape, dtype, range, labels with their pixel counts.
        hint: what to type next.
    """

    exit_code = 4

    def __init__(self, problem: str, *, path: str = "", expected: str = "", found: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path
        self.expected = expected
        self.found = found
        self.hint = hint

    @property
    def headline(self) -> str:
        """The problem in one line, with the file it is about."""
        return f"{self.path}: {self.problem}" if self.path else self.problem

    @property
    def details(self) -> list[tuple[str, str]]:
        """The lines below the headline, as (label, text) pairs; empty ones are left out."""
        rows = (("expected", self.expected), ("found", self.found), ("try", self.hint))
        return [(label, text) for label, text in rows if text]

    def __str__(self) -> str:
        return "\n".join([self.headline, *(f"  {label:<8}  {text}" for label, text in self.details)])


class ConfigError(SoftdiceError):
    """Wrong usage: an option, or a combination of options, that cannot mean anything."""

    exit_code = 2


class DeviceError(ConfigError):
    """A device that is not on this machine, or that cannot do what was asked of it."""


class EmptyError(SoftdiceError):
    """Nothing to evaluate: never a success."""

    exit_code = 5


class InputError(SoftdiceError):
    """Input data that cannot be evaluated: the base of the four below."""

    exit_code = 3


class UnreadableError(InputError):
    """A file that is missing, broken, too large, or of a kind that softdice does not read."""


class ShapeError(InputError):
    """A prediction and a truth whose shapes fit in no way, or in more than one."""


class LabelError(InputError):
    """Labels that are neither classes nor ignored."""


class ProbabilityError(InputError):
    """Values that are not probabilities."""
