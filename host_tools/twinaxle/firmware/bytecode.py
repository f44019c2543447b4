"""Source of the firmware for an interpreter without native code (`mpy-cross` march "bytecode").

MicroPython has no code emitter for 64-bit ARM, so the interpreter of PyPI on macOS cannot run viper functions. They run
there as plain functions: the decorator goes, `ptr8(x)` and its like become the object itself, `uint(x)` the low 32
bits. That is the same function as long as a viper function takes each pointer to an array of the pointer's own element
type, and keeps its results inside 32 bits; a test compares both builds.
"""

import re

BYTECODE = "bytecode"

_DECORATOR = re.compile(r"^([ \t]*)@micropython\.(viper|native)[ \t]*(#.*)?$", re.MULTILINE)
_CASTS = """
def ptr8(x): return x
ptr16 = ptr32 = ptr8
def uint(x): return x & 0xFFFFFFFF
"""


def without_native(source: str) -> str:
    """`source` without viper and native functions; every line keeps its number. Unchanged where it has none."""
    if not _DECORATOR.search(source):
        return source
    # The casts go behind the module's last line: functions look them up when they are called. Only a module that calls
    # its own viper functions while it is imported needs them earlier, and none does.
    return _DECORATOR.sub(r"\1# \2", source).rstrip("\n") + "\n" + _CASTS.lstrip("\n")
