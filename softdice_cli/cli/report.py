"""Results → output, warnings and an exit code, the same for every command that has results."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from softdice_cli.cli.gating import Judged
from softdice_cli.cli.terminal import Target, page, say, say_error, say_failure
from softdice_cli.errors import ConfigError, ExitCode, SoftdiceError
from softdice_cli.records import Results, Settings, Verdict
from softdice_cli.render import Format, render, warnings
from softdice_cli.render.text import ADVISED, plural

Extra = tuple[Format, Path]
"""A format, and the file that it goes to besides the output."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How much of the results is shown; see `Page`."""

    worst: int = 0
    per_image: bool = False
    columns: tuple[str, ...] | None = None


def extras(
    reports: Sequence[str] | None, output: Path | None, inputs: Sequence[tuple[str, str | Path | None]]
) -> list[Extra]:
    """What ``--report FORMAT=FILE`` asks for, beside the output.

    Args:
        reports: as written.
        output: the file of the result, or ``None``.
        inputs: files that must not be replaced, with the options that name them.

    Raises:
        ConfigError: there is no such format, no file, no folder for it, or a file is asked for
            twice or is an input.
    """
    found: list[Extra] = []
    for text in reports or ():
        wanted, _, file = text.partition("=")
        if wanted not in get_args(Format) or not file:
            raise ConfigError(
                f"--report {text!r} cannot be read",
                expected="FORMAT=FILE",
                found=f"formats are {', '.join(get_args(Format))}",
                hint="--report junit=softdice.xml",
            )
        found.append((cast(Format, wanted), Path(file)))
    kept = {_identity(path): option for option, path in inputs if path is not None and str(path) != "-"}
    outputs = [(f"--report {name}", file) for name, file in found]
    if output:
        outputs.insert(0, ("--output", output))
    _check_files(kept, outputs)
    return found


def refuse_to_replace(files: Iterable[str], output: Path | None, reports: Iterable[Extra]) -> None:
    """Raises ConfigError where an output would replace one of the files that are evaluated, as in their folders."""
    outputs = [("--output", output), *((f"--report {name}", file) for name, file in reports)]
    there = {_identity(file): (option, file) for option, file in outputs if file is not None and os.path.isfile(file)}
    # Mostly no output is there before, and no file has to be looked up.
    if not there:
        return
    for path in files:
        if (found := there.get(_identity(path))) is not None:
            option, file = found
            raise ConfigError(
                f"{option} would replace a file that is evaluated", path=str(file), found=path, hint="name another file"
            )


def _real(path: str | Path) -> str:
    """The path without links; as it is, where the working directory was removed, or no path can be so."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def _identity(path: str | Path) -> object:
    """What two names of one file have in common: where upper and lower case are the same, or there is a link."""
    try:
        status = os.stat(path)
    # A name with a null character cannot exist.
    except (OSError, ValueError):
        return _real(path)
    return status.st_dev, status.st_ino


def _check_files(kept: dict[object, str], files: Sequence[tuple[str, Path]]) -> None:
    """What would fail after the evaluation, or replace what it reads, fails before it."""
    seen: dict[object, str] = {}
    for option, file in files:
        # A device or a pipe is written to as it is.
        if os.path.exists(file) and not os.path.isfile(file) and not os.path.isdir(file):
            continue
        identity = _identity(file)
        if identity in kept:
            raise ConfigError(f"{option} would replace the file of {kept[identity]}", path=str(file))
        _refuse_unwritable(option, file)
        if identity in seen:
            raise ConfigError(f"{seen[identity]} and {option} are the same file", path=str(file))
        seen[identity] = option


def _refuse_unwritable(option: str, file: Path) -> None:
    """Raises ConfigError for a file that cannot be made, as far as that is known before it is."""
    folder = os.path.dirname(_real(file))
    if not os.path.isdir(folder):
        raise ConfigError(f"{option} is in a folder that is not there", path=str(file), hint="make the folder first")
    if os.path.isdir(file):
        raise ConfigError(f"cannot be written: {option} is a folder", path=str(file), hint="name a file in it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"cannot be written: {os.strerror(errno.EACCES)}",
            path=str(file),
            hint="take another folder, as this one is closed or read-only",
        )
    try:
        os.lstat(file)
    except FileNotFoundError:
        return
    except OSError as error:
        # A name that is too long, for example.
        raise ConfigError(f"cannot be written: {error.strerror}", path=str(file), hint="take another name") from error


def check_formats(formats: Iterable[Format], settings: Settings) -> None:
    """Raises ConfigError for a format that results with these settings are known not to have."""
    if "csv-confusion" in formats:
        from softdice_cli.render.confusion import refuse_no_confusion

        refuse_no_confusion(settings)


def report(judged: Judged, format: Format, output: Path | None, reports: Sequence[Extra], shown: Shown) -> int:
    """Write the results, say what needs saying, and give the exit code that they mean.

    Raises:
        ConfigError: an output could not be written; the others are.
        SoftdiceError: something could not be judged; the results are written.
    """
    failed = _try_to_write(judged.results, format, output, shown)
    judged = replace(judged, refused=(*failed, *judged.refused))
    return conclude(judged, reports, shown, listed=format == "table" and output is None)


def _try_to_write(results: Results, format: Format, output: Path | None, shown: Shown) -> list[SoftdiceError]:
    """Write the results once; the error, where that is not possible, is for after the other outputs."""
    try:
        write(results, format, output, shown)
    except SoftdiceError as error:
        return [error]
    return []


def write(results: Results, format: Format, output: Path | None, shown: Shown) -> None:
    """Write the results once; GitHub's annotations also go into its step summary, as Markdown."""
    medium = page(output, worst=shown.worst, per_image=shown.per_image, columns=shown.columns)
    with Target(output) as target:
        for piece in render(results, format, medium):
            target.write(piece)
    if format == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        _append(summary, "".join(render(results, "markdown", medium)))


