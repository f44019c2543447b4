"""Bus logs as numpy arrays: reading them, in every format that python-can reads, and writing them."""

from twinaxle.logs.frames import FrameTable
from twinaxle.logs.read import read_log

__all__ = ["FrameTable", "read_log"]
