"""Commands as frozen dataclasses: a field an option, declared once, and a method that runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, get_type_hints

import typer


class Job(Protocol):
    """What a command does."""

    def run(self) -> int:
        """Do it, and give the exit code."""
        ...


def as_command(job: Callable[..., Job]) -> Callable[..., None]:
    """The function that Typer wants: it takes the fields of the dataclass as options, and exits with the code."""

    def command(**given: Any) -> None:
        raise typer.Exit(job(**given).run())

    command.__doc__ = job.__doc__
    hints = get_type_hints(job, include_extras=True)
    fields = inspect.signature(job).parameters.values()
    command.__annotations__ = {field.name: hints[field.name] for field in fields}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [field.replace(annotation=hints[field.name]) for field in fields]
    )
    return command
