"""Slip control: the law alone over any sensors, and driving another car model, with tyres that are not our plant's."""

from __future__ import annotations

import math
from typing import Any

import pytest
from firmware_slots import Signals, Slots, raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu import slew, slip
from vcu.motion import step as motion
from vcu.motion import turns
from vcu.split import step as split

loose = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
RADIUS_M, GEAR = 0.341, 8.57
AXLE_KGM2 = 2 * 1.1 + 0.05 * GEAR**2
STEP_S = 0.0002  # the tyre at walking speed needs less than 0.45 ms


def plain(size: int) -> Slots:
    """An array without names."""
    return Slots([0] * size, int)


class Control:
    """Motion, split, slew and slip of the firmware, in the order of the tick."""

    def __init__(self, rx: Slots, cal: Slots) -> None:
        self.rx, self.cal = rx, cal
        self.s = s = Signals()
        s.direction = s.driving = 1
        s.front_able = s.rear_able = s.front_alive = s.rear_alive = 1
        s.front_drive_dnm = s.front_regen_dnm = s.rear_drive_dnm = s.rear_regen_dnm = 3300
        s.front_grip_dnm = s.rear_grip_dnm = 10_000
        s.most_drive_dnm = s.most_regen_dnm = 6600
        self.swings, self.past = plain(len(slew.swings)), plain(len(slip.past))
        rx["InvFrontStatus.State"] = rx["InvRearStatus.State"] = raw("InvFrontStatus.State.Torque")
        rx["EscWheelSpeeds.Valid"] = 15

    def tick(self, torque_dnm: int) -> tuple[int, int]:
        s = self.s
        s.front_rpm, s.rear_rpm = self.rx["InvFrontStatus.Speed"], self.rx["InvRearStatus.Speed"]
        motion(s, self.rx, self.cal)
        turns(s, self.rx, self.cal)
        s.limited_dnm = torque_dnm
        split(s, self.rx, self.cal)
        slew.step(s, self.swings, self.cal)
        before = int(s.front_dnm), int(s.rear_dnm)
        slip.step(s, self.rx, self.cal, self.past)
        after = int(s.front_dnm), int(s.rear_dnm)
        for unlimited, limited in zip(before, after, strict=True):
            assert abs(limited) <= abs(unlimited), "it takes away only"
            assert limited * unlimited >= 0, "and never turns the torque"
        return after


sensors = st.tuples(
    st.integers(-14_500, 14_500), st.integers(-14_500, 14_500),  # motors, rpm
    *[st.integers(0, 4095)] * 4, st.integers(0, 15),  # wheels, valid
    st.integers(-2048, 2047), st.integers(-3300, 3300), st.integers(-3300, 3300),  # acceleration, actual torques
    st.integers(-6600, 6600), st.booleans(),  # demand, brake
)  # fmt: skip


@pytest.mark.req("SP-06")
@loose
@given(st.lists(sensors, min_size=1, max_size=25), st.sampled_from([-1, 1]))
def test_whatever_the_sensors_say_it_only_takes_away_within_small_integers(rx, cal, course, direction):
    control = Control(rx, cal)
    control.s.direction = direction
    for front, rear, fl, fr, rl, rr, valid, accel, front_torque, rear_torque, demand, brake in course:
        rx["InvFrontStatus.Speed"], rx["InvRearStatus.Speed"] = front, rear
        for wheel, value in (("FrontLeft", fl), ("FrontRight", fr), ("RearLeft", rl), ("RearRight", rr)):
            rx[f"EscWheelSpeeds.{wheel}"] = value
        rx["EscWheelSpeeds.Valid"], rx["EscMotion.AccelX"] = valid, accel
        rx["InvFrontStatus.TorqueActual"], rx["InvRearStatus.TorqueActual"] = front_torque, rear_torque
        control.s.brake = brake
        control.tick(demand)


