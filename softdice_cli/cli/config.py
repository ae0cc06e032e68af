"""``softdice config``: which options of eval are in force here, and where each came from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from softdice_cli.cli import options as o
from softdice_cli.cli.eval import Eval
from softdice_cli.cli.file_keys import to_toml
from softdice_cli.cli.keys import known
from softdice_cli.cli.sources import File, NoFile, Setting, collect
from softdice_cli.cli.terminal import Target
from softdice_cli.errors import ExitCode
from softdice_cli.render import neutral

_DEFAULT = "default"

Format = Annotated[
    Literal["table", "json"], typer.Option(help="For people (table), or for programs.", rich_help_panel="Output")
]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Show the options of eval in force here, and where each came from: default, file or environment."""

    config: File = None
    no_config: NoFile = False
    format: Format = "table"
    output: o.Output = None
    debug: o.Debug = False

    def run(self) -> int:
        """Print them."""
        found = collect(self.config, self.no_config, Eval)
        settings: dict[str, Setting] = {}
        for field in dataclasses.fields(Eval):
            default = Setting(field.default, _DEFAULT)
            settings[known()[field.name].key] = found.get(field.name, default)
        with Target(self.output) as target:
            if self.format == "json":
                target.write(_json(settings))
            else:
                target.write(_columns(settings))
        return ExitCode.DONE


def _json(settings: Mapping[str, Setting]) -> str:
    document = {key: {"value": setting.value, "from": setting.origin} for key, setting in settings.items()}
    return json.dumps(document, default=str, indent=2, allow_nan=False) + "\n"


def _columns(settings: Mapping[str, Setting]) -> str:
    rows = [("option", "value", "from")]
    for key, setting in settings.items():
        value = "not set"
        if setting.value is not None:
            value = to_toml(setting.value)
        rows.append((key, neutral(value), neutral(setting.origin)))
    key_width = 0
    value_width = 0
    for key, value, _ in rows:
        key_width = max(key_width, len(key))
        value_width = max(value_width, len(value))
    text = ""
    for key, value, origin in rows:
        text += f"{key:<{key_width}}  {value:<{value_width}}  {origin}\n"
    return text
