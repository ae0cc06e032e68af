"""What a text says of the foreground: one meaning has one text, and a contradiction is refused."""

from __future__ import annotations

import numpy as np
import pytest

from softdice_cli import ClassDef, Settings
from softdice_cli.errors import ConfigError
from softdice_cli.overlap.codes import translation


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("nonzero", "nonzero"),
        ("0255", "255"),
        (">=0.50", ">=0.5"),
        # spaces and the order of the labels mean nothing
        ("3+1 vs 2", "1+3vs2"),
        ("-1vs-2", "-1vs-2"),
        # 0 is background anyway; without another label of the background, one class is a label
        ("1vs0+2", "1vs2"),
        ("1vs0", "1"),
        ("1+2vs0", "1+2vs0"),
        # also 0 can be the class
        ("0vs1", "0vs1"),
    ],
)
def test_one_meaning_has_one_text(text, written):
    assert Settings(foreground=text).foreground == written
    assert Settings(foreground=written).foreground == written


@pytest.mark.parametrize("text", ["0", "vs", "1vs", "vs1", "1vs1", "1+2vs2", "1v2", "1 2", "nonzer", f"1vs{2**31}"])
def test_what_says_nothing_is_refused(text):
    with pytest.raises(ConfigError, match="foreground"):
        Settings(foreground=text)


@pytest.mark.parametrize(
    ("text", "labels", "codes"),
    [
        # inside 0, outside 1, ignored 2, unknown 3: a label that nobody named is not background
        ("1vs2", [0, 1, 2, 9, 4], [1, 0, 1, 2, 3]),
        ("1+4vs2", [0, 1, 2, 9, 4], [1, 0, 1, 2, 0]),
        ("0vs1", [0, 1, 2], [0, 1, 3]),
        ("nonzero", [0, 1, 2, 9], [1, 0, 0, 2]),
    ],
)
def test_labels_of_the_background(text, labels, codes):
    settings = Settings(classes=(ClassDef("pet", None),), foreground=text, ignore=(9,))
    assert translation(settings)(np.array(labels, np.uint8)).tolist() == codes


def test_the_class_may_be_named_beside_its_background():
    named = Settings(classes=(ClassDef("pet", 1),), foreground="1vs2")
    assert named.signature == Settings(classes=(ClassDef("pet", None),), foreground="1vs2").signature
    with pytest.raises(ConfigError, match="something else than the label of the class"):
        Settings(classes=(ClassDef("pet", 3),), foreground="1vs2")
    with pytest.raises(ConfigError, match="holds the label 2, which is ignored"):
        Settings(foreground="1vs2", ignore=(2,))
