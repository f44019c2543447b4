"""From 12 V on to Drive: identity, precharge, lockout, first torque allowed."""

from __future__ import annotations

from hil.bench import Bench

PRECHARGE_MIN_MS = 50
PRECHARGE_MAX_MS = 3000
"""SM-02."""

PRECHARGED_SHARE = 0.95
PRECHARGED_GAP_V = 20


def start_up(bench: Bench) -> None:
    """The driver starts the car; measures the precharge and the time to Drive."""
    bench.until(lambda: bench.vcu_state == "Standby", timeout=5)
    bench.driver.start_up("D")
    bench.until(lambda: bench.vcu_state == "Precharge", timeout=5)
    precharge_from_s = bench.time_s
    bench.until(lambda: bench.observer.label("BmsPack", "ContactorState") == "Closed", timeout=5)
    battery = bench.plant.battery
    precharge_ms = (bench.time_s - precharge_from_s) * 1000
    bench.measure("precharge_ms", precharge_ms, within=(PRECHARGE_MIN_MS, PRECHARGE_MAX_MS), req="SM-02")
    at_close_v = battery.link_voltage_at_close_v
    bench.measure(
        "precharge_gap_v",
        battery.pack_voltage_v - at_close_v,
        PRECHARGED_GAP_V,
        req="SM-02",
        comment="pack less link voltage as the contactor closed",
    )
    bench.measure(
        "precharge_share_percent",
        100 * at_close_v / battery.pack_voltage_v,
        at_least=100 * PRECHARGED_SHARE,
        req="SM-02",
    )
    bench.until(lambda: not bench.driver.busy, timeout=5)
    bench.measure("power_on_to_drive_s", bench.time_s, 5.0, comment="with a driver who presses the button at once")
