"""What a reader of the numbers must know and could miss, in sentences."""

from __future__ import annotations

from softdice_cli.records import Results
from softdice_cli.render.text import depends_only_on_epsilon, neutral, number

_LISTED = 12


def warnings(results: Results) -> list[str]:
    """One sentence for each thing that needs saying; names what it is about."""
    return _absent(results)


def _absent(results: Results) -> list[str]:
    """Classes without truth pixels, whose loss hangs on ε alone."""
    absent = [c for c in results.pooled.classes if depends_only_on_epsilon(c)]
    if not absent:
        return []
    names = ", ".join(f"{neutral(c.name)} ({number(c.loss)})" for c in absent[:_LISTED])
    more = f" and {len(absent) - _LISTED} more" if len(absent) > _LISTED else ""
    each = "a class has" if len(absent) == 1 else f"{len(absent)} classes have"
    present = results.pooled.loss_present
    rest = "" if present is None else f"; over the classes that are present the loss is {number(present)}"
    return [f"{each} no truth pixels, so the loss is -ln(eps/(P+eps)) and hangs on eps: {names}{more}{rest}"]
