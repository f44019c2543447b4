"""Coast-down, driveline, tyres, and independence from how time is cut into pieces."""

from __future__ import annotations

import random
from dataclasses import replace
from math import atan, sqrt

import numpy as np
import pytest

from hil.plant import Plant, load_parameters
from hil.plant.coefficients import GRAVITY_MPS2
from hil.plant.reference import (
    KMH,
    Array,
    frequency_hz,
    inertial_mass_kg,
    ready_plant,
    set_torque,
    shuffle_hz,
    step_response,
)

MS = 1_000_000


def test_coast_down_takes_the_analytic_time() -> None:
    """m dv/dt = -(a + b v + c v2), gates off. Without the fixed drag power, whose force goes with 1/v."""
    car = load_parameters()
    car = replace(car, losses=replace(car.losses, drag_fixed_w=0.0))
    gear = car.driveline.gear_ratio / car.tyre.rolling_radius_m
    vehicle, losses = car.vehicle, car.losses
    a = vehicle.rolling_resistance * vehicle.mass_kg * GRAVITY_MPS2 + 2.0 * gear * losses.drag_linear_w
    b = 2.0 * gear**2 * losses.drag_square_w
    c = 0.5 * vehicle.air_density_kgpm3 * vehicle.drag_area_m2
    root = sqrt(4.0 * a * c - b * b)
    high, low = 100 * KMH, 40 * KMH
    span = atan((2.0 * c * high + b) / root) - atan((2.0 * c * low + b) / root)
    expected_s = 2.0 * inertial_mass_kg(car) / root * span

    plant = Plant(car)
    plant.place(high + 0.5)
    times = []
    ticks = iter(range(1, 60_000))
    for limit in (high, low):
        while plant.speed_mps > limit:
            before = plant.speed_mps
            plant.advance(next(ticks) * 10 * MS)
        times.append(plant.time_ns * 1e-9 - 0.01 * (limit - plant.speed_mps) / (before - plant.speed_mps))
    assert times[1] - times[0] == pytest.approx(expected_s, rel=0.001)
    assert expected_s > 60.0


def test_wind_and_slope_act_as_forces() -> None:
    plant = Plant()
    plant.place(20.0)
    plant.slope_percent, plant.wind_mps = 5.0, 10.0
    plant.advance(1000 * MS)
    car = plant.parameters
    weight = car.vehicle.mass_kg * GRAVITY_MPS2
    # At 19.5 m/s on the mean of the second that follows.
    start = plant.speed_mps
    plant.advance(2000 * MS)
    mean = 0.5 * (start + plant.speed_mps)
    motor = mean * car.driveline.gear_ratio / car.tyre.rolling_radius_m
    losses = car.losses
    drag_w = 2.0 * (losses.drag_linear_w * motor + losses.drag_square_w * motor**2 + losses.drag_fixed_w)
    force = weight * (0.05 + car.vehicle.rolling_resistance) / sqrt(1.0 + 0.05**2) + drag_w / mean
    force += 0.5 * car.vehicle.air_density_kgpm3 * car.vehicle.drag_area_m2 * (mean + 10.0) ** 2
    assert start - plant.speed_mps == pytest.approx(force / inertial_mass_kg(car), rel=0.002)


def test_frequency_is_found_in_a_known_oscillation() -> None:
    time_s = np.linspace(0.001, 0.6, 600)
    signal: Array = 0.02 + 0.01 * np.exp(-6.0 * time_s) * np.sin(2.0 * np.pi * 12.5 * time_s)
    assert frequency_hz(time_s, signal) == pytest.approx(12.5, rel=0.01)


def test_driveline_shuffle() -> None:
    assert shuffle_hz(ice=False) == pytest.approx(10.0, rel=0.06)
    assert shuffle_hz(ice=True) == pytest.approx(17.0, rel=0.06)


@pytest.mark.parametrize(("mu", "torque_nm", "expected_hz"), [(1.0, 50.0, 10.2), (0.1, 150.0, 16.7)])
def test_shuffle_in_the_spectrum(mu: float, torque_nm: float, expected_hz: float) -> None:
    """The same by Fourier transform, less the slow drift."""
    time_s, twist = step_response(mu, torque_nm)
    ringing = (twist - np.polyval(np.polyfit(time_s, twist, 2), time_s)) * np.hanning(len(twist))
    spectrum = np.abs(np.fft.rfft(ringing, 8192))
    assert np.fft.rfftfreq(8192, 1e-3)[spectrum.argmax()] == pytest.approx(expected_hz, abs=0.7)


def test_shuffle_dies_out() -> None:
    _, twist = step_response(1.0, 50.0, seconds=1.5)
    assert np.ptp(twist[-200:]) < 0.02 * np.ptp(twist[:200])


