"""The version of softdice, in one place: packaging, ``--version`` and results files read it from here."""

__version__ = "0.2.0"
