"""Readies the MicroPython interpreter that runs the firmware: the modules of the virtual hardware, the heap.

The board has 105,632 bytes of GC heap in blocks of 16 bytes. A 64-bit interpreter has blocks of 32 bytes and words of
8, so the same objects take the same number of blocks in a heap of twice the size: `-X heapsize=105632w` (w: words of
the machine). That is exact for objects made of words (lists, tuples, dicts, instances, closures) and for everything up
to 16 bytes of payload; it is kinder than the board for what does not grow with the word: bytecode, strings, bytearrays
and arrays of fixed-width items. For the bytecode, by far the largest of these, `code_bytes` is taken off: the size of
the .mpy files in the flash folder. Arrays and buffers made at run time stay uncorrected (a 1 KB buffer costs 0.5 KB
too little). On top comes what the modules that stand in for the board's C drivers occupy, as measured once by loading
them.
"""

import subprocess
from functools import cache
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.firmware.build import write_whole
from twinaxle.firmware.bytecode import without_native
from twinaxle.micropython import find_micropython
from twinaxle.paths import BUILD

BOARD_HEAP_BYTES = 105_632
_MODULES = Path(__file__).parent / "mpy"
_BYTECODE_MODULES = BUILD / "board-bytecode"

_WORDS = 2  # 64-bit words in 32-bit words


@cache
def main_program(path: Path) -> Path:
    """The program that this interpreter starts with: the virtual hardware, which then starts the firmware.

    An interpreter without native code (64-bit ARM) gets the modules without viper functions, see
    `twinaxle.firmware.bytecode`.
    """
    folder = _MODULES
    if find_micropython(path).architecture is None:
        folder = _BYTECODE_MODULES
        for module in _MODULES.glob("*.py"):
            write_whole(folder / module.name, without_native(module.read_text(encoding="utf-8")).encode())
    return folder / "_vb_main.py"


@cache
def hardware_heap_bytes(path: Path) -> int:
    """Bytes of heap that the virtual hardware itself occupies in this interpreter."""
    run = subprocess.run(
        [path, "-X", "heapsize=1M", main_program(path), "probe"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if run.returncode or not run.stdout.strip().isdigit():
        raise UserError(f"{path} cannot load the virtual board's modules:\n{run.stdout}{run.stderr}")
    return int(run.stdout)


def code_bytes(flash: Path) -> int:
    """Bytes of precompiled bytecode in a flash folder."""
    return sum(file.stat().st_size for file in flash.rglob("*.mpy"))


def heap_bytes(path: Path, flash: Path) -> int:
    """Size of the interpreter's heap that stands for the board's, see above."""
    return BOARD_HEAP_BYTES * _WORDS - code_bytes(flash) + hardware_heap_bytes(path)
