"""The command ``compare``: what it writes, what it passes, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from two_results import BASE, hard, random_pair

from softdice_cli.cli.compare import Compare
from softdice_cli.errors import ConfigError, InputError
from softdice_cli.records import Results
from softdice_cli.render import to_text


@pytest.fixture
def saved(tmp_path):
    def save(results: Results, name: str) -> str:
        path = tmp_path / name
        path.write_text(to_text(results, "json"), encoding="utf-8")
        return str(path)

    return save


def test_the_command_writes_and_passes(saved, capsys):
    a, b = random_pair(30)
    paths = saved(a, "a.json"), saved(b, "b.json")
    assert Compare(a=paths[0], b=paths[1], resamples=200).run() == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"A {paths[0]}, B {paths[1]}: 30 images")
    assert err == ""


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown"])
def test_the_command_gates(saved, capsys, tmp_path, format):
    worse, better = random_pair(30, shift=0.2)
    paths = saved(better, "a.json"), saved(worse, "b.json")
    output = tmp_path / "out"
    command = Compare(a=paths[0], b=paths[1], resamples=200, fail_if_worse=True, format=format, output=output)
    assert command.run() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: not met: --fail-if-worse" in err
    assert output.read_text(encoding="utf-8")
    assert replace(command, min_effect=0.9).run() == 0
    assert "met: --fail-if-worse --min-effect 0.9" in capsys.readouterr().err
    assert replace(command, a=paths[1], b=paths[0]).run() == 0
    assert replace(command, b=paths[0], min_effect=0.0).run() == 0  # the same results


def test_the_command_refuses(saved, tmp_path):
    a = saved(BASE, "a.json")
    b = saved(hard((10, 10, 8)), "b.json")
    output = tmp_path / "out"
    with pytest.raises(InputError) as caught:
        Compare(a=a, b=b, output=output).run()
    assert caught.value.path == b
    assert not output.exists()
    with pytest.raises(ConfigError):
        Compare(a="-", b="-").run()
    with pytest.raises(ConfigError):
        Compare(a=a, b=a, min_effect=0.1).run()


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown"])
def test_notes_reach_a_person_whatever_the_format(saved, capsys, format):
    a = saved(hard((10, 10, 8)), "a.json")
    assert Compare(a=a, b=a, format=format).run() == 0
    assert "a single image cannot be resampled" in "".join(capsys.readouterr())
