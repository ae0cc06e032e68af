"""What a reader of the numbers must know and could miss: a sentence a thing, with the count and the first names."""

from __future__ import annotations

from collections.abc import Sequence

from softdice_cli.records import ImageRow, Results, Settings
from softdice_cli.render.doubts import doubts
from softdice_cli.render.text import depends_only_on_epsilon, neutral, number, plural, some

# How many images a warning names.
_IMAGES = 5


def warnings(results: Results) -> list[str]:
    """One sentence for each thing that needs saying; names what it is about."""
    dark = _never_reached(results)
    # What is not predicted at all agrees with nothing, and that is said.
    return [*_unchecked(results), *_absent(results), *_never_hit(results), *(dark or doubts(results))]


def _unchecked(results: Results) -> list[str]:
    """What a merge could not check of its parts."""
    if not results.run.unchecked:
        return []
    return [f"merge could not check {neutral(results.run.unchecked)}"]


def _absent(results: Results) -> list[str]:
    """Classes without truth pixels, whose loss depends only on ε."""
    absent = [scores for scores in results.pooled.classes if depends_only_on_epsilon(scores)]
    if not absent:
        return []
    who = "a class has" if len(absent) == 1 else f"{len(absent)} classes have"
    names = some([f"{neutral(scores.name)} ({number(scores.loss)})" for scores in absent])
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
    text = f"{who} in the truth and never hit, so the loss is -ln(eps/(P+Y+eps)), set by eps: {some(never)}"
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
        names = some([_with_limit(settings, index) for index in of_run])
        texts.append(
            f"{who} in any image, though the truth has its pixels: {names}; "
            "softdice inspect shows the greatest value of a map, and --threshold sets what counts"
        )
    # What is said of the whole run is not said again of each image.
    others = [index for index in settings.scored if index not in of_run]
    blank = [row.id for row in results.images if _is_blank(settings, row, others)]
    if blank:
        names = some(list(map(neutral, blank)), _IMAGES)
        texts.append(
            f"in {plural(blank, 'image')} nothing is above the threshold, though the truth has pixels: {names}; "
            "softdice inspect shows the greatest value of a map"
        )
    return texts


def _is_missed(rows: Sequence[ImageRow], index: int) -> bool:
    """Whether a class is in the truth, and predicted nowhere."""
    return any(row.sums[index].truth for row in rows) and not any(row.sums[index].predicted for row in rows)


def _is_blank(settings: Settings, row: ImageRow, classes: Sequence[int]) -> bool:
    """Whether no scored class is predicted in an image, although the truth shows one of these classes."""
    shown = any(row.sums[index].truth for index in classes)
    return shown and not any(row.sums[index].predicted for index in settings.scored)


def _with_limit(settings: Settings, index: int) -> str:
    return f"{neutral(settings.classes[index].name)} (p > {settings.limits[index]!r})"
