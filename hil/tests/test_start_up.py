"""Start-up: states, precharge, what must be true before torque flows."""

import pytest

from hil.bench import Bench
from hil.scenarios.start_up import start_up


@pytest.mark.req("SM-01", "SM-02")
def test_the_driver_starts_the_car_and_it_precharges(bench: Bench) -> None:
    start_up(bench)
    assert bench.vcu_state == "Drive"


@pytest.mark.req("SM-01")
def test_each_transition_is_on_the_bus(bench: Bench) -> None:
    seen: list[str] = []

    def watch() -> bool:
        state = bench.vcu_state
        if state and (not seen or seen[-1] != state):
            seen.append(state)
        return state == "Drive"

    bench.driver.start_up("D")
    bench.until(watch, timeout=10)
    assert seen[-5:] == ["Init", "Standby", "Precharge", "Ready", "Drive"] or seen[-4:] == [
        "Standby", "Precharge", "Ready", "Drive",
    ]  # fmt: skip


@pytest.mark.req("SM-02")
def test_an_open_precharge_path_is_given_up_after_three_seconds(bench: Bench) -> None:
    bench.car.bms.precharge_broken = True
    bench.until(lambda: bench.vcu_state == "Standby", timeout=5)
    bench.driver.start_up("D")
    bench.until(lambda: bench.vcu_state == "Precharge", timeout=5)
    tries_s = bench.until(lambda: bench.vcu_state != "Precharge", timeout=5)
    bench.measure("precharge_given_up_s", tries_s, 3.1, req="SM-02")
    assert not bench.plant.battery.main_closed


@pytest.mark.req("SM-03")
@pytest.mark.parametrize(("what", "brake_bar", "pedal_percent"), [("no brake", 0, 0), ("pedal pressed", 30, 10)])
def test_drive_is_refused(bench: Bench, what: str, brake_bar: float, pedal_percent: float) -> None:
    bench.start_up("N")
    assert bench.vcu_state == "Ready"
    bench.driver.brake(brake_bar)
    bench.driver.pedal(pedal_percent)
    bench.run(0.1)
    bench.driver.gear("D")
    bench.run(1.0)
    assert bench.vcu_state == "Ready", what
    torque_nm = abs(bench.plant.front.torque_nm) + abs(bench.plant.rear.torque_nm)
    bench.measure("torque_outside_drive_nm", torque_nm, 0.5, req="SM-03")


@pytest.mark.req("SM-03")
def test_drive_is_granted_with_the_brake_pressed_and_the_pedal_free(bench: Bench) -> None:
    bench.start_up("N")
    bench.driver.brake(30)
    bench.run(0.1)
    bench.driver.gear("D")
    granted_s = bench.until(lambda: bench.vcu_state == "Drive", timeout=1)
    bench.measure("drive_granted_ms", granted_s * 1000, 200, req="SM-03")


def test_the_board_names_itself(bench: Bench) -> None:
    from twinaxle.dbc import powertrain

    bench.run(2.5)
    identity = bench.latest("VcuIdentity")
    assert identity.ProtocolHash == powertrain().protocol_hash
