"""Faults of the bus, of wires and of power (HB-04)."""

from __future__ import annotations

from hil.bus import Frame
from hil.faults.fault import NS_PER_MS, Fault
from hil.faults.injector import Injector
from hil.nodes.names import pick
from twinaxle.errors import UserError

BABBLER = "BABBLER"
_VCU = "VCU"


class WireFaults(Injector):
    """Each returns a `Fault`; `duration_ms` ends it by itself."""

    def bus_dominant(self, *, duration_ms: float | None = None) -> Fault:
        """The bus is held dominant: nothing passes, every sender goes to bus-off."""
        fault = self._begin("bus stuck dominant", duration_ms)
        self.bus.stuck_dominant = True

        def release() -> None:
            self.bus.stuck_dominant = False

        fault.on_clear(release)
        return fault

    def wire_cut(self, node: str, *, duration_ms: float | None = None) -> Fault:
        """A node's bus wire is cut: it neither hears nor is heard."""
        port = self._port(node)
        fault = self._begin(f"bus wire of {node} cut", duration_ms)
        port.connected = False

        def mend() -> None:
            port.connected = True

        fault.on_clear(mend)
        return fault

    def babble(
        self, can_id: int = 0, *, every_ms: float = 0.0, data: bytes = bytes(8), duration_ms: float | None = None
    ) -> Fault:
        """A node of its own sends one frame over and over.

        Args:
            can_id: identifier; 0 beats every other, so that nobody else gets through.
            every_ms: period; 0 sends without a pause.
            data: the frame's data.
        """
        port = self.bus.ports[BABBLER] if BABBLER in self.bus.ports else self.bus.attach(BABBLER)
        pause = "without a pause" if every_ms <= 0 else f"every {every_ms:g} ms"
        fault = self._begin(f"babbling node: 0x{can_id:03X} {pause}", duration_ms)
        frame = Frame(can_id, data)
        period_ns = round(every_ms * NS_PER_MS)

        def again() -> None:
            if fault.active:
                fault.hits += 1
                port.send(frame, ended)

        def ended(_through: bool) -> None:
            if period_ns <= 0 and fault.active:
                self.kernel.at(self.kernel.now_ns, again)

        def tick() -> None:
            if fault.active:
                again()
                self.kernel.at(self.kernel.now_ns + period_ns, tick)

        (again if period_ns <= 0 else tick)()
        return fault

    def power_cut(self, node: str, *, duration_ms: float | None = None) -> Fault:
        """Power of a virtual node, or of the board (VCU), fails; it comes back with `clear()`.

        Raises UserError for a node that is neither.
        """
        board = {} if self.board is None else {_VCU: self.board}
        units = {**{name: n for name, n in self.nodes.items() if n.present}, **board}
        pick(node, self.database.nodes, "node")
        if node not in units:
            raise UserError(f"{node} is not virtual in this run; its power cannot be cut from here")
        unit = units[node]
        fault = self._begin(f"power of {node} cut", duration_ms)
        unit.power_off()
        fault.on_clear(unit.power_on)
        return fault
