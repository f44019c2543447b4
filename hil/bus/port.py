"""A node's CAN controller as the node sees it: send, abort, subscribe, error counters, restart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeAlias

from hil.bus.bits import frame_bits
from hil.bus.calm import QUEUE, Calm
from hil.bus.errors import ErrorState, state_of
from hil.bus.frame import EXTENDED, Frame, arbitration_key, frame_of, signed
from hil.kernel import Kernel

Done: TypeAlias = Callable[[bool], None]
FrameAction: TypeAlias = Callable[[Frame], None]
WordAction: TypeAlias = Callable[[int, int], None]
StateAction: TypeAlias = Callable[[ErrorState], None]
Route: TypeAlias = tuple[tuple[FrameAction, ...], tuple[WordAction, ...]]
TxHook: TypeAlias = Callable[[Frame], Frame | None]
TxRequest: TypeAlias = "tuple[int, int, Port, Frame, Done | None]"
"""A frame on its way out: (rank in arbitration, serial number, port, frame, done). A handle for `abort`."""


class Companion(Protocol):
    """Compiled senders and receivers that run with the undisturbed bus in one step, see `hil.nodes.rounds`."""

    def run(self, time_ns: int) -> int:
        """As `calm.run`, with what the companion has to do in between; keeps `Calm.cycle_ns`."""

    def dissolve(self) -> None:
        """The bus is disturbed: everybody has to go the way through Python."""


class Wire(Protocol):
    """The bus as a port sees it."""

    kernel: Kernel
    bitrate: int
    bit_ns: int
    calm: Calm
    memory: Any
    """Of `calm`, for compiled code that queues frames by itself while the bus is not `disturbed`."""
    disturbed: bool
    companion: Companion | None

    @property
    def stuck_dominant(self) -> bool:
        """The bus is held dominant."""

    def offer(self, port: Port, frame: Frame, done: Done | None) -> TxRequest:
        """Queue a frame."""

    def keep_frames(self, port: Port, queue: ReceiveQueue) -> None:
        """Keep a port's frames until its owner collects them."""

    def offer_word(self, port: Port, can_id: int, data: int, notify: int = 0) -> int:
        """Queue a standard data frame of 8 bytes given as an integer; see `Port.send_word`."""

    def waiting(self, port: Port) -> list[TxRequest]:
        """Frames of a port that are queued or in transmission."""

    def withdraw(self, port: Port, number: int) -> bool:
        """See `Port.abort`."""

    def recover(self, port: Port) -> None:
        """See `Port.restart`."""

    def rewire(self, port: Port) -> None:
        """See `Port.connected`."""

    def switch(self, port: Port) -> None:
        """See `Port.online`."""

    def forget_routes(self) -> None:
        """Somebody hears other frames than before."""

    def recovering(self, port: Port) -> bool:
        """The port counts recessive bits after bus-off."""

    def put_in(self, port: Port, requests: list[TxRequest], joining: bool = False) -> None:
        """Let a port take part, with what it has to send."""

    def take_out(self, port: Port) -> list[TxRequest]:
        """Remove a port; returns all that it has to send."""


class ReceiveQueue(Protocol):
    """What a port's owner offers when the bus shall keep its frames until it looks, see `Line.keep_frames`."""

    def heard(self, frame: Frame) -> None:
        """A frame that was not kept, or any on the disturbed bus."""

    def sent(self, mailbox: int, ok: bool) -> None:
        """End of a mailbox's frame on the disturbed bus."""

    def collect(self) -> None:
        """Empty the queue: it is full."""


