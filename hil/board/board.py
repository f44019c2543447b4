"""The virtual board: a Pyboard v1.1 whose processor is the real MicroPython in a child process, in the bench's time."""

import functools
import tomllib
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hil.board.bxcan import FLAG_EXT_ID, FLAG_RTR, BxCan
from hil.board.clock import BoardClock
from hil.board.pins import Pins
from hil.board.process import BoardProcess
from hil.board.session import Session
from hil.board.watchdog import Watchdog
from hil.board.wire import OUTPUT, Event, Op, Out
from hil.bus import ErrorState, Frame, Port
from hil.kernel import Kernel
from twinaxle.errors import UserError
from twinaxle.micropython import find_micropython

COST_FILE = Path(__file__).with_name("cost.toml")
BOOT_NS = 150_000_000
"""Reset to the first line of boot.py; an estimate."""
SOFT_BOOT_NS = 20_000_000
_OUT_MODES = (1, 5)

Output = tuple[int, int, int, int, int, int, bytes]
"""kind, a, length, flags, ident, board time in us, data"""


class ResetCause(IntEnum):
    """machine.reset_cause() of the stm32 port. `machine.reset()` counts as HARD."""

    SOFT = 0
    POWER_ON = 1
    HARD = 2
    WATCHDOG = 3
    DEEPSLEEP = 4


class ConsoleLine(NamedTuple):
    """One line that the board printed, and the bench time at which it did."""

    time_ns: int
    text: str


class BoardHung(UserError):  # noqa: N818 - reads better in a test
    """The firmware computes without end and no watchdog is armed to end it."""


class BoardCrashed(UserError):  # noqa: N818
    """The interpreter itself ended; the message has what it printed last."""


@functools.cache
def default_costs_us() -> tuple[int, int]:
    """Computing times of a tick and of the interrupt of a received frame, as `twinaxle firmware count` wrote them."""
    with COST_FILE.open("rb") as file:
        costs = tomllib.load(file)
    return costs["tick_cost_us"], costs["rx_cost_us"]


