"""How many pairs may lack a file."""

from __future__ import annotations

import pytest

from softdice_cli.errors import ConfigError
from softdice_cli.records import Allowance


@pytest.mark.parametrize(
    ("text", "missing", "pairs", "permitted"),
    [
        ("0", 0, 9, True),
        ("0", 1, 9, False),
        ("3", 3, 4, True),
        ("3", 4, 1000, False),
        ("all", 9, 9, True),
        # of all pairs that there should be, and exactly
        ("2%", 2, 100, True),
        ("2%", 3, 100, False),
        ("2%", 1, 49, False),
        ("0.29 %", 29, 10_000, True),
        ("0.29%", 30, 10_000, False),
        ("99.999%", 99_999, 100_000, True),
        ("0%", 0, 5, True),
    ],
)
def test_a_bound(text, missing, pairs, permitted):
    assert Allowance(text).permits(missing, pairs) is permitted


@pytest.mark.parametrize("text", ["", "-1", "1.5", "100%", "2.0001%", "%", "many", "٣", "1e3"])
def test_what_is_not_a_bound_is_refused(text):
    with pytest.raises(ConfigError, match="is not a bound") as caught:
        Allowance(text)
    assert caught.value.option == "allow_missing"
