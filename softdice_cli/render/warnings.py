"""What a reader of the numbers must know and could miss, in sentences."""

from __future__ import annotations

from softdice_cli.records import Results
from softdice_cli.render.text import depends_only_on_epsilon, neutral, number

# How many classes a warning names.
_LISTED = 12


def warnings(results: Results) -> list[str]:
    """One sentence for each thing that needs saying; names what it is about."""
    return _absent(results)


def _absent(results: Results) -> list[str]:
    """Classes without truth pixels, whose loss depends only on ε."""
    absent = [scores for scores in results.pooled.classes if depends_only_on_epsilon(scores)]
    if not absent:
        return []
    who = "a class has" if len(absent) == 1 else f"{len(absent)} classes have"
    names = ", ".join(f"{neutral(scores.name)} ({number(scores.loss)})" for scores in absent[:_LISTED])
    text = f"{who} no truth pixels, so the loss is -ln(eps/(P+eps)) and depends only on eps: {names}"
    if len(absent) > _LISTED:
        text += f" and {len(absent) - _LISTED} more"
    present = results.pooled.loss_present
    if present is not None:
        text += f"; over the classes that are present the loss is {number(present)}"
    return [text]
