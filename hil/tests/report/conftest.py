"""A made-up drive with everything that a report shows: states, both axles, a fault, limits, a gap."""

import math

import pytest

from hil.judging.measure import Measurements
from hil.recording.recorder import Channel, Recorder

NAN = math.nan
PERIOD_NS = 10_000_000
VCU_STATES = {0: "Init", 1: "Standby", 2: "Precharge", 3: "Ready", 4: "Drive", 5: "Limp", 6: "Fault"}
INVERTER_STATES = {0: "Init", 1: "Lockout", 2: "Standby", 3: "Torque", 4: "Discharge", 5: "Fault"}
CONTACTORS = {0: "Open", 1: "Precharge", 2: "Closed", 3: "Opening"}
CHANNELS = (
    Channel("vcu_state", "", "Vehicle state", VCU_STATES),
    Channel("front_state", "", "Front inverter", INVERTER_STATES),
    Channel("rear_state", "", "Rear inverter", INVERTER_STATES),
    Channel("contactor_state", "", "Contactors", CONTACTORS),
    Channel("pedal_percent", "%"),
    Channel("brake_bar", "bar"),
    Channel("torque_demand_nm", "Nm"),
    Channel("torque_granted_nm", "Nm"),
    Channel("front_torque_request_nm", "Nm"),
    Channel("front_torque_nm", "Nm"),
    Channel("rear_torque_request_nm", "Nm"),
    Channel("rear_torque_nm", "Nm"),
    Channel("speed_kmh", "km/h"),
    Channel("front_wheel_kmh", "km/h"),
    Channel("rear_wheel_kmh", "km/h"),
    Channel("discharge_limit_kw", "kW"),
    Channel("charge_limit_kw", "kW"),
    Channel("front_power_kw", "kW"),
    Channel("rear_power_kw", "kW"),
    Channel("battery_power_kw", "kW"),
)


def drive(seconds: float = 16.0, fault_s: float = 9.0) -> Recorder:
    """Start-up, full pedal from rest, the front inverter lost on the way, braking to the end."""
    recorder = Recorder(CHANNELS, PERIOD_NS)
    speed_mps = front_nm = rear_nm = 0.0
    granted_nm = [0.0, 0.0]
    for tick in range(round(seconds * 100) + 1):
        now_s = tick / 100
        lost = now_s >= fault_s
        braking = now_s >= seconds - 4.0
        pedal = 100.0 * min(1.0, max(0.0, (now_s - 3.0) / 0.2)) if not braking else 0.0
        motor_radps = speed_mps / 0.341 * 8.57
        available_nm = min(330.0, 150e3 / max(1.0, motor_radps))
        wanted_nm = pedal / 100 * available_nm if not braking else -60.0 * min(1.0, speed_mps / 3.0)
        for axle in (0, 1):
            target_nm = 0.0 if lost and axle == 0 else wanted_nm
            step_nm = 10.0
            granted_nm[axle] += min(step_nm, max(-step_nm, target_nm - granted_nm[axle]))
        if lost:
            granted_nm[0] = 0.0
        front_nm += (granted_nm[0] - front_nm) * 0.6
        rear_nm += (granted_nm[1] - rear_nm) * 0.6
        force_n = (front_nm + rear_nm) * 8.57 / 0.341 - 220.0 * min(1.0, speed_mps) - 0.4 * speed_mps**2
        brake_bar = 28.0 if braking and now_s > seconds - 3.2 else (15.0 if 1.9 < now_s < 2.8 else 0.0)
        speed_mps = max(0.0, speed_mps + (force_n - brake_bar * 300.0 * min(1.0, speed_mps)) / 2310.0 * 0.01)
        powers_kw = [torque_nm * motor_radps / 1e3 * 1.06 + 0.3 for torque_nm in (front_nm, rear_nm)]
        slip = 1.0 + 0.035 * front_nm / 330
        recorder.append(
            (
                0
                if now_s < 0.2
                else 1
                if now_s < 0.8
                else 2
                if now_s < 1.7
                else 3
                if now_s < 2.6
                else 5
                if lost
                else 4,
                5 if lost else 1 if now_s < 0.6 else 2 if now_s < 2.6 else 3,
                1 if now_s < 0.6 else 2 if now_s < 2.6 else 3,
                0 if now_s < 0.8 else 1 if now_s < 1.7 else 2,
                pedal,
                brake_bar,
                2 * wanted_nm if now_s > 0.2 else NAN,
                sum(granted_nm) if now_s > 0.2 else NAN,
                granted_nm[0],
                front_nm,
                granted_nm[1],
                rear_nm,
                speed_mps * 3.6,
                speed_mps * 3.6 * slip if not lost else speed_mps * 3.6,
                speed_mps * 3.6 * (1.0 + 0.03 * rear_nm / 330),
                320.0,
                -150.0,
                powers_kw[0],
                powers_kw[1],
                sum(powers_kw) + 0.35,
            )
        )
    recorder.mark(2_600_000_000, "Drive", "state")
    recorder.mark(round(fault_s * 1e9), "Front inverter: hardware fault", "fault")
    recorder.mark(round(fault_s * 1e9) + 40_000_000, "Limp", "state")
    return recorder


@pytest.fixture(scope="session")
def run() -> Recorder:
    """The made-up drive. Only read it."""
    return drive()


@pytest.fixture
def measured() -> Measurements:
    """Measurements of all kinds, one outside its limit."""
    items = Measurements()
    items.measure("sprint_s", 4.66, published=4.7, tolerance_percent=3, req="TQ-09", comment="0-100 km/h from rest")
    items.measure("energy_whpkm", 159.3, within=(154.0, 164.0), req="SP-08")
    items.measure("realtime_factor", 74.0, at_least=60, req="HB-02")
    items.note("heap_free_bytes", 41234, req="RT-03")
    with pytest.raises(AssertionError):
        items.measure("fault_to_zero_ms", 104.2, 100, req=("SF-05", "SF-01"), comment="<front> & rear")
    return items
