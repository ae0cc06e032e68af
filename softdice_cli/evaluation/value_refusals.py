"""Values that are not probabilities → the error that a person needs at that moment.

What to type is drawn from the values of the whole file here, and of the whole run by whoever gathers the failures; see
`seen_values`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softdice_cli.errors import ProbabilityError
from softdice_cli.evaluation.seen_values import SumsSeen, ValuesSeen, like_labels, look_at
from softdice_cli.layout.fits import fits
from softdice_cli.overlap import Decoding, Facts
from softdice_cli.overlap.full_scale import full_scale, greatest_of
from softdice_cli.overlap.labels import count_labels
from softdice_cli.overlap.tiles import tiles
from softdice_cli.readers import Source
from softdice_cli.records import Settings

# Pixels that are looked at together.
_LOOKED_AT = 2**16


def refuse_kind(source: Source, settings: Settings, mask: tuple[int, ...] = ()) -> ProbabilityError | None:
    """Integers without a scale, a scale without integers, or a scale that no stored value reaches.

    Args:
        source: the prediction.
        settings: as asked for.
        mask: the shape of the truth, which tells the axis of the channels.
    """
    if source.array.dtype.kind not in "iub":
        return None if settings.scale is None else _refuse_scale_of_floats(source)
    if settings.scale is None:
        return _refuse_integers(source, settings, mask)
    reach = greatest_of(source.array.dtype)
    if settings.scale <= reach:
        return None
    return _refuse_reach(source, settings.scale, reach)


def _refuse_scale_of_floats(source: Source) -> ProbabilityError:
    return ProbabilityError(
        "holds floats, and a scale is for integers",
        path=source.name,
        found=source.describe(),
        hint="leave out --scale",
    )


def _refuse_integers(source: Source, settings: Settings, mask: tuple[int, ...]) -> ProbabilityError:
    if source.colors:
        return _refuse_picture(source)
    counts = count_labels(source.chunks())
    low, high = min(counts), max(counts)
    reach = greatest_of(source.array.dtype)
    seen = ValuesSeen(
        problem="integers",
        classes=1,
        reach=reach,
        low=low,
        high=high,
        whole=True,
        like_labels=like_labels(counts, reach),
    )
    if not settings.multilabel:
        seen = _with_sums(seen, source, mask)
    return ProbabilityError(
        "holds integers, not probabilities",
        path=source.name,
        expected="float16, bfloat16, float32 or float64",
        found=f"{source.describe()}, from {low} to {high}",
        hint=seen.hint(),
        evidence=seen,
    )


def _with_sums(seen: ValuesSeen, source: Source, mask: tuple[int, ...]) -> ValuesSeen:
    """The same, with the sums over the channels where these are one number."""
    for fit in fits(source.array.shape, mask, False):
        if fit.channels < 2:
            continue
        values = np.moveaxis(source.array, fit.letters.index("C"), 0)
        parts = (source.load(view) for (view,) in tiles(values, [], _LOOKED_AT))
        _, sums = look_at(part.reshape(len(part), -1) for part in parts)
        found = replace(seen, classes=fit.channels, sums=sums)
        if found.sum is not None:
            return found
    return seen


def _refuse_picture(source: Source) -> ProbabilityError:
    return ProbabilityError(
        "holds colours, and not probabilities",
        path=source.name,
        expected="a probability map, or a label map",
        found=source.describe(),
        hint="check that --pred names the predictions, and not the photos; "
        "--pred-labels and --class NAME=#rrggbb for each class, if it is a label map in colours",
    )


def refuse_label_map(prediction: Source) -> ProbabilityError | None:
    """The error for a label map that is taken for probabilities; ``None`` where it is something else."""
    low, high = prediction.span()
    # NaN fails the comparisons.
    if not (low >= 0 and 1 < high < np.inf):
        return None
    hint = "--pred-labels, and leave out --scale, if this is a label map"
    seen = None
    if prediction.array.dtype.kind == "f":
        if not all((part == np.rint(part)).all() for part in prediction.chunks()):
            return None
        seen = ValuesSeen(problem="range", classes=1, low=low, high=high, whole=True)
        hint = seen.hint()
    elif not like_labels(count_labels(prediction.chunks()), greatest_of(prediction.array.dtype)):
        return None
    return ProbabilityError(
        "the values are not probabilities",
        path=prediction.name,
        expected="numbers in [0, 1]",
        found=f"{prediction.describe()}: whole numbers from {low:g} to {high:g}",
        hint=hint,
        evidence=seen,
    )


def _refuse_reach(source: Source, scale: int, reach: int) -> ProbabilityError:
    _, high = map(int, source.span())
    return ProbabilityError(
        f"{source.stored} holds at most {reach}, so a scale of {scale} would make every probability too small",
        path=source.name,
        expected=f"a scale of at most {reach}",
        found=f"{source.describe()}, up to {high}",
        hint=f"--scale {full_scale(high, reach)}",
    )


def refuse_values(
    facts: Facts, decoding: Decoding, source: Source, whole: bool = False, sums: SumsSeen | None = None
) -> ProbabilityError:
    """The error for values that are not acceptable, or are already what an activation would make of them.

    Args:
        facts: what was seen among the values.
        decoding: what the values were taken for.
        source: the prediction.
        whole: all values are whole numbers.
        sums: of the channels, as stored.
    """
    if facts.already(decoding):
        return ProbabilityError(
            "holds probabilities already: they lie in [0, 1] and sum to 1",
            path=source.name,
            expected="logits, as softmax was asked for",
            found=_range(facts, source),
            hint="leave out --activation",
        )
    if facts.nonfinite:
        return ProbabilityError(
            "holds NaN or infinite values",
            path=source.name,
            expected="finite numbers",
            found=f"{source.describe()}: {_number_of(facts.nonfinite, 'value')} not finite",
            hint="find out what produced them; or mark those pixels with an ignored label in the mask",
        )
    seen = _seen(facts, decoding, source, whole, sums)
    if seen.problem == "sums":
        return _refuse_sums(facts, decoding, source, seen)
    sums_matter = decoding.sum_tolerance is not None
    together = f" that sum to 1 over the {decoding.classes} channels" if sums_matter else ""
    return ProbabilityError(
        "the values are not probabilities",
        path=source.name,
        expected=f"numbers in [0, 1]{together}",
        found=_range(facts, source),
        hint=seen.hint(),
        evidence=seen,
    )


def _refuse_sums(facts: Facts, decoding: Decoding, source: Source, seen: ValuesSeen) -> ProbabilityError:
    low, high = (_sum(total, decoding) for total in (facts.sum_low, facts.sum_high))
    off = f"{_number_of(facts.sum_off, 'pixel')} off, with sums from {low} to {high}"
    return ProbabilityError(
        f"the {decoding.classes} channels do not sum to 1",
        path=source.name,
        expected=f"sums of 1 ± {decoding.sum_tolerance:.2g} in every pixel",
        found=f"{source.describe()}: {off}",
        hint=seen.hint(),
        evidence=seen,
    )


def _sum(total: float, decoding: Decoding) -> str:
    """A sum that is out of tolerance, with as many digits as show that it is."""
    text = f"{total:.6g}"
    if abs(float(text) - 1) <= (decoding.sum_tolerance or 0) + 1e-15:
        return f"{total:.15g}"
    return text


def _seen(facts: Facts, decoding: Decoding, source: Source, whole: bool, sums: SumsSeen | None) -> ValuesSeen:
    # What an activation was asked for has no range.
    in_range = decoding.activation != "none" or facts.within(decoding)
    reach = greatest_of(source.array.dtype) if source.array.dtype.kind in "iub" else 0
    return ValuesSeen(
        problem="sums" if facts.sum_off and in_range else "range",
        classes=decoding.classes,
        activation=decoding.activation,
        scale=decoding.scale,
        reach=reach,
        low=facts.low,
        high=facts.high,
        whole=whole,
        sums=sums or SumsSeen(),
    )


def _range(facts: Facts, source: Source) -> str:
    return f"{source.describe()}: values from {facts.low:.6g} to {facts.high:.6g}"


def _number_of(count: int, what: str) -> str:
    """A number of things and its verb."""
    if count == 1:
        return f"1 {what} is"
    return f"{count} {what}s are"
