"""One inverter goes silent while the car accelerates: its axle to zero, the other drives on."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hil.bench import Bench

FAULT_TOLERANT_MS = 100
"""SF-05."""

UNIT_TORQUE_MAX_NM = 330.0
SLEW_MAX_NM_PER_TICK = 10.0
"""TQ-06: 1000 Nm/s in a 10 ms tick."""


def inverter_lost(
    bench: Bench, axle: Literal["front", "rear"] = "front", at_kmh: float = 100.0, pedal: float = 60.0
) -> None:
    """Accelerate to `at_kmh`, cut the power of one inverter's electronics, drive on for 3 s with the other."""
    other = "rear" if axle == "front" else "front"
    lost, left = getattr(bench.plant, axle), getattr(bench.plant, other)
    bench.driver.pedal(pedal)
    bench.until(lambda: bench.speed_kmh >= at_kmh, timeout=60)
    bench.faults.power_cut(bench.inverters[axle].name)
    from_ns = bench.kernel.now_ns
    to_zero_ms = 1000 * bench.until(lambda: abs(lost.torque_nm) < 1.0, timeout=1)
    bench.measure("lost_axle_to_zero_ms", to_zero_ms, FAULT_TOLERANT_MS, req="SF-05")
    bench.until(lambda: bench.vcu_state == "Limp", timeout=1)
    bench.run(3)
    bench.measure(
        "other_axle_torque_nm",
        abs(left.torque_nm),
        at_least=20.0,
        req="SP-07",
        comment="the other unit still drives 3 s later",
    )
    times_ns, request_nm = bench.series(f"VcuInv{other.capitalize()}Command", "TorqueRequest")
    after = request_nm[np.searchsorted(times_ns, from_ns) - 1 :]
    bench.measure("other_axle_largest_request_nm", float(np.max(np.abs(after))), UNIT_TORQUE_MAX_NM, req="SP-07")
    bench.measure(
        "other_axle_largest_step_nm", float(np.max(np.abs(np.diff(after)))), SLEW_MAX_NM_PER_TICK, req="SP-07",
        comment="between two commands, 10 ms apart",
    )  # fmt: skip
