# First program of the virtual board's interpreter: sets up the wire and the flash, then starts boot.py and main.py as
# the board does. Arguments: reader fd, writer fd, flash folder, reset cause, tick cost us, rx cost us, rate of the
# crystal in 1e-9. With the argument "probe" it prints how much heap all of this occupies.
from micropython import const
import gc
import os
import sys

import _vb_bxcan
import _vb_gc
import _vb_micropython
import _vb_wait
import _vb_wire as _w
import machine
import time

_TICK_COST = const(6)
_RX_COST = const(7)
_KBD_CHAR = const(12)


def _setup(args):
    sys.modules["micropython"] = _vb_micropython
    sys.modules["gc"] = _vb_gc
    _w.I[_KBD_CHAR] = 3
    _w.I[_TICK_COST] = int(args[4])
    _w.I[_RX_COST] = int(args[5])
    _w.T[7] = int(args[6])
    machine._cause = int(args[3])
    _w.connect(int(args[0]), int(args[1]))
    os.mount(os.VfsPosix(args[2]), "/flash")
    os.umount("/")
    os.chdir("/flash")
    sys.path.clear()
    sys.path.extend(("", ".frozen", "/flash", "/flash/lib"))
    sys.argv.clear()


def _run(name):
    # 0 ended well or is missing, 1 by an exception, 2 asks for a soft reset
    try:
        os.stat(name)
    except OSError:
        return 0
    try:
        execfile(name, _globals)
    except SystemExit:
        return 2
    except BaseException as error:
        sys.print_exception(error)
        return 1
    return 0


_globals = {"__name__": "__main__"}
_vb_bxcan.learn_types()
if sys.argv[1] == "probe":
    gc.collect()
    print(gc.mem_alloc())
    sys.exit(0)
_setup(sys.argv[1:])
gc.collect()
_w.emit(_w.OUT_READY, 0)
_vb_wait.sync_outputs()
_ended = _run("boot.py")
if _ended != 2:
    _ended = _run("main.py")
if _ended == 2:
    _w.leave(_w.OP_SOFT_RESET)
_w.emit(_w.OUT_MAIN_ENDED | _ended << 8, 0)
while True:
    # At the REPL: interrupts, timers and soft callbacks go on.
    try:
        _vb_wait.wait_until(_w.T[0] + 1_000_000)
    except KeyboardInterrupt:
        pass
