"""Which prefixes and suffixes the names of two sides could have, and which of them could mean the same thing.

A name such as ``case_001_prob`` is cut only between words, numbers and separators. What is cut from
both sides at the same end has to differ in its role, such as ``predicted_`` and ``mask_``: without
that rule, ``patient1_`` and ``patient2_`` would pair one patient's predictions with another's truths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from softdice_cli.formats import without_suffix
from softdice_cli.pairing.listing import File
from softdice_cli.pairing.names import bare, key_of

_Item = TypeVar("_Item")

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_DIGITS = re.compile(r"\d+")
_MOST_TOKENS = 8

# How many names are cut into affixes, and on how many an affix is tried.
_SAMPLES = 12
_PROBES = 30
# An affix that fewer of the files have, such as the number of one of them, is none of the side.
_RAREST = 0.2

_PREDICTED = r"pred|prob|softmax|sigmoid|logit|outp?u?t?|result|infer"
_TRUE = r"mask|label|lbl|gt|ground|truth|true|target|annot|manual|ref"
_EITHER = r"seg"
_ROLE = re.compile(rf"(?:{_PREDICTED}|{_TRUE}|{_EITHER})[^\W\d_]*\d*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Affix:
    """What the names of a side may start and end with, beside the stem."""

    prefix: str = ""
    suffix: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """How much a user has to type: options, then characters."""
        return bool(self.prefix) + bool(self.suffix), len(self.prefix) + len(self.suffix)


def affixes(files: Sequence[File]) -> list[Affix]:
    """What may stand before and after the stems of these files; to have nothing there comes first."""
    types = {_type(file.name) for file in files}
    found = dict.fromkeys([Affix()])
    for kind in types:
        names = [file.name for file in files if _type(file.name) == kind]
        for name in spread(names, _SAMPLES):
            # Where a side has several file types, the type may be what chooses.
            found.update(dict.fromkeys(_cuts(name, kind if len(types) > 1 else "")))
    probes = [file.name for file in spread(files, _PROBES)]
    return [affix for affix in found if _is_common(affix, probes)]


def spread(items: Sequence[_Item], count: int) -> list[_Item]:
    """Up to so many items, from all over the sequence."""
    step = max(1, len(items) // count)
    # Sorted names repeat their suffixes, often two or three, and steps of that size would see one of them.
    while any(step % repeats == 0 for repeats in (2, 3, 5)):
        step -= 1
    return list(items[::step][:count])


def _type(name: str) -> str:
    return name[len(without_suffix(name)) :]


def _is_common(affix: Affix, names: Sequence[str]) -> bool:
    having = [name for name in names if key_of(name, affix.prefix, affix.suffix) is not None]
    return affix == Affix() or len(having) >= max(1, _RAREST * len(names))


def _cuts(name: str, kind: str) -> Iterator[Affix]:
    """The ways to cut a name; what is left never starts or ends with a separator that could go as well."""
    tokens = _TOKEN.findall(bare(without_suffix(name)))
    for start in range(min(len(tokens), _MOST_TOKENS) + 1):
        for end in range(len(tokens), max(start, len(tokens) - _MOST_TOKENS) - 1, -1):
            core = tokens[start:end]
            if core:
                clean = not (start and _separates(core[0])) and not (end < len(tokens) and _separates(core[-1]))
            else:
                # A whole name may go where a folder is left to pair the file.
                clean = start == 0 and "/" in name
            if not clean:
                continue
            prefix, suffix = "".join(tokens[:start]), "".join(tokens[end:])
            if (prefix + suffix).isprintable():
                yield Affix(prefix, suffix)
                if kind:
                    yield Affix(prefix, suffix + kind)


def _separates(token: str) -> bool:
    return not token[0].isalnum()


def may_belong(pred: Affix, gt: Affix) -> bool:
    """Whether predictions and truths that are named so may mean the same images."""
    ends = [_without_type(affix.suffix) for affix in (pred, gt)]
    return _may_differ(pred.prefix, gt.prefix) and _may_differ(*ends)


def _without_type(suffix: str) -> str:
    # With a letter before it, a type alone is a type, and not the name of a hidden file.
    return without_suffix(f"x{suffix}")[1:]


def _may_differ(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return True
    # Two numbers of one kind are two things, such as two annotators.
    if _DIGITS.sub("", one) == _DIGITS.sub("", other):
        return False
    return _is_role(one) or _is_role(other)


def _is_role(text: str) -> bool:
    """Whether a text only says what its file is, such as ``_mask`` or ``gtFine_labelIds``."""
    return not any(character.isalnum() for character in _ROLE.sub("", text))


def orientation(pred: Affix, gt: Affix) -> int:
    """How much the affixes speak for this order of the sides: above 0 for it, below against it."""
    pred_text, gt_text = pred.prefix + pred.suffix, gt.prefix + gt.suffix
    score = 0
    for text, right, wrong in ((pred_text, _PREDICTED, _TRUE), (gt_text, _TRUE, _PREDICTED)):
        score += _says(text, right) - _says(text, wrong)
    return score


def _says(text: str, words: str) -> bool:
    return re.search(rf"(?<![^\W\d_])(?:{words})", text, re.IGNORECASE) is not None
