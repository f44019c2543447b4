"""The virtual CAN bus, bit-exact in virtual time.

`Bus.attach(name)` gives a node its `Port`. `hil.bus.view.BusView` shows the bus to python-can's tools.
"""

from hil.bus.bus import Bus
from hil.bus.contest import Corruption
from hil.bus.errors import ErrorKind, ErrorState
from hil.bus.frame import Frame
from hil.bus.line import LoadMark
from hil.bus.port import Port, TxRequest

__all__ = ["Bus", "Corruption", "ErrorKind", "ErrorState", "Frame", "LoadMark", "Port", "TxRequest"]
