"""Results files: they follow the schema, show gives the bytes that eval gave, and what was edited is refused."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from builders import signed
from folders import FAILED, broken, eval_, pairs_of, saved, write

from softdice_cli import Accumulator, ClassDef, Settings, Shard, UnreadableError, evaluate, restore, to_text


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
def test_results_follow_the_schema(softdice, tmp_path):
    from jsonschema import Draft202012Validator

    schema = json.loads(softdice("schema").out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    broken(tmp_path)
    pairs = pairs_of(tmp_path)
    np.save(tmp_path / "one.npy", np.zeros((5, 4), np.float32))
    np.save(tmp_path / "none.npy", np.zeros((5, 4), np.uint8))
    np.save(tmp_path / "rgb.npy", np.zeros((5, 4, 3), np.uint8))
    one, none, rgb = (str(tmp_path / f"{name}.npy") for name in ("one", "none", "rgb"))
    colors = Settings(
        classes=(ClassDef("a", 0), ClassDef("b", 0xFF0000)), colors=True, ignore=(0xFF,), prediction="labels"
    )
    made = {
        "whole": evaluate(pairs),
        "failures": evaluate([*pairs, *pairs_of(tmp_path, tuple(FAILED))], left_out=["x has no truth"]),
        "shard": evaluate(pairs[::2], shard=Shard(1, 2, 6, "run")),
        "all failed": evaluate(pairs_of(tmp_path, ("nan",))),
        "named": evaluate(pairs, settings=Settings(classes=tuple(ClassDef(n, i) for i, n in enumerate("abc")))),
        "no background": evaluate(pairs, settings=Settings(background=False)),
        "one empty class": evaluate([(one, none)]),
        "label maps": evaluate([(none, none)], settings=Settings(prediction="labels")),
        "colours": evaluate([(rgb, rgb)], settings=colors),
        "nothing": Accumulator().compute(),
    }
    assert made["one empty class"].pooled.means.dice is None
    for name, results in made.items():
        document = json.loads(to_text(results, "json"))
        assert [error.message for error in validator.iter_errors(document)] == [], name
        assert restore(to_text(results, "json").encode(), "x") == results, name
    whole = json.loads(to_text(made["whole"], "json"))
    assert not validator.is_valid({**whole, "surplus": 1})
    assert not validator.is_valid({name: value for name, value in whole.items() if name != "pooled"})


@pytest.mark.parametrize("make", [write, broken])
@pytest.mark.parametrize("format", ["table", "json", "csv", "jsonl"],
)  # fmt: skip
def test_show_gives_the_bytes_that_eval_gave(softdice, tmp_path, make, format):
    make(tmp_path)
    code = softdice(*eval_("--allow-missing", "--format", "json", "-o", "r.json")).code
    expected = softdice(*eval_("--allow-missing", "--format", format))
    shown = softdice("show", "r.json", "--format", format)
    assert (shown.code, shown.out, shown.err) == (code, expected.out, expected.err)


def test_show_lists_images_and_reads_standard_input(softdice, tmp_path):
    write(tmp_path)
    softdice(*eval_("--format", "json", "-o", "r.json"))
    for options in (("--worst", "1"), ("--per-image",)):
        assert softdice("show", "r.json", *options).out == softdice(*eval_(*options)).out
    assert softdice("show", "-", stdin=(tmp_path / "r.json").read_bytes()).out == softdice(*eval_()).out
    softdice("show", "r.json", "--format", "json", "-o", "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "r.json").read_bytes()
    assert softdice("show", "nope.json").code == 3


@pytest.mark.parametrize("command", [("show",), ("merge",), ("schema",), ("show", "--format", "csv")])
def test_saved_results_need_no_pixels_torch_or_image_library(tmp_path, command):
    write(tmp_path)
    path = saved(tmp_path / "r.json", evaluate(pairs_of(tmp_path)))
    code = (
        "import sys; from softdice_cli.cli import main\ntry: main()\nfinally: "
        "print(sorted({'numpy', 'torch', 'PIL', 'tifffile'} & set(sys.modules)), file=sys.stderr)"
    )
    arguments = [*command, *([str(path)] if command[0] != "schema" else [])]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def edit(document, path: str, value: object) -> None:
    """Set a member, named as in ``images.0.sums``."""
    *inner, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in inner:
        document = document[part]
    document[last] = value


WRONG = "was changed by hand"
DAMAGED = "was changed or damaged after it was written"
REFUSED = [
    # sums
    ("images.0.sums.truth.0", 8, "is broken"),
    ("images.0.sums.probability.1", 4.25, WRONG),
    ("images.0.sums.intersection.2", 0.0, WRONG),
    ("images.0.sums.true_positives.0", 0, "is broken"),
    # scores: pooled, image mean, one image
    ("pooled.dice", 0.99, WRONG),
    ("pooled.classes.1.loss", 0.5, WRONG),
    ("pooled.classes.1.name", "x", WRONG),
    ("pooled.loss_present", None, WRONG),
    ("pooled.foreground", None, WRONG),
    ("pooled.foreground", [1], "pooled.foreground is a list of 1, and its sums give an object"),
    ("pooled.classes", 5, "pooled.classes is 5, and its sums give a list of 3"),
    ("pooled.dice", {"is": 1}, "pooled.dice is an object, and its sums give 0."),
    ("image_mean.dice", 0.99, WRONG),
    ("image_mean.classes.0.defined.dice", 2, WRONG),
    ("image_mean.spread.iou.median", 0.5, WRONG),
    ("images.1.classes.0.dice", 0.99, "images[b].classes[0].dice"),
    ("images.1.classes", [], WRONG),
    # signature, settings and verdict
    ("signature", "softdice:1", "signature is 'softdice:1'"),
    ("settings.eps", 0.5, WRONG),
    ("settings.empty", "zero", WRONG),
    ("complete", False, WRONG),
    ("complete", 1, WRONG),
    ("failures", [dict.fromkeys(("id", "pred", "gt", "error", "expected", "found", "hint"), "x")], WRONG),
    # rows removed, or twice
    ("images", [], WRONG),
    # what no score follows from
    ("shard", {"index": 1, "count": 2, "pairs": 6, "run": "r"}, DAMAGED),
    # what is left out is not complete
    ("left_out", ["x has no truth"], "complete is True"),
    ("images.0.id", "z", DAMAGED),
    ("images.0.pred", "p/z.npy", DAMAGED),
    ("images.0.gt", "g/z.png", DAMAGED),
    ("images.0.ignored", 7, DAMAGED),
    ("softdice", "9.9.9", DAMAGED),
    ("requirements", [{"rule": "dice>=0"}], DAMAGED),
    ("classes.0.value", 9, WRONG),
    # the digest itself
    ("digest", "sha256:00", "its digest is not that of its values"),
    ("digest", None, "it has no digest"),
    # another version, another kind
    ("version", 1, "holds 'softdice', which softdice 0.1.0 never wrote"),
    ("version", True, "holds 'softdice', which softdice 0.1.0 never wrote"),
    ("version", 3, "version 3 of the results format"),
    ("version", "2", "has version '2'"),
    ("version", None, "has version None"),
    ("format", "sacrebleu", "is not a results file"),
    # wrong types
    ("settings", [], "is broken"),
    ("settings.eps", "1e-5", "is broken"),
    ("settings.eps", -1, "is broken"),
    ("settings.scale", True, "is broken"),
    ("settings.activation", "tanh", "is broken"),
    ("settings.background", 1, "is broken"),
    ("settings.ignore", ["x"], "is broken"),
    ("settings.ignore", None, "is broken"),
    ("settings.ignore", 5, "is broken"),
    # a name that nobody wrote is damage, and not a newer file
    ("settings.surplus", 5, DAMAGED),
    ("settings.eps", 10**400, "is broken"),
    ("classes", {}, "is broken"),
    ("classes.0.name", 0, "is broken"),
    ("classes.0.value", 0.5, "is broken"),
    ("classes.0.value", True, "is broken"),
    ("classes.1.name", "0", "is broken"),
    ("images", None, "is broken"),
    ("images.0", 7, "is broken"),
    ("images.0.id", 7, "is broken"),
    ("images.0.pixels", "42", "is broken"),
    ("images.0.pixels", -1, "is broken"),
    ("images.0.ignored", -1, "is broken"),
    ("images.0.sums.truth", [1, 2], "is broken"),
    ("images.0.sums.truth", [1.5, 2, 3], "is broken"),
    ("images.0.sums.truth", [True, 2, 3], "is broken"),
    ("images.0.sums.truth", [10**400, 2, 3], "is broken"),
    ("images.0.sums.probability", ["1", "2", "3"], "is broken"),
    ("images.0.sums.probability", [10**400, 2, 3], "is broken"),
    ("images.0.sums.probability.0", -1, "is broken"),
    ("images.0.sums.true_positives.0", 40, "is broken"),
    ("images.0.sums", {}, "is broken"),
    ("failures", ["x"], "is broken"),
    ("failures", [{"id": "x"}], "is broken"),
    ("left_out", [1], "is broken"),
    ("shard", {"index": 1}, "is broken"),
    ("shard", {"index": "1", "count": 2, "pairs": 6}, "is broken"),
    ("shard", {"index": 9, "count": 2, "pairs": 6, "run": "r"}, "is broken"),
    ("shard", {"index": 1, "count": 2, "pairs": 6}, "is broken"),
]  # fmt: skip


def refusal(row: tuple[str, object, str]):
    return pytest.param(*row, id=f"{row[0]}={str(row[1])[:20]}")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The text of a results file."""
    folder = tmp_path_factory.mktemp("saved")
    write(folder, ("a", "b", "c"))
    return to_text(evaluate(pairs_of(folder, ("a", "b", "c"))), "json")


