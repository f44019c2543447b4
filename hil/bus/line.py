"""The undisturbed bus: who sends next, how long it takes, who hears it.

One kernel event a frame, at its end. The winner of an arbitration is chosen as soon as the bus will be free and
stands only from its SOF on: whoever queues a frame up to that very instant takes part, and the choice is made anew.
What errors do is in `hil.bus.contest`; it takes over as long as `disturbed` is set.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple, TypeAlias

from hil.bus.bits import INTERMISSION_BITS, frame_bits
from hil.bus.errors import ErrorKind
from hil.bus.frame import Frame
from hil.bus.port import EXTENDED, FrameAction, Port, TxRequest
from hil.kernel import Kernel

Tap: TypeAlias = Callable[[int, Frame, str], None]
ErrorTap: TypeAlias = Callable[[int, ErrorKind, str], None]


class LoadMark(NamedTuple):
    """A moment from which `Line.load` counts."""

    time_ns: int
    busy_ns: int


class Line(ABC):
    """Arbitration, frame times and delivery on a bus without errors.

    `busy_ns` is the sum of all frames and error frames that have ended, each with its intermission, in nanoseconds.
    """

    def __init__(self, kernel: Kernel, bitrate: int = 500_000) -> None:
        if bitrate <= 0 or 1_000_000_000 % bitrate:
            raise ValueError(f"bit rate {bitrate} does not give a bit time in whole nanoseconds")
        self.kernel = kernel
        self.bitrate = bitrate
        self.bit_ns = 1_000_000_000 // bitrate
        self.ports: dict[str, Port] = {}
        self.busy_ns = 0
        self.serial = 0
        self.disturbed = True
        self._members: list[Port] = []
        self._queue: list[TxRequest] = []
        self._current: TxRequest | None = None
        self._sof_ns = 0
        self._end_ns = -1
        self._idle_ns = 0
        self._intermission_ns = INTERMISSION_BITS * self.bit_ns
        self._taps: tuple[Tap, ...] = ()
        self._error_taps: tuple[ErrorTap, ...] = ()
        self._on_end = self._end
        self._events = kernel.events
        self._event_serial = kernel.serial

    # --- tools ---

    def tap(self, action: Tap) -> None:
        """Call `action(time_ns, frame, sender)` at the end of every good frame."""
        self._taps += (action,)

    def tap_errors(self, action: ErrorTap) -> None:
        """Call `action(time_ns, kind, sender)` at the end of each error frame; `sender` is "" when nobody sent."""
        self._error_taps += (action,)

    def untap(self, action: Tap | ErrorTap) -> None:
        """Undo `tap` or `tap_errors`."""
        self._taps = tuple(tap for tap in self._taps if tap != action)
        self._error_taps = tuple(tap for tap in self._error_taps if tap != action)

    def mark(self) -> LoadMark:
        """The present, to be given to `load`."""
        return LoadMark(self.kernel.now_ns, self.busy_ns)

    def load(self, since: LoadMark = LoadMark(0, 0)) -> float:  # noqa: B008 - immutable
        """Bus load since a mark, 0 to 1: busy time over time. A frame counts when it has ended."""
        now = self.mark()
        elapsed_ns = now.time_ns - since.time_ns
        return (now.busy_ns - since.busy_ns) / elapsed_ns if elapsed_ns else 0.0

    # --- sending ---

    def offer(self, request: TxRequest) -> None:
        """Queue a request; it starts at once on an idle bus."""
        if self.disturbed:
            self._offer_disturbed(request)
            return
        current = self._current
        now_ns = self.kernel.now_ns
        if current is None:
            self._begin(request, now_ns if now_ns > self._idle_ns else self._idle_ns)
        elif now_ns <= self._sof_ns and request[0] < current[0]:
            heappush(self._queue, current)
            self._begin(request, self._sof_ns)
        elif now_ns <= self._sof_ns and request[0] == current[0] and request[2] is not current[2]:
            self.disturbed = True
            self._offer_disturbed(request)
        else:
            if request[2].latest_only:
                self._replace_older(request)
            heappush(self._queue, request)

    def _begin(self, request: TxRequest, sof_ns: int) -> None:
        self._current = request
        self._sof_ns = sof_ns
        self._end_ns = end_ns = sof_ns + frame_bits(request[3]) * self.bit_ns
        heappush(self._events, (end_ns, self._event_serial(), self._on_end))

    def _end(self) -> None:
        """End of the current frame. The next is chosen before anybody is told, so that what they send then competes."""
        now_ns = self.kernel.now_ns
        if now_ns != self._end_ns:
            return  # the choice was made anew after this event had been set
        if self.disturbed:
            self._end_disturbed()
            return
        current = self._current
        assert current is not None
        _, _, port, frame, done = current
        intermission_ns = self._intermission_ns
        self.busy_ns += now_ns - self._sof_ns + intermission_ns
        self._idle_ns = now_ns + intermission_ns
        queue = self._queue
        if queue:
            winner = heappop(queue)
            if queue and queue[0][0] == winner[0] and queue[0][2] is not winner[2]:
                heappush(queue, winner)
                self.disturbed = True
                self._current = None
                self._contend()
            else:
                self._begin(winner, self._idle_ns)
        else:
            self._current = None
            self._end_ns = -1
        for tap in self._taps:
            tap(now_ns, frame, port.name)
        can_id, _, is_extended, _ = frame
        if is_extended:
            can_id |= EXTENDED
        actions = port.routes.get(can_id)
        if actions is None:
            actions = self._route(port, can_id)
        for action in actions:
            action(frame)
        if done is not None:
            done(True)

    def _replace_older(self, request: TxRequest) -> None:
        """Drop a waiting request of the same port with the same id."""
        key, _, port, _, _ = request
        for queue in (self._queue, port.held):
            for older in queue:
                if older[0] == key and older[2] is port:
                    queue.remove(older)
                    queue.sort()  # a sorted list is a heap
                    if older[4] is not None:
                        older[4](False)
                    return

    # --- delivery ---

    def _route(self, sender: Port, address: int) -> tuple[FrameAction, ...]:
        """Whom a frame from this port with this id reaches, kept until something changes."""
        actions = tuple(action for port in self._receivers([sender]) for action in port.listeners(address))
        sender.routes[address] = actions
        return actions

    def forget_routes(self) -> None:
        """Called after each change of who hears what."""
        for port in self._members:
            port.routes.clear()

    @abstractmethod
    def _receivers(self, senders: list[Port]) -> list[Port]:
        """All ports that take part, without the senders."""

    @abstractmethod
    def _offer_disturbed(self, request: TxRequest) -> None: ...

    @abstractmethod
    def _contend(self) -> None: ...

    @abstractmethod
    def _end_disturbed(self) -> None: ...
