"""The benchmarks at tiny sizes: that they run, and that nobody is timed whose numbers are wrong. Never how fast."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import ROOT

sys.path.append(str(ROOT))
from benchmarks.__main__ import main
from benchmarks.agreement import differences
from benchmarks.data import make, pair
from benchmarks.workloads import WORKLOADS, Workload

pytestmark = pytest.mark.slow

RESULTS = {
    "pooled": {"classes": [{"dice": 0.5, "loss": 1.0}, {"dice": None, "loss": 11.0}]},
    "image_mean": {"classes": [{"dice": 0.25}, {"dice": 0.75}]},
    "images": [{"pixels": 4, "sums": {"probability": [1.0, 3.0]}}],
}
AGREE = [
    {"pooled.dice": [0.5, None], "pooled.loss": [1.0, 11.0]},
    {"pooled.dice": [0.50009, float("nan")]},  # within the tolerance; undefined is NaN elsewhere
    {"image_mean.dice": [0.25, 0.75]},
    {"probability_per_pixel": [1.0]},
]
DIFFER = [
    ({"pooled.dice": [0.5002, None]}, "pooled.dice[0] is 0.5002, softdice 0.5"),
    ({"pooled.dice": [0.5, 0.0]}, "pooled.dice[1] is 0.0, softdice None"),  # undefined is not 0
    ({"image_mean.dice": [float("nan"), 0.75]}, "image_mean.dice[0] is nan"),
    ({"image_mean.dice": [0.25]}, "1 values, softdice 2"),
    ({"pooled.nothing": [float("nan"), float("nan")]}, "no number of softdice's"),
    ({"probability_per_pixel": [0.99]}, "softdice 1.0"),  # some values were not read
    ({}, "no number"),
]


@pytest.mark.parametrize("numbers", AGREE)
def test_numbers_agree(numbers):
    assert differences(RESULTS, {"pairs": 1, "numbers": numbers}) == []


@pytest.mark.parametrize(("numbers", "says"), DIFFER)
def test_numbers_differ(numbers, says):
    (line,) = differences(RESULTS, {"pairs": 1, "numbers": numbers})
    assert says in line


def test_a_pair_that_was_not_read_is_a_difference():
    assert "2 pairs" in differences(RESULTS, {"pairs": 2, "numbers": AGREE[0]})[0]


def test_the_command(tmp_path):
    arguments = ["patches", "--scale", "0.002", "--repeats", "1", "--against", "floor,sklearn", "--sklearn-pairs", "2"]
    files = ["--json", tmp_path / "all.json", "--markdown", tmp_path / "all.md"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments, *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "budget" in done.stdout
    document = json.loads((tmp_path / "all.json").read_text())
    assert document["problems"] == []
    measured = {result["label"]: result for result in document["measured"]["patches"]}
    assert list(measured) == ["softdice", "floor", "scikit-learn, first 2"]
    assert all(len(result["seconds"]) == len(result["starts"]) == 1 for result in measured.values())
    (row,) = [line for line in (tmp_path / "all.md").read_text().splitlines() if line.startswith("| scikit-learn")]
    assert row.split(" | ")[4:6] == ["–", "–"]  # a part of the pairs gives no ratio


def test_a_wrong_number_fails_the_run(tmp_path, capsys):
    script = tmp_path / "wrong.py"
    script.write_text("""print('{"pairs": 2, "numbers": {"pooled.dice": [0.123, 0.5]}}')""")
    arguments = ["patches", "--scale", "0.001", "--repeats", "1", "--against", str(script)]
    assert main([*arguments, "--data", str(tmp_path / "data")]) == 1
    assert "patches: wrong: pooled.dice[0] is 0.123, softdice 0." in capsys.readouterr().err


def test_the_data_are_kept_and_made_again_for_another_size(tmp_path):
    made = make(Workload("some", 3, (9, 8), 2, mask="tif"), tmp_path)
    first = made.folder / "preds/00000.npy"
    before = first.stat().st_mtime_ns
    assert make(made.workload, tmp_path).bytes() == made.bytes()
    assert first.stat().st_mtime_ns == before
    kept = made.bytes()
    assert make(Workload("some", 3, (9, 8), 1), tmp_path).bytes() < kept
    assert sorted(path.suffix for path in made.folder.rglob("0*")) == [".npy", ".png"]


@pytest.mark.parametrize("workload", [WORKLOADS["latency"], WORKLOADS["volume"].scaled(0.01).tiny()])
def test_a_map_is_a_probability_and_its_mask_has_every_class(workload):
    probabilities, labels = pair(workload, 0)
    assert probabilities.shape == (workload.classes, *workload.shape)
    assert abs(probabilities.sum(axis=0) - 1).max() < 1e-5
    assert set(labels.ravel().tolist()) == set(range(workload.classes))
