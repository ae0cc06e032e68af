"""What a refusal of labels carries: which labels there are, and what to type, drawn from all files that show some.

It never makes up which label is which class, and `label_hints` and `label_map_hints` say what they propose instead.
"""

from __future__ import annotations

from softdice_cli.evaluation.channel_hints import hint_for_channels
from softdice_cli.evaluation.label_map_hints import hint_for_label_maps
from softdice_cli.evaluation.one_class_hints import hint_for_independent, hint_for_one_channel
from softdice_cli.evaluation.seen_labels import LabelsSeen
from softdice_cli.records import MAX_LABEL


class LabelEvidence(LabelsSeen):
    """What one file, or several together, show of the labels; see `errors.Evidence`."""

    __slots__ = ()

    def hint(self) -> str:
        """What to type so that every label has a meaning, or what to look at."""
        if max(map(abs, self.every), default=0) > MAX_LABEL:
            return "check that this is the right file: labels have at most 32 bits"
        if self.settings.multilabel:
            return hint_for_independent(self)
        if self.settings.prediction == "labels":
            return hint_for_label_maps(self)
        if len(self.settings.classes) == 1:
            return hint_for_one_channel(self)
        return hint_for_channels(self)
