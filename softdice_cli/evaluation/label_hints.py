"""What hints about labels have in common: how labels, classes and pixels to leave out are typed and named.

Where the labels allow several readings, a hint names each with what it means; what would give a plausible wrong number
is not proposed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from softdice_cli.evaluation.seen_labels import VOID, LabelsSeen
from softdice_cli.overlap.full_scale import are_levels
from softdice_cli.records import Settings

LISTED = 12
"""Classes that a hint spells out."""


def options_for(settings: Settings, labels: Mapping[str, Iterable[int]]) -> str:
    """The options that give each name its labels, to be typed as they are."""
    options = []
    for name, owned in labels.items():
        options.append(f"--class {shlex.quote(name)}={sum_of(settings, owned)}")
    return " ".join(options)


def several_labels(settings: Settings, name: str, own: Iterable[int], others: Iterable[int]) -> str:
    """An example of a class of several labels: its own, and one of the others."""
    owned = list(own)
    # A minus would be read as a part of the sum.
    plain = [label for label in others if label >= 0]
    return options_for(settings, {name: [*owned, plain[0] if plain else owned[-1] + 1]})


def sum_of(settings: Settings, labels: Iterable[int]) -> str:
    """Labels as the option of a class has them: ``2+5``."""
    return "+".join(map(settings.label_text, labels))


def listed(settings: Settings, labels: Iterable[int]) -> str:
    """Labels for a sentence: ``1, 2 and 5``; of many the first and the last."""
    texts = [settings.label_text(label) for label in labels]
    if len(texts) > LISTED:
        return f"{texts[0]} to {texts[-1]}"
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def verb(labels: list[int], one: str, several: str) -> str:
    """The verb for so many labels."""
    return one if len(labels) == 1 else several


def void_of(seen: LabelsSeen, labels: list[int]) -> tuple[list[int], str]:
    """The labels without the usual mark for pixels to leave out, and the option that leaves it out beside others."""
    if seen.settings.colors or are_levels(seen.every, between=2):
        return list(labels), ""
    rest = [label for label in labels if label != VOID]
    return rest, " --ignore 255" if len(rest) < len(labels) else ""
