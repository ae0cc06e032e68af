"""What the name of a file says: the key that pairs it, and whether it is data at all.

Two files belong together because of their names, and names have more than one spelling. macOS
decomposes accents and other systems do not; folders hold notes and thumbnails that no tool writes
for us. Both are decided here, for folders, manifests and regions of interest alike.
"""

from __future__ import annotations

import os

from softdice_cli.formats import stem, without_suffix

# Files that are never a prediction or a truth. Everything else may be data, also without a file type.
_CLUTTER_TYPES = frozenset(
    (
        # notes and documents
        *(".txt", ".md", ".rst", ".pdf", ".html", ".htm", ".doc", ".docx", ".odt", ".ppt", ".pptx"),
        # tables, settings and annotations
        *(".csv", ".tsv", ".xls", ".xlsx", ".ods", ".json", ".jsonl", ".geojson", ".xml", ".yaml", ".yml", ".toml"),
        *(".ini", ".cfg", ".conf", ".log", ".db", ".lnk", ".url"),
        # programs
        *(".py", ".ipynb", ".sh", ".bat", ".ps1"),
        # models
        *(".ckpt", ".onnx", ".safetensors", ".pb", ".tflite"),
        # what stands beside a georeferenced image
        *(".tfw", ".tifw", ".pgw", ".wld", ".prj", ".aux", ".ovr", ".shp", ".shx", ".dbf", ".cpg"),
        # unfinished and old copies
        *(".tmp", ".part", ".crdownload", ".bak", ".swp", ".lock", ".md5", ".sha1", ".sha256"),
    )
)
_CLUTTER_NAMES = frozenset(
    ("readme", "license", "checkpoint", "makefile", "icon\r", "md5sums", "sha256sums", "desktop.ini", "thumbs.db")
)
_CLUTTER_STARTS = ("events.out.tfevents",)


def is_clutter(name: str) -> bool:
    """Whether a file of this name is a note, a table, a thumbnail or the like, and not data.

    Hidden files are.
    """
    lower = name.lower()
    if lower.startswith(".") or lower in _CLUTTER_NAMES or lower.startswith(_CLUTTER_STARTS):
        return True
    return os.path.splitext(lower)[1] in _CLUTTER_TYPES


def normal(text: str) -> str:
    """A name in one Unicode form (NFC), so that names pair that look alike."""
    if text.isascii():
        return text
    # Imported here, as most names are ASCII.
    import unicodedata

    return unicodedata.normalize("NFC", text)


def forms(text: str) -> tuple[str, ...]:
    """A name as it is, and in both Unicode forms where that makes a difference."""
    if text.isascii():
        return (text,)
    import unicodedata

    return text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)


def stem_of(path: str) -> str:
    """The name of a file without its folder and its file type, in one Unicode form."""
    return normal(stem(path))


def bare(key: str) -> str:
    """A key without the folders in it."""
    return key.rpartition("/")[2]


def key_of(name: str, prefix: str = "", suffix: str = "") -> str | None:
    """What pairs a file, or ``None`` where its name lacks the prefix or the suffix of the side.

    Args:
        name: its path below the folder of the side, with ``/``.
        prefix: what the file name starts with, before its stem.
        suffix: what it ends with, with or without the file type.
    """
    texts = [without_suffix(name)]
    if suffix:
        texts = [name, texts[0], os.path.splitext(name)[0]]
    for text in texts:
        if text.endswith(suffix):
            return _without_prefix(text[: len(text) - len(suffix)], prefix, text)
    return None


def _without_prefix(name: str, prefix: str, whole: str) -> str | None:
    """A name without its prefix; the whole name where nothing else is left."""
    folder, slash, last = name.rpartition("/")
    if not last.startswith(prefix):
        return None
    # Where the prefix and suffix are the whole file name, the folder is what pairs it.
    return (folder + slash + last[len(prefix) :]).rstrip("/") or whole