class Port:
    """One controller on the bus; made by `Bus.attach`.

    Frames wait in the order of arbitration, equal ids in the order sent, and are repeated until they got through.
    With `latest_only` a newer frame takes the place of a waiting one with the same id, as in a controller with a
    mailbox for each message: after a time without a bus no old frames come out. `tec` and `rec` are the error
    counters.
    """

    __slots__ = (
        "_connected",
        "_hears",
        "_hears_all",
        "_hears_words",
        "_online",
        "_state_actions",
        "bus",
        "held",
        "home",
        "latest_only",
        "name",
        "number",
        "on_hooks",
        "queue",
        "rec",
        "routes",
        "state",
        "suspended_until_ns",
        "tec",
        "tx_hooks",
    )

    def __init__(self, bus: Wire, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.tec = 0
        self.rec = 0
        self.state = ErrorState.ACTIVE
        self.latest_only = False
        self.tx_hooks: tuple[TxHook, ...] = ()
        self.on_hooks: Callable[[], None] | None = None
        """Called before the hooks change."""
        # For the bus alone:
        self.home = bus
        self.bus = bus
        """The bus that the wire leads to at present: `home`, or a stub with nobody else on it when the wire is cut."""
        self.queue: ReceiveQueue | None = None
        self.held: list[TxRequest] = []
        self.routes: dict[int, Route] = {}
        self.suspended_until_ns = 0
        self._connected = True
        self._online = True
        self._hears: dict[int, list[FrameAction]] = {}
        self._hears_all: list[FrameAction] = []
        self._hears_words: dict[int, list[WordAction]] = {}
        self._state_actions: list[StateAction] = []

    def __lt__(self, other: Port) -> bool:
        """Last resort in the order of requests: same id, same serial number."""
        return self.name < other.name

    def __repr__(self) -> str:
        return f"<Port {self.name} {self.state.name} TEC {self.tec} REC {self.rec}>"

    # --- sending ---

    def send(self, frame: Frame, done: Done | None = None) -> TxRequest:
        """Queue a frame. `done(True)` is called at its end on the bus, `done(False)` when it was given up.

        A frame that a hook swallows counts as sent: `done(True)` comes after the time it would have taken.
        Raises ValueError for a frame that classic CAN does not know.
        """
        if self.tx_hooks:
            return self._send_through_hooks(frame, done)
        return self.bus.offer(self, frame, done)

    def send_word(self, can_id: int, data: int, notify: int = 0) -> int:
        """Queue a standard data frame of 8 bytes, given as a little-endian integer: the quick way for cyclic messages.

        `data` may be signed or unsigned; `notify` see `Line.offer_word`. Returns a number for `take_back`.
        """
        if self.tx_hooks:
            done = None if not notify or self.queue is None else partial(self.queue.sent, notify - QUEUE)
            return self._send_through_hooks(frame_of(can_id, 8, signed(data)), done)[1]
        return self.bus.offer_word(self, can_id, signed(data), notify)

    def send_past_hooks(self, frame: Frame, done: Done | None = None) -> TxRequest:
        """As `send`, past `tx_hooks`: for a hook that kept a frame back or repeats it."""
        return self.bus.offer(self, frame, done)

    def _send_through_hooks(self, frame: Frame, done: Done | None) -> TxRequest:
        for hook in self.tx_hooks:
            altered = hook(frame)
            if altered is None:
                if done is not None:
                    self.bus.kernel.after(frame_bits(frame) * self.bus.bit_ns, partial(done, True))
                return (arbitration_key(frame), 0, self, frame, None)
            frame = altered
        return self.send_past_hooks(frame, done)

    def hook(self, hook: TxHook) -> None:
        """Fault injection: `hook` sees each frame before it is queued and gives it, another one, or None to swallow it.
        Hooks work in the order in which they came.
        """
        self._set_hooks((*self.tx_hooks, hook))

    def unhook(self, hook: TxHook) -> None:
        """Undo `hook`."""
        self._set_hooks(tuple(known for known in self.tx_hooks if known is not hook))

    def _set_hooks(self, hooks: tuple[TxHook, ...]) -> None:
        if self.on_hooks is not None:
            self.on_hooks()
        self.tx_hooks = hooks

    def abort(self, request: TxRequest) -> bool:
        """Take a waiting frame back. True when it will not be sent; `done` is then not called.

        A frame in transmission runs to its end; if it fails it is not repeated, and `done(False)` is called.
        """
        return self.bus.withdraw(self, request[1])

    def take_back(self, number: int) -> bool:
        """As `abort`, by the number of the request."""
        return self.bus.withdraw(self, number)

    @property
    def pending(self) -> int:
        """Frames queued and not yet through, the one in transmission included."""
        return len(self.bus.waiting(self)) + len(self.held)

    # --- receiving ---

    def subscribe(self, can_id: int, action: FrameAction, *, is_extended: bool = False) -> None:
        """Call `action` at the end of each frame from another node with this id."""
        self._hears.setdefault(can_id | EXTENDED if is_extended else can_id, []).append(action)
        self.bus.forget_routes()

    def subscribe_words(self, can_id: int, action: WordAction) -> None:
        """As `subscribe` for standard frames, without making a `Frame`: `action(length, data)` gets the number of data
        bytes and them as a signed little-endian integer. For those who hear a frame every 10 ms.
        """
        self._hears_words.setdefault(can_id, []).append(action)
        self.bus.forget_routes()

    def subscribe_all(self, action: FrameAction) -> None:
        """Call `action` at the end of each frame from another node."""
        self._hears_all.append(action)
        self.bus.forget_routes()

    def unsubscribe(self, action: FrameAction) -> None:
        """Undo every subscription of `action`."""
        for actions in (self._hears_all, *self._hears.values()):
            while action in actions:
                actions.remove(action)
        self.bus.forget_routes()

    def listeners(self, address: int) -> list[FrameAction]:
        """Who is to be called for a frame of this id (bit 31 set for extended)."""
        return self._hears_all + self._hears.get(address, [])

    def word_listeners(self, address: int) -> list[WordAction]:
        """The same for `subscribe_words`."""
        return self._hears_words.get(address, [])

    def addresses(self) -> list[int | None]:
        """What is subscribed to: addresses, None for all."""
        heard = [address for address, actions in self._hears.items() if actions]
        return [*heard, *self._hears_words, *([None] if self._hears_all else [])]

    def subscribe_state(self, action: StateAction) -> None:
        """Call `action` with the new state each time that the error state changes."""
        self._state_actions.append(action)

    # --- wire, power, recovery ---

    @property
    def connected(self) -> bool:
        """False: the wire is cut. The controller finds itself alone and repeats unacknowledged, up to error passive."""
        return self._connected

    @connected.setter
    def connected(self, connected: bool) -> None:
        if connected != self._connected:
            self._connected = connected
            self.home.rewire(self)

    @property
    def online(self) -> bool:
        """False: the controller is without power or in its initialisation mode. Frames given to it are lost.

        Coming online clears the counters and takes part after 11 recessive bits.
        """
        return self._online

    @online.setter
    def online(self, online: bool) -> None:
        if online != self._online:
            self._online = online
            self.home.switch(self)

    def restart(self) -> None:
        """Leave bus-off: what waits is dropped, and after 128 x 11 recessive bits the controller is error active
        again.

        Without effect in any other state and while the recovery already runs.
        """
        self.bus.recover(self)

    def count(self, tec: int, rec: int) -> None:
        """Set the error counters and with them the state (for the bus)."""
        self.tec = tec
        self.rec = rec
        state = state_of(tec, rec)
        if state is not self.state:
            self.state = state
            if self._state_actions:
                self.bus.kernel.after(0, lambda: self._tell(state))

    def _tell(self, state: ErrorState) -> None:
        for action in tuple(self._state_actions):
            action(state)
