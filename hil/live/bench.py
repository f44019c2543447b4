"""The live bench: the virtual car in step with the wall clock, open to programs (hub) and to a real bus (adapter).

The loop's thread does it all; only the log's file and a real bus have threads of their own.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hil.bus import LoadMark
from hil.car import VIRTUAL_NODES, VirtualCar, warm_up
from hil.judging.observer import Observer
from hil.judging.oracle import PERIOD_NS, Oracle
from hil.live.beacon import PERIOD_NS as BEACON_PERIOD_NS
from hil.live.beacon import Beacon
from hil.live.foreign import follow_foreign_units
from hil.live.hub import LOOPBACK, Hub
from hil.live.lateness import Lateness
from hil.live.loop import Loop
from hil.live.scenario import Scenario
from hil.workshop import firmware_flash
from twinaxle.dbc import powertrain
from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can

    from hil.live.adapter import Adapter
    from hil.live.bus_log import BusLog

NODES = (*VIRTUAL_NODES, "VCU")
"""What can be virtual: the car's nodes, and the board with the firmware."""

NS_PER_S = 1_000_000_000

_LOOK_NS = 100_000_000
_FLUSH_S = 0.5
_BOOT_NS = 300_000_000
_ORACLE_NEEDS = frozenset({"VCU", "INV_F", "INV_R", "BMS"})


class Status(NamedTuple):
    """How the bench is doing.

    `bus_load` (0 to 1), `late_ms` (99th percentile of how late frames left, ms of the wall clock) and `late_worst_ms`
    are of the time since the last status, the others are totals or of the moment. `lost_s`: bench time that the host
    could not keep up with, `lost_lately_s` of it since the last status: above 0 the bench was not in real time.
    `dropped`: frames that clients were too slow for.
    """

    time_s: float
    vcu_state: str
    speed_kmh: float
    pedal_percent: float
    bus_load: float
    clients: int
    dropped: int
    late_ms: float
    late_worst_ms: float
    lost_s: float
    lost_lately_s: float
    adapter_dropped: int
    log_dropped: int


