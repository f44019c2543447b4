"""Fault injection: `faults.lose("InvFrontStatus")`, `faults.freeze("PedalsDriver", "Apps1")`, `faults.lie("INV_F",
"frozen")`.

Every method returns a `Fault` with `clear()`, which is a context manager too. Names that don't exist raise a UserError
that lists near ones.
"""

from hil.faults.devices import DeviceFaults
from hil.faults.fault import Fault, FaultMark
from hil.faults.injector import Car, Powered
from hil.faults.messages import MessageFaults
from hil.faults.wires import WireFaults


class Faults(MessageFaults, WireFaults, DeviceFaults):
    """All faults that the bench can inject: `Faults(car)`. See `Injector` for the arguments and `marks`."""


__all__ = ["Car", "Fault", "FaultMark", "Faults", "Powered"]
