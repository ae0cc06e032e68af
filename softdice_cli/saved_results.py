"""Results files → results: every score is computed again from the saved sums, and held against what the file claims.

What no score follows from, such as names, failures and shards, is held against the digest of the file.
A score that a file does not have is older than the metric, and not forged. A score or field that
this program does not know is an error that says which side is newer.
"""

from __future__ import annotations

import math
from typing import Any

from softdice_cli.errors import UnreadableError
from softdice_cli.records import Results
from softdice_cli.records.digest import digest_of
from softdice_cli.records.from_json import document_of, newer, parse, run_from_json
from softdice_cli.records.members import UnknownMember
from softdice_cli.records.to_json import class_to_json, matrix_to_json, summary_to_json
from softdice_cli.scores import score_image, score_regions, summarize

# Relative difference up to which two scores are the same: the last digits of a logarithm differ
# between machines.
_SAME = 1e-12

# How much of a digest a message shows.
_SHOWN = 19

_AGAIN = "run softdice eval again"


def restore(data: bytes, path: str) -> Results:
    """The results in a file, every score computed again from its rows.

    Args:
        data: the bytes of the file, of any version of the format.
        path: its name, for messages.

    Raises:
        UnreadableError: it is not a results file, it is newer than this program, its scores are not
            those of its sums, or its digest is not that of its values.
    """
    value = parse(data, path)
    document = document_of(value, path)
    try:
        results = summarize(run_from_json(document, path))
        found = _contradiction(document, results)
    except UnknownMember as unknown:
        # A name that was damaged is unknown as well.
        _check_digest(value, path)
        raise newer(unknown.where, document.get("softdice"), path) from unknown
    if found:
        raise UnreadableError(
            "was changed by hand: its scores are not those of its sums",
            path=path,
            found=found,
            hint=_AGAIN,
        )
    _check_digest(value, path)
    return results


def _check_digest(document: dict[str, Any], path: str) -> None:
    """Raises UnreadableError where the digest of a file is not that of its values; files of version 1 have none."""
    if document["version"] == 1:
        return
    claimed = document.get("digest")
    if not isinstance(claimed, str):
        raise UnreadableError(
            "was changed or damaged after it was written: it has no digest",
            path=path,
            expected='"digest", which is the last member that softdice writes',
            hint=_AGAIN,
        )
    try:
        digest = digest_of(document)
    except RecursionError as error:
        raise UnreadableError("is nested too deeply", path=path, hint=_AGAIN) from error
    if digest != claimed:
        raise UnreadableError(
            "was changed or damaged after it was written: its digest is not that of its values",
            path=path,
            expected=f"{claimed[:_SHOWN]}…, as it says",
            found=f"{digest[:_SHOWN]}…, of its values",
            hint=_AGAIN,
        )


def _contradiction(document: dict[str, Any], results: Results) -> str:
    """The first claim of a file that its sums do not bear out, or an empty text."""
    computed = {
        "signature": results.settings.signature,
        "complete": results.complete,
        "pooled": summary_to_json(results.pooled),
        "image_mean": summary_to_json(results.image_mean),
        "confusion": matrix_to_json(results.confusion),
    }
    found = _difference({name: document[name] for name in computed if name in document}, computed, "")
    if found:
        return found
    images = {image["id"]: image for image in document["images"]}
    if len(images) != len(results.images):
        return "two images of one id"
    for row in results.images:
        scored = {
            "classes": score_image(results.settings, row),
            "regions": score_regions(results.settings, row.regions),
        }
        for member, scores in scored.items():
            if member in images[row.id]:
                computed_scores = list(map(class_to_json, scores))
                found = _difference(images[row.id][member], computed_scores, f"images[{row.id}].{member}")
            if found:
                return found
    return ""


def _difference(claimed: Any, computed: Any, where: str) -> str:
    """The first member in which a claim differs from what the sums give, with both values.

    Raises:
        UnknownMember: the claim has a member that is not computed here.
    """
    if isinstance(computed, dict) and isinstance(claimed, dict):
        for name, value in claimed.items():
            if _is_equal_number(value, computed.get(name)):
                continue
            place = f"{where}.{name}" if where else name
            if name not in computed:
                raise UnknownMember(place)
            if found := _difference(value, computed[name], place):
                return found
        return ""
    if isinstance(computed, list) and isinstance(claimed, list):
        if len(claimed) != len(computed):
            return f"{where} has {len(claimed)} entries, and its sums give {len(computed)}"
        for index, value in enumerate(claimed):
            if _is_equal_number(value, computed[index]):
                continue
            if found := _difference(value, computed[index], f"{where}[{index}]"):
                return found
        return ""
    if _is_same(claimed, computed):
        return ""
    return f"{where} is {_brief(claimed)}, and its sums give {_brief(computed)}"


def _is_equal_number(value: Any, other: Any) -> bool:
    """Whether two are the same number to the last digit, as nearly every member of a large file is."""
    return type(value) in (float, int) and type(value) is type(other) and bool(value == other)


def _is_same(claimed: Any, computed: Any) -> bool:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (claimed, computed))
    if numbers and abs(claimed) < 1e300:
        return math.isclose(claimed, computed, rel_tol=_SAME, abs_tol=1e-15)
    return claimed == computed and type(claimed) is type(computed)


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)[:80]
