"""Fault injection: `faults.lose("InvFrontStatus")`, `faults.freeze("PedalsDriver", "Apps1")`, `faults.lie("INV_F", "frozen")`.

Every method returns a `Fault` with `clear()`, which is a context manager too. Names that don't exist raise a UserError
that lists near ones.
"""

from hil.faults.devices import DeviceFaults
from hil.faults.fault import Fault, FaultMark
from hil.faults.injector import Powered
from hil.faults.messages import MessageFaults
from hil.faults.wires import WireFaults


class Faults(MessageFaults, WireFaults, DeviceFaults):
    """All faults that the bench can inject.

    Args:
        kernel, bus: the bench's time and bus.
        nodes: virtual nodes by their names in the database.
        database: names of messages and signals.
        board: power switch of the VCU.
        seed: for the bits that `corrupt` turns over.
        on_mark: called with each `FaultMark`; all are kept in `marks` too.
    """


__all__ = ["Fault", "FaultMark", "Faults", "Powered"]
