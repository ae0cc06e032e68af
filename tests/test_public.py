"""The public face: names, laziness, and the package as it is installed."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile

from conftest import ROOT

import softdice_cli


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_all_is_sorted_and_everything_in_it_is_there():
    assert softdice_cli.__all__ == sorted(set(softdice_cli.__all__))
    assert dir(softdice_cli) == softdice_cli.__all__
    for name in softdice_cli.__all__:
        home = importlib.import_module(f"softdice_cli.{softdice_cli._HOMES[name]}")
        assert getattr(softdice_cli, name) is getattr(home, name)
    assert set(softdice_cli._HOMES) == set(softdice_cli.__all__)


def test_no_public_name_is_hidden_by_a_room_of_the_same_name():
    code = (
        "import importlib, pkgutil, softdice_cli as s\n"
        "rooms = [m.name for m in pkgutil.iter_modules(s.__path__) if m.name != '__main__']\n"
        "[importlib.import_module('softdice_cli.' + room) for room in rooms]\n"
        "print(sorted(set(rooms) & set(s.__all__)))"
    )
    assert run(code) == "[]"


def test_importing_costs_nothing():
    heavy = "{'numpy', 'torch', 'rich', 'typer', 'PIL', 'tifffile'}"
    assert run(f"import sys, softdice_cli; print(sorted({heavy} & set(sys.modules)))") == "[]"
    assert run("import sys; from softdice_cli import evaluate; print('torch' in sys.modules)") == "False"


def test_records_scores_and_render_know_no_numbers_library():
    rooms = "softdice_cli.records, softdice_cli.scores, softdice_cli.render, softdice_cli.layout"
    assert run(f"import sys, {rooms}; print(sorted({{'numpy', 'torch', 'PIL', 'typer'}} & set(sys.modules)))") == "[]"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(softdice_cli, "nothing")


def test_the_wheel_holds_the_package_and_works_without_the_source(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("softdice_cli-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    assert "softdice_cli/py.typed" in names
    assert not [name for name in names if not name.startswith("softdice_cli")]
    code = "import softdice_cli; from softdice_cli.cli import main; print(softdice_cli.__file__); main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "selfcheck", "--device", "all"],
        capture_output=True, text=True, cwd=tmp_path / "site", check=True,
    )  # fmt: skip
    assert str(tmp_path) in done.stdout.splitlines()[0]
    assert "1.8738912343978882" in done.stdout
