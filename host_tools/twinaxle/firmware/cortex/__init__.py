"""The firmware's machine code for the board, run on an emulated Cortex-M4 and counted by instruction."""
