"""Commands as frozen dataclasses: each field is an option, declared once, and a method runs the command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, get_type_hints

import typer

from softdice_cli.cli.sources import parameters, settled


class Job(Protocol):
    """What a command does."""

    def run(self) -> int:
        """Do it, and give the exit code."""
        ...


def as_command(job: Callable[..., Job], *, configurable: bool = False) -> Callable[..., None]:
    """The function that Typer wants: it takes the fields of the dataclass as options, and exits with the code.

    A configurable command takes from a file and the environment what no flag says.
    """

    def command(**given: Any) -> None:
        values: AbstractContextManager[dict[str, Any]] = nullcontext(given)
        if configurable:
            values = settled(job, **given)
        with values as fields_given:
            code = job(**fields_given).run()
        raise typer.Exit(code)

    # Typer reads the help and the options from here.
    command.__doc__ = job.__doc__
    fields = _fields(job)
    if configurable:
        fields += parameters()
    command.__annotations__ = {field.name: field.annotation for field in fields}
    command.__signature__ = inspect.Signature(fields)  # type: ignore[attr-defined]
    return command


def _fields(job: Callable[..., Job]) -> list[inspect.Parameter]:
    """The fields of the dataclass as parameters, with the types that their annotations stand for."""
    hints = get_type_hints(job, include_extras=True)
    return [field.replace(annotation=hints[field.name]) for field in inspect.signature(job).parameters.values()]
