"""Commands as frozen dataclasses: a field an option, declared once, and a method that runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
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

    A configurable one takes from a file and the environment what no flag says.
    """

    def command(**given: Any) -> None:
        with settled(job, **given) if configurable else nullcontext(given) as values:
            code = job(**values).run()
        raise typer.Exit(code)

    command.__doc__ = job.__doc__
    hints = get_type_hints(job, include_extras=True)
    fields = [field.replace(annotation=hints[field.name]) for field in inspect.signature(job).parameters.values()]
    fields += parameters() if configurable else []
    command.__annotations__ = {field.name: field.annotation for field in fields}
    command.__signature__ = inspect.Signature(fields)  # type: ignore[attr-defined]
    return command
