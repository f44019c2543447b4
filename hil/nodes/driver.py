"""The driver: presses pedals and buttons now, plays small scripts, or follows a speed cycle."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING

from hil.nodes.base import NS_PER_MS, NS_PER_S
from hil.nodes.follower import Follower
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.kernel import Kernel
    from hil.nodes.pedals import DriveMode, Gear, Pedals
    from hil.plant import Plant

Wait = float | Callable[[], bool]
"""What a script waits for: seconds, or a condition that is looked at every 10 ms."""

Script = Generator[Wait, None, None]

_STEP_NS = 10 * NS_PER_MS
HOLD_BRAKE_BAR = 30.0
"""Pressure that holds the car for sure, bar."""


class Driver:
    """A human at the pedals.

    At once: `pedal(percent)`, `brake(bar)`, `gear("D")`, `start_button(True)`, `one_pedal(True)`,
    `drive_mode("Sport")`,
    `release()`. With `ramp_s`, pedal and brake move there in a straight line.
    Scripts, which run while the bench's time goes on: `start_up()`, `shut_down()`, `play(script)`; `busy` until the
    script is over.
    `follow(speeds_kmh)` drives a cycle of one speed a second; returns the `Follower`, which tells `done` and
    violations. A pedal moved by hand ends its ramp, and a cycle; a script goes on.
    """

    def __init__(self, kernel: Kernel, pedals: Pedals, plant: Plant) -> None:
        self.kernel = kernel
        self.pedals = pedals
        self.plant = plant
        self.follower: Follower | None = None
        self._script = 0
        self._playing = False
        self._pedal_ramp = 0
        self._brake_ramp = 0

    # --- by hand ---

    def pedal(self, percent: float, ramp_s: float = 0.0) -> None:
        """Accelerator to a travel of 0..100 %.

        Raises UserError outside this range; a travel outside it is a sensor fault, see `faults`.
        """
        if not 0.0 <= percent <= 100.0:
            raise UserError(
                f"accelerator travel of {percent} % is outside 0..100 %; use faults.sensor_* for broken sensors"
            )
        self._stop_following()
        self._pedal_ramp += 1
        if ramp_s <= 0.0:
            self.pedals.pedal_percent = percent
        else:
            ticket = self._pedal_ramp
            self._ramp(self.pedals.pedal_percent, percent, ramp_s, self._set_pedal, lambda: self._pedal_ramp == ticket)

    def brake(self, bar: float, ramp_s: float = 0.0) -> None:
        """Brake pressure of 0..200 bar. Raises UserError outside this range."""
        if not 0.0 <= bar <= 200.0:
            raise UserError(f"brake pressure of {bar} bar is outside 0..200 bar")
        self._stop_following()
        self._brake_ramp += 1
        if ramp_s <= 0.0:
            self.pedals.brake_bar = bar
        else:
            ticket = self._brake_ramp
            self._ramp(self.pedals.brake_bar, bar, ramp_s, self._set_brake, lambda: self._brake_ramp == ticket)

    def gear(self, gear: Gear) -> None:
        """Selector to P, R, N or D."""
        self.pedals.gear = gear

    def start_button(self, pressed: bool) -> None:
        self.pedals.start_button = pressed

    def one_pedal(self, on: bool) -> None:
        self.pedals.one_pedal = on

    def drive_mode(self, mode: DriveMode) -> None:
        self.pedals.drive_mode = mode

    def release(self) -> None:
        """Both feet off."""
        self.pedal(0.0)
        self.brake(0.0)

    # --- scripts ---

    @property
    def busy(self) -> bool:
        """A script is running."""
        return self._playing

    def play(self, script: Script, then: Callable[[], None] | None = None) -> None:
        """Run a script: a generator that acts and yields what it waits for. It takes the place of a script still
        running.
        """
        self._stop_following()
        self._script += 1
        self._playing = True
        self._resume(script, then, self._script)

    def start_up(self, gear: Gear = "D", then: Callable[[], None] | None = None) -> None:
        """Brake, start button, wait for Ready, select the gear, wait for Drive, release the brake."""
        self.play(self._starting(gear), then)

    def shut_down(self, then: Callable[[], None] | None = None) -> None:
        """Stop the car, select P, press the start button, release the brake once the car is in Standby."""
        self.play(self._stopping(), then)

    def _starting(self, gear: Gear) -> Script:
        self._set_pedal(0.0)
        self._set_brake(HOLD_BRAKE_BAR)
        yield lambda: self.pedals.vcu_state == "Standby"
        yield 0.2
        self.start_button(True)
        yield 0.5
        self.start_button(False)
        yield lambda: self.pedals.vcu_state == "Ready"
        self.gear(gear)
        if gear in ("D", "R"):
            yield lambda: self.pedals.vcu_state in ("Drive", "Limp")
            yield 0.1
            self._set_brake(0.0)

    def _stopping(self) -> Script:
        self._set_pedal(0.0)
        self._set_brake(HOLD_BRAKE_BAR)
        yield lambda: abs(self.plant.speed_mps) < 0.1
        self.gear("P")
        yield 0.2
        self.start_button(True)
        yield 0.5
        self.start_button(False)
        yield lambda: self.pedals.vcu_state == "Standby"
        self._set_brake(0.0)

    def _resume(self, script: Script, then: Callable[[], None] | None, ticket: int) -> None:
        if ticket != self._script:
            script.close()
            return
        try:
            wait = next(script)
        except StopIteration:
            self._playing = False
            if then is not None:
                then()
            return
        if callable(wait):
            self._poll(wait, lambda: self._resume(script, then, ticket), ticket)
        else:
            self.kernel.at(self.kernel.now_ns + round(wait * NS_PER_S), lambda: self._resume(script, then, ticket))

    def _poll(self, condition: Callable[[], bool], then: Callable[[], None], ticket: int) -> None:
        if ticket != self._script or condition():
            then()
        else:
            self.kernel.at(self.kernel.now_ns + _STEP_NS, lambda: self._poll(condition, then, ticket))

    # --- cycles ---

    def follow(self, speeds_kmh: Iterable[float], *, one_pedal: bool = True) -> Follower:
        """Drive a cycle, one speed a second, from this moment. The car stands in D and Drive already."""
        self._script += 1
        self._playing = False
        self._stop_following()
        self._pedal_ramp += 1
        self._brake_ramp += 1
        self.one_pedal(one_pedal)
        self.follower = Follower(self.kernel, self.pedals, self.plant, speeds_kmh, one_pedal=one_pedal)
        return self.follower

    def _stop_following(self) -> None:
        if self.follower is not None:
            self.follower.stop()
            self.follower = None

    # --- ramps ---

    def _set_pedal(self, percent: float) -> None:
        self.pedals.pedal_percent = percent

    def _set_brake(self, bar: float) -> None:
        self.pedals.brake_bar = bar

    def _ramp(
        self, start: float, end: float, ramp_s: float, put: Callable[[float], None], valid: Callable[[], bool]
    ) -> None:
        kernel, begin_ns = self.kernel, self.kernel.now_ns
        length_ns = ramp_s * NS_PER_S

        def step() -> None:
            if not valid():
                return
            share = (kernel.now_ns - begin_ns) / length_ns
            if share >= 1.0:
                put(end)
                return
            put(start + (end - start) * share)
            kernel.at(kernel.now_ns + _STEP_NS, step)

        step()