class DriftCar:
    """The single-track drift model of commonroad-vehicle-models with our masses and inertias, straight ahead."""

    def __init__(self, mu: float, speed_mps: float) -> None:
        from vehiclemodels.init_std import init_std
        from vehiclemodels.parameters_vehicle2 import parameters_vehicle2
        from vehiclemodels.vehicle_dynamics_std import vehicle_dynamics_std

        self._derivative = vehicle_dynamics_std
        self.parameters = p = parameters_vehicle2()
        p.m, p.a, p.b, p.h_s = 2216.0, 2.735 * 0.49, 2.735 * 0.51, 0.53
        p.R_w, p.I_y_w = RADIUS_M, AXLE_KGM2
        p.longitudinal.a_max, p.longitudinal.v_switch = 50.0, 100.0
        p.tire.p_dx1 = mu
        self.state: list[float] = init_std([0.0, 0.0, 0.0, speed_mps, 0.0, 0.0, 0.0], p)
        self.accel_mps2 = 0.0
        self.torque_nm = [0.0, 0.0]

    @property
    def speed_mps(self) -> float:
        return self.state[3]

    @property
    def wheels_mps(self) -> list[float]:
        return [RADIUS_M * self.state[7], RADIUS_M * self.state[8]]

    def advance(self, targets_nm: tuple[float, float], seconds: float) -> None:
        """Both motors follow their targets with 5 ms of lag."""
        for _ in range(round(seconds / STEP_S)):
            for axle in (0, 1):
                self.torque_nm[axle] += (targets_nm[axle] - self.torque_nm[axle]) * (1 - math.exp(-STEP_S / 0.005))
            total = sum(self.torque_nm) * GEAR
            self.parameters.T_se = self.torque_nm[0] * GEAR / total if total else 0.5
            change = self._derivative(self.state, [0.0, total / (self.parameters.m * RADIUS_M)], self.parameters)
            self.accel_mps2 = change[3]
            self.state = [value + STEP_S * rate for value, rate in zip(self.state, change, strict=True)]

    def tell(self, rx: Slots) -> None:
        """What the sensors say at this moment."""
        for axle, side in enumerate(("Front", "Rear")):
            rx[f"Inv{side}Status.Speed"] = round(self.state[7 + axle] * GEAR * 30 / math.pi)
            rx[f"Inv{side}Status.TorqueActual"] = round(10 * self.torque_nm[axle])
            for wheel in ("Left", "Right"):
                rx[f"EscWheelSpeeds.{side}{wheel}"] = round(self.wheels_mps[axle] * 36)
        rx["EscMotion.AccelX"] = round(100 * self.accel_mps2)


def drive_model(rx: Slots, cal: Slots, mu: float, seconds: float) -> list[dict[str, Any]]:
    """Full pedal from walking speed; messages are 5 ms old when the tick takes them."""
    car, control = DriftCar(mu, 1.0), Control(rx, cal)
    targets = (0.0, 0.0)
    rows = []
    for number in range(round(seconds * 100)):
        car.tell(rx)
        car.advance(targets, 0.005)
        control.s.driving = number > 20
        front, rear = control.tick(6600 if number > 20 else 0)
        targets = (front / 10, rear / 10)
        car.advance(targets, 0.005)
        slip_mps = max(car.wheels_mps) - car.speed_mps
        rows.append({"slip_mps": slip_mps, "share": slip_mps / car.speed_mps, "grip": car.accel_mps2 / (mu * 9.81)})
    return rows


@pytest.mark.req("SP-06")
@pytest.mark.parametrize(("mu", "least"), [(0.1, 0.87), (0.3, 0.95)])
def test_another_car_model_is_held_in_the_band_too(rx, cal, mu, least):
    rows = drive_model(rx, cal, mu, 4.2)
    assert max(min(row["slip_mps"] / (5 / 3.6), row["share"] / 0.10) for row in rows[70:]) <= 1.0
    later = rows[120:]  # 1 s after the pedal
    # Its tyre is not ours: the peak lies elsewhere, and SP-06 is measured on the bench. Near it this must be too.
    assert sum(row["grip"] for row in later) / len(later) >= least
