"""Takes the idiom that reads a signed number on 64-bit machines out of code for the board.

A `ptr32` of a 32-bit machine reads with its sign already, so there `(s[_SLOT] & 0xFFFF ^ 0x8000) - 0x8000` is
`s[_SLOT]`: shorter and quicker. The idiom is used for numbers of 16 bits only (see firmware/vcu/signals.py).
"""

import re

MARCHES_32_BIT = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "x86", "rv32imc")
_IDIOM = re.compile(r"\((\w+\[[^\[\]\n]*\]) & 0xFFFF \^ 0x8000\) - 0x8000")


def without_sign_idiom(source: str) -> str:
    """`source` for a 32-bit machine; every line keeps its number."""
    return _IDIOM.sub(r"\1", source)
