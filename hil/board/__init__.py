"""The virtual board: a Pyboard v1.1 with MicroPython 1.29 in the bench's time.

Where it is still kinder than a real one:
- Writing to the flash takes no time. On the STM32F405 a sector that is erased stops the processor, interrupts included:
  typically 250 ms for 16 KB and 550 ms for 64 KB, twice that at most (DS8626, flash memory programming).
- Reset to the first line of boot.py takes a fixed time (`board.BOOT_NS`), importing the modules none.
- Only handlers written in Python cost time (`cost.toml`); the driver's own interrupts, such as that of a mailbox whose
  frame is through, cost nothing.
- Interrupts during a tick delay what it puts out, but the firmware's own look at the clock at its end does not show it.
- The watchdog's oscillator has its nominal rate unless `watchdog_hz` says otherwise.
"""

from hil.board.board import BoardCrashed, BoardHung, ConsoleLine, ResetCause, VirtualBoard

__all__ = ["BoardCrashed", "BoardHung", "ConsoleLine", "ResetCause", "VirtualBoard"]
