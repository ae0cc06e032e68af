"""Which axis is which: the shape of the mask decides how a prediction is read, and nothing is guessed."""

from softdice_cli.layout.resolving import resolve
from softdice_cli.layout.shapes import SPATIAL, Layout, Shape, order_of

__all__ = ["SPATIAL", "Layout", "Shape", "order_of", "resolve"]