class LiveBench:
    """A virtual car in real time. Make it, `run`, and `close` it in every case; it is a context manager.

    Args:
        seed: as for `Bench`.
        nodes: which of `NODES` are virtual; the others are somebody else's part.
        host, port: where the socketcand server listens; port 0 lets the system choose, None means no server.
        scenario: what the virtual driver does; None: nothing.
        log: file for all frames, in any format that python-can writes.
        real: a python-can bus to join; shut down with the bench.
        speed: bench time over wall time, 1 for real time.
        say: called with a line of text when something happened that a user wants to know.

    Raises:
        UserError: unknown node, port taken, log not writable, no MicroPython.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        nodes: Collection[str] = NODES,
        host: str = LOOPBACK,
        port: int | None = 0,
        scenario: Scenario | None = None,
        log: Path | None = None,
        real: can.BusABC | None = None,
        speed: float = 1.0,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.say = say
        self.lateness = Lateness()
        self.hub: Hub | None = None
        self.adapter: Adapter | None = None
        self.log: BusLog | None = None
        self._beacon: Beacon | None = None
        self.frames = 0
        """Good frames on the virtual bus so far."""
        self.last_status: Status | None = None
        self._load_from = LoadMark(0, 0)
        self._stopping = self._closed = self._begun = False
        self._scenario = scenario
        self._told_lines = self._told_goals = 0
        self._folder = Path(tempfile.mkdtemp(prefix="twinaxle-"))
        try:
            _check(nodes, scenario)
            flash = firmware_flash(self._folder) if "VCU" in nodes else None
            self.car = VirtualCar(flash, seed=seed, nodes=[node for node in nodes if node != "VCU"])
            self.kernel = self.car.kernel
            self.loop = Loop(self.kernel, speed, on_real_bus=real is not None)
            self.car.bus.tap(self._count)
            self.observer = Observer(self.car.bus, powertrain())
            self.oracle = Oracle(self.observer, self.car.plant) if set(nodes) >= _ORACLE_NEEDS else None
            follow_foreign_units(self.car)
            self._owners = {
                message.frame_id | message.is_extended << 31: message.sender
                for message in powertrain().messages.values()
                if message.sender in nodes
            }
            if log is not None:
                from hil.live.bus_log import BusLog

                self.log = BusLog(self.car.bus, log)
            if port is not None:
                self.hub = Hub(
                    self.car.bus,
                    self.loop.selector,
                    host=host,
                    port=port,
                    check_owner=self._check_owner,
                    say=self._tell,
                )
                self._beacon = Beacon("twinaxle", self.hub.port) if self.hub.host == LOOPBACK else None
        except BaseException:
            if real is not None:
                real.shutdown()
            self.close()
            raise
        if real is not None:
            from hil.live.adapter import Adapter

            self.adapter = Adapter(self.car.bus, real, self.loop.selector, say=self._tell, on_frame=self._check_owner)

    def __enter__(self) -> LiveBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- time ---

    def run(
        self,
        seconds: float | None = None,
        *,
        every_s: float = 0.0,
        on_status: Callable[[Status], None] = lambda status: None,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Let the bench live, until `stop`, for so many seconds of bench time, or until the condition holds.

        `on_status` is called every `every_s` seconds of the wall clock, never if that is 0. `last_status` is that of
        the end.

        Raises:
            UserError: the firmware hangs without a watchdog, the log cannot be written, the adapter has failed.
        """
        end_ns = None if seconds is None else self.kernel.now_ns + round(seconds * NS_PER_S)
        self.begin()
        next_status_s = time.monotonic() + every_s
        while not self._stopping and (end_ns is None or self.kernel.now_ns < end_ns) and not until():
            self.step(end_ns)
            if every_s and time.monotonic() >= next_status_s:
                next_status_s = max(next_status_s + every_s, time.monotonic())
                on_status(self.status())
        self.status()

    def begin(self) -> None:
        """12 V on; `run` does it if nobody has. The start of the interpreter takes longer than the board's boot: it is
        over before time is paced. Clients are answered only after that.
        """
        if self._begun:
            return
        self._begun = True
        warm_up()
        self.kernel.at(self.kernel.now_ns, self._look)
        self.car.power_on()
        if self._scenario is not None:
            self._scenario(self.car.driver)
        if self.car.board is not None and self.adapter is None:
            self.kernel.run_until(self.kernel.now_ns + _BOOT_NS)

    def stop(self) -> None:
        """Have `run` return; may be called from a signal handler."""
        self._stopping = True

    def step(self, end_ns: int | None = None) -> None:
        """One turn of the loop, at most to a bench time."""
        self.loop.turn(end_ns, None if self.hub is None else self.hub.flush)

    # --- what it sees ---

    def _look(self) -> None:
        """Once a control period: the oracle; now and then the console, the log, the beacon."""
        now_ns = self.kernel.now_ns
        self.kernel.at(now_ns + PERIOD_NS, self._look)
        if self.oracle is not None:
            self.oracle.check(now_ns)
        if now_ns % _LOOK_NS == 0:
            self._look_around()
        if self._beacon is not None and now_ns % BEACON_PERIOD_NS == 0:
            self._beacon.send()

    def _look_around(self) -> None:
        if self.log is not None:
            self.log.check()
        if self.car.board is not None:
            lines = self.car.board.console
            for line in lines[self._told_lines :]:
                self._tell(f"board: {line.text}")
            self._told_lines = len(lines)
        if self.oracle is not None:
            for found in self.oracle.violations[self._told_goals :]:
                self._tell(f"safety goal {found.goal} violated at {found.time_ns / NS_PER_S:.3f} s: {found.text}")
            self._told_goals = len(self.oracle.violations)

    def _count(self, *_: object) -> None:
        self.frames += 1

    def _tell(self, text: str) -> None:
        self.say(f"{self.kernel.now_ns / NS_PER_S:9.3f} s  {text}")

    def _check_owner(self, who: str, can_id: int, is_extended: bool) -> None:
        """Say once for each id that somebody sends what a virtual node sends too: two senders of one id collide."""
        owner = self._owners.pop(can_id | is_extended << 31, None)
        if owner is not None:
            self._tell(f"{who} sends id {can_id:03X}, which the virtual {owner} sends too: use --without {owner}")

    def status(self) -> Status:
        """The bench's status; begins anew what is counted since the last one."""
        plant, bus, recent = self.car.plant, self.car.bus, self.loop.recent
        plant.advance(self.kernel.now_ns)
        load = bus.load(self._load_from)
        self._load_from = bus.mark()
        self.lateness.merge(recent)
        self.loop.recent = Lateness()
        lost_before_s = 0.0 if self.last_status is None else self.last_status.lost_s
        self.last_status = Status(
            time_s=self.kernel.now_ns / NS_PER_S,
            vcu_state=self.observer.label("VcuStatus", "State"),
            speed_kmh=plant.speed_mps * 3.6,
            pedal_percent=self.car.pedals.pedal_percent,
            bus_load=load,
            clients=0 if self.hub is None else len(self.hub.clients),
            dropped=0 if self.hub is None else self.hub.dropped,
            late_ms=recent.percentile_ms(99),
            late_worst_ms=recent.worst_ms,
            lost_s=self.loop.pacer.lost_s,
            lost_lately_s=self.loop.pacer.lost_s - lost_before_s,
            adapter_dropped=0 if self.adapter is None else self.adapter.dropped,
            log_dropped=0 if self.log is None else self.log.dropped,
        )
        return self.last_status

    # --- end ---

    def close(self) -> None:
        """Give the clients what is queued for them (half a second at most), write the log to its end, power off.

        Raises UserError when the log could not be written. Without effect the second time.
        """
        if self._closed:
            return
        self._closed = True
        with ExitStack() as ends:  # the last one first, and each whatever becomes of the others
            ends.callback(shutil.rmtree, self._folder, ignore_errors=True)
            if hasattr(self, "loop"):
                ends.callback(self.loop.close)
            if self.log is not None:
                ends.callback(self.log.close)
            if hasattr(self, "car"):
                ends.callback(self.car.power_off)
            if self.adapter is not None:
                ends.callback(self.adapter.close)
            ends.callback(self._close_hub)

    def _close_hub(self) -> None:
        if self._beacon is not None:
            self._beacon.close()
        if self.hub is None:
            return
        deadline_s = time.monotonic() + _FLUSH_S
        self.hub.flush()
        while self.hub.waits and time.monotonic() < deadline_s:
            time.sleep(0.005)
            self.hub.flush()
        self.hub.close()


def _check(nodes: Collection[str], scenario: Scenario | None) -> None:
    unknown = sorted(set(nodes) - set(NODES))
    if unknown:
        raise UserError(f"there is no virtual node {unknown[0]!r}; there are {', '.join(NODES)}")
    if scenario is not None and "PEDALS" not in nodes:
        raise UserError("a scenario needs the virtual PEDALS: the driver is somebody else's part here")
