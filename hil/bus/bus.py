"""The virtual CAN bus as the bench uses it: ports, wire, power, faults on the wire."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappush

from hil.bus.calm import PORTS, WAITING
from hil.bus.contest import Contest, Corruption
from hil.bus.errors import COUNTER_MAX, DELIMITER_BITS, ERROR_STEP, FLAG_BITS, RECOVERY_BITS, ErrorKind, ErrorState
from hil.bus.frame import Frame
from hil.bus.port import Port, TxRequest
from hil.bus.taps import LoadMark
from hil.kernel import Kernel


class Bus(Contest):
    """A classic CAN bus in virtual time.

    `bitrate` in bit/s must give a bit time in whole nanoseconds. All ports hear all good frames but their own, at the
    end of the frame, in the order in which they were attached. A frame needs one other port that takes part to
    acknowledge it.
    """

    def __init__(self, kernel: Kernel, bitrate: int = 500_000) -> None:
        super().__init__(kernel, bitrate)
        self._stuck_steps = 0
        self._stuck_next_ns = -1

    def _changed(self) -> None:
        self._take_back()
        now_ns = self.kernel.now_ns
        current = self._current
        calm = (
            len(self._members) > 1
            and self._failure is None
            and len(self._senders) < 2
            and self._stuck_since_ns is None
            and not self._shorted
            and not self._rules
            and not self._recovery
            and len(self._queue) < WAITING // 2
            and len(self.numbered) <= PORTS
            and not any(port.tec or port.rec or port.suspended_until_ns > now_ns for port in self._members)
            and not (current and any(other[0] == current[0] and other[2] is not current[2] for other in self._queue))
        )
        if calm:
            self.disturbed = False
            self._senders = []
            self._hand_over()
        elif not self.disturbed:
            self.disturbed = True
            if self._before_sof():
                self._contend()
            elif current is not None:
                self._senders = [current]

    # --- ports ---

    def attach(self, name: str) -> Port:
        """A controller of that name on the bus, error active. Raises ValueError for a name already there."""
        if name in self.ports:
            raise ValueError(f"a port named {name} is already on the bus")
        port = self.ports[name] = Port(self, name, len(self.numbered))
        self.numbered.append(port)
        self.put_in(port, [])
        return port

    def detach(self, port: Port) -> None:
        """Take a port off the bus for good; its name becomes free."""
        port.online = False
        del self.ports[port.name]

    def rewire(self, port: Port) -> None:
        """See `Port.connected`. Behind a cut the controller is alone on a stub, with what it has to send."""
        if not port.online:
            return
        recovering = port.bus.recovering(port)
        requests = port.bus.take_out(port)
        self._lead(port, self if port.connected else self._stub())
        port.bus.put_in(port, requests, joining=True)
        if recovering:
            port.restart()

    def switch(self, port: Port) -> None:
        """See `Port.online`. Without power the controller is nowhere: a stub of which it is not a member."""
        if port.online:
            port.count(0, 0)
            self._lead(port, self if port.connected else self._stub())
            port.bus.put_in(port, [], joining=True)
            return
        lost = port.bus.take_out(port) + port.held
        port.held = []
        self._lead(port, self._stub())
        for request in lost:
            if request[4] is not None:
                request[4](False)

    def _stub(self) -> Bus:
        """A wire that leads nowhere."""
        return Bus(self.kernel, self.bitrate)

    def recovering(self, port: Port) -> bool:
        """The port counts recessive bits after bus-off."""
        return port in self._recovery

    def _lead(self, port: Port, bus: Bus) -> None:
        """Have a port's wire lead to another bus; its serial numbers go on."""
        bus.calm.serial = max(bus.calm.serial, port.bus.calm.serial)
        port.bus = bus

    def put_in(self, port: Port, requests: list[TxRequest], joining: bool = False) -> None:
        """Let a port take part, with what it has to send."""
        self._take_back()
        members = [*self._members, port]
        self._members = [known for known in self.ports.values() if known in members] or members
        if joining:
            port.suspended_until_ns = self.kernel.now_ns + RECOVERY_BITS * self.bit_ns
        for request in requests:
            heappush(self._queue, request)
        self.forget_routes()
        self._changed()
        if self.disturbed and self._before_sof():
            self._contend()

    def take_out(self, port: Port) -> list[TxRequest]:
        """Remove a port with all that it has to send; a frame that it was sending breaks off."""
        self._take_back()
        requests = self._waiting(port)
        self._queue = [request for request in self._queue if request[2] is not port]
        heapify(self._queue)
        self._members.remove(port)
        self._recovery.forget(port)
        port.routes.clear()
        self.forget_routes()
        if self._current is not None and self._current[2] is port and self._failure is not ErrorKind.STUFF:
            self.disturbed = True
            if self._before_sof():
                self._drop_choice()
                self._contend()
            else:
                # The line falls silent: six recessive bits are a stuff error to all others.
                for request in self._senders:
                    if request[2] is not port:
                        self._requeue(request)
                self._senders = []
                self._fail(ErrorKind.STUFF, self.kernel.now_ns + FLAG_BITS * self.bit_ns, FLAG_BITS + DELIMITER_BITS)
        else:
            self._senders = [request for request in self._senders if request[2] is not port]
        self._changed()
        return requests

    # --- queue ---

    def _offer_disturbed(self, request: TxRequest) -> None:
        port = request[2]
        if not port.online:
            if request[4] is not None:
                request[4](False)
            return
        if port.latest_only:
            self._replace_older(request)
        if port.state is ErrorState.BUS_OFF:
            port.held.append(request)
            return
        heappush(self._queue, request)
        if self._stuck_since_ns is not None:
            self._arm_stuck(FLAG_BITS)
        elif self._before_sof():
            self._contend()

    def waiting(self, port: Port) -> list[TxRequest]:
        """Requests of a port that are queued or in transmission, in the order in which they will go out."""
        self._take_back()
        requests = self._waiting(port)
        self._changed()
        return requests

    def _waiting(self, port: Port) -> list[TxRequest]:
        return sorted(request for request in self._queue + self._in_transmission() if request[2] is port)

    def withdraw(self, port: Port, number: int) -> bool:
        """See `Port.abort`."""
        self._take_back()
        taken = self._withdraw(port, number)
        self._changed()
        return taken

    def _withdraw(self, port: Port, number: int) -> bool:
        for queue in (port.held, self._queue):
            for request in queue:
                if request[1] == number and request[2] is port:
                    queue.remove(request)
                    queue.sort()
                    return True
        current = self._current
        if (
            current is not None
            and current[1] == number
            and current[2] is port
            and self.kernel.now_ns < self.calm.sof_ns
        ):
            self.disturbed = True
            self._drop_choice()
            self._contend()
            return True
        self._given_up = port, number
        return False

    def recover(self, port: Port) -> None:
        """See `Port.restart`."""
        if port.state is not ErrorState.BUS_OFF or port in self._recovery:
            return
        self._take_back()
        dropped, port.held = port.held, []
        self._recovery.begin(port, self._before_sof() and self._stuck_since_ns is None)
        self._changed()
        for request in dropped:
            if request[4] is not None:
                request[4](False)

    def _rejoin(self, port: Port) -> None:
        requests, port.held = port.held, []
        for request in requests:
            heappush(self._queue, request)
        port.count(0, 0)
        self.forget_routes()
        self._contend()
        self._changed()

    # --- faults on the wire ---

    def corrupt(
        self, predicate: Callable[[Frame], bool], count: int | None = 1, *, at_bit: int | None = None
    ) -> Corruption:
        """Destroy the next `count` frames (None: all) for which `predicate(frame)` is true.

        A bit is inverted on the wire: the sender and all receivers see it, an error frame follows and the frame is
        repeated. `at_bit` is the bit's place counted from SOF = 0 with stuff bits; by default it is in the middle of
        the frame.
        """
        rule = Corruption(predicate, count, at_bit)
        self._rules.append(rule)
        self._changed()
        return rule

    @property
    def shorted(self) -> bool:
        """True: CAN_H and CAN_L touch, the bus stays recessive. Attempts to send fail at SOF, the 32nd is bus-off."""
        return self._shorted

    @shorted.setter
    def shorted(self, shorted: bool) -> None:
        if shorted == self._shorted:
            return
        self._take_back()
        self._shorted = shorted
        self._changed()
        if shorted and self._current is not None and not self._before_sof() and self._failure is None:
            self._fail(ErrorKind.BIT, self.kernel.now_ns + self.bit_ns, FLAG_BITS + DELIMITER_BITS)

    @property
    def stuck_dominant(self) -> bool:
        """True: the bus is held dominant (a transceiver that has failed, a wire on the supply).

        Nothing gets through. Error counters rise by 8 every 8 bits: the receive counters to 255, and the transmit
        counters of all that have a frame to send, which are bus-off 0.5 ms later. By ISO 11898-1 a node that was not
        in mid-frame cannot begin one on such a bus and counts as a receiver; here every node with a frame to send
        counts as a transmitter, which is the harder case for it.
        """
        return self._stuck_since_ns is not None

    @stuck_dominant.setter
    def stuck_dominant(self, stuck: bool) -> None:
        if stuck == self.stuck_dominant:
            return
        self._take_back()
        now_ns = self.kernel.now_ns
        if stuck:
            if self._current is not None:
                if not self._before_sof():
                    self.calm.busy_ns += now_ns - self.calm.sof_ns
                for request in self._in_transmission():
                    self._requeue(request)
                self._drop_choice()
            self._recovery.interrupted(now_ns)
            self._stuck_since_ns = now_ns
            self._stuck_steps = 0
            self._stuck_next_ns = -1
            self._changed()
            self._arm_stuck(FLAG_BITS)
        else:
            self.calm.busy_ns = self.mark().busy_ns
            self._stuck_since_ns = None
            self.calm.idle_ns = now_ns + RECOVERY_BITS * self.bit_ns  # error delimiter and intermission
            self._recovery.resumed(now_ns)
            self._contend()
            self._changed()

    def _arm_stuck(self, bits: int) -> None:
        if self._stuck_next_ns < self.kernel.now_ns:
            self._stuck_next_ns = self.kernel.now_ns + bits * self.bit_ns
            self.kernel.at(self._stuck_next_ns, self._stuck_step)

    def _stuck_step(self) -> None:
        """8 more dominant bits: counters rise, as long as one still can."""
        if self._stuck_since_ns is None or self.kernel.now_ns != self._stuck_next_ns:
            return
        self._stuck_next_ns = -1
        rec_step = (
            ERROR_STEP if self._stuck_steps else 1
        )  # the stuff error counts 1, dominant bits after the flag count 8
        self._stuck_steps += 1
        transmitters = [request[2] for request in self._queue]
        rising = False
        for port in self._members:
            if port.state is ErrorState.BUS_OFF:
                continue
            if port in transmitters:
                self._transmit_error(port)
                rising = True
            elif port.rec < COUNTER_MAX:
                port.count(port.tec, min(port.rec + rec_step, COUNTER_MAX))
                rising = True
        if rising:
            self._arm_stuck(ERROR_STEP)
            for error_tap in self._error_taps:
                error_tap(self.kernel.now_ns, ErrorKind.DOMINANT, "")

    def mark(self) -> LoadMark:
        """The present, to be given to `load`."""
        now_ns = self.kernel.now_ns
        stuck_ns = now_ns - self._stuck_since_ns if self._stuck_since_ns is not None else 0
        return LoadMark(now_ns, self.busy_ns + stuck_ns)
