"""Files, folders and classes with hostile names, from the disk to every output: shown, not obeyed, and openable."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from softdice_cli.render import Format

NAMES = [
    "\x1b[31mred\x1b]0;title\x07",  # ANSI colours, and a title for the window
    "\u202egnp.exe",  # bidi override
    "two\nlines",
    "cr\r\n::error::injected",
    "::error title=x::injected",
    "[red]markup[-link=x]",
    b"not \xff utf-8".decode("utf-8", "surrogateescape"),
    "=cmd()",
    "]]>",
    "a|b`c``d",
    "&lt;<script>",
    "tab\there",
]
ACTING = ["\x1b", "\x07", "\u202e", "\r", "\udcff"]
FORMATS = get_args(Format)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A pair for each name, whose prediction names its class well; one more fails."""
    root = tmp_path_factory.mktemp("hostile \x1b[1m")
    for side in ("p", "g"):
        (root / side).mkdir()
    probabilities = np.full((2, 3, 4), 0.5, np.float32)
    for name in NAMES:
        np.save(root / f"p/{name}.npy", probabilities)
        Image.fromarray(np.eye(3, 4, dtype=np.uint8)).save(root / f"g/{name}.png")
    (root / "p/\x1b[0m::error::broken.npy").write_bytes(b"PK\x03\x04")
    (root / "g/\x1b[0m::error::broken.png").write_bytes(b"")
    return root


def run(folder: Path, format: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "softdice_cli", "eval", "--pred", "p", "--gt", "g", "--format", format]
    classes = ["--class", "::error::\x1b[1m=0", "--class", "=b|`]]>\u202e=1"]
    return subprocess.run([*command, *classes], cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize("format", FORMATS)
def test_names_act_nowhere(folder, format):
    done = run(folder, format)
    assert done.returncode == 3
    for text in (done.stdout.decode(), done.stderr.decode()):
        assert not [c for c in ACTING if c in text]
        commands = [line for line in text.split("\n") if line.startswith("::")]
        assert all(
            line.startswith(("::error title=failed", "::warning title=", "::notice title=")) for line in commands
        )
        assert bool(commands) == (format == "github" and text == done.stdout.decode())


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_json_names_the_files_so_that_they_can_be_opened(folder, format):
    text = run(folder, format).stdout.decode()
    lines = [json.loads(line) for line in text.splitlines()] if format == "jsonl" else json.loads(text)["images"]
    images = [line for line in lines if line.get("type", "image") == "image"]
    assert {image["id"] for image in images} == set(NAMES)
    for image in images:
        for side in ("pred", "gt"):
            assert os.path.samefile(
                folder / image[side],
                folder / ("p" if side == "pred" else "g") / f"{image['id']}{Path(image[side]).suffix}",
            )


def test_spreadsheets_and_xml_are_whole(folder):
    rows = list(csv.DictReader(io.StringIO(run(folder, "csv").stdout.decode(), newline="")))
    assert len({row["id"] for row in rows}) == len(NAMES) + 1
    cells = [cell for row in rows for name, cell in row.items() if name in ("id", "pred", "gt", "class")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    suites = ElementTree.fromstring(run(folder, "junit").stdout)
    assert len(list(suites.iter("testcase"))) >= 1
    assert "broken" in "".join(case.get("name", "") for case in suites.iter("testcase"))
