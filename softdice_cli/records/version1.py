"""Version 1 of the results format, as softdice 0.1.0 wrote it, in the words of version 2.

What version 1 does not say is left out here: a reader takes a score that a file does not have for
older, not for forged.
"""

from __future__ import annotations

from typing import Any

from softdice_cli.records.members import refuse_unknown

# No other release wrote version 1, and it did not say so in the file.
SOFTWARE = "0.1.0"

# The counts behind the image mean of each metric, which had a name each.
_DEFINED = {"dice": "defined", "iou": "defined", "precision": "precision_defined", "recall": "recall_defined"}

# What a file holds. A file of version 2 whose number was changed holds more.
_MEMBERS = (
    *("format", "version", "signature", "settings", "classes", "complete", "shard", "left_out"),
    *("pooled", "image_mean", "intervals", "images", "failures", "requirements"),
)


def upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """A document of version 1 as one of version 2; what is broken in it stays broken.

    Raises:
        UnknownMember: it holds what no file of version 1 does.
    """
    refuse_unknown(document, _MEMBERS, "")
    changed = {**document, "version": 2, "softdice": SOFTWARE}
    # Version 1 called a run complete in which files were left out.
    if changed.get("complete") is True and changed.get("left_out"):
        changed["complete"] = False
    for average in ("pooled", "image_mean"):
        if average in changed:
            changed[average] = _summary(changed[average])
    return changed


def _summary(summary: Any) -> Any:
    if not isinstance(summary, dict):
        return summary
    changed = _means(summary)
    if isinstance(summary.get("foreground"), dict):
        changed["foreground"] = _means(summary["foreground"])
    if isinstance(summary.get("classes"), list):
        changed["classes"] = list(map(_class, summary["classes"]))
    return changed


def _means(means: dict[str, Any]) -> dict[str, Any]:
    changed = dict(means)
    if "dice_classes" in changed:
        changed["defined"] = {"dice": changed.pop("dice_classes")}
    return changed


def _class(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    changed, defined = dict(entry), {}
    for metric, name in _DEFINED.items():
        if name in entry:
            defined[metric] = entry[name]
            changed.pop(name, None)
    # Only the classes of an image mean have such counts.
    if defined:
        changed["defined"] = defined
    return changed
