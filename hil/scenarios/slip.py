"""Slip of the driven axles: launches and steps of the friction, and what they measured (SP-06)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hil.bench import Bench
from hil.board.board import default_costs_us
from twinaxle.calibration import Calibration

BAND_SHARE = 0.10
BAND_MPS = 5.0 / 3.6
"""SP-06: slip under 10 % or 5 km/h."""

DRY_KMH = 0.5
DRY_RPM = 30.0
"""Between two frames no tyre speeds a wheel or motor up by more: 1 g for 10 ms, and the resolution of the signal."""


@dataclass
class Course:
    """What a stretch of driving showed, sampled each 10 ms."""

    grip_share: list[float] = field(default_factory=list)
    """Force on the tyres over what the road can take."""
    band_use: list[float] = field(default_factory=list)
    """Slip of the worse axle over what SP-06 allows."""
    torques_nm: list[tuple[float, float]] = field(default_factory=list)

    def outside_ms(self) -> float:
        """Time until the slip is in its band for good."""
        return 10.0 * max((number + 1 for number, use in enumerate(self.band_use) if use > 1.0), default=0)

    def mean_grip(self) -> float:
        """Mean share of the grip that was used."""
        return sum(self.grip_share) / len(self.grip_share)


def band_use(bench: Bench, sign: float = 1.0) -> float:
    """Slip of the worse axle at this moment, over what SP-06 allows; `sign` -1 for braking or reverse."""
    plant = bench.plant
    radius = plant.parameters.tyre.rolling_radius_m
    slip = max(sign * (unit.wheel_speed_radps * radius - plant.speed_mps) for unit in (plant.front, plant.rear))
    return min(slip / BAND_MPS, slip / max(abs(plant.speed_mps), 0.05) / BAND_SHARE)


def drive(bench: Bench, seconds: float, sign: float = 1.0) -> Course:
    """Let time pass and watch; `sign` -1 for braking or reverse."""
    course = Course()
    plant = bench.plant
    for _ in range(round(seconds * 100)):
        bench.run(0.01)
        force = sum(unit.tyre_force_n for unit in (plant.front, plant.rear))
        road = sum(unit.friction_mu * unit.normal_force_n for unit in (plant.front, plant.rear))
        course.grip_share.append(sign * force / road)
        course.band_use.append(band_use(bench, sign))
        course.torques_nm.append((plant.front.torque_nm, plant.rear.torque_nm))
    return course


def launch(bench: Bench, mu: float, sign: float = 1.0) -> tuple[Course, Course]:
    """Full pedal from rest: what shows from 0.5 s to 1 s, and from then to 4 s."""
    bench.plant.set_friction(mu)
    bench.driver.pedal(100)
    bench.run(0.5)
    return drive(bench, 0.5, sign), drive(bench, 3.0, sign)


def grip_lost_ms(bench: Bench, mu: float = 0.1, perfect: bool = False) -> float:
    """The friction falls to `mu` now; returns the time until the slip is in its band for good, looked at for 0.6 s.

    With `perfect` the commands are those of a controller that nobody can better who trusts no sensor alone: torque
    falls to zero as fast as the units let it, for good, from the first command that could know. That is the first one
    a tick's computing time after both motor and wheels of one axle sped up, from frame to frame, as no dry road makes
    them. It bounds what any torque command can reach that keeps its sign.
    """
    bench.plant.set_friction(mu)
    begin_ns = last_ns = bench.kernel.now_ns
    signals = [(f"Inv{axle}Status", "Speed", DRY_RPM) for axle in ("Front", "Rear")]
    signals += [("EscWheelSpeeds", f"{axle}Left", DRY_KMH) for axle in ("Front", "Rear")]
    watched = [(bench.observer.newest(message), signal, most) for message, signal, most in signals]
    before = [getattr(newest.values(), signal) for newest, signal, _ in watched]
    told = [False] * len(watched)
    seen_ns = -1
    waits = perfect
    tick_ns = 1000 * default_costs_us()[0]
    while bench.kernel.now_ns < begin_ns + 600_000_000:
        bench.run(0.0001 if waits else 0.001)
        if band_use(bench) > 1.0:
            last_ns = bench.kernel.now_ns
        if not waits:
            continue
        for index, (newest, signal, most) in enumerate(watched):
            value = getattr(newest.values(), signal)
            told[index] |= value - before[index] > most
            before[index] = value
        if seen_ns < 0 and any(motor and wheel for motor, wheel in zip(told[:2], told[2:], strict=True)):
            seen_ns = bench.kernel.now_ns
        if 0 <= seen_ns <= bench.kernel.now_ns - tick_ns:
            waits = False
            for axle in ("Front", "Rear"):
                bench.faults.stick(f"VcuInv{axle}Command", "TorqueRequest", 0.0)
    return (last_ns - begin_ns) / 1e6


def slip_parameters(calibration: Calibration) -> list[str]:
    """Names of the calibration's numbers of slip control."""
    return [name for name in calibration.items if name.startswith("slip.")]


def varied(calibration: Calibration, name: str, share: float) -> Calibration:
    """The calibration with one number off by a share of it, at least by one unit."""
    items = dict(calibration.items)
    (value,) = items[name].values
    by = max(1, round(abs(share) * value))
    items[name] = replace(items[name], values=(max(0, value + by if share > 0 else value - by),))
    return replace(calibration, items=items)
