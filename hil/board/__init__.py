"""The virtual board: the real MicroPython runs the firmware, this package is everything around the processor."""

from hil.board.board import BoardCrashed, BoardHung, ConsoleLine, ResetCause, VirtualBoard

__all__ = ["BoardCrashed", "BoardHung", "ConsoleLine", "ResetCause", "VirtualBoard"]
