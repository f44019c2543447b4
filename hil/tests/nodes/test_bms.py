"""Contactors, precharge, welds and limits of the virtual battery."""

import pytest

from hil.nodes.bms_rating import BmsRating, interpolate

from .conftest import Rig


def contactor_states(rig: Rig, since_ns: int = 0) -> list[str]:
    """The states as the bus saw them, each once in a row."""
    from twinaxle.dbc import powertrain
    from twinaxle.dbc.codec import codec

    labels = powertrain().messages["BmsPack"].signal("ContactorState").choices
    seen = [labels[codec("BmsPack").unpack(data).ContactorState] for _, data in rig.frames("BmsPack", since_ns)]
    return [state for i, state in enumerate(seen) if i == 0 or state != seen[i - 1]]


def test_contactors_close_through_precharge_and_open_again(rig: Rig) -> None:
    rig.run_ms(200)
    rig.hv.set(HvRequest="Drive")
    rig.run_ms(100)
    assert rig.plant.precharge_closed
    assert not rig.plant.main_closed
    rig.run_ms(900)
    assert rig.plant.main_closed
    assert not rig.plant.precharge_closed
    battery = rig.plant.battery
    assert battery.link_voltage_at_close_v > 0.95 * battery.pack_voltage_v
    rig.hv.set(HvRequest="Off")
    rig.run_ms(200)
    assert not rig.plant.main_closed
    assert contactor_states(rig) == ["Open", "Precharge", "Closed", "Open"]
    assert rig.bms.opened_under_load == []


def test_precharge_holds_for_100_ms_at_95_percent_and_within_20_v(rig: Rig) -> None:
    rig.run_ms(200)
    rig.hv.set(HvRequest="Drive")
    plant = rig.plant
    rig.until(
        lambda: plant.link_voltage_v >= max(0.95 * plant.battery.pack_voltage_v, plant.battery.pack_voltage_v - 20),
        1500,
    )
    assert 100.0 <= rig.until(lambda: plant.main_closed) <= 141.0


def test_an_empty_link_gives_up_after_3_s_and_needs_off_before_the_next_try(rig: Rig) -> None:
    fault = rig.faults.precharge_broken()
    rig.run_ms(200)
    rig.hv.set(HvRequest="Drive")
    rig.until(lambda: rig.bms.contactor_state == "Precharge")
    assert 2990 <= rig.until(lambda: rig.bms.contactor_state == "Open", 4000) <= 3040
    fault.clear()
    rig.run_ms(500)
    assert rig.bms.contactor_state == "Open"
    rig.hv.set(HvRequest="Off")
    rig.run_ms(50)
    rig.close_contactors()


def test_without_a_load_the_link_seems_full_at_once(rig: Rig) -> None:
    rig.faults.precharge_open_load()
    rig.run_ms(200)
    assert rig.latest("BmsPack").LinkVoltage == 0.0
    rig.hv.set(HvRequest="Drive")
    rig.until(lambda: rig.bms.contactor_state == "Precharge")
    rig.run_ms(45)
    pack = rig.latest("BmsPack")
    assert pack.LinkVoltage == pytest.approx(pack.PackVoltage, abs=1.0)


@pytest.mark.parametrize("loss", ["silence", "crc", "power"])
def test_without_a_request_the_contactors_open(rig: Rig, loss: str) -> None:
    rig.close_contactors()
    if loss == "silence":
        rig.hv.on = False
    elif loss == "crc":
        rig.faults.wrong_crc("VcuHvCommand")
    else:
        rig.faults.power_cut("BMS")
    rig.run_ms(70 if loss != "power" else 1)
    assert rig.plant.main_closed is (loss != "power")
    rig.run_ms(80)
    assert not rig.plant.main_closed


def test_a_load_holds_the_contactors_for_a_second_and_opening_under_it_is_counted(ready: Rig) -> None:
    ready.roll(300.0)
    ready.torque(100.0, 50)
    assert ready.plant.battery.pack_current_a > 20.0
    ready.hv.set(HvRequest="Off")
    begin_ns = ready.now_ns
    ready.run_ms(900)
    assert ready.plant.main_closed
    ready.run_ms(200)
    assert not ready.plant.main_closed
    [opened] = ready.bms.opened_under_load
    assert opened.current_a > 20.0
    assert 1000 <= (opened.time_ns - begin_ns) / 1e6 <= 1060


def test_the_contactors_wait_for_the_load_to_go(ready: Rig) -> None:
    ready.roll(300.0)
    ready.torque(100.0, 50)
    ready.hv.set(HvRequest="Off")
    ready.run_ms(300)
    assert contactor_states(ready)[-1] == "Opening"
    ready.command.set(Mode="Off", TorqueRequest=0.0)
    ready.run_ms(60)
    assert not ready.plant.main_closed
    assert ready.bms.opened_under_load == []


@pytest.mark.req("HB-04")
def test_a_weld_is_detected_and_refuses_the_next_start(rig: Rig) -> None:
    rig.close_contactors()
    fault = rig.faults.weld()
    rig.hv.set(HvRequest="Off")
    rig.run_ms(250)
    assert rig.label("BmsPack", "ContactorState") == "Welded"
    assert rig.plant.main_closed
    rig.hv.set(HvRequest="Drive")
    rig.run_ms(300)
    assert rig.label("BmsPack", "ContactorState") == "Welded"
    rig.hv.set(HvRequest="Off")
    fault.clear()
    rig.run_ms(100)
    assert not rig.plant.main_closed
    assert rig.label("BmsPack", "ContactorState") == "Open"


