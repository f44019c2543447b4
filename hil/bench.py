"""The bench: a context manager in which a test drives the virtual car and measures.

    from hil import Bench

    with Bench(seed=1) as bench:
        bench.start_up()
        bench.driver.pedal(100)
        seconds = bench.until(lambda: bench.speed_kmh >= 100, timeout=8)
        bench.measure("accel_0_100_s", seconds, published=4.7, tolerance_percent=3, req="TQ-09")

Time is the bench's own: `run` and `until` let it pass, nothing else does. Whatever a test does in between happens at
one moment. At the end the oracle gives its verdict, and what must never happen is checked: a safety goal violated, the
firmware stopped by an exception or the watchdog, a received frame lost, a tick longer than allowed. A test that
provokes such a thing says so with `excuse`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from hil.board import VirtualBoard
from hil.bus import BusView
from hil.car import VIRTUAL_NODES, VirtualCar, warm_up
from hil.judging.measure import FILE_NAME, Measurements
from hil.judging.observer import Observer
from hil.judging.oracle import PERIOD_NS, Oracle
from hil.live.loop import Loop
from hil.live.target import VIRTUAL, NoVirtualBoard, open_target
from hil.nodes.pedals import Gear
from hil.recording import channels
from hil.recording.recorder import Recorder
from hil.recording.trace import Times, Trace
from hil.workshop import firmware_flash, run_folder, variant_calibration
from twinaxle import __version__
from twinaxle.calibration import Calibration
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.live.adapter import Adapter

NS_PER_S = 1_000_000_000
TICK_MAX_US = 10_000
"""A tick must be over before the next begins. (RT-01 asks for a tenth of this; `make bench-firmware` estimates it.)"""

_TRACEBACK_LINES = 20
"""Of what the firmware printed after an exception, this much is shown; all of it is in `board.console`."""


class Bench:
    """One run of the virtual car.

    Args:
        seed: phases, crystals and noise are drawn from it; the same seed gives the same bus log byte for byte (HB-02).
        target: what runs the firmware; "virtual" is the real MicroPython on the virtual board. Else a real board on a
            python-can bus, see `hil.live.target`: then `real_time` is a matter of course, and time that a test spends
            between calls is a silence on the bus.
        name: of the run, in the report and the folder.
        folder: where log, truth, measurements and report go; None makes one under `build/run`.
        nodes: the virtual nodes; the others are absent.
        real_time: tie bench time to the wall clock.
        speed: bench time over wall time then; other than 1 only for a board that is itself a bench in slow motion.
        reset_command: resets a real board, run first.
        record_period_ms: period of the recorded time series, a multiple of 10.
        write_log: write bus log, truth and report at the end (the measurements always are).
        clock_ppm, tick_cost_us: as for `VirtualCar`.
        variant: battery variant of the plant, and with it the firmware's calibration of the same name.
        calibration: what the firmware is compiled with instead.

    Raises:
        UserError: unknown target or node, no MicroPython, a period that is no multiple of 10 ms.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        target: str = "virtual",
        name: str = "bench",
        folder: Path | None = None,
        nodes: Collection[str] = VIRTUAL_NODES,
        real_time: bool = False,
        speed: float = 1.0,
        reset_command: str | None = None,
        record_period_ms: int = 10,
        write_log: bool = True,
        clock_ppm: Mapping[str, float] | None = None,
        tick_cost_us: int | None = None,
        variant: str | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        if record_period_ms <= 0 or record_period_ms * 1_000_000 % PERIOD_NS:
            raise UserError(f"record_period_ms={record_period_ms} is no multiple of 10 ms")
        self.name = name
        self.seed = seed
        self.target = target
        self.folder = run_folder(name) if folder is None else folder
        real = None if target == VIRTUAL else open_target(target, reset_command)
        if calibration is None and variant is not None:
            calibration = variant_calibration(variant)
        self.car = VirtualCar(
            firmware_flash(self.folder / "flash", calibration) if real is None else None,
            seed=seed,
            nodes=nodes,
            clock_ppm=clock_ppm,
            tick_cost_us=tick_cost_us,
            variant=variant,
        )
        self.kernel = self.car.kernel
        self.bus = self.car.bus
        self.plant = self.car.plant
        self.driver = self.car.driver
        self.faults = self.car.faults
        self.inverters = {"front": self.car.front, "rear": self.car.rear}
        self.observer = Observer(self.bus, powertrain())
        self._vcu_status = self.observer.newest("VcuStatus")
        self._vcu_state = self._vcu_status.reader("State")
        self.oracle = Oracle(self.observer, self.plant)
        self.trace = Trace(self.bus)
        self.recorder = Recorder(channels.channels(self.observer), record_period_ms * 1_000_000)
        self._row = channels.rows(self.car, self.observer)
        self.measurements = Measurements(clock_s=lambda: self.time_s)
        self.faults.on_mark = lambda mark: self.recorder.mark(mark.time_ns, mark.text, mark.kind)
        on_real_bus = real is not None
        self._loop = Loop(self.kernel, speed, on_real_bus) if real_time or on_real_bus else None
        self._adapter: Adapter | None = None
        if real is not None:
            from hil.live.adapter import Adapter

            assert self._loop is not None
            self._adapter = Adapter(self.bus, real, self._loop.selector)
        self._record_every = record_period_ms * 1_000_000 // PERIOD_NS
        self._looks = 0
        self._last_state = -1
        self._excused: dict[str, str] = {}
        self._write_log = write_log
        self._begun = self._ended = False

    # --- life ---

    def __enter__(self) -> Self:
        self.begin()
        return self

    def begin(self) -> None:
        """12 V on. Without effect the second time."""
        if not self._begun:
            self._begun = True
            if self._loop is not None:
                warm_up()
            self.kernel.at(0, self._look)
            self.car.power_on()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(judge=kind is None)

    def end(self, judge: bool = True) -> None:
        """End the run: power off, write log, truth, measurements and report. Without effect the second time.

        Raises:
            AssertionError: something happened that must never happen (only with `judge`).
        """
        if self._ended:
            return
        self._ended = True
        wrong = self._never_happened() if judge else []
        self.car.power_off()
        if self._adapter is not None:
            self._adapter.close()
        if self._loop is not None:
            self._loop.close()
        self._write(wrong, judged=judge)
        if wrong:
            raise AssertionError(f"{self.name}, seed {self.seed}: " + "; ".join(wrong))

    def excuse(self, what: str, reason: str) -> None:
        """Accept something that otherwise fails the run.

        `what` is a goal ("G1" to "G6"), "reset", "exception", "overrun", "tick" or "late"; `reason` is for the reader.
        """
        if what not in ("G1", "G2", "G3", "G4", "G5", "G6", "reset", "exception", "overrun", "tick", "late"):
            raise UserError(f"the bench checks nothing called {what!r}")
        self._excused[what] = reason
        self.oracle.excuse(what, reason)

    def _never_happened(self) -> list[str]:
        """What must never happen in a run, and did."""
        wrong = {
            f"{found.goal} violated at {found.time_ns / NS_PER_S:.3f} s: {found.text}": found.goal
            for found in self.oracle.verdict
        }
        if self.car.board is not None:
            wrong.update(self._board_wrongs(self.car.board))
        lost, tick_us = self.worst("VcuTiming", "RxOverruns"), self.worst("VcuTiming", "TickTimeMax")
        if lost > 0:
            wrong[f"the firmware lost {lost:.0f} received frames"] = "overrun"
        if tick_us > TICK_MAX_US:
            wrong[f"a tick took {tick_us:.0f} us"] = "tick"
        return [text for text, kind in wrong.items() if kind not in self._excused]

    def _board_wrongs(self, board: VirtualBoard) -> dict[str, str]:
        wrong = {}
        if board.reset_count:
            wrong[f"the board was reset {board.reset_count} times"] = "reset"
        if self.exceptions:
            wrong["the firmware raised an exception:\n" + "\n".join(self.exceptions)] = "exception"
        if board.late_outputs:
            wrong[f"{board.late_outputs} outputs of the board came late out of a replayed past"] = "late"
        return wrong

    def _write(self, wrong: list[str], *, judged: bool) -> None:
        self.measurements.write(self.folder / FILE_NAME)
        if self._write_log:
            self.trace.write(self.folder / "bus.blf")
            self.recorder.write_csv(self.folder / "truth.csv.gz")
            self._write_report(wrong, judged)

    def _write_report(self, wrong: list[str], judged: bool) -> None:
        from hil.report import Report

        report = Report(self.name, {"seed": self.seed, "target": self.target, "version": __version__})
        report.add_scenario(
            "Run",
            self.recorder if len(self.recorder) > 1 else None,
            measurements=self.measurements,
            files={"bus log (BLF)": self.folder / "bus.blf", "truth (CSV)": self.folder / "truth.csv.gz"},
        )
        if wrong:
            report.set_verdict("fail", "; ".join(wrong))
        elif not judged:
            report.set_verdict("fail" if self.measurements.failed else "info", "broken off, not judged")
        report.write(self.folder / "report.html")

    # --- time ---

    @property
    def time_s(self) -> float:
        """Bench time since power-on, s."""
        return self.kernel.now_ns / NS_PER_S

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self._run_until(self.kernel.now_ns + round(seconds * NS_PER_S))

    def until(self, condition: Callable[[], bool], timeout: float, *, every_ms: float = 1.0) -> float:
        """Let time pass until the condition holds; it is looked at every `every_ms`.

        Returns:
            The seconds that it took.

        Raises:
            AssertionError: it did not hold within `timeout` seconds.
        """
        start_ns = self.kernel.now_ns
        end_ns = start_ns + round(timeout * NS_PER_S)
        step_ns = round(every_ms * 1e6)
        while not condition():
            if self.kernel.now_ns >= end_ns:
                raise AssertionError(f"not within {timeout:g} s (VCU {self.vcu_state}, {self.speed_kmh:.1f} km/h)")
            self._run_until(min(end_ns, self.kernel.now_ns + step_ns))
        return (self.kernel.now_ns - start_ns) / NS_PER_S

    def _run_until(self, end_ns: int) -> None:
        kernel = self.kernel
        if self._loop is not None:
            while kernel.now_ns < end_ns:
                self._loop.turn(end_ns)
        else:
            kernel.run_until(end_ns)
        self.plant.advance(kernel.now_ns)

    def _look(self) -> None:
        """Once a control period: the oracle, the record, the marks."""
        now_ns = self.kernel.now_ns
        self.kernel.at(now_ns + PERIOD_NS, self._look)
        self.oracle.check(now_ns)
        if self._vcu_status.time_ns >= 0:
            state = int(self._vcu_state())
            if state != self._last_state:
                self.recorder.mark(now_ns, self.vcu_state, "state")
                self._last_state = state
        if self._looks % self._record_every == 0:
            self.recorder.append(self._row())
        self._looks += 1

    # --- what a test reads ---

    @property
    def board(self) -> VirtualBoard:
        """The virtual board. Raises `NoVirtualBoard` when the target is a real one."""
        if self.car.board is None:
            raise NoVirtualBoard(f"target {self.target} is a real board: its inside cannot be seen")
        return self.car.board

    @property
    def speed_kmh(self) -> float:
        """True speed of the car, km/h."""
        return self.plant.speed_mps * 3.6

    @property
    def vcu_state(self) -> str:
        """The VCU's state as VcuStatus tells it; "" before the first frame."""
        return self.observer.label("VcuStatus", "State")

    @property
    def exceptions(self) -> list[str]:
        """What the firmware printed from the first trace-back on, line by line; empty when there was none."""
        lines = [line.text for line in self.board.console]
        first = next((index for index, text in enumerate(lines) if text.startswith("Traceback")), len(lines))
        return lines[first : first + _TRACEBACK_LINES]

    def latest(self, message: str) -> Any:
        """Physical values of the newest frame of a message, as a named tuple."""
        return self.observer.latest(message)

    def series(self, message: str, signal: str) -> tuple[Times, NDArray[np.float64]]:
        """A signal over the run so far: times at the end of frame in ns, physical values."""
        return self.trace.series(powertrain().messages[message].frame_id, codec(message), signal)

    def worst(self, message: str, signal: str) -> float:
        """The largest physical value of a signal in the run so far; NaN when the message never came."""
        _, values = self.series(message, signal)
        return float(values.max()) if len(values) else math.nan

    def view(self, channel: str = "TESTER") -> BusView:
        """The bus for python-can: listeners, loggers and testers work on it."""
        return BusView(self.bus, channel, advance=self._run_until)

    # --- what a test does ---

    def start_up(self, gear: Gear = "D", timeout: float = 10.0) -> float:
        """Have the driver start the car; returns the seconds until Drive (or Ready with gear P or N)."""
        self.driver.start_up(gear)
        return self.until(lambda: not self.driver.busy, timeout)

    def measure(self, name: str, value: float, limit: float | None = None, **limits: Any) -> float:
        """Record a value against its limit and fail if it is outside; see `Measurements.measure`. Returns the value."""
        self.measurements.measure(name, value, limit, **limits)
        return value

    def note(self, name: str, value: float, **details: Any) -> float:
        """Record a value of which nothing is asked. Returns it."""
        self.measurements.note(name, value, **details)
        return value