@pytest.mark.parametrize(("path", "value", "said"), [*map(refusal, REFUSED)])
def test_an_edited_file_is_refused(document, path, value, said):
    changed = json.loads(document)
    edit(changed, path, value)
    with pytest.raises(UnreadableError) as caught:
        restore(json.dumps(changed).encode(), "r.json")
    assert said in str(caught.value)
    assert str(caught.value).startswith("r.json: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # cut off, empty, and something else
        (lambda text: text[: len(text) // 2], "is not valid JSON"),
        (lambda text: "", "is not valid JSON"),
        (lambda text: "[" * 100_000, "is not valid JSON"),
        (lambda text: "[]", "is not a results file"),
        (lambda text: '"softdice-results"', "is not a results file"),
        # constants that Python writes and JSON does not know
        (lambda text: text.replace('"eps": 1e-05', '"eps": NaN'), "NaN is not JSON"),
        (lambda text: text.replace('"eps": 1e-05', '"eps": Infinity'), "Infinity is not JSON"),
        # a number that is no float
        (lambda text: text.replace('"eps": 1e-05', '"eps": 1e999'), "is broken"),
        # not text
        (lambda text: b"\xff\xfe\xfd\xfc" + text.encode(), "is not valid JSON"),
    ],
)  # fmt: skip
def test_what_is_not_a_results_file_is_refused(document, change, said):
    changed = change(document)
    assert changed != document
    with pytest.raises(UnreadableError) as caught:
        restore(changed if isinstance(changed, bytes) else changed.encode(), "r.json")
    assert said in str(caught.value)


def test_two_images_of_one_id_are_refused(document):
    changed = json.loads(document)
    changed["images"][1]["id"] = "a"
    with pytest.raises(UnreadableError, match=WRONG):
        restore(json.dumps(changed).encode(), "r.json")


def test_sums_that_overflow_are_refused(document):
    changed = json.loads(document)
    for image in changed["images"]:
        image["sums"]["probability"][0] = 1.7e308
    with pytest.raises(UnreadableError):
        restore(json.dumps(changed).encode(), "r.json")


def test_a_file_that_another_program_wrote_again_is_the_same(tmp_path):
    np.save(tmp_path / "p.npy", np.array([[0.0, 1.0]]))
    np.save(tmp_path / "g.npy", np.array([[0, 1]]))
    results = evaluate([(tmp_path / "p.npy", tmp_path / "g.npy")])

    def whole(value):
        """The value as JavaScript writes it, without a point in whole numbers."""
        if isinstance(value, dict):
            return {name: whole(member) for name, member in value.items()}
        if isinstance(value, list):
            return [whole(member) for member in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    text = json.dumps(whole(json.loads(to_text(results, "json"))))
    assert restore(text.encode(), "r.json") == results


def test_last_digits_of_a_logarithm_may_differ(document):
    changed = json.loads(document)
    changed["pooled"]["classes"][0]["loss"] *= 1 + 1e-15
    assert restore(signed(changed), "r.json") == restore(document.encode(), "r.json")


def test_more_than_the_last_digits_may_not_differ(document):
    changed = json.loads(document)
    changed["pooled"]["classes"][0]["loss"] *= 1 + 1e-11
    with pytest.raises(UnreadableError, match=r"pooled\.classes\[0\]\.loss is "):
        restore(json.dumps(changed).encode(), "r.json")


@pytest.mark.parametrize(("above", "readable"), [(1.0099, True), (1.0101, False)])
def test_a_sum_may_be_above_its_pixels_by_the_rounding_of_the_stored_type(document, above, readable):
    """A probability of bfloat16 may be 1 + 2⁻⁷."""
    changed = json.loads(document)
    row = changed["images"][0]
    row["sums"]["probability"][0] = row["pixels"] * above
    for member in ("pooled", "image_mean"):
        del changed[member]
    del row["classes"]
    if readable:
        restored = restore(signed(changed), "r.json")
        assert restored.images[0].sums[0].probability == row["pixels"] * above
    else:
        with pytest.raises(UnreadableError, match="contradict each other"):
            restore(signed(changed), "r.json")


def test_a_refused_file_ends_show_and_merge_with_3(softdice, tmp_path, document):
    (tmp_path / "r.json").write_text(document.replace('"complete": true', '"complete": false'))
    for command in ("show", "merge"):
        run = softdice(command, "r.json")
        assert (run.code, run.out) == (3, "")
        assert WRONG in run.err
        assert "run softdice eval again" in run.err
