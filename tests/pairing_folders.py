"""What the tests of pairing share: folders of files whose names alone matter, and a few that can be evaluated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from softdice_cli import Side


def files(folder: Path, *names: str) -> Path:
    """A folder with these files, none of which can be read as an array."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"broken")
    return folder


def ids(pairing) -> list[str]:
    return [pair.id for pair in pairing.pairs]


def sides(folder: Path, preds: list[str], gts: list[str], **suffixes: str) -> tuple[Side, Side]:
    return (
        Side(str(files(folder / "p", *preds)), suffixes.get("pred", "")),
        Side(str(files(folder / "g", *gts)), suffixes.get("gt", "")),
    )


def good(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """Folders with one-channel maps and masks that can be evaluated."""
    for side in ("p", "g"):
        (folder / side).mkdir(exist_ok=True)
    for name in names:
        np.save(folder / f"p/{name}.npy", np.full((2, 3), 0.75, np.float32))
        np.save(folder / f"g/{name}.npy", np.array([[0, 1, 1], [0, 1, 0]], np.uint8))
    return folder / "p", folder / "g"
