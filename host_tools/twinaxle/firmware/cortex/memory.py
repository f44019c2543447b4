"""Memory of the emulated board, and the objects of MicroPython that viper code reaches into by address.

`Array`, `Bytes` and `View` are to the firmware what array.array, bytearray and memoryview are on the board: their items
lie in the emulated RAM, so that Python and machine code see the same.
"""

import ctypes
from collections.abc import Iterable, Iterator
from typing import Any

RAM_BASE = 0x2000_0000
RAM_SIZE = 1 << 22
_STACK = 1 << 16  # at the top

_CODES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 4, "L": 4}


class Ram:
    """The board's RAM: a buffer of this process that the emulator maps. Blocks are given out and never taken back."""

    def __init__(self) -> None:
        self.buffer = (ctypes.c_char * RAM_SIZE)()
        self.view = memoryview(self.buffer).cast("B")
        self._next = 0

    @property
    def stack(self) -> int:
        """Initial stack pointer."""
        return RAM_BASE + RAM_SIZE

    def allocate(self, size: int) -> int:
        """Address of `size` fresh bytes, zero, with room for eight more: viper reads words across the end."""
        at = self._next
        self._next += (size + 8 + 7) // 8 * 8
        if self._next > RAM_SIZE - _STACK:
            raise MemoryError(f"the emulated RAM of {RAM_SIZE} bytes is full")
        return RAM_BASE + at


class Block:
    """Items in the emulated RAM, from `address` on."""

    def __init__(self, ram: Ram, typecode: str, address: int, length: int) -> None:
        self.ram = ram
        self.typecode = typecode
        self.address = address
        self.length = length
        # Viper's ints have 32 bits; C's long has 64 on this machine.
        code = {"l": "i", "L": "I"}.get(typecode, typecode)
        start = address - RAM_BASE
        self.items: Any = ram.view[start : start + length * _CODES[typecode]].cast(code)  # type: ignore[call-overload]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            found = self.items[index]
            return bytes(found) if self.typecode == "B" else list(found)
        return self.items[index]

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(index, slice):
            value = memoryview(bytes(value)).cast(self.items.format)
        self.items[index] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self.items[: self.length])

    def __bytes__(self) -> bytes:
        return bytes(self.items[: self.length].tobytes())


def new_array(ram: Ram, typecode: str, content: bytes | Iterable[int] = ()) -> Block:
    """array.array(typecode, content): bytes are taken as they are, anything else item by item."""
    if isinstance(content, bytes | bytearray):
        block = Block(ram, typecode, ram.allocate(len(content)), len(content) // _CODES[typecode])
        start = block.address - RAM_BASE
        ram.view[start : start + len(content)] = content
        return block
    values = list(content)
    block = Block(ram, typecode, ram.allocate(len(values) * _CODES[typecode]), len(values))
    for at, value in enumerate(values):
        block.items[at] = value
    return block


def new_bytes(ram: Ram, content: int | bytes | Iterable[int] = 0) -> Block:
    """bytearray(content)."""
    return new_array(ram, "B", bytes(content))


def new_view(ram: Ram, block: Block) -> Block:
    """memoryview(block): the same bytes; its `length` can be changed, as recv() of the CAN driver does."""
    return Block(ram, block.typecode, block.address, block.length)
