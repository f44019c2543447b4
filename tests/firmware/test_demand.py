"""From pedal to torque."""

import pytest
from firmware_slots import raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.demand import step

FULL = 6600  # 0.1 Nm
loose = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
travels = st.integers(0, 10_000)
speeds = st.integers(-3000, 22_000)
availables = st.integers(0, FULL)
modes = st.integers(0, 3)


@pytest.fixture
def demand(s, rx, cal):
    rx["EscMotion.AbsActive"] = 0
    return s, rx, cal


def ask(demand, travel, speed=5000, available=FULL, direction=1, brake=False):
    s = demand[0]
    s.travel_e4, s.speed_ckmh, s.direction, s.brake = travel, speed, direction, brake
    s.front_drive_dnm = available // 2
    s.rear_drive_dnm = available - available // 2
    step(*demand)
    return int(s.demand_dnm)


@pytest.mark.req("TQ-02")
@loose
@given(modes, st.integers(0, 1), speeds, availables, st.sampled_from([-1, 1]))
def test_more_pedal_never_gives_less(demand, rx, mode, one_pedal, speed, available, direction):
    rx["PedalsDriver.DriveMode"], rx["PedalsDriver.OnePedal"] = mode, one_pedal
    along = [ask(demand, t, speed * direction, available, direction) * direction for t in range(0, 10_001, 250)]
    assert along == sorted(along)


@pytest.mark.req("TQ-02")
@loose
@given(modes, st.integers(0, 1), st.integers(0, 19_900), availables)
def test_full_pedal_asks_for_all_there_is(demand, rx, mode, one_pedal, speed, available):
    rx["PedalsDriver.DriveMode"], rx["PedalsDriver.OnePedal"] = mode, one_pedal
    torque = ask(demand, 10_000, speed, available)
    assert torque == available or (speed < 600 and torque <= max(available, 300))


@pytest.mark.req("TQ-02")
@loose
@given(modes, st.integers(0, 1), travels, speeds, availables)
def test_torque_is_never_more_than_the_pedals_share_of_it(demand, rx, mode, one_pedal, travel, speed, available):
    rx["PedalsDriver.DriveMode"], rx["PedalsDriver.OnePedal"] = mode, one_pedal
    torque = ask(demand, travel, speed, available, brake=True)
    assert torque <= FULL * travel // 10_000 + 1


@pytest.mark.req("TQ-02")
@pytest.mark.parametrize("speed_ckmh", [1500, 5000, 9000])
def test_each_mode_has_a_map_of_its_own(demand, rx, speed_ckmh):
    asked = []
    for mode in ("Sport", "Normal", "Eco", "Snow"):
        rx["PedalsDriver.DriveMode"] = raw(f"PedalsDriver.DriveMode.{mode}")
        asked.append(ask(demand, 5000, speed_ckmh))
    rx["PedalsDriver.OnePedal"] = 0
    assert asked[0] > asked[1] + 20
    assert asked[1] > asked[2] + 20
    assert asked[2] >= asked[3]


@pytest.mark.req("TQ-03")
@pytest.mark.parametrize(
    ("mode", "one_pedal", "share_g"),
    [("Normal", 0, 0.06), ("Eco", 0, 0.03), ("Sport", 0, 0.10), ("Normal", 1, 0.30), ("Sport", 1, 0.30)],
)
def test_lift_off_decelerates_as_the_mode_says(demand, rx, mode, one_pedal, share_g):
    rx["PedalsDriver.DriveMode"] = raw(f"PedalsDriver.DriveMode.{mode}")
    rx["PedalsDriver.OnePedal"] = one_pedal
    wheel_force_n = -ask(demand, 0) * 0.1 * 8.57 / 0.341
    assert wheel_force_n / (2216 * 9.81) == pytest.approx(share_g, rel=0.01)


@pytest.mark.req("TQ-03")
@pytest.mark.parametrize("one_pedal", [0, 1])
def test_lift_off_fades_out_between_8_and_3_kmh(demand, rx, one_pedal):
    rx["PedalsDriver.OnePedal"] = one_pedal
    at = [ask(demand, 0, speed, brake=True) for speed in range(800, -1, -10)]
    assert at[0] == ask(demand, 0, 5000)
    assert at == sorted(at)
    assert all(torque == 0 for torque in at[50:])


