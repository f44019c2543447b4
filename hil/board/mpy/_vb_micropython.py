# Stands in for the builtin `micropython`: the scheduler and Ctrl-C are the virtual board's, the rest is passed through.
import micropython as _builtin
from micropython import const, heap_lock, heap_unlock, mem_info, opt_level, qstr_info, stack_use
import _vb_interrupts as _interrupts
import _vb_wire as _wire

_ISR = const(3)
_SCHED_LOCK = const(10)
_KBD_CHAR = const(12)


def schedule(function, argument):
    if not _interrupts.queue(function, argument):
        raise RuntimeError("schedule queue full")
    if not _wire.I[_ISR] and not _wire.I[_SCHED_LOCK]:
        # Nothing masks it: the interpreter runs it before the next line, by its own scheduler.
        _builtin.schedule(_run, None)


def _run(_):
    _interrupts.drain()


def kbd_intr(character):
    _wire.I[_KBD_CHAR] = character & 0xFFFF_FFFF


def alloc_emergency_exception_buf(size):
    # The interpreter of the virtual board has a buffer of its own.
    pass


def viper(function):
    return function


native = bytecode = viper
