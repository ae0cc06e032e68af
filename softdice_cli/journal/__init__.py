"""A journal of finished pairs, so that a run that was cut off can go on where it stopped.

It is believed only as far as it can be checked: each line carries a checksum that ties it to the first line, and each
pair the stamps of its files. What cannot be believed is evaluated again.
"""

from softdice_cli.journal.file import Journal
from softdice_cli.journal.stamps import Stamp, is_unchanged, stamp

__all__ = ["Journal", "Stamp", "is_unchanged", "stamp"]
