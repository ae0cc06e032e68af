"""What to type where masks hold several labels, and a single class, or each independent channel, is meant."""

from __future__ import annotations

import shlex

from softdice_cli.evaluation.label_hints import LISTED, listed, options_for, sum_of, verb, void_of
from softdice_cli.evaluation.seen_labels import VOID, LabelsSeen
from softdice_cli.overlap.full_scale import are_levels, full_scale

# Two labels are of one class where this share of the one is predicted as often as of the other.
_ALIKE = 0.8

# Of 16 bits, grey levels are at least so many.
_FEWEST_GREYS = 32


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
        example = f"--foreground {rest[0]}vs{sum_of(seen.settings, rest[1:-1])} --ignore {rest[-1]}{leave}"
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
        named = f"{listed(settings, rest)} {verb(rest, 'is', 'are')}"
        return f"--foreground {inside}vs{more}{leave}, if {named} background as well"
    if settings.colors:
        return f"{options_for(settings, {definition.name: [*own, *rest]})}, if all of them are {definition.name}"
    are = verb(rest, "is", "are")
    named = listed(settings, rest)
    background = f"--foreground {sum_of(settings, own)}vs{sum_of(settings, rest)}{leave}"
    merged = options_for(settings, {definition.name: [*own, *rest]})
    return (
        f"{background}, if {named} {are} background beside {definition.name}; "
        f"{merged}{leave}, if {named} {are} {definition.name} as well"
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
