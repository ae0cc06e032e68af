"""What to type where label maps are compared with masks, and some labels of either are not classes."""

from __future__ import annotations

import shlex

from softdice_cli.evaluation.label_hints import LISTED, listed, options_for, several_labels, void_of
from softdice_cli.evaluation.one_class_hints import are_grey, either_way, for_many
from softdice_cli.evaluation.seen_labels import VOID, LabelsSeen
from softdice_cli.overlap.full_scale import full_scale
from softdice_cli.records import Settings

# Labels of a numbering in which not more than every other number may be absent.
_HALF = 2

# Of fewer labels, a bad prediction can agree better with others.
_FEWEST_SHIFTED = 3

# A label map has no more numbered classes than this; more numbers are those of objects.
_MOST_CLASSES = 1024


def hint_for_label_maps(seen: LabelsSeen) -> str:
    """What to type so that every label of both sides has a meaning."""
    settings = seen.settings
    as_is = f"{seen.agreeing.as_is} px with the labels as they are"
    if _one_too_low(seen):
        return (
            "save the predictions with labels that are 1 higher, and --ignore 0, if the masks leave pixels out with 0: "
            f"{seen.agreeing.shifted} px agree with that, {as_is}"
        )
    if _one_too_high(seen):
        return f"save the predictions with labels that are 1 lower: {seen.agreeing.lowered} px agree with that, {as_is}"
    if len(settings.classes) > 1 or settings.classes[0].labels or settings.foreground:
        return _of_named(seen)
    rest, leave = void_of(seen, seen.every)
    others = [label for label in seen.every if label]
    if len(others) == 2 and 0 not in seen.every:
        first, second = others
        apart = f"{_each(settings, others)}, if {first} and {second} are two classes"
        return f"{either_way(first, second)}; {apart}"
    if len(others) == 2 and not seen.mixed:
        return _of_two(seen)
    shown = [label for label in rest if label]
    if len(shown) == 1:
        # 0, one label and 255: binary masks with a border.
        name = settings.classes[0].name
        void = f"{options_for(settings, {name: shown})} --ignore 255, if 255 marks pixels to leave out"
        if VOID not in seen.predicted:
            return void
        # What is predicted is hardly left out.
        return f"{_each(settings, seen.every)}, if each is a class; {void}"
    return _names(seen, rest, leave)


def _one_too_low(seen: LabelsSeen) -> bool:
    """Whether the masks number their classes from 1, and the label maps from 0."""
    truth = _classes_of(seen)
    if len(truth) < _FEWEST_SHIFTED or not seen.predicted or max(seen.predicted) >= max(truth):
        return False
    # The label 0 of the masks would be left out.
    return _is_best(seen, seen.agreeing.shifted, [label for label in truth if label])


def _one_too_high(seen: LabelsSeen) -> bool:
    """Whether the label maps number their classes from 1, and the masks from 0, as ilastik and the masks of it do."""
    truth = _classes_of(seen)
    if 0 not in truth or not seen.predicted or min(seen.predicted) < 1 or max(seen.predicted) > max(truth) + 1:
        return False
    return _is_best(seen, seen.agreeing.lowered, truth)


def _classes_of(seen: LabelsSeen) -> list[int]:
    """The labels of the masks that are certainly not left out."""
    return [label for label in seen.truth if label not in (VOID, *seen.settings.ignore)]


def _is_best(seen: LabelsSeen, agreeing: int, labels: list[int]) -> bool:
    """Whether a reading agrees best, and with most pixels of these labels: below that it may be chance."""
    pixels = sum(seen.truth[label] for label in labels)
    return agreeing == max(seen.agreeing) > seen.agreeing.as_is and agreeing >= pixels / 2


def _of_two(seen: LabelsSeen) -> str:
    """The options for binary maps that number the foreground in two ways."""
    settings = seen.settings
    name = settings.classes[0].name
    first, second = (label for label in seen.every if label)
    both = f"--foreground nonzero, if both are {name}"
    apart = f"{_each(settings, [0, first, second])}, if {first} and {second} are two classes"
    if (first, second) != (1, VOID):
        return f"{apart}; {both}"
    void = f"{options_for(settings, {name: [first]})} --ignore 255, if 255 marks pixels to leave out"
    return f"{both}; {void}"


