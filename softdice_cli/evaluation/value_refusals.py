"""Values that are not probabilities → the error that a person needs at that moment, with the option that would help.

A hint must lead on: it is drawn from all the values that were seen, and never proposes what would
give a wrong number.
"""

from __future__ import annotations

from softdice_cli.errors import ProbabilityError
from softdice_cli.evaluation.full_scale import full_scale, greatest_of
from softdice_cli.overlap import Decoding, Facts
from softdice_cli.readers import Source
from softdice_cli.records import MAX_LABEL, Settings

# How far below 0 rounding errors may have pushed a probability, or a tenth of how far above 1:
# logits go further.
_SLIP = 1e-3


def refuse_kind(source: Source, settings: Settings) -> ProbabilityError | None:
    """Integers without a scale, a scale without integers, or a scale that no stored value reaches.

    Args:
        source: the prediction.
        settings: as asked for.
    """
    if source.array.dtype.kind not in "iub":
        return None if settings.scale is None else _refuse_scale_of_floats(source)
    if settings.scale is None:
        return _refuse_integers(source)
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


def _refuse_integers(source: Source) -> ProbabilityError:
    low, high = map(int, source.span())
    top = full_scale(high, greatest_of(source.array.dtype))
    hint = "--pred-labels if these are class labels"
    if low >= 0 and top <= MAX_LABEL:
        meaning = "it is one-hot" if top == 1 else f"{top} stands for probability 1"
        hint = f"--scale {top} if {meaning}, {hint}"
    return ProbabilityError(
        "holds integers, not probabilities",
        path=source.name,
        expected="float16, bfloat16, float32 or float64",
        found=f"{source.describe()}, from {low} to {high}",
        hint=hint,
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


def refuse_values(facts: Facts, decoding: Decoding, source: Source) -> ProbabilityError:
    """The error for values that are not acceptable, or are already what an activation would make of them.

    Args:
        facts: what was seen among the values.
        decoding: what the values were taken for.
        source: the prediction.
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
    if facts.sum_off:
        return _refuse_sums(facts, decoding, source)
    sums_matter = decoding.sum_tolerance is not None
    together = f" that sum to 1 over the {decoding.classes} channels" if sums_matter else ""
    return ProbabilityError(
        "the values are not probabilities",
        path=source.name,
        expected=f"numbers in [0, 1]{together}",
        found=_range(facts, source),
        hint=_cure_of_range(facts, decoding, source),
    )


def _refuse_sums(facts: Facts, decoding: Decoding, source: Source) -> ProbabilityError:
    sums = f"sums from {facts.sum_low:.6g} to {facts.sum_high:.6g}"
    return ProbabilityError(
        f"the {decoding.classes} channels do not sum to 1",
        path=source.name,
        expected=f"sums of 1 ± {decoding.sum_tolerance:.2g} in every pixel",
        found=f"{source.describe()}: {sums}; {_number_of(facts.sum_off, 'pixel')} off",
        hint=_cure_of_sums(facts, decoding, source),
    )


def _range(facts: Facts, source: Source) -> str:
    return f"{source.describe()}: values from {facts.low:.6g} to {facts.high:.6g}"


def _number_of(count: int, what: str) -> str:
    """A number of things and its verb."""
    if count == 1:
        return f"1 {what} is"
    return f"{count} {what}s are"


def _cure_of_sums(facts: Facts, decoding: Decoding, source: Source) -> str:
    independent = "--allow-unnormalized, if the classes are independent (multi-label) maps"
    if decoding.activation == "sigmoid":
        return f"--activation softmax, if these are logits of exclusive classes; {independent}"
    if decoding.scale is not None:
        top = _likely_scale(facts, decoding.scale, source)
        if top < decoding.scale:
            return f"--scale {top}, if {top} stands for probability 1; {independent}"
    return independent


def _likely_scale(facts: Facts, scale: int, source: Source) -> int:
    """The likely stored value of probability 1, from probabilities that another scale made."""
    return full_scale(round(facts.high * scale), greatest_of(source.array.dtype))


def _cure_of_range(facts: Facts, decoding: Decoding, source: Source) -> str:
    if decoding.scale is not None:
        return _cure_of_scaled(facts, decoding.scale, source)
    if facts.low >= -_SLIP and facts.high <= 1 + 10 * _SLIP:
        return "clip before you save: np.clip(p, 0, 1)"
    activation = "softmax" if decoding.classes > 1 else "sigmoid"
    top = _likely_divisor(facts)
    if top is not None:
        return f"divide by {top} before you save, if {top} stands for 1; --activation {activation} for logits"
    if decoding.activation == "none":
        looks = "log-probabilities or logits" if facts.high <= 0 else "logits"
        return f"--activation {activation}, if these are {looks}"
    return "check what was saved"


def _cure_of_scaled(facts: Facts, scale: int, source: Source) -> str:
    if facts.low < 0:
        return "check what was saved: no probability is below 0"
    return f"--scale {_likely_scale(facts, scale, source)}: it must be the stored value of probability 1"


def _likely_divisor(facts: Facts) -> int | None:
    """What floats were multiplied by, if they look like percentages or like integers that were saved as floats."""
    if facts.low < 0 or facts.high <= 1.5:
        return None
    for top in (100, 255, 65535):
        if top / 3 < facts.high <= top:
            return top
    return None
