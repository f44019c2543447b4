# First program of the virtual board's interpreter: sets up the wire and the flash, then starts boot.py and main.py as
# the board does. Arguments: reader fd, writer fd, flash folder, reset cause, tick cost us, rx cost us, rate of the
# crystal in 1e-9.
import gc
import os
import sys

import micropython

sys.modules["time"] = None
del sys.modules["time"]

import _vb_wire as _w  # noqa: E402
import machine  # noqa: E402
import time  # noqa: E402, F401


def _setup(args):
    import _vb_micropython

    _vb_micropython.RingIO = micropython.RingIO
    sys.modules["micropython"] = _vb_micropython
    _w.I[12] = 3
    _w.I[6] = int(args[4])
    _w.I[7] = int(args[5])
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
    # 0 ended well or missing, 1 by an exception, 2 asks for a soft reset
    try:
        os.stat(name)
    except OSError:
        return 0
    try:
        execfile(name, {"__name__": "__main__"} if False else _main)
    except SystemExit as error:
        if error.value == 9:
            raise
        return 2
    except BaseException as error:
        sys.print_exception(error)
        return 1
    return 0


_main = {"__name__": "__main__"}
if sys.argv[1] == "probe":
    gc.collect()
    import _vb_micropython  # noqa: F401

    gc.collect()
    print(gc.mem_alloc())
    sys.exit(0)
_setup(sys.argv[1:])
gc.collect()
_w.emit(_w.OUT_READY, 0)
_w.sync_outputs()
_ended = _run("boot.py")
if _ended != 2:
    _ended = _run("main.py")
if _ended == 2:
    _w.exchange(_w.OP_SOFT_RESET, 0)
    sys.exit(9)
_w.emit(_w.OUT_MAIN_ENDED | _ended << 8, 0)
while True:
    # At the REPL: interrupts, timers and soft callbacks go on.
    try:
        _w.wait_until(_w.T[0] + 1_000_000)
    except KeyboardInterrupt:
        pass
