"""The virtual CAN bus, bit-exact in virtual time.

`Bus.attach(name)` gives a node its `Port`. `hil.bus.view.BusView` shows the bus to python-can's tools.
"""

from typing import TYPE_CHECKING, Any

from hil.bus.bus import Bus
from hil.bus.contest import Corruption
from hil.bus.errors import ErrorKind, ErrorState
from hil.bus.frame import Frame
from hil.bus.port import Port, TxRequest
from hil.bus.taps import LoadMark

if TYPE_CHECKING:
    from hil.bus.view import BusView

__all__ = ["Bus", "BusView", "Corruption", "ErrorKind", "ErrorState", "Frame", "LoadMark", "Port", "TxRequest"]


def __getattr__(name: str) -> Any:
    """`BusView` on demand: python-can is a heavy import."""
    if name == "BusView":
        from hil.bus.view import BusView

        return BusView
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