@pytest.mark.req("TQ-02")
@pytest.mark.parametrize("one_pedal", [0, 1])
def test_no_step_at_constant_pedal_while_the_car_slows_by_itself(demand, rx, one_pedal):
    rx["PedalsDriver.OnePedal"] = one_pedal
    speed, last = 15.0, None
    while speed > 2.0:
        torque = ask(demand, 0, round(speed / 0.015) * 15 // 10, brake=True)
        if last is not None:
            assert abs(torque - last) <= 2 * 20 + 14, speed  # 2 Nm a motor, and 1 rpm of the speed's own step
        last = torque
        speed -= (0.2 - torque * 0.1 * 8.57 / 0.341 / 2216) * 0.01 * 3.6


def test_abs_takes_regeneration_away(demand, rx):
    rx["EscMotion.AbsActive"] = 1
    assert ask(demand, 0) == 0


@pytest.mark.req("TQ-04")
def test_creep_moves_the_car_up_to_6_kmh_without_pedals(demand, rx):
    assert ask(demand, 0, 0) == 300
    assert ask(demand, 0, 0, direction=-1) == -300
    assert 0 < ask(demand, 0, 450) < 300
    assert ask(demand, 0, 600) <= 0
    assert ask(demand, 0, 0, brake=True) == 0
    rx["PedalsDriver.OnePedal"] = 1
    assert ask(demand, 0, 0) == 0


@pytest.mark.req("TQ-05")
def test_reverse_has_a_fifth_and_ends_at_30_kmh(demand):
    assert ask(demand, 10_000, -1000, direction=-1) == -FULL // 5
    assert ask(demand, 10_000, -2820, direction=-1) == 0
    assert -FULL // 5 < ask(demand, 10_000, -2750, direction=-1) < 0


@pytest.mark.req("TQ-05")
@pytest.mark.parametrize("mode", ["Normal", "Eco", "Sport", "Snow"])
def test_in_reverse_one_pedal_leaves_most_of_the_travel_to_drive(demand, rx, mode):
    rx["PedalsDriver.DriveMode"], rx["PedalsDriver.OnePedal"] = raw(f"PedalsDriver.DriveMode.{mode}"), 1
    assert ask(demand, 0, -1500, direction=-1) > 0
    assert ask(demand, 6000, -1500, direction=-1) < -200


@pytest.mark.req("TQ-05", "TQ-07")
@pytest.mark.parametrize(("speed", "direction"), [(3000, -1), (20_700, 1)])
@pytest.mark.parametrize("mode", ["Normal", "Eco", "Sport", "Snow"])
def test_above_its_top_speed_the_car_brakes_by_a_tenth_of_g_in_every_mode(demand, rx, mode, speed, direction):
    """Which holds it down a slope of 8 %."""
    rx["PedalsDriver.DriveMode"], rx["PedalsDriver.OnePedal"] = raw(f"PedalsDriver.DriveMode.{mode}"), 0
    beyond = [ask(demand, t, (speed + 500) * direction, 2000, direction) * direction for t in (0, 5000, 10_000)]
    assert min(beyond) >= -865
    assert max(beyond[1:]) == -865
    assert ask(demand, 10_000, speed * direction, direction=direction) * direction < 0


@pytest.mark.req("TQ-05")
@loose
@given(modes, st.integers(0, 1), st.integers(600, 20_000), st.sampled_from([-1, 1]))
def test_lift_off_never_accelerates(demand, rx, mode, one_pedal, speed, direction):
    rx["PedalsDriver.DriveMode"], rx["PedalsDriver.OnePedal"] = mode, one_pedal
    assert ask(demand, 0, speed * direction, direction=direction) * direction <= 0


@pytest.mark.req("TQ-07")
def test_drive_torque_fades_out_before_205_kmh(demand):
    at = [ask(demand, 10_000, speed, 2000) for speed in range(19_900, 21_000, 10)]
    assert at[0] == 2000
    assert at == sorted(at, reverse=True)
    assert all(torque <= 0 for torque in at[66:])
    assert at[60] < 2000 // 5, "what is left at 205 km/h is less than the drag"
    assert at[-1] < -100, "and further on the motors brake"


def test_no_direction_means_no_torque(demand):
    assert ask(demand, 10_000, direction=0) == 0
