"""An emulated Cortex-M4 that runs the firmware's viper functions and counts their instructions.

Only the machine code that mpy-cross wrote is executed. Where it calls into MicroPython's runtime, Python does what the
C function does, and the instructions charged for it are those of `costs.toml`. Objects are words as on the board:
small integers have bit 0 set, everything else is a handle.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import unicorn as uc
from unicorn import arm_const as arm

from twinaxle.firmware.cortex.costs import load_costs
from twinaxle.firmware.cortex.memory import RAM_BASE, RAM_SIZE, Block, Ram

_CODE_BASE, _CODE_SIZE = 0x0800_0000, 1 << 20
_STUBS = 0x0700_0000  # one `bx lr` for each runtime function
_RETURN = 0x0700_0F00  # where the outermost function returns to
_BX_LR = b"\x70\x47\x00\xbf"
_HANDLES = 0x6000_0000
_SMALL_INT = 1 << 30
_OUTSIDE = 1  # globals of whoever calls from outside: of no module

# Places in mp_fun_table (py/nativeglue.h)
_NONE, _FALSE, _TRUE = 0, 1, 2
_RUNTIME = {
    3: "native_from_obj", 4: "native_to_obj", 5: "swap_globals", 7: "load_global", 9: "load_attr", 10: "load_method",
    14: "store_attr", 15: "subscr", 16: "is_true", 18: "binary_op", 27: "call_function", 28: "call_method",
    32: "nlr_push", 33: "nlr_pop", 39: "unpack_sequence", 46: "floor_divide", 47: "modulo",
}  # fmt: skip
_TABLE_ENTRIES = 64

_TYPE_INT, _TYPE_UINT, _TYPE_BOOL, _TYPE_OBJECT = 2, 3, 1, 0


def _instructions(code: bytes) -> int:
    """How many Thumb instructions a piece of straight code has: those that begin with 0b11101 to 0b11111 are long."""
    count = at = 0
    while at < len(code):
        at += 4 if code[at + 1] >= 0xE8 else 2
        count += 1
    return count


def _signed(word: int) -> int:
    return word - (1 << 32) if word & 0x8000_0000 else word


class EmulationError(Exception):
    """The machine code did something that the emulation does not know; a fault of ours, not of a user's."""


