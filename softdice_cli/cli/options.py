"""The options of the commands, each declared once."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from softdice_cli.records import Activation, Empty
from softdice_cli.records.classes import MOST_CLASSES
from softdice_cli.render import Format as OutputFormat

_DATA, _READ, _CLASSES, _SCORE, _GATE, _RUN, _OUT = "Files", "Reading", "Classes", "Scores", "Gate", "Run", "Output"


class Trait(Enum):
    """What an option is, beyond its type, for options that are read from a file; see `keys`."""

    FILE = "the path of a file"
    PATTERN = "a file, a folder or a pattern"
    NAMED_FILE = "entries of NAME=FILE"
    LABELS = "entries of NAME=LABEL+LABEL"
    MEMBERS = "entries of NAME=MEMBER+MEMBER"
    NUMBERS = "a number, or entries of NAME=NUMBER"
    BOUND = "a number or a share of pairs, or true for any number"
    OF_EVAL = "how and where eval writes its result, which no other command takes from the file"


def _option(panel: str, help: str, *names: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=panel, **more)


Pred = Annotated[
    str | None,
    _option(_DATA, "Prediction: file, folder or pattern; '-' reads stdin.", metavar="PATH"),
    Trait.PATTERN,
]
Gt = Annotated[
    str | None,
    _option(_DATA, "Truth: label mask, folder of masks, or pattern.", metavar="PATH"),
    Trait.PATTERN,
]
Pairs = Annotated[
    str | None,
    _option(
        _DATA,
        "List of pairs instead: CSV, TSV or JSON lines with pred, gt, and optionally id and roi; '-' reads stdin.",
        metavar="FILE",
    ),
    Trait.FILE,
]
Recursive = Annotated[bool, _option(_DATA, "Folders: sub-folders too, mirrored, or on one side only.", "--recursive")]
PredPrefix = Annotated[
    str, _option(_DATA, "Folders: predictions start so, e.g. predicted_; not part of the stem.", metavar="TEXT")
]
GtPrefix = Annotated[str, _option(_DATA, "Folders: truths start so, e.g. mask_; not part of the stem.", metavar="TEXT")]
PredSuffix = Annotated[
    str, _option(_DATA, "Folders: predictions end so, e.g. _prob; not part of the stem.", metavar="TEXT")
]
GtSuffix = Annotated[str, _option(_DATA, "Folders: truths end so, e.g. _mask; not part of the stem.", metavar="TEXT")]
AllowMissing = Annotated[
    str | None,
    _option(
        _DATA,
        "Leave out files without a partner, and say so in the output: any number of them, or no more than N, or P % of "
        "the pairs that there should be. A gate needs such a bound.",
        "--allow-missing",
        metavar="[N|P%]",
    ),
    Trait.BOUND,
]
AcceptMissing = Annotated[
    str | None,
    _option(
        _GATE,
        "Judge results although files were left out: no more than N, or P % of the pairs that there should be.",
        "--allow-missing",
        metavar="N|P%",
    ),
]
ShardOf = Annotated[
    str | None, _option(_DATA, "Evaluate every N-th pair, from the I-th; merge the results later.", metavar="I/N")
]
Label = Annotated[
    str | None,
    _option(
        _DATA,
        "Your name for this run or model, e.g. a git commit: kept in the results, and the same in all that are merged.",
        metavar="TEXT",
    ),
]
Key = Annotated[str | None, _option(_READ, "Prediction: array of an .npz, or tensor of a .pt dict.", metavar="NAME")]
GtKey = Annotated[str | None, _option(_READ, "The same for the truth.", metavar="NAME")]
Layout = Annotated[
    str,
    _option(
        _READ,
        "Axes of the prediction, e.g. CHW, HWC, BCHW, CDHW; by default they follow from the mask.",
        metavar="LETTERS",
    ),
]
Scale = Annotated[int | None, _option(_READ, "Integer predictions: the value that means 1 (255, 65535).", metavar="N")]
PredLabels = Annotated[bool, _option(_READ, "Predictions are label maps, not probabilities.", "--pred-labels")]
Activate = Annotated[Activation, _option(_READ, "Turn stored logits into probabilities.", "--activation")]
Unnormalized = Annotated[bool, _option(_READ, "Channels need not sum to 1.", "--allow-unnormalized")]
MaxPixels = Annotated[int, _option(_READ, "Largest image that is decoded, in pixels.", metavar="N", min=1)]
MaxBytes = Annotated[
    int,
    _option(
        _READ,
        "Largest array that is held in memory, in bytes; a large .npy is read tile by tile, and does not count.",
        metavar="N",
        min=1,
    ),
]
Verify = Annotated[
    bool,
    _option(
        _READ,
        "Check the checksum of a .pt map over 1 MiB too, up to a third longer. All other checksums are checked anyway.",
        "--verify",
    ),
]
WhiteIsZero = Annotated[
    Literal["stored", "inverted"] | None,
    _option(
        _READ,
        "Labels of a TIFF that says white is 0: the numbers as stored, or inverted as viewers show them.",
        "--white-is-zero",
    ),
]
Class = Annotated[
    list[str] | None,
    _option(
        _CLASSES,
        "A class and its label in the masks (2, #ff0000), or several (2+5); repeat in the order of the channels. "
        "The label defaults to the position.",
        "--class",
        metavar="NAME[=LABEL]",
    ),
    Trait.LABELS,
]
NumClasses = Annotated[
    int | None,
    _option(
        _CLASSES,
        "So many classes, whose names and labels are 0 to N-1.",
        "--num-classes",
        metavar="N",
        max=MOST_CLASSES,
    ),
]
ClassFile = Annotated[
    Path | None,
    _option(
        _CLASSES,
        "Classes, and all else that describes the task, from a file: .json or .toml with a list of names, a table "
        "name → label, or the keys classes, regions, ignore, foreground, multilabel, threshold, only, white-is-zero, "
        "num-classes and roi; a dataset.json of nnU-Net; .txt or .csv, a name a line. An option beside it takes the "
        "place of what the file says of the same.",
        "--classes",
        metavar="FILE",
    ),
]
Region = Annotated[
    list[str] | None,
    _option(
        _CLASSES,
        "Several exclusive classes taken as one, by name or label, e.g. WT=1+2+3; may be repeated.",
        "--region",
        metavar="NAME=CLASS+…",
    ),
    Trait.MEMBERS,
]
Multilabel = Annotated[
    bool,
    _option(_CLASSES, "Channels are independent: a pixel can be of several classes, or of none.", "--multilabel"),
]
Only = Annotated[
    str | None,
    _option(_CLASSES, "Evaluate this class against the rest, by its own probability and --threshold.", metavar="NAME"),
]
Foreground = Annotated[
    str | None,
    _option(
        _CLASSES,
        "What of a truth is foreground: nonzero, a label, labels against those of the background (1vs2+3), or a cut "
        "such as '>127'; for one class, or a channel each.",
        metavar="RULE",
    ),
]
Ignore = Annotated[
    list[str] | None,
    _option(_CLASSES, "Label whose pixels are left out of everything; may be repeated.", "--ignore", metavar="LABEL"),
]
Roi = Annotated[
    str | None,
    _option(
        _CLASSES,
        "Region of interest: mask, folder of masks, or pattern; outside it, pixels are left out.",
        metavar="PATH",
    ),
    Trait.PATTERN,
]
NoBackground = Annotated[bool, _option(_CLASSES, "Leave class 0 out of the rows and means.", "--no-background")]
Eps = Annotated[float, _option(_SCORE, "ε of the soft Dice.", metavar="X")]
Threshold = Annotated[
    list[str] | None,
    _option(
        _SCORE,
        "One channel, --multilabel and --only: foreground where p is greater than X, by default 0.5; NAME=X for one "
        "class, may be repeated.",
        "--threshold",
        metavar="[NAME=]X",
    ),
    Trait.NUMBERS,
]
EmptyScore = Annotated[Empty, _option(_SCORE, "What 0/0 counts as: undefined and left out, 1, or 0.", "--empty")]
Device = Annotated[str, _option(_RUN, "auto, cpu, cuda[:N] or mps; torch:cpu checks cpu.", metavar="NAME")]
Workers = Annotated[
    int | None,
    _option(
        _RUN,
        "Pairs that are evaluated side by side, in processes; one a core by default.",
        metavar="N",
        min=1,
    ),
]
BatchSize = Annotated[
    int | None,
    _option(_RUN, "Images that an accelerator counts at once; by its memory by default.", metavar="N", min=1),
]
JournalFile = Annotated[
    Path | None,
    _option(
        _RUN,
        "Note each finished pair there; the same command goes on where it was cut off.",
        "--journal",
        metavar="FILE",
    ),
]
Timeout = Annotated[
    float | None,
    _option(_RUN, "A pair (or a file) that takes more seconds fails, and the rest goes on.", metavar="S"),
]
FailFast = Annotated[
    bool, _option(_RUN, "Stop at the first pair that fails; those behind it fail as not tried.", "--fail-fast")
]
Quiet = Annotated[bool, _option(_RUN, "No progress and no notes on standard error.", "--quiet", "-q")]
Ci = Annotated[bool, _option(_SCORE, "Add 95 % bootstrap intervals over the images.", "--ci")]
Columns = Annotated[
    str | None,
    _option(
        _SCORE,
        "Columns of the class tables and metrics of --ci: metrics, counts of pixels, images, and the spread over the "
        "images, e.g. dice,recall,dice_sd; an unknown name lists all.",
        metavar="LIST",
    ),
]
FailUnder = Annotated[
    float | None, _option(_GATE, "The pooled mean hard Dice must be at least this.", "--fail-under", metavar="X")
]
Require = Annotated[
    list[str] | None,
    _option(
        _GATE,
        "A requirement, e.g. 'dice[cell]>=0.7', 'loss<=0.4', 'image_p05:iou>=0.3'; may be repeated.",
        "--require",
        metavar="RULE",
    ),
]
Baseline = Annotated[
    Path | None,
    _option(_GATE, "Results that these must not fall behind; with --max-drop.", "--baseline", metavar="FILE"),
]
MaxDrop = Annotated[
    list[str] | None,
    _option(
        _GATE,
        "By how much the mean Dice, or METRIC[CLASS]=X, may drop below the baseline; may be repeated.",
        "--max-drop",
        metavar="X",
    ),
]
Format = Annotated[OutputFormat, _option(_OUT, "For people (table), or for programs."), Trait.OF_EVAL]
Worst = Annotated[
    int,
    _option(_OUT, "Table: how many of the worst images to list.", metavar="K", min=0),
    Trait.OF_EVAL,
]
PerImage = Annotated[bool, _option(_OUT, "Table: list all images.", "--per-image"), Trait.OF_EVAL]
Output = Annotated[
    Path | None,
    _option(
        _OUT,
        "Write the result there instead of to standard output, whole or not at all.",
        "--output",
        "-o",
        metavar="FILE",
    ),
    Trait.OF_EVAL,
]
Reports = Annotated[
    list[str] | None,
    _option(
        _OUT,
        "Write the result to a file in another format as well; may be repeated.",
        "--report",
        metavar="FORMAT=FILE",
    ),
    Trait.NAMED_FILE,
    Trait.OF_EVAL,
]
Debug = Annotated[bool, _option(_OUT, "Show the traceback of an error.", "--debug"), Trait.OF_EVAL]
ResultsFile = Annotated[str, typer.Argument(metavar="RESULTS", help="A results file (JSON); '-' reads stdin.")]
ResultsFiles = Annotated[list[str], typer.Argument(metavar="RESULTS…", help="Results files (JSON) to merge.")]
AnyFiles = Annotated[list[str], typer.Argument(metavar="FILE…", help="Files to look into.")]
InspectFormat = Annotated[Literal["table", "json"], _option(_OUT, "For people (table), or for programs.", "--format")]
