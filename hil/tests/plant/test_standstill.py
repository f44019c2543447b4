"""At rest and into rest: brakes, lock and rolling resistance hold; nothing drifts, nothing chatters."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hil.plant import Plant
from hil.plant.reference import KMH, ready_plant, set_torque

SECOND_NS = 1_000_000_000


def run(plant: Plant, seconds: float, *, tick_ns: int = 10_000_000) -> list[float]:
    """Advance; the car's speeds, one a tick."""
    speeds = []
    start_ns = plant.time_ns
    for tick in range(1, round(seconds * SECOND_NS) // tick_ns + 1):
        plant.advance(start_ns + tick * tick_ns)
        speeds.append(plant.speed_mps)
    return speeds


@pytest.mark.parametrize("slope_percent", [10.0, -10.0])
def test_brake_holds_on_a_slope(slope_percent: float) -> None:
    plant = ready_plant()
    plant.slope_percent = slope_percent
    plant.brake_pressure_bar = 40.0
    run(plant, 1.0)
    place = plant.distance_m
    assert set(run(plant, 20.0)) == {0.0}
    assert plant.distance_m == place
    assert abs(place) < 0.005
    assert plant.front.speed_radps == pytest.approx(0.0, abs=1e-3)


def test_weak_brake_lets_the_car_roll_back() -> None:
    plant = ready_plant()
    plant.slope_percent = 10.0
    plant.brake_pressure_bar = 5.0
    speeds = run(plant, 3.0)
    assert speeds[-1] < -0.5
    plant.brake_pressure_bar = 60.0
    assert run(plant, 3.0)[-1] == 0.0


@pytest.mark.parametrize("slope_percent", [20.0, -20.0])
def test_parking_lock_holds_without_brake(slope_percent: float) -> None:
    plant = ready_plant()
    plant.slope_percent = slope_percent
    plant.parking_lock = True
    run(plant, 1.0)
    place = plant.distance_m
    assert set(run(plant, 10.0)) == {0.0}
    assert plant.distance_m == place
    plant.parking_lock = False
    assert abs(run(plant, 2.0)[-1]) > 1.0, "and lets go"


def test_brake_holds_against_the_motors() -> None:
    """Creep torque against the brake: the shafts twist, the car stays."""
    plant = ready_plant()
    plant.brake_pressure_bar = 20.0
    set_torque(plant, 15.0)
    run(plant, 3.0)
    place = plant.distance_m
    assert set(run(plant, 5.0)) == {0.0}
    assert plant.distance_m == place
    line = plant.parameters.driveline
    assert plant.front.twist_rad == pytest.approx(15.0 * line.gear_ratio / line.stiffness_nmprad, rel=0.01)


@pytest.mark.parametrize("slope_percent", [0.0, 0.7, -0.7])
def test_rolling_resistance_stops_and_holds(slope_percent: float) -> None:
    """1 % rolling resistance holds on 0.7 % of slope."""
    plant = ready_plant(speed_mps=0.15)
    plant.slope_percent = slope_percent
    speeds = run(plant, 15.0)
    assert min(speeds) > -0.01
    place = plant.distance_m
    assert max(abs(speed) for speed in run(plant, 10.0)) < 1e-4
    assert plant.distance_m == pytest.approx(place, abs=1e-4)


def test_steeper_than_rolling_resistance_rolls() -> None:
    plant = ready_plant()
    plant.slope_percent = 2.0
    assert run(plant, 5.0)[-1] < -0.2


def test_one_pedal_regeneration_stops_without_chatter() -> None:
    """0.3 g that fades to zero between 8 and 3 km/h; the brake takes over at walking pace and the car stays put."""
    plant = ready_plant(speed_mps=40 * KMH)
    full_nm = 0.5 * 0.3 * 9.81 * plant.parameters.mass_kg * plant.parameters.tyre.rolling_radius_m
    full_nm /= plant.parameters.driveline.gear_ratio
    speeds = [plant.speed_mps]
    for _ in range(1200):
        share = min(max((plant.speed_mps / KMH - 3.0) / 5.0, 0.0), 1.0)
        set_torque(plant, -full_nm * share)
        plant.brake_pressure_bar = 8.0 if plant.speed_mps < 2 * KMH else 0.0
        speeds += run(plant, 0.01)
    assert min(speeds) > -0.01
    assert speeds[-1] == 0.0
    assert all(b <= a + 2e-3 for a, b in pairwise(speeds)), "speed only falls"
    turns = sum(1 for a, b in pairwise(speeds[-300:]) if a != b)
    assert turns == 0, "no movement in the last three seconds"


def test_regeneration_proportional_to_speed_dies_out_at_standstill() -> None:
    """A controller that regenerates down to zero speed, 10 ms late: no limit cycle of torque and speed."""
    plant = ready_plant(speed_mps=3.0)
    speeds, torques = [], []
    for _ in range(1500):
        torque = -60.0 * min(max(plant.front.speed_radps / 20.0, -1.0), 1.0)
        set_torque(plant, torque)
        torques.append(torque)
        speeds += run(plant, 0.01)
    assert max(abs(speed) for speed in speeds[-500:]) < 1e-3
    assert max(abs(torque) for torque in torques[-500:]) < 0.5


def test_emergency_stop_stays_stopped() -> None:
    plant = ready_plant(speed_mps=100 * KMH)
    plant.brake_pressure_bar = 100.0
    speeds = run(plant, 6.0)
    assert min(speeds) > -0.03
    assert set(run(plant, 2.0)) == {0.0}
    # 1 g at most on mu 1, at least the sliding friction.
    assert 36.0 < plant.distance_m < 55.0


def test_coasting_in_reverse_mirrors_forward() -> None:
    forward, back = ready_plant(speed_mps=5.0), ready_plant()
    back.place(-5.0)
    run(forward, 5.0)
    run(back, 5.0)
    # Load transfer is zero here, so the axles differ in nothing but the sign.
    assert back.speed_mps == pytest.approx(-forward.speed_mps, rel=1e-3)
    assert back.battery.energy_j == pytest.approx(forward.battery.energy_j, rel=1e-3)
