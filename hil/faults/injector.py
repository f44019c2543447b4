"""What all kinds of faults share: the bench's parts, the record of marks, names that are checked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from hil.faults.fault import Fault, FaultMark
from hil.nodes.names import pick
from twinaxle.dbc import powertrain
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.bus import Bus, Port
    from hil.kernel import Kernel
    from hil.nodes.base import Node
    from twinaxle.dbc import Database, Message

N = TypeVar("N")


class Powered(Protocol):
    """Anything with a power switch: a node, or the board."""

    def power_on(self) -> None: ...
    def power_off(self) -> None: ...


class Car(Protocol):
    """What faults need of the bench."""

    @property
    def kernel(self) -> Kernel: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def nodes(self) -> Mapping[str, Node]: ...
    @property
    def board(self) -> Powered | None: ...


class Injector:
    """Base of the fault classes.

    Args:
        car: the bench's parts: time, bus, virtual nodes by name, the board (None: there is none).
        seed: for the bits that `corrupt` turns over.
        on_mark: called with each `FaultMark`; all are kept in `marks` too.
        database: names of messages and signals; default the powertrain's.
    """

    def __init__(
        self,
        car: Car,
        *,
        seed: int = 0,
        on_mark: Callable[[FaultMark], None] | None = None,
        database: Database | None = None,
    ) -> None:
        self.kernel = car.kernel
        self.bus = car.bus
        self.nodes = dict(car.nodes)
        self.database = database or powertrain()
        self.board = car.board
        self.marks: list[FaultMark] = []
        self.faults: list[Fault] = []
        self.on_mark = on_mark
        self._draw = random.Random(f"{seed}:faults")

    def clear_all(self) -> None:
        """End every fault that is still active."""
        for fault in self.faults:
            fault.clear()

    @property
    def active(self) -> list[Fault]:
        """The faults in force."""
        return [fault for fault in self.faults if fault.active]

    def _begin(self, description: str, duration_ms: float | None = None) -> Fault:
        fault = Fault(self.kernel, description, self._record)
        self.faults.append(fault)
        fault.clear_after(duration_ms)
        return fault

    def _record(self, mark: FaultMark) -> None:
        self.marks.append(mark)
        if self.on_mark is not None:
            self.on_mark(mark)

    def _message(self, name: str) -> Message:
        return self.database.messages[pick(name, self.database.messages, "message")]

    def _port(self, name: str) -> Port:
        """The port of a node. Raises UserError if the node is unknown, or not on the virtual bus."""
        pick(name, {*self.database.nodes, *self.bus.ports}, "node")
        if name not in self.bus.ports:
            raise UserError(f"{name} is not attached to the virtual bus, so its frames and wires cannot be touched")
        return self.bus.ports[name]

    def _node(self, name: str, kind: type[N]) -> N:
        """A virtual node of a kind. Raises UserError if unknown, of another kind, or absent."""
        fitting = [key for key, node in self.nodes.items() if isinstance(node, kind)]
        node = self.nodes[pick(name, fitting, f"virtual {kind.__name__}")]
        if not node.present:
            raise UserError(f"{name} is not virtual in this run (present=False); inject this fault at the real unit")
        assert isinstance(node, kind)
        return node
