"""The bus between Python and the compiled undisturbed bus: taps, log, offers, delivery.

While nothing is wrong `hil.bus.calm` has the frames, and this is entered where somebody has to be told. What errors do
is in `hil.bus.contest`, which works on `_queue` and `_current` and takes over as long as `disturbed` is set;
`_take_back` and `_hand_over` move the frames between the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from heapq import heapify

from hil.bus import calm
from hil.bus.bits import INTERMISSION_BITS, frame_bits
from hil.bus.frame import REMOTE, Frame, address_of, arbitration_key, check, frame_of, word_of
from hil.bus.port import Companion, Port, ReceiveQueue, Route, TxRequest
from hil.bus.taps import Taps
from hil.kernel import Kernel
from hil.native import memory


class Line(Taps, ABC):
    """Frame times and delivery on a bus without errors."""

    def __init__(self, kernel: Kernel, bitrate: int = 500_000) -> None:
        super().__init__(kernel, bitrate)
        self.ports: dict[str, Port] = {}
        self.numbered: list[Port] = []
        """Every port that was ever attached, by its number."""
        self.disturbed = True
        self.calm.newest_ns[:] = [-calm.NEVER_NS] * calm.IDS
        self.newest_ns, self.newest_data = self.calm.newest_ns, self.calm.newest_data
        """Time of the end of the newest frame (negative: none came) and its data, by standard id."""
        self.newest_length, self.newest_shortest = self.calm.newest_length, self.calm.newest_shortest
        self.memory = memory(self.calm)
        self.companion: Companion | None = None
        self._compiled = False
        self._requests: dict[int, TxRequest] = {}
        self._members: list[Port] = []
        self._keeper: Port | None = None
        self._queue: list[TxRequest] = []
        self._current: TxRequest | None = None
        self._intermission_ns = INTERMISSION_BITS * self.bit_ns
        self._on_end = self._end

    # --- sending ---

    def offer(self, port: Port, frame: Frame, done: Callable[[bool], None] | None) -> TxRequest:
        """Queue a frame; it starts at once on an idle bus."""
        check(frame)
        rank = arbitration_key(frame)
        if not self.disturbed:
            data = word_of(frame.data)
            notify = calm.NOBODY if done is None else calm.CALLBACK
            if self._offer_calm(port, rank, address_of(frame), len(frame.data), data, notify):
                request = (rank, self.calm.serial, port, frame, done)
                if done is not None:
                    self._requests[self.calm.serial] = request
                return request
        self.calm.serial += 1
        request = (rank, self.calm.serial, port, frame, done)
        self._offer_disturbed(request)
        return request

    def offer_word(self, port: Port, can_id: int, data: int, notify: int = calm.NOBODY) -> int:
        """Queue a standard data frame of 8 bytes given as a signed integer; returns its serial number.

        With `notify` the end is that of a mailbox of the port's receive queue (`calm.QUEUE` + mailbox).
        """
        if not self.disturbed and self._offer_calm(port, can_id << 21, can_id, 8, data, notify):
            return self.calm.serial
        self.calm.serial += 1
        number = self.calm.serial
        self._offer_disturbed((can_id << 21, number, port, frame_of(can_id, 8, data), _done(port, notify)))
        return number

    def _offer_calm(self, port: Port, rank: int, address: int, length: int, data: int, notify: int) -> bool:
        result = calm.offer(
            self.memory, self.kernel.now_ns, rank, port.number, address, length, data, notify, port.latest_only
        )
        if result == calm.QUEUED:
            return True
        if result == calm.REPLACED:
            request = self._requests.pop(self.calm.replaced, None)
            if request is not None and request[4] is not None:
                request[4](False)
            return True
        self._take_back()
        self.disturbed = True
        return False

    # --- the compiled bus and back ---

    def _run_to(self, time_ns: int) -> None:
        """Let frames end up to a time; return after one of which somebody was told."""
        result = calm.run(self.memory, time_ns) if self.companion is None else self.companion.run(time_ns)
        if result == calm.TELL or result == calm.HEARD or result == calm.COLLISION:
            self.kernel.now_ns = self.calm.ended_ns
            self._tell(result == calm.COLLISION)
        elif result == calm.LOG_FULL:
            self.flush_log()
        elif result == calm.QUEUE_FULL:
            queue = self.numbered[self.calm.queue_port].queue
            assert queue is not None
            queue.collect()

    def _tell(self, collision: bool) -> None:
        """The end of a frame, for those in Python. The next is chosen before, so that what they send then competes."""
        line = self.calm
        address, port = line.ended_address, self.numbered[line.ended_port]
        length, data = line.ended_length, line.ended_data
        request = self._requests.pop(line.ended_number) if line.ended_notify == calm.CALLBACK else None
        if collision:
            self._take_back()
            self.disturbed = True
            self._contend()
        route = port.routes.get(address) or self._route(port, address)
        actions, word_actions = route
        frame = None
        if actions or self._taps:
            frame = frame_of(address, length, data) if request is None else request[3]
            for tap in self._taps:
                tap(line.ended_ns, frame, port.name)
            for action in actions:
                action(frame)
        for word_action in word_actions:
            word_action(length, data)
        queue_port = line.queue_port
        if queue_port >= 0 and queue_port != port.number:
            queue = self.numbered[queue_port].queue
            if queue is not None and (address >= calm.IDS or line.accept[address] == calm.ASK):
                queue.heard(frame or frame_of(address, length, data))
        if request is not None and request[4] is not None:
            request[4](True)

    def _hand_over(self) -> None:
        """Give all frames to the compiled bus."""
        line = self.calm
        waiting = [] if self._current is None else [self._current]
        first = len(waiting)
        for place, request in enumerate(waiting + self._queue, 1 - first):
            rank, number, port, frame, done = request
            line.rank[place], line.number[place], line.port[place] = rank, number, port.number
            line.address[place], line.length[place] = address_of(frame), len(frame.data)
            line.data[place] = word_of(frame.data)
            line.notify[place] = calm.NOBODY if done is None else calm.CALLBACK
            if done is not None:
                self._requests[number] = request
        line.waiting = len(self._queue)
        if self._current is None:
            line.end_ns = calm.NEVER_NS
        self._queue, self._current = [], None
        keeper = self._keeper
        line.queue_port = keeper.number if keeper is not None and keeper in self._members else -1
        line.next_ns = min(line.end_ns, line.cycle_ns)
        self._compiled = True
        self._set_ears()
        self.kernel.join(line, self._run_to)

    def _take_back(self) -> None:
        """Take all frames from the compiled bus."""
        if not self._compiled:
            return
        line = self.calm
        self._compiled = False
        if self.companion is not None:
            self.companion.dissolve()
        self.kernel.leave(line)
        self._queue = [self._request(place) for place in range(1, line.waiting + 1)]
        heapify(self._queue)
        line.waiting = 0
        self._current = None
        if line.end_ns == calm.NEVER_NS:
            line.end_ns = -1
        else:
            self._current = self._request(0)
            self.kernel.at(line.end_ns, self._on_end)
        self._requests.clear()

    def _request(self, place: int) -> TxRequest:
        line = self.calm
        number = line.number[place]
        known = self._requests.get(number)
        if known is not None:
            return known
        port = self.numbered[line.port[place]]
        frame = frame_of(line.address[place], line.length[place], line.data[place])
        return line.rank[place], number, port, frame, _done(port, line.notify[place])

    # --- the disturbed way, for `Contest` ---

    def _begin(self, request: TxRequest, sof_ns: int) -> None:
        self._current = request
        self.calm.sof_ns = sof_ns
        self.calm.end_ns = end_ns = sof_ns + frame_bits(request[3]) * self.bit_ns
        self.kernel.at(end_ns, self._on_end)

    def _end(self) -> None:
        """End of the current frame on the disturbed bus, unless the choice was made anew after this event was set."""
        if self.disturbed and self.kernel.now_ns == self.calm.end_ns:
            self._end_disturbed()

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

    def _record(self, time_ns: int, port: Port, frame: Frame) -> None:
        """A frame that went over the disturbed bus, for the log and the newest of each id."""
        line = self.calm
        if line.logged == calm.LOG_RECORDS:
            self.flush_log()
        line.ended_ns, line.ended_port, line.ended_address = time_ns, port.number, address_of(frame)
        line.ended_length, line.ended_data = len(frame.data), word_of(frame.data)
        calm.record(self.memory)

    # --- delivery ---

    def _route(self, sender: Port, address: int) -> Route:
        """Whom a frame from this port with this address reaches, kept until something changes."""
        receivers, key = self._receivers([sender]), address & ~REMOTE
        actions = tuple(action for port in receivers for action in port.listeners(key))
        sender.routes[address] = route = actions, tuple(a for port in receivers for a in port.word_listeners(key))
        return route

    def forget_routes(self) -> None:
        """Called after each change of who hears what."""
        for port in self._members:
            port.routes.clear()
        if self._compiled:
            self._set_ears()

    def _set_ears(self) -> None:
        """Who is to be told of which standard id."""
        for_all = 0
        ears = [0] * calm.IDS
        for port in self._members:
            bit = 1 << port.number
            for address in port.addresses():
                if address is None:
                    for_all |= bit
                elif address < calm.IDS:
                    ears[address] |= bit
        self.calm.ears[:] = [ear | for_all for ear in ears]

    def keep_frames(self, port: Port, queue: ReceiveQueue) -> None:
        """Have the frames that a port receives kept in the compiled bus's queue until its owner collects them;
        `Calm.accept` says which. One port of a bus can have that.
        """
        if self._keeper is not None:
            raise ValueError(f"the bus already keeps the frames of {self._keeper.name}")
        port.queue = queue
        self._keeper = port
        self.calm.accept[:] = [calm.ASK] * calm.IDS
        self._take_back()
        self._changed()

    @abstractmethod
    def _receivers(self, senders: list[Port]) -> list[Port]:
        """All ports that take part, without the senders."""

    @abstractmethod
    def _changed(self) -> None:
        """Find out whether the compiled bus may have the frames."""

    @abstractmethod
    def _offer_disturbed(self, request: TxRequest) -> None: ...

    @abstractmethod
    def _contend(self) -> None: ...

    @abstractmethod
    def _end_disturbed(self) -> None: ...


def _done(port: Port, notify: int) -> Callable[[bool], None] | None:
    """The callback for the end of a mailbox's frame."""
    if notify < calm.QUEUE or port.queue is None:
        return None
    return partial(port.queue.sent, notify - calm.QUEUE)
