"""One drive unit: envelope, loss, actuator, heat."""

from __future__ import annotations

from math import exp, pi

import pytest

from hil.native import memory
from hil.plant import load_parameters
from hil.plant.coefficients import coefficients
from hil.plant.drive_unit import DriveUnit, loss_w, torque_available_nm
from hil.plant.dynamics import one_axle_step
from hil.plant.reference import ready_plant

CAR = load_parameters()
MOTOR = CAR.motor


@pytest.mark.parametrize(
    ("rpm", "torque_nm"),
    [(0, 330.0), (3000, 330.0), (4340, 330.0), (6000, 150_000 / (200 * pi)), (-6000, 150_000 / (200 * pi))],
)
def test_envelope_points(rpm: float, torque_nm: float) -> None:
    assert torque_available_nm(MOTOR, rpm * pi / 30, 396.0) == pytest.approx(torque_nm, rel=1e-6)


def test_constant_torque_ends_at_4341_rpm() -> None:
    speed = MOTOR.power_max_w / MOTOR.torque_max_nm
    assert speed * 30 / pi == pytest.approx(4341, abs=1)
    assert torque_available_nm(MOTOR, speed * 1.01, 396.0) < MOTOR.torque_max_nm


def test_power_falls_with_voltage_and_nothing_beyond_the_highest_speed() -> None:
    full = torque_available_nm(MOTOR, 1000.0, 340.0)
    assert torque_available_nm(MOTOR, 1000.0, 420.0) == full
    assert torque_available_nm(MOTOR, 1000.0, 170.0) == pytest.approx(full / 2)
    assert torque_available_nm(MOTOR, 14_499 * pi / 30, 396.0) > 0.0
    assert torque_available_nm(MOTOR, 14_501 * pi / 30, 396.0) == 0.0
    assert torque_available_nm(MOTOR, 100.0, 0.0) == 0.0


@pytest.mark.parametrize("gates_on", [True, False])
def test_both_forms_of_the_loss_agree(gates_on: bool) -> None:
    """The step has the formula with its constants folded; torque only flows with the gates on."""
    constants = coefficients(CAR, 0.001)
    compared = 0
    wheel_per_motor = 1.0 / CAR.driveline.gear_ratio
    torques = (-330.0, -151.3, -20.0, -0.5, 0.0, 1e-12, 0.5, 7.0, 76.0, 200.0, 330.0) if gates_on else (0.0,)
    for torque in torques:
        for speed in (-1431.0, -700.0, -14.0, 0.0, 3.0, 100.0, 455.0, 649.9, 650.1, 900.0, 1431.0):
            if abs(torque) > torque_available_nm(MOTOR, speed, MOTOR.nominal_voltage_v):
                continue  # the step would not give it
            compared += 1
            wheel = speed * wheel_per_motor
            car = wheel * CAR.tyre.rolling_radius_m
            unit = DriveUnit(CAR)
            unit.torque_nm, unit.speed_radps, unit.wheel_speed_radps = torque, speed, wheel
            unit.target_torque_nm, unit.gates_on = torque, gates_on
            one_axle_step(memory(constants), memory(unit), 1.0, 10_000.0, car, 0.0)
            expected = loss_w(CAR.losses, torque, speed, gates_on)
            assert unit.loss_w == pytest.approx(expected, rel=1e-12), (torque, speed)
            # What the link gives is the shaft's power and the loss without the drag, which the shaft pays itself.
            drag = loss_w(CAR.losses, 0.0, speed, False)
            assert unit.dc_power_w == pytest.approx(torque * speed + expected - drag, rel=1e-9, abs=1e-9), (
                torque,
                speed,
            )
    assert compared > (90 if gates_on else 10)