class VirtualBoard:
    """The firmware's board on `port`. Made without power.

    Args:
        flash: folder that is the board's flash: boot.py, main.py and what they import; kept over resets and power
        cuts.
        tick_cost_us: computing time charged to a Timer wake-up; its outputs take effect that much later. None:
            the counted. rx_cost_us: the same for a CAN interrupt.
        clock_ppm: error of the board's crystal, positive is fast.
        watchdog_hz: the watchdog's own oscillator (17 to 47 kHz by the data sheet).
        micropython: interpreter to use instead of the one that is found (see `twinaxle.micropython`).
        hang_s: time without a sign of life after which the firmware counts as hung: wall-clock time on an idle
            machine, on a busy one half of it as the interpreter's own computing time.

    Raises:
        UserError: no MicroPython 1.29, no flash folder, unknown profile.
    """

    def __init__(
        self,
        kernel: Kernel,
        port: Port,
        flash: Path,
        *,
        profile: str = "pybv11",
        tick_cost_us: int | None = None,
        rx_cost_us: int | None = None,
        clock_ppm: float = 0.0,
        watchdog_hz: int = 32_000,
        micropython: Path | None = None,
        hang_s: float = 10.0,
    ) -> None:
        if profile != "pybv11":
            raise UserError(f"there is no virtual board {profile!r}; there is pybv11")
        if not flash.is_dir():
            raise UserError(f"the board's flash folder {flash} does not exist")
        self.kernel = kernel
        self.flash = flash
        self.console: list[ConsoleLine] = []
        """What the board printed, by line, over all its lives."""
        self.reset_cause = ResetCause.POWER_ON
        self.reset_count = 0
        """Resets since the object was made, power-on not counted."""
        self.main_ended: int | None = None
        """None while main.py runs; 0 after it ended by itself, 1 after an exception (the trace-back is in
        `console`).
        """
        self.hung = False
        self._micropython = find_micropython(micropython).path
        tick_us, rx_us = default_costs_us()
        tick_us = tick_us if tick_cost_us is None else tick_cost_us
        self._costs_us = tick_us, rx_us if rx_cost_us is None else rx_cost_us
        self._clock_ppm = clock_ppm
        self._hang_s = hang_s
        self._session: Session | None = None
        self._powered = False
        self._life = 0
        self._late_outputs = 0
        self._line = ""
        self._can = BxCan(
            kernel, port, self._received, self._transmitted, self._collect, self._bus_state, self._restarted
        )
        self._watchdog = Watchdog(kernel, partial(self.reset, ResetCause.WATCHDOG), watchdog_hz)
        self._pins = Pins()

    # --- power and reset ---

    @property
    def alive(self) -> bool:
        """The firmware runs: powered, past the boot loader, neither hung nor crashed."""
        return self._session is not None

    @property
    def process_id(self) -> int | None:
        """The interpreter's process, None while the board is not alive."""
        return self._session.process.pid if self._session else None

    @property
    def round_trips(self) -> int:
        """Exchanges with the interpreter in this life of the firmware."""
        return self._session.round_trips if self._session else 0

    @property
    def late_outputs(self) -> int:
        """Outputs that came out of a replayed past and were late by up to 10 ms, see `session.py`."""
        return self._late_outputs + (self._session.late_outputs if self._session else 0)

    @property
    def clock_ppm(self) -> float:
        """Error of the board's crystal; a new value holds from the next reset on."""
        return self._clock_ppm

    @clock_ppm.setter
    def clock_ppm(self, ppm: float) -> None:
        self._clock_ppm = ppm

    def power_on(self) -> None:
        """Power comes; the firmware starts after the boot time. Without effect while powered."""
        if not self._powered:
            self._powered = True
            self._boot(ResetCause.POWER_ON, BOOT_NS)

    def power_off(self) -> None:
        """Power goes in this very instant: outputs low, controller off the bus, the interpreter killed. The flash
        stays.
        """
        self._powered = False
        self._watchdog.stop()
        self._stop()
        self._pins.release()

    close = power_off

    def reset(self, cause: ResetCause = ResetCause.HARD) -> None:
        """Reset as by the reset button (HARD) or the watchdog. Raises ValueError without power."""
        if not self._powered:
            raise ValueError("the board has no power")
        self.reset_count += 1
        self._stop()
        if cause is not ResetCause.SOFT:  # a soft reset restarts the interpreter only
            self._watchdog.stop()
            self._pins.release()
        self._boot(cause, SOFT_BOOT_NS if cause is ResetCause.SOFT else BOOT_NS)

    def _stop(self) -> None:
        self._life += 1
        self.hung = False
        self._can.close()
        if self._session is not None:
            session, self._session = self._session, None
            session.close()
            self._late_outputs += session.late_outputs
        if self._line:
            self._print("\n")

    def _boot(self, cause: ResetCause, delay_ns: int) -> None:
        life = self._life

        def start() -> None:
            if life == self._life:
                self._start(cause)

        self.kernel.after(delay_ns, start)

    def _start(self, cause: ResetCause) -> None:
        self.reset_cause = cause
        self.main_ended = None
        clock = BoardClock(self.kernel.now_ns, self._clock_ppm)
        process = BoardProcess(self._micropython, self.flash, cause, self._costs_us, clock.rate, self._hang_s)
        self._session = session = Session(
            self.kernel, clock, process, self._can, self._costs_us[1], self._apply, self._text, self._ended
        )
        for number, level in self._pins.inputs.items():
            session.tell(Event.PIN, number, level, at_once=False)
        for number, millivolts in self._pins.adc_mv.items():
            session.tell(Event.ADC, number, ident=millivolts, at_once=False)
        session.start()

    def _ended(self, op: Op | None, status: int) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._late_outputs += session.late_outputs
        if op is Op.RESET or op is Op.SOFT_RESET:
            self.kernel.after(0, partial(self._reset_in_life, self._life, op))
        elif status == -1:
            self.hung = True
            if not self._watchdog.armed:
                raise BoardHung(
                    f"the firmware computes without end at {self.kernel.now_ns / 1e9:.6f} s and no watchdog is armed; "
                    f"last on the console: {self._last_words()}"
                )
        else:
            raise BoardCrashed(f"the interpreter ended with status {status}; last on the console: {self._last_words()}")

    def _reset_in_life(self, life: int, op: Op) -> None:
        if life == self._life and self._powered:
            self.reset(ResetCause.SOFT if op is Op.SOFT_RESET else ResetCause.HARD)

    # --- console ---

    def console_text(self) -> str:
        """All that the board printed."""
        return "".join(line.text + "\n" for line in self.console) + self._line

    def ctrl_c(self) -> None:
        """Somebody presses Ctrl-C at the board's console: KeyboardInterrupt, unless the firmware has switched that
        off.
        """
        if self._session is not None:
            self._session.tell(Event.KEYBOARD_INTERRUPT)

    def _text(self, text: bytes) -> None:
        self._print(text.decode("utf-8", "replace").replace("\r", ""))

    def _print(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        self.console += [ConsoleLine(self.kernel.now_ns, line) for line in lines]

    def _last_words(self) -> str:
        lines = [line.text for line in self.console[-12:]]
        return "\n  ".join(["", *lines]) if lines else "nothing"

    # --- pins ---

    def output(self, name: str) -> bool:
        """Level of a pin that the board drives; low while it is an input or without power (pull-down)."""
        return self._pins.level(name)

    def on_output(self, name: str, action: Callable[[bool], None]) -> None:
        """Call `action(level)` each time that a driven pin changes."""
        self._pins.listen(name, action)

    def set_input(self, name: str, level: bool) -> None:
        """Drive a pin from outside."""
        number = self._pins.set_input(name, level)
        if self._session is not None:
            self._session.tell(Event.PIN, number, level)

    def set_adc(self, name: str, millivolts: float) -> None:
        """Put a voltage on an analogue pin; the board sees 0 to 3300 mV."""
        number, value = self._pins.set_adc(name, millivolts)
        if self._session is not None:
            self._session.tell(Event.ADC, number, ident=value, at_once=False)

    # --- outputs of the firmware ---

    def _apply(self, outputs: bytes) -> None:
        while outputs:
            count = self._can.send_plain(outputs)
            if not count:
                self._apply_one(OUTPUT.unpack_from(outputs))
                count = 1
            outputs = outputs[count * OUTPUT.size :]

    def _apply_one(self, output: Output) -> None:
        kind, a, size, flags, ident, _, data = output
        if kind == Out.WDT_FEED:
            self._watchdog.feed()
        elif kind == Out.SEND:
            self._can.send(a, Frame(ident, data[:size], bool(flags & FLAG_EXT_ID), bool(flags & FLAG_RTR)))
        elif kind == Out.PIN:
            self._pins.drive(ident, bool(a))
        else:
            self._apply_setting(Out(kind), a, flags, ident, int.from_bytes(data, "little"))

    def _apply_setting(self, kind: Out, a: int, flags: int, ident: int, number: int) -> None:
        if kind is Out.PIN_MODE:
            self._pins.drive(ident & 0xFF, a in _OUT_MODES and bool(ident >> 8))
        elif kind is Out.WDT_START:
            self._watchdog.start(number)
        elif kind is Out.CAN_INIT:
            self._can.open(a, ident)
        elif kind is Out.CAN_DEINIT:
            self._can.close()
        elif kind is Out.CLEAR_FILTERS:
            self._can.clear_filters()
        elif kind is Out.FILTER:
            self._can.set_filter(a, ident, number, bool(flags & FLAG_EXT_ID))
        elif kind is Out.CANCEL:
            self._can.cancel(a)
        elif kind is Out.RESTART:
            self._can.restart()
        elif kind is Out.MAIN_ENDED:
            self.main_ended = a

    # --- events for the firmware ---

    def receive_raw(self, can_id: int, dlc: int, data: bytes, fifo: int = 0) -> None:
        """Have the board receive a standard frame whose DLC says 9 to 15, as a foreign controller may send it."""
        if self._session is not None:
            self._session.receive_raw(fifo, can_id, dlc, data)

    def _received(self, fifo: int, frame: Frame) -> bool:
        return self._session is None or self._session.receive(fifo, frame)

    def _transmitted(self, mailbox: int, ok: bool) -> bool:
        return self._session is None or self._session.transmitted(mailbox, ok)

    def _collect(self) -> None:
        if self._session is not None:
            self._session.collect()
        else:
            self._can.drop_kept()

    def _bus_state(self, state: ErrorState) -> None:
        if self._session is not None:
            port = self._can.port
            self._session.tell(Event.STATE, state.value + 1, port.tec & 255, 0, min(port.rec, 255))

    def _restarted(self) -> None:
        if self._session is not None:
            self._session.tell(Event.RESTARTED)
