"""The driver: hands and feet, scripts, and a cycle followed within its band."""

from __future__ import annotations

from collections.abc import Generator
from math import copysign

import pytest

from hil.nodes import Follower
from hil.nodes.follower import Violation
from hil.plant.cycle import wltc_class3b
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.errors import UserError

from .conftest import NS_PER_MS, Rig


class PedalToTorque:
    """The least that makes a car of the rig: pedal frames in, torque requests out every 10 ms, half and half.

    The pedal curve is not the one that the driver expects: travel to the power of `exponent`.
    """

    SLEW_NM = 10.0  # a tick: 1000 Nm/s a motor

    def __init__(self, rig: Rig, exponent: float = 1.4) -> None:
        self.rig = rig
        self.exponent = exponent
        self.torque_nm = 0.0
        self.pedals: bytes | None = None
        rig.vcu.subscribe(powertrain().messages["PedalsDriver"].frame_id, lambda frame: self.hear(frame.data))
        rig.command.set(Mode="Torque")
        rig.rear_command.set(Mode="Torque")
        rig.kernel.at(rig.now_ns, self.tick)

    def hear(self, data: bytes) -> None:
        self.pedals = data

    def tick(self) -> None:
        rig = self.rig
        rig.kernel.after(10 * NS_PER_MS, self.tick)
        if self.pedals is None:
            return
        pedals = codec("PedalsDriver").unpack(self.pedals)
        travel = max(0.0, min(1.0, (pedals.Apps1 - 500) / 4000))
        kmh = rig.plant.speed_mps * 3.6
        fade = max(0.0, min(1.0, (kmh - 3) / 5))
        regen_nm = -130.0 * fade if pedals.OnePedal else -27.0 * fade
        share = copysign(abs(travel) ** self.exponent, travel)
        wish = regen_nm + (rig.front.available_drive_nm - regen_nm) * share
        self.torque_nm += max(-self.SLEW_NM, min(self.SLEW_NM, wish - self.torque_nm))
        rig.command.set(TorqueRequest=self.torque_nm)
        rig.rear_command.set(TorqueRequest=self.torque_nm)


@pytest.fixture
def car(ready: Rig) -> Rig:
    """A car that drives in D."""
    PedalToTorque(ready)
    return ready


def test_pedal_and_brake_act_at_once_or_along_a_ramp(rig: Rig) -> None:
    rig.driver.pedal(40)
    assert rig.pedals.pedal_percent == 40
    rig.driver.pedal(80, ramp_s=0.4)
    rig.driver.brake(20, ramp_s=0.2)
    rig.run_ms(100)
    assert rig.pedals.pedal_percent == pytest.approx(50, abs=1.1)
    assert rig.pedals.brake_bar == pytest.approx(10, abs=1.1)
    rig.run_ms(400)
    assert (rig.pedals.pedal_percent, rig.pedals.brake_bar) == (80, 20)


def test_a_newer_order_ends_a_ramp(rig: Rig) -> None:
    rig.driver.pedal(80, ramp_s=0.4)
    rig.run_ms(100)
    rig.driver.release()
    rig.run_ms(400)
    assert rig.pedals.pedal_percent == 0


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan")])
def test_impossible_pedals_are_refused(rig: Rig, percent: float) -> None:
    with pytest.raises(UserError, match=r"0\.\.100 %"):
        rig.driver.pedal(percent)
    with pytest.raises(UserError, match=r"0\.\.200 bar"):
        rig.driver.brake(-1)


def test_start_up_goes_by_what_the_dashboard_shows(rig: Rig) -> None:
    rig.status.set(State="Init")
    ended: list[bool] = []
    rig.driver.start_up(then=lambda: ended.append(True))
    rig.run_ms(500)
    assert rig.latest("PedalsDriver").BrakeSwitch == 1
    assert rig.latest("PedalsDriver").StartButton == 0
    rig.status.set(State="Standby")
    rig.run_ms(400)
    assert rig.latest("PedalsDriver").StartButton == 1
    rig.run_ms(1000)
    assert rig.latest("PedalsDriver").StartButton == 0
    assert rig.label("PedalsDriver", "Gear") == "P"
    rig.status.set(State="Ready")
    rig.run_ms(60)
    assert rig.label("PedalsDriver", "Gear") == "D"
    assert rig.pedals.brake_bar > 0
    rig.status.set(State="Drive")
    rig.run_ms(200)
    assert rig.pedals.brake_bar == 0
    assert ended == [True]
    assert not rig.driver.busy


def test_shut_down_stops_the_car_and_selects_p(car: Rig) -> None:
    car.driver.gear("D")
    car.driver.pedal(40)
    car.run_ms(2000)
    car.status.set(State="Drive")
    car.driver.shut_down()
    car.run_ms(4000)
    assert car.plant.speed_mps == 0.0
    assert car.pedals.gear == "P"
    assert car.driver.busy
    car.status.set(State="Standby")
    car.run_ms(1200)
    assert not car.driver.busy


