"""Options from files and the environment: what may stand there, who wins, and where a value came from."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from systems import posix, untraced

from softdice_cli.cli import options as o
from softdice_cli.cli.eval import Eval
from softdice_cli.cli.keys import known, options_of
from softdice_cli.cli.show import Show

NOTEBOOK = ("--pred", ROOT / "sample_data/notebook/pred.npy", "--gt", ROOT / "sample_data/notebook/mask.png")
SAMPLES: dict[type, Any] = {bool: True, int: 3, float: 0.25, str: "text", Path: "text", list: ["a", 7]}


def toml(value: Any) -> str:
    return json.dumps(value)


def in_force(softdice, *args: object, **more: Any) -> dict[str, tuple[Any, str]]:
    run = softdice("config", "--format", "json", *args, **more)
    assert (run.code, run.err) == (0, "")
    return {key: (entry["value"], entry["from"]) for key, entry in json.loads(run.out).items()}


def eval_in(folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "softdice_cli", "eval", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def signature(run: Any) -> str:
    assert run.code == 0, run.err
    return json.loads(run.out)["signature"]


def test_without_a_file_everything_is_the_default(softdice):
    settings = in_force(softdice)
    assert {origin for _, origin in settings.values()} == {"default"}
    assert [option.key for option in known().values()] == list(settings)
    assert settings["eps"] == (1e-05, "default")


def test_every_option_of_eval_may_stand_in_the_file(softdice, tmp_path):
    values = {option.key: option.choices[-1] if option.choices else SAMPLES[option.kind] for option in known().values()}
    Path(tmp_path, "softdice.toml").write_text("".join(f"{key} = {toml(value)}\n" for key, value in values.items()))
    settings = in_force(softdice)
    assert {origin for _, origin in settings.values()} == {"softdice.toml"}
    assert settings["class"][0] == ["a", "7"]
    same = {key: value for key, value in values.items() if not isinstance(value, list)}
    assert {key: settings[key][0] for key in same} == same


def test_the_keys_are_the_flags(softdice):
    shown = softdice("eval", "--help", env={"COLUMNS": "200"}).out
    assert [option.key for option in known().values() if f"--{option.key} " not in shown] == []
    assert len(known()) == len(dataclasses.fields(Eval))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("softdice.toml", "eps = 1"),
        ("pyproject.toml", "[project]\nname = 'x'\n[tool.softdice]\neps = 1"),
    ],
)
def test_the_nearest_file_above_is_used(tmp_path, name, text):
    Path(tmp_path, name).write_text(text)
    near = tmp_path / "a/b"
    near.mkdir(parents=True)
    Path(near, "pyproject.toml").write_text("[project]\nname = 'softdice-user'")  # holds no table of ours
    assert "|eps:1.0|" in eval_in(near, *NOTEBOOK).stdout
    Path(tmp_path, "a/softdice.toml").write_text("eps = 2")
    assert "|eps:2.0|" in eval_in(near, *NOTEBOOK).stdout
    assert "|eps:1e-05|" in eval_in(near, *NOTEBOOK, "--no-config").stdout
    assert "|eps:1.0|" in eval_in(near, *NOTEBOOK, "--config", Path("../..", name)).stdout


def test_flags_win_over_the_environment_and_that_over_the_file(softdice, tmp_path):
    Path(tmp_path, "softdice.toml").write_text('device = "a"\nworkers = 3\neps = 1\n')
    both = {"SOFTDICE_DEVICE": "cpu", "SOFTDICE_WORKERS": "2", "SOFTDICE_EPS": "5"}
    assert in_force(softdice)["workers"] == (3, "softdice.toml")
    settings = in_force(softdice, env=both)
    assert settings["workers"] == (2, "SOFTDICE_WORKERS")
    assert settings["device"] == ("cpu", "SOFTDICE_DEVICE")
    assert settings["eps"] == (1.0, "softdice.toml")  # no other variable is read
    assert in_force(softdice, "--no-config", env=both)["workers"] == (2, "SOFTDICE_WORKERS")
    assert in_force(softdice, env={"SOFTDICE_WORKERS": ""})["workers"] == (3, "softdice.toml")
    assert "|eps:1.0|" in signature(softdice("eval", *NOTEBOOK, "--format", "json", env=both))
    wrong = softdice("eval", *NOTEBOOK)
    assert (wrong.code, "softdice.toml: --device 'a' is not on this machine" in wrong.err) == (2, True)
    won = softdice("eval", *NOTEBOOK, "--device", "cpu", "--eps", "1e-05", "--format", "json")  # a default, yet given
    assert "|eps:1e-05|" in signature(won)


def test_a_flag_takes_the_place_of_a_list_and_of_what_it_excludes(softdice, tmp_path):
    Path(tmp_path, "softdice.toml").write_text('class = ["a", "b", "c"]\npairs = "none.csv"\n')
    Path(tmp_path, "c.json").write_text('["x", "y", "z"]')
    names = [
        [entry["name"] for entry in json.loads(run.out)["classes"]]
        for run in (
            softdice("eval", *NOTEBOOK, "--format", "json"),
            softdice("eval", *NOTEBOOK, "--format", "json", "--classes", "c.json"),
            softdice("eval", *NOTEBOOK, "--format", "json", "--class", "p", "--class", "q", "--class", "r"),
        )
    ]
    assert names == [["a", "b", "c"], ["x", "y", "z"], ["p", "q", "r"]]
    numbered = softdice("eval", *NOTEBOOK, "--format", "json", "--num-classes", "3")
    assert [entry["name"] for entry in json.loads(numbered.out)["classes"]] == ["0", "1", "2"]


def test_a_flag_leaves_the_other_side_of_a_pair_to_the_file(softdice, tmp_path):
    Path(tmp_path, "softdice.toml").write_text(f"gt = {toml(str(NOTEBOOK[3]))}\n")
    assert softdice("eval", *NOTEBOOK[:2]).code == 0
    Path(tmp_path, "list.csv").write_text(f"pred,gt\n{NOTEBOOK[1]},{NOTEBOOK[3]}\n")
    assert softdice("eval", "--pairs", "list.csv").code == 0


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ('class = ["sky", "tree=3"]', ["sky", "tree=3"]),
        ('[class]\nsky = 0\n"a=b" = 255\nred = "#ff0000"', ["sky=0", "a=b=255", "red=#ff0000"]),
        ('[class]\nvehicle = [2, 5]\nred = ["#ff0000", "#0000ff"]', ["vehicle=2+5", "red=#ff0000+#0000ff"]),
        ("class = []", []),
    ],
)
def test_classes_are_a_list_or_a_table(softdice, tmp_path, text, classes):
    Path(tmp_path, "softdice.toml").write_text(text)
    assert in_force(softdice)["class"] == (classes, "softdice.toml")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('region = ["WT=1+2", "X=a"]', "region", ["WT=1+2", "X=a"]),
        ('[region]\nWT = [1, "b c"]\nX = "a"', "region", ["WT=1+b c", "X=a"]),
        ("threshold = 0.4", "threshold", ["0.4"]),
        ('threshold = [0.4, "a=0.3"]', "threshold", ["0.4", "a=0.3"]),
        ("[threshold]\na = 0.3\nb = 0", "threshold", ["a=0.3", "b=0"]),
    ],
)
def test_regions_and_thresholds_are_a_list_or_a_table(softdice, tmp_path, text, key, value):
    Path(tmp_path, "softdice.toml").write_text(text)
    assert in_force(softdice)[key] == (value, "softdice.toml")


def test_labels_are_numbers_or_text_and_keys_have_dashes_or_underscores(softdice, tmp_path):
    Path(tmp_path, "softdice.toml").write_text('ignore = [255, "254"]\nno_background = true\nmax-pixels = 9_000\n')
    settings = in_force(softdice)
    assert settings["ignore"][0] == ["255", "254"]
    assert settings["no-background"][0] is True
    assert settings["max-pixels"][0] == 9000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # an unknown key, with the nearest
        ("treshold = 0.5", ["there is no option 'treshold'", "threshold is the nearest"]),
        ("EPS = 1", ["'EPS'", "eps is the nearest"]),
        ("pred_sufix = '_p'", ["'pred_sufix'", "pred-suffix is the nearest"]),
        ("zzzzzz = 1", ["'zzzzzz'", "softdice config lists"]),
        ("config = 'x'", ["there is no option 'config'"]),
        ("class_ = ['a']", ["there is no option 'class_'", "class is the nearest"]),
        ("[tool.softdice]\neps = 1", ["for pyproject.toml", "at the top of the file"]),
        # the tables of a file of classes
        ("[classes]\na = 0\nb = 1", ["classes has a value that it cannot have", "a path", "try", "class = {…}"]),
        ("[regions]\nab = [0, 1]", ["there is no option 'regions'", "region = {…}"]),
        # one option twice
        ("max-pixels = 1\nmax_pixels = 2", ["max-pixels and max_pixels are the same"]),
        # another type
        ("recursive = 'true'", ['recursive = "true"', "true or false"]),
        ("recursive = 1", ["true or false"]),
        ("worst = 2.0", ["worst = 2.0", "an integer of at least 0"]),
        ("worst = true", ["an integer"]),
        ("worst = -1", ["worst = -1", "at least 0"]),
        ("workers = 0", ["at least 1"]),
        ("eps = '1'", ["a finite number"]),
        ("eps = nan", ["a finite number"]),
        ("eps = inf", ["a finite number"]),
        (f"eps = 1{'0' * 400}", ["a finite number"]),
        ("eps = 1e400", ["a finite number"]),
        ("layout = 3", ["a string", 'layout = "3"']),
        ("pred = []", ["a string"]),
        ("output = 3", ["a path"]),
        ("activation = 'softmx'", ['one of "none", "softmax", "sigmoid"']),
        ("ignore = 255", ["a list of strings or numbers", "ignore = [255]"]),
        ("ignore = [true]", ["a list of strings or numbers"]),
        ("ignore = {a = 1}", ["a list of strings or numbers"]),
        ("class = {a = []}", ["a table of names and their labels"]),
        ("region = {a = ['b+c']}", ["a table of names and lists of classes"]),
        ("region = 'a=1+2'", ['region = ["a=1+2"]']),
        ("threshold = {a = '1'}", ["a table of names and numbers"]),
        ("threshold = true", ["a finite number"]),
        ("threshold = nan", ["a finite number"]),
        ("num-classes = 70000", ["an integer of at most 4096"]),
        ("class = {a = [[1]]}", ["a table of names and their labels"]),
        ("class = {a = 1.5}", ["a table of names and their labels"]),
        ("eps = 1979-05-27", ["a finite number"]),
        # no TOML
        ("eps = ", ["is not valid TOML"]),
        ("\ufeffeps = 1\neps = 1", ["is not valid TOML"]),
        (f"eps = {'[' * 20000}", ["softdice.toml: "]),
    ],
)
def test_what_is_wrong_in_a_file_is_named(softdice, tmp_path, text, words):
    Path(tmp_path, "softdice.toml").write_text(text, encoding="utf-8")
    for command in (["config"], ["eval", *NOTEBOOK], ["eval", *NOTEBOOK, "--eps", "1"]):
        run = softdice(*command)
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith("softdice: error: softdice.toml: ")
        assert [word for word in words if word not in run.err] == []


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("pyproject.toml", b"[tool]\nsoftdice = 3", "tool.softdice is not a table"),
        ("pyproject.toml", b"tool = 'softdice'", "holds no [tool.softdice]"),
        ("pyproject.toml", b"[project]", "holds no [tool.softdice]"),
        ("pyproject.toml", b"[tool.softdice]\nepss = 1", "there is no option 'epss'"),
        ("x.toml", b"\xff", "is not valid TOML"),
        ("x.toml", None, "there is no such file"),
        (".", None, "is a folder, and a file was expected"),
    ],
)
def test_a_file_that_was_asked_for_must_hold_options(softdice, tmp_path, name, data, words):
    if data is not None:
        Path(tmp_path, name).write_bytes(data)
    run = softdice("eval", *NOTEBOOK, "--config", name)
    assert (run.code, run.out) == (2, "")
    assert f"{name}: {words}" in run.err


def test_what_contradicts_is_refused(softdice, tmp_path):
    Path(tmp_path, "softdice.toml").write_text("eps = 1")
    both = softdice("eval", *NOTEBOOK, "--config", "softdice.toml", "--no-config")
    assert (both.code, "leave out --config or --no-config" in both.err) == (2, True)
    Path(tmp_path, "pyproject.toml").write_text("[tool.softdice]\neps = 2")
    run = softdice("eval", *NOTEBOOK)
    assert run.code == 2
    assert "softdice.toml and pyproject.toml" in run.err
    assert softdice("eval", *NOTEBOOK, "--config", "pyproject.toml").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shard = '5'", "softdice.toml: --shard '5' is not a part"),
        ("ignore = ['x']", "softdice.toml: --ignore 'x' is not a label"),
        ("threshold = {'7' = 2}", "softdice.toml: --threshold 2.0 is out of range"),
        ("multilabel = true\nregion = ['a=1']", "softdice.toml: --region is for exclusive classes"),
        ("device = 'cuda:99'", "softdice.toml: --device 'cuda:99' is not on this machine"),
    ],
)
def test_a_value_that_is_wrong_later_is_said_of_the_file(softdice, tmp_path, text, words):
    Path(tmp_path, "softdice.toml").write_text(text)
    run = softdice("eval", *NOTEBOOK)
    assert run.code == 2
    assert words in run.err


@pytest.mark.parametrize("text", ["many", "0", "-1", "1.5", "9" * 30])
def test_a_wrong_variable_is_named_unless_a_flag_wins(softdice, text):
    assert softdice("eval", *NOTEBOOK, "--workers", "2", env={"SOFTDICE_WORKERS": text}).code == 0
    run = softdice("config", env={"SOFTDICE_WORKERS": text})
    assert run.code == 2
    assert "SOFTDICE_WORKERS: " in run.err
    assert "an integer of at least 1" in run.err
    device = softdice("eval", *NOTEBOOK, env={"SOFTDICE_DEVICE": "cuda:99"})
    assert (device.code, "SOFTDICE_DEVICE: --device 'cuda:99' is not on this machine" in device.err) == (2, True)


def test_a_relative_path_starts_from_the_folder_of_its_file(tmp_path, pair):
    data, below = tmp_path / "[x]/data", tmp_path / "[x]/a/b"
    data.mkdir(parents=True)
    below.mkdir(parents=True)
    pair[0].rename(data / "1_p.npy")
    pair[1].rename(data / "1_m.npy")
    file, result = tmp_path / "[x]/softdice.toml", tmp_path / "[x]/r.json"
    options = 'pred-suffix = "_p"\ngt-suffix = "_m"\noutput = "r.json"\nformat = "json"\n'
    file.write_text(f'pred = "data/*_p.npy"\ngt = "data/*_m.npy"\n{options}')
    for folder, given, pred in (
        (below, [], "../../data/1_p.npy"),  # not absolute: the same bytes on every machine
        (file.parent, [], "data/1_p.npy"),
        (tmp_path, ["--config", "[x]/softdice.toml"], "[x]/data/1_p.npy"),  # no pattern but the one in the value
    ):
        assert eval_in(folder, *given).returncode == 0
        assert json.loads(result.read_bytes())["images"][0]["pred"].replace(os.sep, "/") == pred
        result.unlink()


def test_absolute_paths_and_standard_input_stay(tmp_path):
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    absolute = (tmp_path / "preds").as_posix()
    Path(tmp_path, "softdice.toml").write_text(f'pred = "{absolute}"\ngt = "masks/1.npy"\npairs = "-"\n')
    shown = subprocess.run(
        [sys.executable, "-m", "softdice_cli", "config", "--format", "json"], cwd=below, capture_output=True, check=True
    )
    settings = json.loads(shown.stdout)
    values = [settings[key]["value"].replace(os.sep, "/") for key in ("pred", "gt", "pairs")]
    assert values == [absolute, "../../masks/1.npy", "-"]
    assert settings["pred"]["from"].replace(os.sep, "/") == "../../softdice.toml"


def test_paths_are_known_by_their_types_and_metavars():
    paths = {field for field, option in known().items() if option.is_path}
    assert {"pred", "gt", "pairs", "classes", "roi", "journal", "baseline", "output"} <= paths
    assert not paths & {"shard", "key", "device", "pred_suffix", "layout"}


def test_other_commands_share_what_is_not_about_their_output():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Judge:
        file: o.ResultsFile
        threshold: o.Threshold = 0.5
        format: o.Format = "json"
        output: o.Output = None

    assert set(options_of(Judge)) == {"threshold"}
    assert options_of(Eval) == known()
    assert not {"output", "format", "file"} & set(options_of(Show))


def test_a_file_for_eval_neither_stops_nor_changes_show(softdice, tmp_path):
    saved = softdice("eval", *NOTEBOOK, "--format", "json").out
    Path(tmp_path, "r.json").write_text(saved)
    Path(tmp_path, "softdice.toml").write_text('output = "r.json"\nformat = "csv"\neps = 1\n')
    assert softdice("show", "r.json", "--format", "json").out == saved
    assert Path(tmp_path, "r.json").read_text() == saved


def test_the_table_shows_each_option_whole_and_neutral(softdice, tmp_path):
    Path(tmp_path, "softdice.toml").write_text(f'class = ["{"n" * 200}", "\\u001b[31m"]\n', encoding="utf-8")
    run = softdice("config")
    assert (run.code, run.err) == (0, "")
    lines = run.out.splitlines()
    assert lines[0].split() == ["option", "value", "from"]
    assert len(lines) == len(known()) + 1
    assert "n" * 200 in run.out
    assert "\x1b" not in run.out
    assert next(line for line in lines if line.startswith("class ")).endswith("softdice.toml")


def test_debug_in_the_file_shows_the_traceback(tmp_path):
    Path(tmp_path, "softdice.toml").write_text("debug = true\nlayout = 'CWH'\n")
    run = eval_in(tmp_path, *NOTEBOOK)
    assert run.returncode == 2
    assert run.stderr.count("Traceback (most recent call last)") == 1


@posix
def test_a_working_directory_that_is_gone_holds_no_file(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from softdice_cli.cli import main; main()"
    command = [sys.executable, "-c", code, "eval", *map(str, NOTEBOOK)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert run.stderr.count("\n") == run.stderr.count("agree no better than by chance") == 1


@untraced
@pytest.mark.parametrize("text", [None, "[project]\nname = 'x'"])
def test_without_options_in_a_file_nothing_is_parsed(tmp_path, text):
    if text:
        Path(tmp_path, "pyproject.toml").write_text(text)
    code = (
        "import sys; from softdice_cli.cli import main\ntry: main()\n"
        "finally: print(sorted({'tomllib', 'glob'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "config"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert run.stderr == "[]\n"


def test_a_gate_in_the_file_judges_saved_results_too(softdice, tmp_path):
    Path(tmp_path, "r.json").write_text(softdice("eval", *NOTEBOOK, "--format", "json").out)
    Path(tmp_path, "softdice.toml").write_text("fail-under = 0.9\nscale = 255\n")
    assert softdice("show", "r.json").code == 1
    assert softdice("merge", "r.json").code == 1
    assert softdice("show", "r.json", "--fail-under", "0.2").code == 0
    assert softdice("show", "r.json", "--no-config").code == 0
    Path(tmp_path, "softdice.toml").write_text("require = ['dise>0.9']\n")
    assert "softdice.toml: --require 'dise>0.9'" in softdice("show", "r.json").err


def test_a_link_to_no_file_of_options_is_an_error(softdice, tmp_path):
    """The gate in it would be gone without a word."""
    Path(tmp_path, "softdice.toml").symlink_to(tmp_path / "unmounted" / "softdice.toml")
    run = softdice("eval", *NOTEBOOK)
    assert (run.code, run.out) == (2, "")
    assert "softdice.toml" in run.err
    assert softdice("eval", *NOTEBOOK, "--no-config").code == 0


@pytest.mark.parametrize("name", ["softdice-cli", "softdice_cli", "SoftDice"])
def test_a_table_of_a_name_that_is_nearly_ours_is_refused(softdice, tmp_path, name):
    Path(tmp_path, "pyproject.toml").write_text(f"[tool.{name}]\nfail-under = 0.999\n")
    run = softdice("eval", *NOTEBOOK)
    assert (run.code, run.out) == (2, "")
    assert f"[tool.{name}] is not read" in run.err
    assert "[tool.softdice]" in run.err
