"""What makes it doubtful that the files mean what they were taken for, as far as the counts show it.

Labels that are shifted, channels in another order, files of different images, and maps of the background give scores
that are plausible and wrong. None of it is certain, so the results stand, and a sentence says what to check.
"""

from __future__ import annotations

from collections import Counter

from softdice_cli.records import ClassScores, ClassSums, Matrix, Results, Settings
from softdice_cli.render.text import neutral, some

# Classes that a cure spells out.
_SPELLED_OUT = 12

# By so much a shift has to explain more pixels than the labels as they are.
_MUCH = 2

# A rate that a class has by an exchange with its background rather than by a poor model.
_HARDLY = 0.25

# Cohen's kappa up to which prediction and truth agree no better than by chance.
_CHANCE = 0.1
_FEWEST_PIXELS = 500

# 1 / (1 + 1/e), and a little more.
_SIGMOID_OF_ONE = 0.74
_NEARLY = 1e-3


def doubts(results: Results) -> list[str]:
    """A sentence for each thing that should be checked; of several that have one cause, the most telling one."""
    if not results.images:
        return []
    found = _shifted(results) or _mixed_up(results) or _opposite(results) or _misread(results) or _by_chance(results)
    return [*found, *_no_background(results), *_sums_to_one(results)]


def _shifted(results: Results) -> list[str]:
    """Labels that are mostly predicted as the class before, or behind: the two sides count from 0 and from 1."""
    matrix = results.confusion
    if matrix is None or len(matrix) < 3:
        return []
    as_is = sum(matrix[place][place] for place in range(1, len(matrix)))
    taken = _mostly_taken(matrix)
    labelled = list(map(sum, zip(*matrix, strict=True)))
    for step, cure in ((-1, _cure_of_shift), (1, _cure_of_other_shift)):
        # What is labelled 0 can be void, which says nothing of a shift.
        first = 1 if step < 0 else 0
        pairs = [(true + step, true) for true in range(first, len(matrix)) if true + step < len(matrix)]
        moved = sum(matrix[chosen][true] for chosen, true in pairs)
        pixels = sum(labelled[true] for _, true in pairs)
        # Two classes that have changed places look so for one of them.
        several = sum(taken.get(true) == chosen for chosen, true in pairs) > 1
        if several and moved > _MUCH * as_is and 2 * moved > pixels:
            side = "before" if step < 0 else "behind"
            text = f"most pixels are predicted as the class {side} that of their label ({moved} of {pixels})"
            return [f"{text}: {cure(results.settings)}"]
    return []


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
    if len(options) > _SPELLED_OUT:
        options = ["--classes FILE, with the labels from 1"]
    return f"if the masks begin at 1, and 0 is void: {' '.join(options)} --ignore 0"


def _cure_of_other_shift(settings: Settings) -> str:
    """The same where they seem to be smaller."""
    if settings.prediction == "labels":
        return "if the predictions begin at 1, and the masks at 0: save the predictions with labels that are 1 lower"
    return "check whether the first channel is a class that the masks do not have"


def _mixed_up(results: Results) -> list[str]:
    """Classes that are mostly predicted as each other, as if labels or channels stood in another order."""
    if results.confusion is None:
        return []
    taken = _mostly_taken(results.confusion)
    # A class that several others are taken for has swallowed them, which is a mistake of the model.
    times = Counter(taken.values())
    clear = {true: most for true, most in taken.items() if times[most] == 1}
    # Each of them changes places with another.
    others = set(clear.values())
    moved = {true: most for true, most in clear.items() if most in clear or true in others}
    if len(moved) < 2:
        return []
    names = [neutral(definition.name) for definition in results.settings.classes]
    said = some([f"{names[true]} as {names[most]}" for true, most in moved.items()])
    return [
        f"most pixels of some classes are predicted as another one: {said}; "
        "so check the order of the labels, the colours and the channels"
    ]


def _mostly_taken(matrix: Matrix) -> dict[int, int]:
    """For each class the other one that more than half of its pixels are predicted as, where there is one."""
    taken = {}
    for true, column in enumerate(zip(*matrix, strict=True)):
        greatest = max(column)
        if 2 * greatest > sum(column) and column[true] != greatest:
            taken[true] = column.index(greatest)
    return taken


def _opposite(results: Results) -> list[str]:
    """A single class that is predicted mostly where it is not, and not where it is."""
    if len(results.settings.classes) != 1:
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
    """Maps of which every pixel is above the threshold, as sigmoid makes them of probabilities."""
    settings = results.settings
    sums = [entry for row in results.images for entry in row.sums]
    if settings.decision != "threshold" or not all(map(_is_squashed, sums)):
        return []
    text = "every pixel is predicted, with probabilities between 0.5 and 0.74, as sigmoid makes them of what are"
    if settings.activation == "sigmoid":
        return [f"{text} probabilities already: leave out --activation, if they are"]
    return [f"{text} probabilities already: check whether the maps were given to sigmoid twice"]


def _is_squashed(sums: ClassSums) -> bool:
    """Whether probabilities can be what sigmoid makes of numbers from 0 to 1."""
    return sums.predicted == sums.pixels and sums.probability < _SIGMOID_OF_ONE * sums.pixels


def _by_chance(results: Results) -> list[str]:
    """Classes in which prediction and truth agree no better than by chance, where that is most of them."""
    pixels = sum(row.pixels for row in results.images)
    # Of few pixels, chance can give anything.
    if pixels < _FEWEST_PIXELS:
        return []
    kappas = {}
    for scores in results.pooled.classes:
        value = kappa(scores, pixels)
        if value is not None:
            kappas[neutral(scores.name)] = value
    chance = [name for name, value in kappas.items() if value <= _CHANCE]
    if 2 * len(chance) <= len(kappas):
        return []
    return [
        f"prediction and truth agree no better than by chance in {some(chance)}: check that the files of a pair belong "
        "together, that neither is turned or transposed, and which label is which"
    ]


def kappa(scores: ClassScores, pixels: int) -> float | None:
    """Cohen's kappa of a class; ``None`` where it is not on both sides, or is everywhere on one.

    Source: Cohen 1960, A coefficient of agreement for nominal scales.

    Args:
        scores: of the class, for its counts.
        pixels: how many were counted.
    """
    truth, predicted = scores.truth_pixels, scores.predicted_pixels
    if not 0 < truth < pixels or not 0 < predicted < pixels:
        return None
    right = pixels - truth - predicted + 2 * scores.true_positives
    expected = (truth * predicted + (pixels - truth) * (pixels - predicted)) / pixels
    return (right - expected) / (pixels - expected)


def _no_background(results: Results) -> list[str]:
    """A single class that is everywhere, so that nothing can be predicted wrongly."""
    if len(results.settings.classes) != 1:
        return []
    if any(row.sums[0].truth < row.pixels for row in results.images):
        return []
    name = neutral(results.settings.classes[0].name)
    return [
        f"every counted pixel of the truth is {name}, so none can be predicted wrongly: check what marks the background"
    ]


def _sums_to_one(results: Results) -> list[str]:
    """Channels that were said to be independent, and exclude each other."""
    if not results.settings.multilabel or len(results.settings.classes) < 2:
        return []
    for row in results.images:
        total = sum(sums.probability for sums in row.sums)
        if abs(total - row.pixels) > _NEARLY * row.pixels:
            return []
    return [
        "the channels sum to 1, as those of exclusive classes do: leave out --multilabel, "
        "if each pixel is of exactly one class"
    ]
