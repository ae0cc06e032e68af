"""How many pairs may lack a file, so that the rest is evaluated or judged without them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from softdice_cli.errors import ConfigError

ALL = "all"
"""What stands for any number."""

# Percents are held in thousandths, as whole numbers compare exactly.
_THOUSANDTHS = 1000
_NUMBER = re.compile(r"[0-9]{1,18}")
_PERCENT = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?) ?%")


@dataclass(frozen=True, slots=True)
class Allowance:
    """A bound on the pairs that lack a file; by default none may.

    Attributes:
        text: as it was written: ``3``, ``2%``, or ``all`` for any number.
    """

    text: str = "0"

    def __post_init__(self) -> None:
        if self.text != ALL and not _NUMBER.fullmatch(self.text) and not _PERCENT.fullmatch(self.text):
            raise ConfigError(
                f"{self.text!r} is not a bound",
                option="allow_missing",
                expected="a number of pairs, or less than 100 % of them",
                hint="{option} 3, or {option} 2%",
            )

    @property
    def is_bound(self) -> bool:
        """Whether there is a number of pairs that would be too many."""
        return self.text != ALL

    def permits(self, missing: int, pairs: int) -> bool:
        """Whether so many may be missing of so many pairs that there should be."""
        if not self.is_bound:
            return True
        if percent := _PERCENT.fullmatch(self.text):
            return missing * 100 * _THOUSANDTHS <= round(float(percent[1]) * _THOUSANDTHS) * pairs
        return missing <= int(self.text)

    @staticmethod
    def refusal(missing: int, pairs: int) -> str:
        """What to say where so many are not permitted, and what to type."""
        return f"{missing} of {pairs} pairs were left out (--allow-missing {missing} accepts that)"


NONE_MISSING = Allowance()