def _each(settings: Settings, labels: list[int]) -> str:
    """An option for each label, under its own number."""
    named = {settings.label_text(label).replace("#", ""): (label,) for label in labels}
    return options_for(settings, named)


def _names(seen: LabelsSeen, rest: list[int], leave: str) -> str:
    """What to type so that every label of unnamed label maps is a class."""
    settings = seen.settings
    least, greatest = rest[0], rest[-1]
    taken = any(0 <= label <= greatest for label in settings.ignore)
    numbered = least >= 0 and not settings.colors and not taken
    if numbered and greatest < LISTED:
        every = " ".join(f"--class {label}" for label in range(greatest + 1))
        return f"name every class: {every}{leave}"
    if len(rest) <= LISTED:
        return f"name every class: {_each(settings, rest)}{leave}"
    if _like_probabilities(seen):
        return _probabilities(seen)
    ways = []
    labels = [label for label in seen.every if label]
    if 0 in seen.truth and not settings.colors and are_grey(labels):
        return f"{for_many(labels)}; --classes FILE, which names the classes with their labels"
    if numbered and greatest < min(_HALF * len(rest), _MOST_CLASSES):
        ways.append(f"--num-classes {greatest + 1}{leave}, if there are so many classes")
    ways.append(f"--classes FILE{leave}, which names the classes with their labels")
    if 0 in seen.truth and not settings.colors:
        ways.append(f"--foreground nonzero{leave}, if each label is an object of one class")
    return "; ".join(ways)


def _like_probabilities(seen: LabelsSeen) -> bool:
    """Whether many numbers on one side, up to the end of their type, stand against two labels on the other."""
    if len(seen.truth) > 2 or not seen.predicted or min(seen.predicted) < 0:
        return False
    greatest = max(seen.predicted)
    top = full_scale(greatest, seen.reach) if seen.reach else greatest
    return len(seen.predicted) > LISTED and greatest >= top / 2


def _probabilities(seen: LabelsSeen) -> str:
    top = full_scale(max(seen.predicted), seen.reach or max(seen.predicted))
    way = f"--scale {top}"
    # A float has no full scale.
    if not seen.reach:
        way = f"divide by {top} before you save it"
    return f"so many labels look like probabilities: if these are the predictions, {way}, and leave out --pred-labels"


def _of_named(seen: LabelsSeen) -> str:
    """What to do about labels that are none of the named classes."""
    settings = seen.settings
    unknown = seen.unknown
    rest, leave = void_of(seen, unknown)
    if not rest:
        return "--ignore 255, if 255 marks pixels to leave out"
    one = len(settings.classes) == 1
    if one and settings.foreground:
        return f"--foreground nonzero{leave}, if {listed(settings, rest)} is foreground as well"
    labels = {definition.name: definition.labels for definition in settings.classes}
    if one and 0 not in settings.classes[0].labels:
        labels = {"background": (0,), **labels}
    if len(labels) + len(rest) > LISTED:
        ways = [f"--classes FILE{leave}, with a class for {listed(settings, rest)}"]
        many = [label for label in seen.every if label]
        if one and are_grey(many) and not settings.colors:
            ways.insert(0, for_many(many, f"--class {shlex.quote(settings.classes[0].name)} "))
    else:
        named = labels | {f"label{settings.label_text(label).replace('#', '')}": (label,) for label in rest}
        last = settings.classes[-1]
        merged = several_labels(settings, last.name, last.labels, rest)
        ways = [f"{options_for(settings, named)}{leave}, if they are classes"]
        ways.append(f"several labels as in {merged}, if they belong to a class")
    # What only the predictions hold cannot be left out.
    left_out = [label for label in rest if label in seen.truth]
    if left_out and len(left_out) <= LISTED:
        ignored = " ".join(f"--ignore {settings.label_text(label)}" for label in left_out)
        ways.append(f"{ignored}{leave}, if the masks leave pixels out with it")
    return "; ".join(ways)
