"""What a reader of the numbers must know and could miss: a sentence a thing, with the count and the first names."""

from __future__ import annotations

from collections.abc import Sequence

from softdice_cli.records import ClassSums, ImageRow, Results, Settings
from softdice_cli.render.text import depends_only_on_epsilon, neutral, number, plural

# How many classes and images a warning names.
_LISTED = 12
_IMAGES = 5

# A rate that a class has by an exchange with its background rather than by a poor model.
_HARDLY = 0.25

# 1 / (1 + 1/e), and a little more.
_SIGMOID_OF_ONE = 0.74
_NEARLY = 1e-3


def warnings(results: Results) -> list[str]:
    """One sentence for each thing that needs saying; names what it is about."""
    return [
        *_absent(results),
        *_never_hit(results),
        *_never_reached(results),
        *_mixed_up(results),
        *_opposite(results),
        *_misread(results),
    ]


def _absent(results: Results) -> list[str]:
    """Classes without truth pixels, whose loss depends only on ε."""
    absent = [scores for scores in results.pooled.classes if depends_only_on_epsilon(scores)]
    if not absent:
        return []
    who = "a class has" if len(absent) == 1 else f"{len(absent)} classes have"
    names = _some([f"{neutral(scores.name)} ({number(scores.loss)})" for scores in absent])
    text = f"{who} no truth pixels, so the loss is -ln(eps/(P+eps)) and depends only on eps: {names}"
    present = results.pooled.loss_present
    if present is not None:
        text += f"; over the classes that are present the loss is {number(present)}"
    return [text]


def _never_hit(results: Results) -> list[str]:
    """Classes that are there, and of which nothing is predicted where they are: their loss is set by ε as well."""
    settings = results.settings
    never = []
    for index, scores in zip(settings.scored, results.pooled.classes, strict=False):
        if scores.truth_pixels and not scores.true_positives:
            # The numerator of the soft Dice is 2I + ε: from here on, ε is the greater part of it.
            overlap = sum(row.sums[index].intersection for row in results.images)
            if 2 * overlap < settings.eps:
                never.append(f"{neutral(scores.name)} ({number(scores.loss)})")
    if not never:
        return []
    who = "a class is" if len(never) == 1 else f"{len(never)} classes are"
    text = f"{who} in the truth and never hit, so the loss is -ln(eps/(P+Y+eps)), set by eps: {_some(never)}"
    if len(settings.scored) > 1:
        text += "; the mean over the classes that are present holds it"
    return [text]


def _never_reached(results: Results) -> list[str]:
    """Classes, and images, of which no probability is above the threshold although the truth has pixels."""
    settings = results.settings
    if settings.decision != "threshold" or not results.images:
        return []
    texts = []
    of_run = [index for index in settings.scored if _is_missed(results.images, index)]
    if of_run:
        who = "a class never reaches its threshold"
        if len(of_run) > 1:
            who = f"{len(of_run)} classes never reach their thresholds"
        names = _some([_with_limit(settings, index) for index in of_run])
        texts.append(
            f"{who} in any image, though the truth has its pixels: {names}; "
            "softdice inspect shows the greatest value of a map, and --threshold sets what counts"
        )
    # What is said of the whole run is not said again of each image.
    others = [index for index in settings.scored if index not in of_run]
    blank = [row.id for row in results.images if _is_blank(settings, row, others)]
    if blank:
        names = _some(list(map(neutral, blank)), _IMAGES)
        texts.append(
            f"in {plural(blank, 'image')} nothing is above the threshold, though the truth has pixels: {names}; "
            "softdice inspect shows the greatest value of a map"
        )
    return texts


