"""The recipes of docs/ci.md and the README, run as far as a shell can run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from conftest import ROOT

from softdice_cli.errors import ExitCode
from softdice_cli.render import Format

CI = (ROOT / "docs/ci.md").read_text()
README = (ROOT / "README.md").read_text()
CELLS = ROOT / "sample_data/cells"


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    """The softdice commands of the YAML recipes, each in one line."""
    joined = re.sub(r"\\\n\s*|\n\s+(?=--)", " ", text)
    return [line.strip(" -") for line in joined.splitlines() if line.strip(" -").startswith("softdice ")]


@pytest.fixture
def job(tmp_path):
    """A checkout as the recipes assume it."""
    shutil.copytree(CELLS / "preds", tmp_path / "preds")
    shutil.copytree(CELLS / "masks", tmp_path / "masks")
    shutil.copy(CELLS / "classes.json", tmp_path)
    return tmp_path


def bash(folder: Path, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script, "recipe", *arguments],
        cwd=folder, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_shell_script(job):
    (script,) = [block for block in blocks(CI, "sh") if block.startswith("#!")]
    done = bash(job, script, "preds", "masks")
    assert (done.returncode, done.stdout) == (0, "good enough\n"), done.stderr
    assert json.loads((job / "results.json").read_text())["complete"] is True
    worse = bash(job, script.replace("dice>=0.8'", "dice>=0.9'"), "preds", "masks")
    assert (worse.returncode, worse.stdout) == (1, "not good enough\n")
    assert bash(job, script, "preds", "nowhere").stdout == "could not be judged (3)\n"


@pytest.mark.parametrize(
    ("recipe", "files"), [(0, ["results.json", "summary.md"]), (1, ["softdice.xml", "results.json"])]
)
def test_the_recipes_of_the_platforms(job, recipe, files):
    (command,) = commands(blocks(CI, "yaml")[recipe])
    looser = command.replace("dice>=0.85", "dice>=0.8")
    done = bash(job, looser, GITHUB_STEP_SUMMARY=str(job / "summary.md"))
    assert done.returncode == 0, done.stderr
    assert all((job / file).stat().st_size for file in files)
    assert bash(job, command.replace("dice>=0.85", "dice>=0.95")).returncode == 1


def test_the_gate_against_a_baseline(job):
    line = "softdice eval --pred preds/ --gt masks/ --classes classes.json --ignore 255 --format json"
    assert bash(job, f"{line} --output main.json").returncode == 0
    (command,) = [block for block in blocks(CI, "sh") if "--baseline" in block]
    done = bash(job, command.replace("--format", "--classes classes.json --ignore 255 --format"))
    assert done.returncode == 0, done.stderr


def test_the_options_in_a_file(job):
    own, project = blocks(CI, "toml")
    for name, text in (("softdice.toml", own), ("pyproject.toml", project)):
        assert tomllib.loads(text)
        (job / name).write_text(text)
        done = bash(job, "softdice eval --pred preds --gt masks --format json")
        document = json.loads(done.stdout)
        assert [c["name"] for c in document["classes"]][1] == "cytoplasm"
        assert document["settings"]["ignore"] == [255]
        (job / name).unlink()


def test_the_table_of_the_readme_is_what_the_first_command_prints(job):
    first = next(line for line in README.splitlines() if line.startswith("python3 -m venv"))
    evaluation = first.rpartition("&& .venv/bin/")[2]
    assert f"```\n{bash(ROOT, evaluation).stdout.rstrip()}\n```" in README


def test_every_format_and_command_is_in_the_readme():
    for word in get_args(Format):
        assert f"`{word}`" in README or f"--format {word}" in README, word
    for command in ("eval", "inspect", "show", "merge", "compare", "config", "schema", "selfcheck"):
        assert f"softdice {command}" in README, command


def test_the_readme_lists_every_exit_code():
    """The codes stand in one enum; the table of the README has a row for each, and no other."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Exit codes")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([0-9, ]+) \|", section, re.MULTILINE)
    listed = [int(code) for row in rows for code in row.split(", ")]
    assert listed == [int(code) for code in ExitCode]