@pytest.mark.req("HB-04")
@pytest.mark.parametrize("kind", ["hvil", "shutdown"])
def test_interlock_and_shutdown_wait_5_s_for_the_request_then_open(ready: Rig, kind: str) -> None:
    if kind == "hvil":
        ready.faults.hvil_open()
    else:
        ready.faults.bms_shutdown()
    ready.run_ms(150)
    assert ready.latest("BmsStatus").HvilClosed == (kind != "hvil")
    assert ready.label("BmsStatus", "FaultLevel") == ("None" if kind == "hvil" else "Shutdown")
    ready.run_ms(4700)
    assert ready.plant.main_closed
    ready.run_ms(400)
    assert not ready.plant.main_closed
    ready.hv.set(HvRequest="Off")
    ready.run_ms(60)
    ready.hv.set(HvRequest="Drive")
    ready.run_ms(300)
    assert ready.bms.contactor_state == "Open"


def test_charging_needs_a_plug(rig: Rig) -> None:
    rig.run_ms(200)
    rig.hv.set(HvRequest="Charge")
    rig.run_ms(300)
    assert rig.bms.contactor_state == "Open"
    rig.bms.plug_connected = True
    rig.until(lambda: rig.bms.contactor_state == "Closed", 2000)
    rig.run_ms(120)
    status = rig.latest("BmsStatus")
    assert (status.PlugConnected, status.ChargeActive) == (1, 1)
    rig.bms.plug_connected = False
    rig.run_ms(150)
    assert rig.bms.contactor_state == "Open"


def test_limits_at_mid_charge_carry_full_power_and_regeneration(rig: Rig) -> None:
    rig.run_ms(50)
    limits = rig.latest("BmsLimits")
    assert limits.DischargePowerMax >= 350e3
    assert limits.ChargePowerMax >= 120e3
    assert limits.Soc == pytest.approx(100 * (0.6 - 1.5 / 78) / (75 / 78), abs=0.1)


@pytest.mark.parametrize(
    ("soc", "discharge_w", "charge_w"),
    [(100, 370e3, 0.0), (95, 370e3, 50e3), (15, 250e3, 150e3), (5, 90e3, 150e3), (0, 0.0, 150e3)],
)
def test_limits_fall_with_the_state_of_charge(rig: Rig, soc: float, discharge_w: float, charge_w: float) -> None:
    with rig.faults.sensor("BMS", "soc_percent", stuck=soc):
        rig.run_ms(50)
        limits = rig.latest("BmsLimits")
    assert (limits.DischargePowerMax, limits.ChargePowerMax) == (pytest.approx(discharge_w), pytest.approx(charge_w))


@pytest.mark.parametrize(
    ("channel", "value", "level"),
    [
        ("cell_max_degc", 53.0, "Derate"),
        ("cell_max_degc", 61.0, "Shutdown"),
        ("cell_min_degc", 0.0, "Derate"),
        ("cell_max_v", 4.3, "Shutdown"),
        ("cell_min_v", 2.4, "Shutdown"),
        ("isolation_kohm", 100.0, "Warning"),
        ("isolation_kohm", 30.0, "Shutdown"),
    ],
)
def test_measured_values_raise_the_fault_level(rig: Rig, channel: str, value: float, level: str) -> None:
    with rig.faults.sensor("BMS", channel, stuck=value):
        rig.run_ms(150)
        assert rig.label("BmsStatus", "FaultLevel") == level
    rig.run_ms(120)
    assert rig.label("BmsStatus", "FaultLevel") == "None"


def test_limits_set_by_a_test_only_lower_those_of_the_rating(rig: Rig) -> None:
    rig.bms.discharge_limit_w, rig.bms.charge_limit_w = 40e3, 900e3
    rig.run_ms(50)
    limits = rig.latest("BmsLimits")
    assert (limits.DischargePowerMax, limits.ChargePowerMax) == (40e3, 150e3)


def test_power_limits_are_monotonic() -> None:
    rating = BmsRating()
    discharge = [rating.discharge_power_w(soc, 23, 25) for soc in range(101)]
    charge = [rating.charge_power_w(soc, 23, 25) for soc in range(101)]
    hot = [rating.discharge_power_w(50, 23, degc) for degc in range(25, 80)]
    assert discharge == sorted(discharge)
    assert charge == sorted(charge, reverse=True)
    assert hot == sorted(hot, reverse=True)
    assert interpolate(((0.0, 1.0), (10.0, 3.0)), 5.0) == 2.0


def test_the_cell_voltages_are_those_of_the_pack(ready: Rig) -> None:
    ready.run_ms(200)
    status, pack = ready.latest("BmsStatus"), ready.latest("BmsPack")
    cells = ready.plant.parameters.battery.cells_in_series
    assert status.CellVoltageMin <= status.CellVoltageMax
    assert status.CellVoltageMin == pytest.approx(1000 * pack.PackVoltage / cells, abs=30)
