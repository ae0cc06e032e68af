"""Labels become codes: as many classes as there are, in a type that holds every code."""

from __future__ import annotations

import numpy as np
import pytest

from softdice_cli.overlap.codes import translation
from softdice_cli.overlap.decoding import decoding_for
from softdice_cli.records import ClassDef, Settings


@pytest.mark.parametrize("classes", [2, 252, 253, 254, 255, 256, 300, 600])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_every_class_has_its_code(classes, dtype):
    """Three codes stand above the classes; with 253 classes the last of them is 255, with 254 it is 256."""
    settings = Settings(classes=tuple(ClassDef(str(index), index) for index in range(classes)), ignore=(60_000,))
    labels = np.array([*range(classes), 60_000, 59_999], dtype)
    codes = translation(settings)(labels)
    assert codes.astype(int).tolist() == [*range(classes), classes + 1, classes + 2]


@pytest.mark.parametrize(
    ("classes", "options", "asked"),
    [
        # several exclusive channels have to sum to 1, and already two of them
        (1, {}, False),
        (2, {}, True),
        (3, {}, True),
        (2, {"normalized": False}, False),
        # before a softmax, the sums tell values that are probabilities already
        (2, {"normalized": False, "activation": "softmax"}, True),
        (1, {"activation": "sigmoid"}, False),
    ],
)
def test_who_is_asked_whether_channels_sum_to_1(classes, options, asked):
    definitions = tuple(ClassDef(str(index), index) for index in range(classes))
    if classes == 1:
        definitions = (ClassDef("foreground", None),)
    decoding = decoding_for(Settings(classes=definitions, **options), 2.0**-23)
    assert (decoding.sum_tolerance is not None) is asked