def _append(path: str, text: str) -> None:
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", path=path, hint="check GITHUB_STEP_SUMMARY"
        ) from error


def conclude(judged: Judged, reports: Sequence[Extra], shown: Shown, *, listed: bool = False) -> int:
    """Reports, warnings and failures, and the exit code; `listed` says that the output named the failures.

    Raises:
        SoftdiceError: see `report`.
    """
    results, refused = judged.results, list(judged.refused)
    for other, file in reports:
        refused += _try_to_write(results, other, file, shown)
    for text in (*warnings(results), *filter(None, [judged.note])):
        say(text, "warning")
    _say_failures(results, listed=listed)
    unmet = [verdict for verdict in results.requirements if not verdict.passed]
    for verdict in unmet:
        say(_sentence(verdict), "not met")
    if refused:
        for error in refused[1:]:
            say_error(error)
        raise refused[0]
    if results.failures:
        return ExitCode.INPUT
    if not results.images:
        say("nothing was evaluated: there is no image in the results", "error")
        return ExitCode.EMPTY
    if unmet:
        return ExitCode.UNMET
    return ExitCode.DONE


def _say_failures(results: Results, *, listed: bool) -> None:
    """The failed pairs, what is common to many of them once; only their number where the output names them."""
    if results.images and listed:
        if results.failures:
            say(f"{plural(results.failures, 'pair')} failed", "error")
        return
    if not results.failures:
        return
    from softdice_cli.render.failures import grouped

    for place, group in enumerate(grouped(results.failures)):
        error, details = group.first.error, group.first.details
        if len(group.failures) > 1:
            error = f"{group.subject}: {error}"
        say_failure(error, details if place < ADVISED else [])


# What to type where two means are not over the same classes.
_BY_ITSELF = "--max-drop 'METRIC[CLASS]=X' judges a class by itself"


def _sentence(verdict: Verdict) -> str:
    from softdice_cli.render.verdicts import verdict_number

    value, bound = verdict_number(verdict.value, verdict.bound)
    if verdict.reason == "undefined":
        return f"{verdict.rule}: the score is undefined"
    if verdict.reason == "refused":
        # The error that says why comes after it.
        return f"{verdict.rule}: it could not be judged"
    if verdict.reason == "incomplete":
        # Without a note, a pair failed, or the results are a shard.
        return f"{verdict.rule}: {value}, and {verdict.note or 'not all pairs were evaluated'}"
    if verdict.reason == "incomparable":
        return f"{verdict.rule}: {value}, and it is not over the same classes: {verdict.note}; {_BY_ITSELF}"
    if verdict.note:
        return f"{verdict.rule}: {value} is not {verdict.operator} {bound}, {verdict.note}"
    return f"{verdict.rule}: {value} is not {verdict.operator} {bound}"