def test_play_runs_a_script_of_waits_and_conditions(rig: Rig) -> None:
    at_ms: list[float] = []

    def script() -> Generator[float, None, None]:
        rig.pedals.pedal_percent = 10.0
        yield 0.25
        at_ms.append(rig.now_ns / 1e6)
        rig.pedals.pedal_percent = 0.0

    begin_ms = rig.now_ns / 1e6
    rig.driver.play(script())
    assert rig.driver.busy
    rig.run_ms(300)
    assert at_ms == [begin_ms + 250]
    assert not rig.driver.busy


def test_a_new_script_takes_the_place_of_the_old_one(rig: Rig) -> None:
    rig.status.set(State="Init")
    rig.driver.start_up()
    rig.run_ms(100)
    rig.driver.shut_down()
    rig.status.set(State="Standby")
    rig.run_ms(2000)
    assert rig.pedals.gear == "P"
    assert not rig.driver.busy


@pytest.mark.parametrize("exponent", [0.8, 1.6])
def test_the_driver_follows_the_start_of_the_wltc_with_any_pedal_curve(ready: Rig, exponent: float) -> None:
    PedalToTorque(ready, exponent)
    speeds = (wltc_class3b() * 3.6)[:110]
    follower = ready.driver.follow(speeds)
    ready.run_ms((len(speeds) - 1) * 1000 + 100)
    assert follower.done
    assert follower.violations == []
    assert follower.worst_kmh < 0.0
    driven_m, wanted_m = ready.plant.distance_m, float(speeds.sum()) / 3.6
    assert driven_m == pytest.approx(wanted_m, rel=0.01)


def test_the_driver_follows_at_high_speed_without_one_pedal(car: Rig) -> None:
    speeds = (wltc_class3b() * 3.6)[1580:1620]
    driveline, tyre = car.plant.parameters.driveline, car.plant.parameters.tyre
    car.roll(float(speeds[0]) / 3.6 / tyre.rolling_radius_m * driveline.gear_ratio)
    follower = car.driver.follow(speeds, one_pedal=False)
    car.run_ms(len(speeds) * 1000)
    assert follower.done
    assert follower.violations == []


def test_friction_brakes_work_only_where_regeneration_is_not_enough(car: Rig) -> None:
    speeds = [60.0 - 3.6 * 1.2 * t for t in range(13)]  # 1.2 m/s2, less than OnePedal gives
    driveline, tyre = car.plant.parameters.driveline, car.plant.parameters.tyre
    car.roll(speeds[0] / 3.6 / tyre.rolling_radius_m * driveline.gear_ratio)
    follower = car.driver.follow(speeds)
    braked = 0.0
    for _ in range(1100):
        car.run_ms(10)
        if follower.elapsed_s > 0.5:
            braked = max(braked, car.pedals.brake_bar)
    assert braked == 0.0
    assert follower.violations == []
    car.driver.follow([car.plant.speed_mps * 3.6, 0.0, 0.0])
    car.run_ms(500)
    assert car.pedals.brake_bar > 20.0


def test_a_car_without_power_violates_the_band_and_the_driver_says_so(rig: Rig) -> None:
    follower = rig.driver.follow([0.0, 0.0, 0.0, 10.0, 20.0, 20.0, 20.0])
    rig.run_ms(6100)
    assert follower.done
    assert [type(v) for v in follower.violations] == [Violation]
    assert follower.violations[0].speed_kmh == pytest.approx(0.0, abs=0.1)
    assert 3.0 < follower.violations[0].time_s < 4.3
    assert follower.outside_s == pytest.approx(6.0 - follower.violations[0].time_s, abs=0.2)
    assert follower.worst_kmh == pytest.approx(18.0, abs=0.1)


def test_a_hand_on_the_pedals_ends_the_cycle(car: Rig) -> None:
    follower = car.driver.follow([0.0, 10.0, 20.0, 30.0])
    car.run_ms(1000)
    car.driver.pedal(0)
    car.run_ms(500)
    assert car.driver.follower is None
    assert not follower.done
    assert car.pedals.pedal_percent == 0.0


def test_the_driver_holds_the_standing_car(car: Rig) -> None:
    car.driver.follow([0.0] * 4)
    car.run_ms(1000)
    assert car.pedals.brake_bar > 5.0
    assert car.plant.speed_mps == 0.0


def test_a_cycle_of_one_speed_is_refused(rig: Rig) -> None:
    with pytest.raises(UserError, match="two speeds"):
        Follower(rig.kernel, rig.pedals, rig.plant, [0.0], one_pedal=True)