def test_loss_is_the_formula_of_the_model() -> None:
    torque, w = 120.0, 800.0
    current, over = torque / 0.66, w / 650 - 1
    expected = 0.65 * w + 8e-4 * w**2 + 15
    expected += 180 + 900 * over**2 + 3 * current + 0.006 * current**2
    expected += 0.05 * torque**2 * (1 + 0.35 * over) + 0.018 * torque * w
    assert loss_w(CAR.losses, torque, w, True) == pytest.approx(expected, rel=1e-12)
    assert loss_w(CAR.losses, -torque, -w, True) == pytest.approx(expected, rel=1e-12)
    assert loss_w(CAR.losses, torque, w, False) == pytest.approx(0.65 * w + 8e-4 * w**2 + 15, rel=1e-12)


def test_small_torque_steps_follow_the_lag() -> None:
    plant = ready_plant(speed_mps=20.0)
    plant.front.target_torque_nm = 20.0
    for step, share in ((5, 1 - exp(-1)), (10, 1 - exp(-2)), (25, 1 - exp(-5))):
        plant.advance(step * 1_000_000)
        assert plant.front.torque_nm == pytest.approx(20.0 * share, rel=1e-9)
    assert plant.rear.torque_nm == 0.0


def test_large_torque_steps_are_slewed_and_cuts_are_not() -> None:
    plant = ready_plant(speed_mps=15.0)
    plant.front.target_torque_nm = 300.0
    plant.advance(20_000_000)
    assert plant.front.torque_nm == pytest.approx(100.0, rel=1e-9), "5000 Nm/s"
    plant.advance(200_000_000)
    assert plant.front.torque_nm == pytest.approx(300.0, rel=1e-3)
    plant.front.cut = True
    plant.advance(205_000_000)
    assert plant.front.torque_nm == 0.0


def test_step_gives_no_more_than_the_envelope() -> None:
    plant = ready_plant(speed_mps=40.0)
    for direction in (1.0, -1.0):
        plant.front.target_torque_nm = direction * 330.0
        plant.advance(plant.time_ns + 300_000_000)
        available = plant.front.torque_available_nm(plant.front.speed_radps, plant.link_voltage_v)
        assert available < 200.0
        assert plant.front.torque_nm * direction == pytest.approx(available, rel=0.01)


def test_no_torque_with_the_gates_off() -> None:
    plant = ready_plant(speed_mps=10.0)
    plant.rear.gates_on = False
    plant.rear.target_torque_nm = 100.0
    plant.advance(100_000_000)
    assert plant.rear.torque_nm == 0.0
    assert plant.rear.dc_power_w == 0.0


def test_temperatures_settle_where_the_heat_balance_says() -> None:
    unit, heat = DriveUnit(CAR), CAR.thermal
    for _ in range(3000):
        unit.warm(4000.0, 1.0)
    # In steady state all heat passes the coolant.
    ambient = CAR.battery.ambient_degc
    shares = heat.stator_loss_share + heat.inverter_loss_share
    coolant = ambient + shares * 4000.0 / heat.coolant_wpk
    assert unit.coolant_degc == pytest.approx(coolant, abs=0.1)
    assert unit.stator_degc == pytest.approx(coolant + heat.stator_loss_share * 4000.0 / heat.stator_wpk, abs=0.1)
    assert unit.inverter_degc == pytest.approx(coolant + heat.inverter_loss_share * 4000.0 / heat.inverter_wpk, abs=0.1)
    for _ in range(6000):
        unit.warm(0.0, 1.0)
    assert unit.stator_degc == pytest.approx(ambient, abs=0.1)


def test_a_climb_warms_the_unit_that_works() -> None:
    plant = ready_plant(speed_mps=15.0)
    plant.slope_percent = 12.0
    for tick in range(1, 6001):
        plant.front.target_torque_nm = 120.0 + 100.0 * (15.0 - plant.speed_mps)
        plant.advance(tick * 10_000_000)
    front, rear, ambient = plant.front, plant.rear, CAR.battery.ambient_degc
    assert ambient < rear.stator_degc < front.stator_degc < 150.0
    assert ambient < front.coolant_degc < min(front.inverter_degc, front.stator_degc)
    assert front.inverter_degc < 100.0
    assert plant.battery.cells_degc > ambient
    assert plant.battery.cell_min_degc < plant.battery.cells_degc < plant.battery.cell_max_degc