def test_no_load_on_an_axle_is_lost() -> None:
    plant = ready_plant(speed_mps=10.0)
    set_torque(plant, 250.0)
    plant.advance(1000 * MS)
    vehicle = plant.parameters.vehicle
    weight = vehicle.mass_kg * GRAVITY_MPS2
    assert plant.front.normal_force_n + plant.rear.normal_force_n == pytest.approx(weight)
    moved_n = vehicle.mass_kg * plant.accel_mps2 * vehicle.cg_height_m / vehicle.wheelbase_m
    assert plant.rear.normal_force_n - weight * (1 - vehicle.front_weight_share) == pytest.approx(moved_n, rel=0.02)


@pytest.mark.parametrize("speed_mps", [0.0, 1.0, 10.0])
def test_slip_is_steady_on_ice_below_the_peak(speed_mps: float) -> None:
    plant = ready_plant(speed_mps=speed_mps)
    plant.set_friction(0.1)
    set_torque(plant, 30.0)
    slips = []
    for step in range(1, 4001):
        plant.advance(step * MS)
        slips.append((plant.front.slip, plant.rear.slip))
    last = np.array(slips[-500:])
    assert last.max() < 0.02
    assert np.ptp(last, axis=0).max() < 0.002, "no oscillation"
    assert last.min() > 0.0


@pytest.mark.parametrize("mu", [0.1, 0.3, 0.7])
def test_peak_force_is_mu_times_load(mu: float) -> None:
    """Torque slowly through the peak of the front tyres, the rear unit holds the car back."""
    plant = ready_plant(speed_mps=5.0)
    plant.set_friction(mu, 1.0)
    shares, slips = [], []
    for step in range(1, 1501):
        plant.front.target_torque_nm = 0.45 * mu * step
        plant.rear.target_torque_nm = -0.4 * plant.front.torque_nm
        load = plant.front.normal_force_n
        plant.advance(step * MS)
        shares.append(plant.front.tyre_force_n / load)
        slips.append(plant.front.slip)
        if slips[-1] > 0.5:
            break
    assert max(slips) > 0.4, "past the peak"
    assert max(shares) == pytest.approx(mu, rel=0.01)
    assert max(shares) <= mu * 1.001
    assert shares[-1] < 0.99 * mu, "less behind the peak"


def test_wheelspin_is_bounded_by_the_motor_and_recovers() -> None:
    plant = ready_plant(speed_mps=2.0)
    plant.set_friction(0.1)
    for step in range(1, 4001):
        for unit in (plant.front, plant.rear):
            available = unit.torque_available_nm(unit.speed_radps, plant.link_voltage_v)
            unit.target_torque_nm = min(200.0, available) if step < 500 else 0.0
        plant.advance(step * MS)
        if step == 499:
            assert plant.front.slip > 1.0
            assert plant.front.speed_rpm < plant.parameters.motor.speed_max_rpm + 500
            assert 0.5 < plant.accel_mps2 / (0.1 * GRAVITY_MPS2) < 1.01
    assert abs(plant.front.slip) < 0.01
    assert abs(plant.rear.slip) < 0.01


def state(plant: Plant) -> tuple[bytes, int, float]:
    """All that the plant holds."""
    return bytes(plant), plant.time_ns, plant.battery.soc


@pytest.mark.parametrize("closed", [True, False])
def test_pieces_give_the_same_bits_as_one_go(closed: bool) -> None:
    def start() -> Plant:
        plant = ready_plant(speed_mps=7.0)
        plant.main_closed = closed
        plant.precharge_closed = not closed
        plant.set_friction(0.3, 0.8)
        plant.slope_percent, plant.wind_mps = 3.0, -2.0
        plant.front.target_torque_nm, plant.rear.target_torque_nm = 90.0, -35.0
        return plant

    whole, pieces = start(), start()
    before = state(whole)
    assert before == state(pieces)
    whole.advance(2_000_000_000)
    chance, time_ns = random.Random(7), 0
    while time_ns < 2_000_000_000:
        pieces.advance(time_ns)
        time_ns += chance.randint(1, 17_777_777)
    pieces.advance(2_000_000_000)
    assert before != state(whole) == state(pieces)


def test_time_stands_on_the_grid() -> None:
    plant = ready_plant(speed_mps=7.0)
    plant.advance(1_999_999)
    assert plant.time_ns == MS
    place = plant.distance_m
    plant.advance(1_999_999)
    plant.advance(0)
    assert plant.distance_m == place
    plant.advance(2 * MS)
    assert plant.distance_m > place


def test_step_must_divide_the_slow_step() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        Plant(step_ns=3_000_000)
