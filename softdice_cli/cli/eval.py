"""``softdice eval``: predictions and truths → results and an exit code."""

from __future__ import annotations

import sys

import typer

from softdice_cli.cli import options as o
from softdice_cli.cli.terminal import emit, page, say, say_error
from softdice_cli.errors import ConfigError, UnreadableError
from softdice_cli.records import Results
from softdice_cli.render import render, warnings


def eval_command(
    *,
    pred: o.Pred,
    gt: o.Gt,
    key: o.Key = None,
    gt_key: o.GtKey = None,
    layout: o.Layout = "",
    scale: o.Scale = None,
    pred_labels: o.PredLabels = False,
    activation: o.Activate = "none",
    allow_unnormalized: o.Unnormalized = False,
    max_pixels: o.MaxPixels = 2**28,
    max_bytes: o.MaxBytes = 2**33,
    class_: o.Class = None,
    classes: o.ClassFile = None,
    ignore: o.Ignore = None,
    no_background: o.NoBackground = False,
    eps: o.Eps = 1e-5,
    threshold: o.Threshold = 0.5,
    empty: o.EmptyScore = "skip",
    device: o.Device = "cpu",
    format: o.Format = "table",
    output: o.Output = None,
    debug: o.Debug = False,
) -> None:
    """Evaluate a saved prediction against its mask: per-class soft-Dice loss and hard Dice."""
    settings = o.settings_from(
        class_,
        classes,
        ignore,
        pred_labels,
        scale=scale,
        activation=activation,
        eps=eps,
        threshold=threshold,
        empty=empty,
        background=not no_background,
        normalized=not allow_unnormalized,
    )
    from softdice_cli.evaluation import Reading, evaluate
    from softdice_cli.overlap.devices import choose
    from softdice_cli.pairing import Pair
    from softdice_cli.readers import ReadOptions

    files = ReadOptions(key=key, max_pixels=max_pixels, max_bytes=max_bytes)
    truths = ReadOptions(key=gt_key, max_pixels=max_pixels, max_bytes=max_bytes)
    reading = Reading(layout=layout, pred=files, gt=truths, stdin=_stdin(pred, gt, max_bytes), notify=say)
    results = evaluate([Pair.of_files(pred, gt)], settings=settings, device=choose(device, say), reading=reading)
    raise typer.Exit(_report(results, format, output))


def _stdin(pred: str, gt: str, limit: int) -> bytes | None:
    """The bytes on standard input, where one of the two paths is ``-``."""
    if "-" not in (pred, gt):
        return None
    if pred == gt:
        raise ConfigError("--pred and --gt cannot both be standard input")
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("nothing is piped into standard input", hint="softdice eval --pred - --gt mask.png < p.npy")
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise UnreadableError(
            "is longer than the limit", path="-", expected=f"at most {limit} bytes", hint="--max-bytes"
        )
    return data


def _report(results: Results, format: o.Format, output: o.Output) -> int:
    """Write the results; the exit code that they mean."""
    emit(render(results, format, page(output)), output)
    for text in warnings(results):
        say(text, "warning")
    for failure in results.failures:
        say_error(failure)
    return 3 if results.failures else 0
