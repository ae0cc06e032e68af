"""How the numbers were made, in one line: the signature, which names every option that is not usual."""

from __future__ import annotations

from softdice_cli.records.choices import Choices

# Version of the definitions behind the scores. It changes only when the same files would give
# another number.
DEFINITIONS = 1

# The signature names so many labels; of more of them it holds a digest.
_SHOWN_LABELS = 8
_YES_OR_NO = {True: "yes", False: "no"}


def signature_of(settings: Choices) -> str:
    """The signature of settings; equal ones mean comparable numbers."""
    parts = {"softdice": str(DEFINITIONS), "classes": str(len(settings.classes) or "?")}
    # A part that is not there says that the option is not used.
    parts |= _meaning(settings)
    parts["pred"] = _source(settings)
    parts["decision"] = _decision(settings)
    parts["eps"] = repr(settings.eps)
    parts["empty"] = settings.empty
    parts["background"] = _YES_OR_NO[settings.background]
    parts["ignore"] = "+".join(map(settings.label_text, settings.ignore)) or "none"
    return "|".join(f"{key}:{value}" for key, value in parts.items())


def parts_beyond(signature: str, other: str) -> str:
    """The parts of a signature that another one does not have; an option that only the other one uses is named."""
    mine, theirs = signature.split("|"), other.split("|")
    parts = [part for part in mine if part not in theirs]
    used = {part.partition(":")[0] for part in mine}
    missing = [name for name in (part.partition(":")[0] for part in theirs) if name not in used]
    return "|".join([*parts, *(f"no {name}" for name in missing)])


def _meaning(settings: Choices) -> dict[str, str]:
    """What labels, classes and pixels mean, for the signature; what is usual is left out."""
    # A label of a single class is a label of the class, however it was given.
    is_label = len(settings.classes) == 1 and settings.foreground.lstrip("+-").isdecimal()
    regions = ";".join(f"{region.name}={'+'.join(region.members)}" for region in settings.regions)
    said = {
        "labels": _labels(settings),
        "foreground": "" if is_label else settings.foreground,
        "regions": regions,
        "multilabel": "yes" if settings.multilabel else "",
        "only": settings.only,
        "white": settings.white_is_zero,
        "roi": "yes" if settings.roi else "",
    }
    return {name: text for name, text in said.items() if text}


def _labels(settings: Choices) -> str:
    """The labels of the classes for the signature, or a digest of many; nothing where they are the places."""
    values = [definition.value for definition in settings.classes]
    places = list(range(len(values)))
    # The label of a single class is not its place, whatever it is.
    if not any(definition.labels for definition in settings.classes) or (values == places and len(values) > 1):
        return ""
    text = "+".join("/".join(map(settings.label_text, definition.labels)) for definition in settings.classes)
    if len(values) <= _SHOWN_LABELS:
        return text
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _decision(settings: Choices) -> str:
    """How a pixel got its class, for the signature."""
    if settings.decision != "threshold":
        return settings.decision
    own = [f"{name}>{limit!r}" for name, limit in settings.thresholds]
    return ",".join([f"p>{settings.threshold!r}", *own])


def _source(settings: Choices) -> str:
    """How stored values became probabilities, for the signature."""
    if settings.prediction == "labels":
        return "labels"
    text = "p"
    if settings.scale is not None:
        text += f"/{settings.scale}"
    if settings.activation != "none":
        text += f"+{settings.activation}"
    # A single channel, and what comes out of a softmax, is never asked whether it sums to 1.
    asked = len(settings.classes) != 1 and settings.activation != "softmax" and not settings.multilabel
    if asked and not settings.normalized:
        text += "+unnormalized"
    return text
