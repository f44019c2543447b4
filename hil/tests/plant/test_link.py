"""Contactors, DC link and pack."""

from __future__ import annotations

from math import exp, log

import pytest

from hil.plant import Plant, load_parameters
from hil.plant.reference import ready_plant

MS = 1_000_000
CELLS = load_parameters().battery


def time_until_s(plant: Plant, done: float, *, falling: bool) -> float:
    """Seconds until the link's voltage passes `done`, at most 200."""
    start_ns = plant.time_ns
    for step in range(200_000):
        if (plant.link_voltage_v > done) != falling:
            break
        plant.advance(start_ns + (step + 1) * MS)
    return (plant.time_ns - start_ns) * 1e-9


def charged(volts: float = 396.0) -> Plant:
    """A plant with an open contactor and this voltage on the link."""
    plant = Plant()
    plant.battery.link_voltage_v = volts
    return plant


def test_precharge_follows_the_rc_curve() -> None:
    plant = Plant()
    plant.precharge_closed = True
    conductance = 1.0 / CELLS.precharge_ohm + 1.0 / CELLS.bleed_ohm
    tau_s = CELLS.link_capacitance_f / conductance
    final_v = plant.battery.open_circuit_v / CELLS.precharge_ohm / conductance
    for share in (0.5, 1.0, 3.0):
        at_ms = round(share * tau_s * 1000)
        plant.advance(at_ms * MS)
        assert plant.link_voltage_v == pytest.approx(final_v * (1.0 - exp(-at_ms * 1e-3 / tau_s)), rel=1e-6)
        expected_a = (plant.battery.open_circuit_v - plant.link_voltage_v) / CELLS.precharge_ohm
        assert plant.battery.pack_current_a == pytest.approx(expected_a)


def test_precharge_takes_between_50_ms_and_3_s() -> None:
    """Under 50 ms would count as a fault, over 3 s as a failure (SM-02)."""
    plant = Plant()
    plant.precharge_closed = True
    taken_s = time_until_s(plant, 0.95 * plant.battery.open_circuit_v, falling=False)
    conductance = 1.0 / CELLS.precharge_ohm + 1.0 / CELLS.bleed_ohm
    final = 1.0 / (CELLS.precharge_ohm * conductance)
    expected_s = CELLS.link_capacitance_f / conductance * log(final / (final - 0.95))
    assert taken_s == pytest.approx(expected_s, abs=0.0015)
    assert 0.05 < taken_s < 2.0


def test_main_contactor_closes_without_a_jump_after_precharge() -> None:
    plant = Plant()
    plant.precharge_closed = True
    plant.advance(1000 * MS)
    plant.main_closed = True
    battery = plant.battery
    assert battery.link_voltage_at_close_v > 0.95 * battery.open_circuit_v
    assert battery.open_circuit_v - battery.link_voltage_at_close_v < 20.0
    plant.advance(1001 * MS)
    assert plant.link_voltage_v == pytest.approx(battery.open_circuit_v, abs=0.2)
    assert battery.pack_current_a < 2.0


def test_closing_on_an_empty_link_is_seen() -> None:
    plant = Plant()
    plant.advance(100 * MS)
    plant.main_closed = True
    assert plant.battery.link_voltage_at_close_v == 0.0


def test_link_bleeds_down_slowly() -> None:
    plant = charged()
    taken_s = time_until_s(plant, 60.0, falling=True)
    assert taken_s == pytest.approx(CELLS.bleed_ohm * CELLS.link_capacitance_f * log(396.0 / 60.0), rel=0.001)
    assert 5.0 < taken_s < 120.0, "too slow for the 5 s of SM-04: active discharge is needed"


@pytest.mark.parametrize("both", [True, False])
def test_active_discharge_is_quick(both: bool) -> None:
    plant = charged()
    plant.front.discharge = True
    plant.rear.discharge = both
    taken_s = time_until_s(plant, 60.0, falling=True)
    conductance = (2 if both else 1) / CELLS.discharge_ohm + 1.0 / CELLS.bleed_ohm
    assert taken_s == pytest.approx(CELLS.link_capacitance_f / conductance * log(396.0 / 60.0), abs=0.0015)
    assert taken_s < 5.0


def test_link_never_turns_negative_under_load() -> None:
    plant = charged(100.0)
    plant.place(10.0)
    plant.front.gates_on = True
    plant.front.target_torque_nm = 100.0
    plant.advance(500 * MS)
    assert 0.0 <= plant.link_voltage_v < 5.0


def test_voltage_sags_by_the_resistance() -> None:
    plant = ready_plant(speed_mps=25.0)
    plant.front.target_torque_nm = plant.rear.target_torque_nm = 150.0
    plant.advance(350 * MS)
    battery = plant.battery
    assert battery.pack_current_a > 200.0
    assert battery.pack_voltage_v == pytest.approx(
        battery.open_circuit_v - CELLS.resistance_ohm * battery.pack_current_a
    )
    power_w = plant.front.dc_power_w + plant.rear.dc_power_w + CELLS.auxiliaries_w
    assert battery.pack_voltage_v * battery.pack_current_a == pytest.approx(power_w, rel=1e-9)
    assert battery.current_for(power_w) == pytest.approx(battery.pack_current_a, rel=1e-9)
    assert battery.cell_min_v < battery.pack_voltage_v / CELLS.cells_in_series < battery.cell_max_v


def test_current_stays_finite_beyond_the_highest_power() -> None:
    battery = Plant().battery
    most_w = battery.open_circuit_v**2 / 4.0 / CELLS.resistance_ohm
    assert battery.current_for(2.0 * most_w) == pytest.approx(battery.open_circuit_v / 2.0 / CELLS.resistance_ohm)


def test_open_circuit_voltage_rises_with_charge() -> None:
    battery = Plant().battery
    volts = [battery.open_circuit_voltage_v(soc / 100) for soc in range(101)]
    assert volts == sorted(volts)
    assert len(set(volts)) == len(volts)
    assert battery.open_circuit_voltage_v(0.6) == pytest.approx(396.0, abs=0.1)


def test_state_of_charge_counts_the_cells_energy() -> None:
    plant = ready_plant()
    plant.battery.soc = 0.5
    plant.parking_lock = True
    plant.advance(20_000 * MS)
    assert plant.battery.soc == pytest.approx(0.5 - plant.battery.energy_wh / 78_000, abs=1e-12)
    assert plant.battery.soc < 0.5


def test_setting_the_charge_sets_the_voltage() -> None:
    battery = Plant().battery
    battery.soc = 0.9
    assert battery.soc == pytest.approx(0.9)
    assert battery.pack_voltage_v == pytest.approx(battery.open_circuit_voltage_v(0.9))
