"""What to type where the masks of probability maps hold labels that are not classes.

Where the labels allow several readings, each is named with what it means; what would give a plausible wrong number is
not proposed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from softdice_cli.evaluation.seen_labels import VOID, LabelsSeen
from softdice_cli.overlap.full_scale import are_levels, full_scale
from softdice_cli.records import Settings

LISTED = 12
"""Classes that a hint spells out."""

# A shift by one is spelled out for so many classes.
_MOST_SHIFTED = 32

# Two labels are of one class where this share of the one is predicted as often as of the other.
_ALIKE = 0.8

# Of 16 bits, grey levels are at least so many.
_FEWEST_GREYS = 32

# More labels than this that are not classes, and the file is more likely the wrong one.
_MOST_STRAYS = 4


def options_for(settings: Settings, labels: Mapping[str, Iterable[int]]) -> str:
    """The options that give each name its labels, to be typed as they are."""
    options = []
    for name, owned in labels.items():
        options.append(f"--class {shlex.quote(name)}={_sum(settings, owned)}")
    return " ".join(options)


def several_labels(settings: Settings, name: str, own: Iterable[int], others: Iterable[int]) -> str:
    """An example of a class of several labels: its own, and one of the others."""
    owned = list(own)
    # A minus would be read as a part of the sum.
    plain = [label for label in others if label >= 0]
    return options_for(settings, {name: [*owned, plain[0] if plain else owned[-1] + 1]})


def _sum(settings: Settings, labels: Iterable[int]) -> str:
    return "+".join(map(settings.label_text, labels))


def listed(settings: Settings, labels: Iterable[int]) -> str:
    """Labels for a sentence: ``1, 2 and 5``; of many the first and the last."""
    texts = [settings.label_text(label) for label in labels]
    if len(texts) > LISTED:
        return f"{texts[0]} to {texts[-1]}"
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _verb(labels: list[int], one: str, several: str) -> str:
    return one if len(labels) == 1 else several


def void_of(seen: LabelsSeen, labels: list[int]) -> tuple[list[int], str]:
    """The labels without the usual mark for pixels to leave out, and the option that leaves it out beside others."""
    if seen.settings.colors or are_levels(seen.every, between=2):
        return list(labels), ""
    rest = [label for label in labels if label != VOID]
    return rest, " --ignore 255" if len(rest) < len(labels) else ""


# --- one channel ---


def hint_for_one_channel(seen: LabelsSeen) -> str:
    """What to do about several labels where the prediction has one channel."""
    definition = seen.settings.classes[0]
    if seen.settings.foreground or definition.labels:
        return _of_named(seen)
    others = [label for label in seen.every if label]
    if len(others) > LISTED and 0 in seen.truth:
        return for_many(others)
    rest, leave = void_of(seen, others)
    if len(rest) == 1:
        return _class_and_void(seen, rest[0])
    ways = []
    if 0 in seen.truth:
        if are_levels(seen.every, between=2):
            ways.append(_cut(others[-1]))
        ways.append(f"--foreground nonzero{leave}, if each of {listed(seen.settings, rest)} is {definition.name}")
    if len(rest) == 2:
        first, second = rest
        for inside, outside in ((first, second), (second, first)):
            ways.append(f"--foreground {inside}vs{outside}{leave}, if {inside} is the class and {outside} background")
        if 0 in seen.truth:
            ways.append(f"--ignore {second}{leave}, if {second} marks pixels to leave out")
    elif len(rest) == 3 and 0 not in seen.truth:
        for inside in rest[:2]:
            outside = rest[1 - rest.index(inside)]
            ways.append(
                f"--foreground {inside}vs{outside} --ignore {rest[2]}{leave}, if {inside} is the class, "
                f"{outside} background, and {rest[2]} marks pixels to leave out"
            )
    elif len(rest) <= LISTED:
        example = f"--foreground {rest[0]}vs{_sum(seen.settings, rest[1:-1])} --ignore {rest[-1]}{leave}"
        ways.append(
            f"{example}, if {rest[0]} is the class, {listed(seen.settings, rest[1:-1])} background, "
            f"and {rest[-1]} marks pixels to leave out; likewise for other roles"
        )
    return "; ".join(ways) or "check that this is the right file: no pixel has the label 0, and many have others"


def for_many(labels: list[int], before: str = "") -> str:
    """The options for masks of many numbers beside 0: those of objects, or grey levels.

    Args:
        labels: all of them but 0, in order.
        before: options to be typed in front of each.
    """
    if are_grey(labels):
        # Where levels are grey, the greatest one is the class itself.
        leave, cut = "", f"{before}{_cut(labels[-1])}; "
    else:
        leave, cut = (" --ignore 255" if labels[-1] == VOID else ""), ""
    return f"{cut}{before}--foreground nonzero{leave}, if each number is an object of the class"


def are_grey(labels: list[int]) -> bool:
    """Whether many labels besides 0 can be grey levels, which reach about to the end of their type."""
    greatest = labels[-1]
    top = full_scale(greatest, 2**16 - 1)
    if labels[0] < 0 or top not in (VOID, 2**16 - 1) or greatest < top * 3 // 4:
        return False
    if top > VOID and len(labels) < _FEWEST_GREYS:
        return False
    # Of numbers of objects, the end of the type marks what is left out.
    return greatest < top or labels[-2] > top // 2


def _cut(greatest: int) -> str:
    top = full_scale(greatest, 2**16 - 1)
    return f"--foreground '>{top // 2}', if they are grey levels from 0 outside to {top} inside"


def either_way(first: int, second: int) -> str:
    """The options where one of two labels is the class, and the other one its background."""
    ways = []
    for inside, outside in ((first, second), (second, first)):
        ways.append(f"--foreground {inside}vs{outside}, if {inside} is the class and {outside} background")
    return "; ".join(ways)


def _class_and_void(seen: LabelsSeen, label: int) -> str:
    """The options for masks of 0, one label and 255."""
    settings = seen.settings
    name = settings.classes[0].name
    way = f"{options_for(settings, {name: [label]})} --ignore 255, if 255 marks pixels to leave out"
    # What is nowhere 0 has a label for the background as well, such as those of ilastik that end at 255.
    if label == VOID - 1 or (label != 1 and 0 not in seen.truth):
        return either_way(label, VOID)
    both = f"--foreground nonzero, if both {label} and 255 are {name}"
    if label != 1:
        # A level between 0 and 255 marks what is left out as well as what is the class.
        other = f"{options_for(settings, {name: [VOID]})} --ignore {label}, if {label} marks pixels to leave out"
        return f"{other}; {way}; {both}"
    if seen.mixed:
        return way
    # Where no file has both, the class can have been saved in two ways. Then it is predicted there as elsewhere.
    if _share(seen, VOID) > _ALIKE * _share(seen, label):
        return f"{both}; {way}"
    return f"{way}; {both}"


def _share(seen: LabelsSeen, label: int) -> float:
    """Of the pixels of a label, how many are predicted to be of the single class."""
    return seen.hits.get(label, 0) / seen.truth.get(label, 1)


def _of_named(seen: LabelsSeen) -> str:
    """The same where somebody has said which labels are the class."""
    settings = seen.settings
    definition = settings.classes[0]
    unknown = seen.unknown
    rest, leave = void_of(seen, unknown)
    void = "--ignore 255, if 255 marks pixels to leave out"
    own = definition.labels
    if own and len(unknown) == 1 and not any(label in seen.truth for label in own):
        way = f"{options_for(settings, {definition.name: unknown})}, if that is the class"
        return way if rest else f"{way}; {void}"
    if not rest:
        return void
    if len(rest) > LISTED and not settings.colors:
        several = for_many([label for label in seen.every if label], f"--class {shlex.quote(definition.name)} ")
        return f"{several}; else check that this is the right file"
    if settings.foreground:
        inside, _, outside = settings.foreground.partition("vs")
        more = "+".join(filter(None, [outside, *map(str, rest)]))
        named = f"{listed(settings, rest)} {_verb(rest, 'is', 'are')}"
        return f"--foreground {inside}vs{more}{leave}, if {named} background as well"
    if settings.colors:
        return f"{options_for(settings, {definition.name: [*own, *rest]})}, if all of them are {definition.name}"
    verb = _verb(rest, "is", "are")
    named = listed(settings, rest)
    background = f"--foreground {_sum(settings, own)}vs{_sum(settings, rest)}{leave}"
    merged = options_for(settings, {definition.name: [*own, *rest]})
    return (
        f"{background}, if {named} {verb} background beside {definition.name}; "
        f"{merged}{leave}, if {named} {verb} {definition.name} as well"
    )


def hint_for_independent(seen: LabelsSeen) -> str:
    """The same for channels of which each has a truth of its own."""
    settings = seen.settings
    owned = any(definition.labels for definition in settings.classes)
    unknown = seen.unknown if owned or settings.foreground else [label for label in seen.every if label]
    rest, leave = void_of(seen, unknown)
    void = "--ignore 255, if 255 marks pixels to leave out"
    whole = f"--foreground nonzero, if each of {listed(settings, unknown)} means that the class is there"
    if not rest or (len(rest) == 1 and leave and not owned):
        return void if seen.mixed or not rest else f"{void}; {whole}"
    if not owned and len(rest) > LISTED:
        return for_many([label for label in seen.every if label])
    if owned:
        return f"--class NAME=LABEL+LABEL for each class, where {listed(settings, rest)} is of some class"
    return f"--foreground nonzero{leave}, if each of {listed(settings, rest)} means that the class is there"


# --- several channels ---


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
        f"if {listed(settings, rest)} {_verb(rest, 'belongs', 'belong')} to a class (several labels as in {example})"
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