def _mixed_up(results: Results) -> list[str]:
    """Classes that are mostly predicted as each other, as if labels or channels stood in another order."""
    if results.confusion is None:
        return []
    settings = results.settings
    taken: dict[int, int] = {}
    for true in range(len(settings.classes)):
        column = [row[true] for row in results.confusion]
        most = max(range(len(column)), key=column.__getitem__)
        if most != true and 2 * column[most] > sum(column):
            taken[true] = most
    # A class that several others are taken for has swallowed them, which is a mistake of the model.
    clear = {true: most for true, most in taken.items() if list(taken.values()).count(most) == 1}
    # Each of them changes places with another: a ring, or a chain as that of labels which begin at 1.
    moved = {true: most for true, most in clear.items() if most in clear or true in clear.values()}
    if len(moved) < 2:
        return []
    names = _some(
        [f"{neutral(settings.classes[a].name)} as {neutral(settings.classes[b].name)}" for a, b in moved.items()]
    )
    text = f"most pixels of some classes are predicted as another one: {names}; "
    if all(true - most == 1 for true, most in moved.items()):
        return [text + _cure_of_shift(settings)]
    return [text + "so check the order of the labels, the colours and the channels"]


def _cure_of_shift(settings: Settings) -> str:
    """What to type where the labels of the masks seem to be greater by 1 than the numbers of the channels."""
    import shlex

    if settings.prediction == "labels":
        return (
            "if the masks begin at 1, and 0 is void: save the predictions with labels that are 1 higher, and --ignore 0"
        )
    options = []
    for place, definition in enumerate(settings.classes, 1):
        name = definition.name
        if name == str(place - 1):
            name = str(place)
        options.append(f"--class {shlex.quote(name)}={place}")
    if len(options) > _LISTED:
        options = ["--classes FILE, with the labels from 1"]
    return f"if the masks begin at 1, and 0 is void: {' '.join(options)} --ignore 0"


def _opposite(results: Results) -> list[str]:
    """A single class that is predicted mostly where it is not, and not where it is."""
    settings = results.settings
    if len(settings.classes) != 1 or not results.images:
        return []
    (scores,) = results.pooled.classes
    recall, specificity = scores.values["recall"], scores.values["specificity"]
    if recall is None or specificity is None or max(recall, specificity) >= _HARDLY:
        return []
    return [
        f"{neutral(scores.name)} is predicted mostly where the truth has its background, and hardly where it has the "
        "class: check which value of the mask is the class, and whether the map is that of the background"
    ]


def _misread(results: Results) -> list[str]:
    """Sigmoid of what were probabilities, and independent channels that exclude each other."""
    settings = results.settings
    sums = [entry for row in results.images for entry in row.sums]
    texts = []
    if settings.activation == "sigmoid" and sums and all(_is_squashed(entry) for entry in sums):
        texts.append(
            "after sigmoid every pixel is between 0.5 and 0.74, as sigmoid makes of values that are probabilities "
            "already: leave out --activation, if they are"
        )
    if settings.multilabel and len(settings.classes) > 1 and results.images and all(map(_sums_to_one, results.images)):
        texts.append(
            "the channels sum to 1, as those of exclusive classes do: leave out --multilabel, "
            "if each pixel is of exactly one class"
        )
    return texts


def _is_squashed(sums: ClassSums) -> bool:
    """Whether probabilities can be what sigmoid makes of numbers from 0 to 1."""
    return sums.predicted == sums.pixels and sums.probability < _SIGMOID_OF_ONE * sums.pixels


def _sums_to_one(row: ImageRow) -> bool:
    total = sum(sums.probability for sums in row.sums)
    return abs(total - row.pixels) < _NEARLY * row.pixels


def _is_missed(rows: Sequence[ImageRow], index: int) -> bool:
    """Whether a class is in the truth, and predicted nowhere."""
    return any(row.sums[index].truth for row in rows) and not any(row.sums[index].predicted for row in rows)


def _is_blank(settings: Settings, row: ImageRow, classes: Sequence[int]) -> bool:
    """Whether no scored class is predicted in an image, although the truth shows one of these classes."""
    shown = any(row.sums[index].truth for index in classes)
    return shown and not any(row.sums[index].predicted for index in settings.scored)


def _with_limit(settings: Settings, index: int) -> str:
    return f"{neutral(settings.classes[index].name)} (p > {settings.limits[index]!r})"


def _some(names: Sequence[str], most: int = _LISTED) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(names[:most])
    if len(names) > most:
        text += f" and {len(names) - most} more"
    return text
