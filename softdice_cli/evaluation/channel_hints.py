"""What to type where the masks of probability maps with several channels hold labels that are not classes."""

from __future__ import annotations

from softdice_cli.evaluation.label_hints import listed, options_for, several_labels, verb, void_of
from softdice_cli.evaluation.seen_labels import VOID, LabelsSeen
from softdice_cli.overlap.full_scale import are_levels
from softdice_cli.records import Settings

# A shift by one is spelled out for so many classes.
_MOST_SHIFTED = 32

# More labels than this that are not classes, and the file is more likely the wrong one.
_MOST_STRAYS = 4


def hint_for_channels(seen: LabelsSeen) -> str:
    """What to do about labels that are not classes where each class has a channel."""
    settings = seen.settings
    count = len(settings.classes)
    unknown = seen.unknown
    rest, leave = void_of(seen, unknown)
    absent = [entry for entry in settings.classes if not any(label in seen.truth for label in entry.labels)]
    if count == 2 and len(unknown) == 1 and len(absent) == 1:
        return _second_class(seen, unknown[0], absent[0].name)
    if not rest:
        return _void_only(seen)
    in_order = _in_order(seen, leave)
    if _is_shift(seen, rest):
        return _shift(seen, leave, in_order)
    if len(rest) > _MOST_STRAYS:
        return in_order or (
            f"check that this is the right file: the masks hold {len(seen.every)} labels, "
            f"and the prediction has {count} channels"
        )
    example = several_labels(settings, "NAME", settings.classes[-1].labels[:1], rest)
    ignored = " ".join(f"--ignore {settings.label_text(label)}" for label in rest)
    every = f"--class NAME=LABELS for each of the {count} channels, in their order"
    belong = (
        f"if {listed(settings, rest)} {verb(rest, 'belongs', 'belong')} to a class (several labels as in {example})"
    )
    ways = [f"{every}{leave}, {belong}", f"{ignored}{leave}, if these pixels are to be left out"]
    if in_order:
        ways.insert(0, in_order)
    return "; ".join(ways)


def _in_order(seen: LabelsSeen, leave: str) -> str:
    """The options that give each channel one of as many labels; empty where there are more or fewer of them."""
    settings = seen.settings
    found = [label for label in seen.every if label != VOID or not leave]
    if len(found) != len(settings.classes) and are_levels(seen.every, between=1):
        # Of equal steps, the last one can be a class like the others.
        found, leave = seen.every, ""
    if len(found) != len(settings.classes) or len(found) > _MOST_SHIFTED or settings.colors:
        return ""
    named = {settings.label_text(label): [label] for label in found}
    return f"{options_for(settings, named)}{leave}, if the channels are in the order of the labels"


def _void_only(seen: LabelsSeen) -> str:
    count = len(seen.settings.classes)
    if {label for label in seen.truth if label not in seen.settings.ignore} <= {0, VOID} and count > 2:
        return (
            f"save masks with a label for each channel: masks of 0 and 255 hold two classes, "
            f"and the prediction has {count}"
        )
    return "--ignore 255, if 255 marks pixels to leave out"


def _second_class(seen: LabelsSeen, label: int, name: str) -> str:
    """The options for two channels, of which one has a label of its own, and the other an unknown one."""
    settings = seen.settings
    text = settings.label_text(label)
    labels = {}
    for place, definition in enumerate(settings.classes):
        known = definition.name != name
        shown = definition.name if known or definition.name != str(place) else text
        labels[shown] = definition.labels if known else (label,)
    way = f"{options_for(settings, labels)}, if {text} is the class of that channel"
    return f"{way}; --ignore {text}, if it marks pixels to leave out"


def _is_shift(seen: LabelsSeen, rest: list[int]) -> bool:
    """Whether labels can be the channels counted from 1: they go one too far."""
    settings = seen.settings
    places = [(place,) for place in range(len(settings.classes))]
    return [entry.labels for entry in settings.classes] == places and rest == [len(places)] and not settings.colors


def _shift(seen: LabelsSeen, leave: str, in_order: str) -> str:
    """The readings of labels that go one too far; what agrees better with the predictions comes first."""
    count = len(seen.settings.classes)
    as_is, shifted = seen.agreeing.as_is, seen.agreeing.shifted
    shift = f"{shifted_classes(seen.settings)}{leave}, if 0 marks pixels to leave out and the first channel is label 1"
    plain = f"--ignore {count}{leave}, if {count} marks pixels to leave out and the first channel is label 0"
    if as_is or shifted:
        shift += f" ({_agree(shifted)})"
        plain += f" ({_agree(as_is)})"
    # Where a label is absent, all but the last channels have the labels as they are.
    ways = [in_order, plain, shift] if as_is > shifted else [shift, in_order, plain]
    return "; ".join(filter(None, ways))


def shifted_classes(settings: Settings) -> str:
    """The options that give each channel the label after its place."""
    named = {}
    for place, definition in enumerate(settings.classes):
        named[str(place + 1) if definition.name == str(place) else definition.name] = (place + 1,)
    if len(named) > _MOST_SHIFTED:
        return f"--classes FILE --ignore 0, with the labels 1 to {len(named)}"
    return f"{options_for(settings, named)} --ignore 0"


def _agree(pixels: int) -> str:
    return f"{pixels} px agree with that"