class Machine:
    """RAM, code and the runtime. `executed` counts instructions of machine code by function, `charged` those of the
    runtime by what was done (`SECTION.KIND` of `costs`), `calls` the calls of each function.
    """

    def __init__(self) -> None:
        self.ram = Ram()
        self.executed: Counter[str] = Counter()
        self.charged: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.costs = load_costs()
        self._emulator = emulator = uc.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
        emulator.mem_map(_CODE_BASE, _CODE_SIZE)
        emulator.mem_map_ptr(RAM_BASE, RAM_SIZE, uc.UC_PROT_ALL, self.ram.buffer)
        emulator.mem_map(_STUBS, 0x1000)
        emulator.mem_write(_STUBS, _BX_LR * (0x1000 // 4))
        emulator.hook_add(uc.UC_HOOK_BLOCK, self._on_block, begin=_CODE_BASE, end=_CODE_BASE + _CODE_SIZE)
        emulator.hook_add(uc.UC_HOOK_BLOCK, self._on_stub, begin=_STUBS, end=_STUBS + 0xFFF)
        emulator.reg_write(arm.UC_ARM_REG_SP, self.ram.stack)
        self._next_code = _CODE_BASE
        self._blocks: dict[tuple[int, int], int] = {}
        self._objects: list[Any] = [None, False, True]
        self._handles: dict[int, int] = {}
        self._functions = self._function_table()
        self._current = ""
        self._globals: dict[str, Any] = {}
        self._names: list[str] = []
        self._active = _OUTSIDE
        self._pending: Callable[[], int] | None = None
        self._failure: BaseException | None = None

    def reset_counts(self) -> None:
        """Count from here on."""
        for counter in (self.executed, self.charged, self.calls):
            counter.clear()

    # --- code and data ---

    def load_code(self, code: bytes) -> int:
        """Put machine code into memory; its address."""
        address = self._next_code
        self._emulator.mem_write(address, code)
        self._next_code += (len(code) + 7) // 8 * 8
        return address

    def words(self, *values: int) -> int:
        """Put 32-bit words into memory; their address."""
        address = self.ram.allocate(4 * len(values))
        for at, value in enumerate(values):
            self._write(address + 4 * at, value)
        return address

    def halfwords(self, *values: int) -> int:
        """Put 16-bit words into memory; their address."""
        address = self.ram.allocate(2 * len(values))
        raw = b"".join(value.to_bytes(2, "little") for value in values)
        self.ram.view[address - RAM_BASE : address - RAM_BASE + len(raw)] = raw
        return address

    @property
    def function_table(self) -> int:
        """Address of mp_fun_table."""
        return self._functions

    def _function_table(self) -> int:
        entries = [_STUBS + 4 * at | 1 for at in range(_TABLE_ENTRIES)]
        entries[_NONE], entries[_FALSE], entries[_TRUE] = (_HANDLES + 8 * at for at in range(3))
        return self.words(*entries)

    def _write(self, address: int, word: int) -> None:
        at = address - RAM_BASE
        self.ram.view[at : at + 4] = (word & 0xFFFF_FFFF).to_bytes(4, "little")

    def _read(self, address: int) -> int:
        at = address - RAM_BASE
        return int.from_bytes(self.ram.view[at : at + 4], "little")

    # --- objects ---

    def to_object(self, value: Any) -> int:
        """The word that stands for a Python object."""
        if value is None or value is False or value is True:
            return _HANDLES + 8 * (_NONE if value is None else _TRUE if value else _FALSE)
        if isinstance(value, int):
            if not -_SMALL_INT <= value < _SMALL_INT:
                raise EmulationError(f"{value} is no small integer: it would be allocated")
            return (value << 1 | 1) & 0xFFFF_FFFF
        known = self._handles.get(id(value))
        if known is None:
            known = self._handles[id(value)] = _HANDLES + 8 * len(self._objects)
            self._objects.append(value)  # keeps it alive, so that its id stays its own
        return known

    def from_object(self, word: int) -> Any:
        """The Python object that a word stands for."""
        if word & 1:
            return _signed(word) >> 1
        return self._objects[(word - _HANDLES) // 8]

    # --- running ---

    def cell(self, value: Any) -> int:
        """Put what a closure has closed over (mp_obj_cell_t) into memory; the word that stands for it."""
        return self.words(0, self.to_object(value))

    def call(
        self,
        name: str,
        entry: int,
        fun: int,
        names: list[str],
        scope: dict[str, Any],
        args: tuple[Any, ...],
        cells: tuple[int, ...] = (),
    ) -> Any:
        """Call a viper function: `entry` its address, `fun` that of its function object, `names` its module's names,
        `scope` its module's globals, `cells` those that it closes over. Returns the Python object that it returns.
        """
        emulator = self._emulator
        before = self._current, self._globals, self._names
        self._current, self._globals, self._names = name, scope, names
        self.calls[name] += 1
        stack = emulator.reg_read(arm.UC_ARM_REG_SP)
        words = [*cells, *map(self.to_object, args)]
        below = stack - 4 * ((len(words) + 1) // 2 * 2)
        for at, word in enumerate(words):
            self._write(below + 4 * at, word)
        for register, value in (
            (arm.UC_ARM_REG_SP, below), (arm.UC_ARM_REG_R0, fun), (arm.UC_ARM_REG_R1, len(words)),
            (arm.UC_ARM_REG_R2, 0), (arm.UC_ARM_REG_R3, below), (arm.UC_ARM_REG_LR, _RETURN | 1),
        ):  # fmt: skip
            emulator.reg_write(register, value)
        at = entry
        while True:
            emulator.emu_start(at | 1, _RETURN, count=0)
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if self._pending is None:
                break
            pending, self._pending = self._pending, None
            # The stub's own registers: what is called may change them all but the saved ones.
            back = emulator.reg_read(arm.UC_ARM_REG_LR)
            emulator.reg_write(arm.UC_ARM_REG_R0, pending())
            at = back & ~1
        result = self.from_object(emulator.reg_read(arm.UC_ARM_REG_R0))
        emulator.reg_write(arm.UC_ARM_REG_SP, stack)
        self._current, self._globals, self._names = before
        return result

    def _on_block(self, emulator: Any, address: int, size: int, _: Any) -> None:
        key = address, size
        count = self._blocks.get(key)
        if count is None:
            count = self._blocks[key] = _instructions(bytes(emulator.mem_read(address, size)))
        self.executed[self._current] += count

    def _on_stub(self, emulator: Any, address: int, size: int, _: Any) -> None:
        if address == _RETURN:
            return
        try:
            number = (address - _STUBS) // 4
            if number not in _RUNTIME:
                raise EmulationError(f"{self._current} calls runtime function {number}, which is not emulated")
            r0, r1, r2 = (emulator.reg_read(r) for r in (arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2))
            result = getattr(self, "_" + _RUNTIME[number])(r0, r1, r2)
            if result is None:  # goes on outside of this callback
                emulator.emu_stop()
            else:
                emulator.reg_write(arm.UC_ARM_REG_R0, result & 0xFFFF_FFFF)
        except BaseException as error:
            self._failure = error
            emulator.emu_stop()

    def _charge(self, what: str, kind: str, times: int = 1) -> None:
        self.charged[f"{what}.{kind}"] += times * self.costs[what][kind]

    # --- the runtime: arguments are the registers r0 to r2 ---

    def _native_from_obj(self, obj: int, kind: int, _: int) -> int:
        if kind & 15 == _TYPE_OBJECT:
            self._charge("native_from_obj", "object")
            return obj
        value = self.from_object(obj)
        if kind & 15 in (_TYPE_BOOL, _TYPE_INT, _TYPE_UINT):
            self._charge("native_from_obj", "int")
            return int(bool(value)) if kind & 15 == _TYPE_BOOL else int(value)
        if isinstance(value, int):
            self._charge("native_from_obj", "pointer_int")
            return value
        if isinstance(value, bytes):
            self._charge("native_from_obj", "pointer_bytes")
            return self._address_of(value)
        if not isinstance(value, Block):
            raise EmulationError(f"{self._current}: {value!r} has no address")
        self._charge("native_from_obj", "pointer_array")
        return value.address

    def _address_of(self, constant: bytes) -> int:
        """Constant bytes lie in RAM too: .mpy files are loaded into the heap."""
        key = ("bytes", id(constant))
        known = self._handles.get(key)  # type: ignore[call-overload]
        if known is None:
            known = self.ram.allocate(len(constant))
            self.ram.view[known - RAM_BASE : known - RAM_BASE + len(constant)] = constant
            self._handles[key] = known  # type: ignore[index]
            self._objects.append(constant)
        return int(known)

    def _native_to_obj(self, value: int, kind: int, _: int) -> int:
        kind &= 15
        if kind == _TYPE_OBJECT:
            return value
        if kind == _TYPE_BOOL:
            self._charge("native_to_obj", "bool")
            return self.to_object(bool(value))
        self._charge("native_to_obj", "int")
        return self.to_object(_signed(value) if kind == _TYPE_INT else value)

    def _swap_globals(self, new: int, _: int, __: int) -> int:
        # On the way in and out of a function that uses globals; 0 where they stay. Scopes are kept by `call`.
        self._charge("lookup", "swap_globals")
        if new in (0, self._active):
            return 0
        old, self._active = self._active, new
        return old

    def _nlr_push(self, _: int, __: int, ___: int) -> int:
        # Where globals were swapped: an exception has to swap them back
        self._charge("lookup", "nlr_push")
        return 0

    def _nlr_pop(self, _: int, __: int, ___: int) -> int:
        self._charge("lookup", "nlr_pop")
        return 0

    def _load_global(self, name: int, _: int, __: int) -> int:
        self._charge("lookup", "load_global")
        text = self._names[name]
        scope = self._globals
        if text in scope:
            return self.to_object(scope[text])
        builtins = scope["__builtins__"]
        return self.to_object(builtins[text] if isinstance(builtins, dict) else getattr(builtins, text))

    def _load_attr(self, base: int, name: int, _: int) -> int:
        self._charge("lookup", "load_attr")
        return self.to_object(getattr(self.from_object(base), self._names[name]))

    def _store_attr(self, base: int, name: int, value: int) -> int:
        self._charge("lookup", "store_attr")
        setattr(self.from_object(base), self._names[name], self.from_object(value))
        return 0

    def _load_method(self, base: int, name: int, place: int) -> int:
        self._charge("lookup", "load_method")
        self._write(place, self.to_object(getattr(self.from_object(base), self._names[name])))
        self._write(place + 4, 0)  # bound already
        return 0

    def _subscr(self, base: int, index: int, value: int) -> int:
        items = self.from_object(base)
        self._charge("lookup", "subscr" if isinstance(items, list | tuple) else "subscr_array")
        if value == 4:  # MP_OBJ_SENTINEL: load
            return self.to_object(items[self.from_object(index)])
        items[self.from_object(index)] = self.from_object(value)
        return self.to_object(None)

    def _unpack_sequence(self, sequence: int, count: int, place: int) -> int:
        self._charge("lookup", "unpack")
        self._charge("lookup", "unpack_item", count)
        items = self.from_object(sequence)
        if len(items) != count:
            raise EmulationError(f"{self._current}: {len(items)} items for {count} names")
        for at, value in enumerate(reversed(items)):
            self._write(place + 4 * at, self.to_object(value))
        return 0

    def _is_true(self, obj: int, _: int, __: int) -> int:
        value = self.from_object(obj)
        self._charge("arithmetic", "is_true_list" if isinstance(value, list) else "is_true")
        return int(bool(value))

    def _binary_op(self, op: int, left: int, right: int) -> int:
        self._charge("arithmetic", "binary_op")
        a, b = self.from_object(left), self.from_object(right)
        # Order of mp_binary_op_t in py/runtime0.h, as far as the firmware uses it on objects
        operations: dict[int, Callable[[], Any]] = {
            0: lambda: a < b, 1: lambda: a > b, 2: lambda: a == b, 3: lambda: a <= b, 4: lambda: a >= b,
            5: lambda: a != b, 7: lambda: a is b,
        }  # fmt: skip
        if op not in operations:
            raise EmulationError(f"{self._current}: binary operation {op} on objects is not emulated")
        return self.to_object(operations[op]())

    def _floor_divide(self, left: int, right: int, _: int) -> int:
        self._charge("arithmetic", "floor_divide")
        return _signed(left) // _signed(right)

    def _modulo(self, left: int, right: int, _: int) -> int:
        self._charge("arithmetic", "modulo")
        return _signed(left) % _signed(right)

    def _call_function(self, fun: int, counts: int, args: int) -> None:
        function = self.from_object(fun)
        if hasattr(function, "viper_name"):
            self._charge("call", "bound" if hasattr(function, "__self__") else function.call_kind)
        elif not hasattr(function, "charged_as"):  # the driver's charge has the call in it
            self._charge("call", "builtin")
        self._call_later(function, counts & 0xFF, args)

    def _call_method(self, counts: int, _: int, args: int) -> None:
        count = counts & 0xFF
        own = self._read(args + 4)
        self._charge("call", "method")
        self._call_later(self.from_object(self._read(args)), count + (own != 0), args + (4 if own else 8))

    def _call_later(self, function: Any, count: int, args: int) -> None:
        values = [self.from_object(self._read(args + 4 * at)) for at in range(count)]
        state = self._current, self._globals, self._names

        def run() -> int:
            result = function(*values)
            self._current, self._globals, self._names = state
            return self.to_object(result)

        self._pending = run
