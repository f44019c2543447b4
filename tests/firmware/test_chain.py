"""The whole control law, tick by tick, with integers that refuse what the board cannot keep: any frame and calibration.

What the frames say need make no sense. Whatever they say: no integer leaves the small ones, no float is made, and the
commands stay inside what units, directions and limits allow.
"""

import pytest
from firmware_slots import Int, Signals, Slots, raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu import axle, commands, demand, derate, faults, gear, hv, limits, motion, pedals, slew, slip, split, states

from twinaxle.calibration import Calibration
from twinaxle.calibration.schema import Declaration, read_schema
from twinaxle.dbc import powertrain
from twinaxle.paths import FIRMWARE

SCHEMA = read_schema(FIRMWARE / "calibration" / "schema.toml").declarations
RECEIVED = [
    (f"{message.name}.{signal.name}", signal.raw_minimum, signal.raw_maximum)
    for message in powertrain().messages.values()
    if "VCU" in message.receivers and message.name != "DiagRequest"
    for signal in message.application_signals
    if "VCU" in signal.receivers
]
WELL = {
    "PedalsDriver.Gear": 3, "PedalsDriver.Apps1": 4500, "PedalsDriver.Apps2": 2250, "EscWheelSpeeds.Valid": 15,
    "InvFrontStatus.State": 3, "InvRearStatus.State": 3, "EscMotion.AbsActive": 0,
    "InvFrontLimits.TorqueAvailableDrive": 3300, "InvFrontLimits.TorqueAvailableRegen": 3300,
    "InvRearLimits.TorqueAvailableDrive": 3300, "InvRearLimits.TorqueAvailableRegen": 3300,
    "BmsLimits.DischargePowerMax": 37_000, "BmsLimits.ChargePowerMax": 15_000, "BmsLimits.Soc": 600,
    "BmsPack.ContactorState": 2, "BmsPack.PackVoltage": 2000, "BmsPack.LinkVoltage": 2000, "BmsStatus.FaultLevel": 0,
    "BmsStatus.HvilClosed": 1, "BmsStatus.CellTempMin": 60, "BmsStatus.CellTempMax": 65, "BmsStatus.PlugConnected": 0,
    "BmsStatus.CellVoltageMin": 1800, "BmsStatus.CellVoltageMax": 1850, "InvFrontTemps.TempStator": 80,
    "InvFrontTemps.TempInverter": 80, "InvRearTemps.TempStator": 80, "InvRearTemps.TempInverter": 80,
}  # fmt: skip
"""A car in Drive with its pedal on the floor."""

# Pairs that must not fall together or turn round, as a check of the whole calibration would refuse
KEPT = (
    "pedal.apps1_min_mv", "pedal.apps1_max_mv", "pedal.apps2_min_mv", "pedal.apps2_max_mv", "creep.fade_from_ckmh",
    "creep.end_ckmh", "lift_off.fade_speed_ckmh",
)  # fmt: skip


class Law:
    """The laws in the order of tick.py, without monitor and frames."""

    def __init__(self, rx: Slots, cal: Slots, ages: Slots) -> None:
        self.rx, self.cal, self.ages = rx, cal, ages
        self.s = Signals()
        self.tx = Slots([0] * 64, int)
        self.past = Slots(list(slip.past), int)
        self.swings = Slots(list(slew.swings), int)
        self.shares = Slots(list(derate.shares), int)
        self.table = Slots(list(states.TABLE), int)

    def tick(self) -> None:
        s, rx, cal, ages = self.s, self.rx, self.cal, self.ages
        axle.step(s, rx, ages, cal)
        motion.step(s, rx, cal)
        motion.turns(s, rx, cal)
        pedals.step(s, rx, cal)
        gear.step(s, rx, cal)
        hv.step(s, rx, cal)
        faults.look(s, rx, ages, cal)
        states.step(s, self.table, states.SIZE, states.conditions(s, rx, ages, cal))
        demand.step(s, rx, cal)
        derate.step(self.shares, s, rx, cal)
        limits.step(s, rx, ages, cal)
        split.step(s, rx, cal)
        slew.step(s, self.swings, cal)
        slip.step(s, rx, cal, self.past)
        commands.step(s, self.tx, cal)


def in_drive(rx: Slots, cal: Slots, ages: Slots) -> Law:
    """A law that has driven for some ticks, with nothing wrong."""
    for name, value in WELL.items():
        rx[name] = value
    law = Law(rx, cal, ages)
    s = law.s
    s.driving = s.wanted = s.live = s.direction = 1
    s.state = raw("VcuStatus.State.Drive")
    for _ in range(10):
        law.tick()
    return law


def test_the_car_of_this_test_drives(rx: Slots, cal: Slots, ages: Slots) -> None:
    s = in_drive(rx, cal, ages).s
    assert s.front_dnm > 0
    assert s.rear_dnm > 0


def any_value(declaration: Declaration) -> st.SearchStrategy[int]:
    return st.integers(declaration.minimum, declaration.maximum)


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[dict[str, int], int]]:
    """Changes of received signals, each with the ticks until the next; speeds of 16 bits as a motor may have them."""
    course = []
    for _ in range(draw(st.integers(1, 6))):
        names = draw(st.lists(st.sampled_from(RECEIVED), max_size=12))
        change = {}
        for name, low, high in names:
            if name.endswith(".Speed"):
                low, high = -16_000, 16_000
            change[name] = draw(st.one_of(st.integers(low, high), st.sampled_from([low, high])))
        course.append((change, draw(st.integers(1, 12))))
    return course


@pytest.mark.req("RT-02")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), course=courses())
def test_no_frames_and_no_calibration_leave_the_small_integers(
    rx: Slots, cal: Slots, ages: Slots, calibration: Calibration, data: st.DataObject, course: list
) -> None:
    rx, cal = (Slots([int(value) for value in slots.values], slots.resolve) for slots in (rx, cal))
    changed = data.draw(st.lists(st.sampled_from([name for name in SCHEMA if name not in KEPT]), max_size=6))
    for name in changed:
        declaration, item = SCHEMA[name], calibration.items[name]
        if not (declaration.is_axis or declaration.rising):
            for at in range(len(item.values)):
                cal.values[item.slot + at] = Int(data.draw(any_value(declaration)))
    law = in_drive(rx, cal, ages)
    s = law.s
    for change, ticks in course:
        for name, value in change.items():
            rx[name] = value
        for _ in range(ticks):
            law.tick()
            for axle_name in ("front", "rear"):
                command = s[f"{axle_name}_dnm"]
                assert abs(command) <= cal["motor.torque_max_dnm"]
                assert command == 0 or (s[f"{axle_name}_able"] and not s[f"{axle_name}_lost"])
            along = (s.front_dnm + s.rear_dnm) * s.direction
            assert -s.most_regen_dnm <= along <= s.most_drive_dnm or not s.direction
            if s.stop or s.tripped or s.pedal_fault:
                assert s.front_dnm == s.rear_dnm == 0
