"""What every virtual node has: a port on the bus, a send schedule out of the DBC, power, and channels that faults can
touch.

Nothing of the protocol stands here: identifiers, cycles, layouts, E2E parameters and value tables come from the
database.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from heapq import heappush
from typing import TYPE_CHECKING, ClassVar

from hil.bus import ErrorState, Frame
from hil.nodes.channels import Channels
from hil.nodes.messages import Receiver
from hil.nodes.rounds import NOTHING, Part, Rounds, rounds_of
from hil.nodes.transmit import Outgoing, Provider, Values, outgoing
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import MessageCodec, codec
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.bus import Bus
    from hil.kernel import Kernel
    from hil.plant import Plant
    from twinaxle.dbc import Database, Message

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_DRIFT_PPM = 50.0
_BUS_OFF_WAIT_NS = 100 * NS_PER_MS


class _Group:
    """All messages of one cycle time: one event sends them all."""

    __slots__ = ("alive", "due_ns", "event", "messages", "node", "period_ns", "slot")

    def __init__(self, node: Node, messages: list[Outgoing], period_ns: int, first_ns: int) -> None:
        self.node = node
        self.messages = messages
        self.period_ns = period_ns
        self.due_ns = first_ns
        self.alive = True
        self.slot = NOTHING
        self.event = self.fire
        node.kernel.at(first_ns, self.event)

    def fire(self) -> None:
        if not self.alive:
            return
        node = self.node
        kernel = node.kernel
        self.due_ns += self.period_ns
        if not node.enter_rounds(self):
            self.requeue()
        node.send_cycle(self.messages, kernel.now_ns)

    def requeue(self) -> None:
        kernel = self.node.kernel
        heappush(kernel.events, (self.due_ns, kernel.serial(), self.event))


class Node:
    """A virtual node on the bus.

    Args:
        kernel, bus: the bench's time and bus.
        name: the node's name in the database.
        seed: start phases and the crystal's error (up to +-50 ppm) are drawn from it, so that the phases against
            every other node sweep.
        present: False leaves the place to a real unit: nothing is attached, sent or received.
        database: default the powertrain's.

    A subclass gives `providers()`: one function for each message that the database lets the node send. They return
    the physical values of the application signals, in the order of the database.
    """

    CHANNELS: ClassVar[dict[str, str]] = {}
    """Sensors and actuators that a fault can touch: name -> unit."""

    plant: Plant
    """Of those nodes that have a `part`."""

    def __init__(
        self,
        kernel: Kernel,
        bus: Bus,
        name: str,
        *,
        seed: int = 0,
        present: bool = True,
        database: Database | None = None,
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.database = database or powertrain()
        if name not in self.database.nodes:
            raise UserError(f"the database has no node {name}; it has {', '.join(self.database.nodes)}")
        self.present = present
        self.powered = False
        self.channels = Channels(name, self.CHANNELS, self._channels_changed)
        self._groups: list[_Group] = []
        self._rounds: Rounds | None = None
        self._draw = random.Random(f"{seed}:{name}")
        self.clock_ppm = self._draw.uniform(-_DRIFT_PPM, _DRIFT_PPM)
        if present:
            self.port = bus.attach(name)
            self.port.latest_only = True
            self.port.online = False
            self.port.subscribe_state(self._bus_state)
            self.port.on_hooks = self.leave_rounds

    # --- for subclasses ---

    def providers(self) -> dict[str, Provider]:
        """Message name -> function that returns its physical values."""
        raise NotImplementedError

    def cyclic(self) -> None:
        """Called before the messages of one cycle time are packed."""

    def send_cycle(self, messages: list[Outgoing], now_ns: int) -> None:
        """Send the messages of one cycle time."""
        self.cyclic()
        for message in messages:
            message.send(self.port, now_ns)

    def part(self, messages: list[Outgoing]) -> Part | None:
        """What compiled code needs to send these messages by itself (see `hil.nodes.rounds`); None: it cannot."""
        return None

    def sent(self) -> None:
        """Called when compiled code has sent messages and Python is to know."""

    def obeyed(self, result: int) -> None:
        """Called when compiled code has taken a command and Python is to know."""

    def started(self) -> None:
        """Called when power comes, before anything is sent."""

    def stopped(self) -> None:
        """Called when power goes."""

    def channels_changed(self) -> None:
        """Called when a fault of a sensor or an actuator begins or ends."""

    def _channels_changed(self) -> None:
        self.leave_rounds()
        self.channels_changed()

    # --- compiled cycles ---

    def enter_rounds(self, group: _Group) -> bool:
        """Let compiled code send a group from its next cycle on, if nothing stands against it."""
        part = self.part(group.messages)
        if part is None:
            return False
        self._rounds = rounds_of(self.kernel, self.port.home, self.plant)
        return self._rounds is not None and self._rounds.enter(group, part)

    def leave_rounds(self) -> None:
        """From the next cycle on all groups are sent by Python, until they enter again."""
        if self._rounds is not None:
            for group in self._groups:
                self._rounds.leave(group)

    # --- the database ---

    def message(self, name: str) -> Message:
        return self.database.messages[name]

    def codec_of(self, name: str) -> MessageCodec:
        """Codec of one of the database's messages."""
        return codec(name) if self.database is powertrain() else MessageCodec(self.message(name))

    def receiver(self, name: str) -> Receiver:
        """A receiver with a fresh E2E state."""
        return Receiver(self.message(name), self.codec_of(name).unpack)

    def listen(self, name: str, action: Callable[[Frame], None]) -> None:
        """Call `action` with each frame of a message while the node has power."""
        if not self.present:
            return

        def powered(frame: Frame) -> None:
            if self.powered:
                action(frame)

        self.port.subscribe(self.message(name).frame_id, powered)

    def listen_words(self, name: str, action: Callable[[int, int], None]) -> None:
        """As `listen`, with length and data of the frame as two integers: the quick way."""
        if self.present:
            self.port.subscribe_words(self.message(name).frame_id, action)

    # --- power ---

    def power_on(self) -> None:
        """Start: own state from the beginning, counters from zero, new phases."""
        if not self.present or self.powered:
            return
        self.powered = True
        self.port.online = True
        self.started()
        providers = self.providers()
        by_cycle: dict[int, list[Outgoing]] = {}
        for message in self._sent_messages():
            if message.name not in providers:
                raise UserError(
                    f"the virtual node {self.name} has no values for {message.name}, which the DBC lets it send"
                )
            by_cycle.setdefault(message.cycle_ms, []).append(
                outgoing(message, self.codec_of(message.name), providers[message.name])
            )
        for cycle_ms in sorted(by_cycle):
            period_ns = round(cycle_ms * NS_PER_MS * (1 + self.clock_ppm * 1e-6))
            first_ns = self.kernel.now_ns + 1 + self._draw.randrange(period_ns)
            self._groups.append(_Group(self, by_cycle[cycle_ms], period_ns, first_ns))

    def power_off(self) -> None:
        """Power is cut: nothing is sent or heard from this moment."""
        if not self.powered:
            return
        self.powered = False
        self.port.online = False
        for group in self._groups:
            group.alive = False
        self._groups.clear()
        self.stopped()

    def reset(self) -> None:
        """Power off and on at once."""
        self.power_off()
        self.power_on()

    def _bus_state(self, state: ErrorState) -> None:
        """After bus-off the node tries again by itself, as a production unit does."""
        if state is ErrorState.BUS_OFF:
            self.kernel.at(self.kernel.now_ns + _BUS_OFF_WAIT_NS, self.port.restart)

    def _sent_messages(self) -> Iterable[Message]:
        return (m for m in self.database.messages.values() if m.sender == self.name and m.cycle_ms > 0)


__all__ = ["NS_PER_MS", "NS_PER_S", "MessageCodec", "Node", "Provider", "Values"]
