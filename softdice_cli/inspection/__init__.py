"""What is in a file, and how it could be read."""

from softdice_cli.inspection.files import Found, inspect_files
from softdice_cli.inspection.looking import ChannelSums, Contents, Inspection, Inverted, inspect

__all__ = ["ChannelSums", "Contents", "Found", "Inspection", "Inverted", "inspect", "inspect_files"]
