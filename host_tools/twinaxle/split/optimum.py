"""What a split costs over a drive: half and half, the threshold table, and the best that the rules allow.

A drive is summed torque (Nm at the motors' shafts, negative in regeneration) and motor speed (rpm) at even steps of
time. Drag brakes the shafts whatever the gates do, so the torque already carries it: what a split decides is the heat
above the drag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinaxle.split.maps import Array, LossMap

Maps = tuple[LossMap, LossMap]
_SHARES = np.linspace(0.0, 1.0, 101)
_RPM_TO_RADPS = 2.0 * np.pi / 60.0


@dataclass(frozen=True)
class Rules:
    """What binds every split: gate limit, stability (SP-05), and how the table is followed. Torques are sums in Nm."""

    gates_off_below_rpm: float
    speed_max_rpm: float
    torque_max_nm: float
    """Of one motor."""
    torque_per_g_nm: float
    share_at_rest: float
    """Of the rear axle, driving: `share_at_rest + share_per_g a/g`, at least a half, at most `share_max`."""
    share_per_g: float
    share_max: float
    follow_above_nm: float
    """Driving with more, both axles share by their load."""
    regen_rear_share: float
    regen_both_above_nm: float
    """Braking with more, the rear axle gives at most `regen_rear_share`."""
    regen_rear_only_nm: float
    engage: float
    """Both axles work from this share of the threshold on, since they then do for `dwell_s`."""
    hysteresis: float
    dwell_s: float
    """Least time that both axles work, once they do."""
    idle_s: float
    """So long without torque, and no gates stay on."""

    @classmethod
    def of(cls, values: Mapping[str, int]) -> Rules:
        """From a calibration's scalars by name. Raises KeyError(name) for one that is missing."""
        return cls(
            gates_off_below_rpm=values["motor.gates_off_below_rpm"],
            speed_max_rpm=100.0 * values["motor.speed_max_hrpm"],
            torque_max_nm=0.1 * values["motor.torque_max_dnm"],
            torque_per_g_nm=0.1 * values["split.torque_per_g_dnm"],
            share_at_rest=1e-4 * values["split.share_at_rest_e4"],
            share_per_g=1e-4 * values["split.share_per_g_e4"],
            share_max=1e-4 * values["split.share_max_e4"],
            follow_above_nm=0.1 * values["split.follow_above_dnm"],
            regen_rear_share=1e-4 * values["split.regen_rear_e4"],
            regen_both_above_nm=0.1 * values["split.regen_free_below_dnm"],
            regen_rear_only_nm=0.1 * values["split.regen_rear_only_dnm"],
            engage=1e-4 * values["split.engage_e4"],
            hysteresis=1e-4 * values["split.hysteresis_e4"],
            dwell_s=0.01 * values["split.dwell_ticks"],
            idle_s=0.01 * values["split.idle_ticks"],
        )

    def both_share(self, torque_nm: Array) -> Array:
        """Rear share when both axles work, as the firmware has it."""
        by_load = self.share_at_rest + self.share_per_g * np.maximum(torque_nm, 0.0) / self.torque_per_g_nm
        drive = np.clip(by_load, 0.5, self.share_max)
        # One motor's limit comes before the stability's wish
        most = np.divide(self.torque_max_nm, torque_nm, out=np.ones_like(torque_nm), where=torque_nm > 0.0)
        return np.where(torque_nm < 0.0, self.regen_rear_share, np.minimum(drive, np.maximum(most, 0.5)))


def both_w(maps: Maps, torque_nm: Array, speed_rpm: Array, rear_share: Array | float) -> Array:
    """Heat above the drag with both units' gates on, W."""
    front, rear = maps
    rear_nm = torque_nm * rear_share
    loss: Array = front.loss_w(torque_nm - rear_nm, speed_rpm) + rear.loss_w(rear_nm, speed_rpm)
    return loss - front.drag_w(speed_rpm) - rear.drag_w(speed_rpm)


def alone_w(unit: LossMap, torque_nm: Array, speed_rpm: Array) -> Array:
    """Heat above the drag with one unit at work, the other one's gates off, W."""
    loss: Array = unit.loss_w(torque_nm, speed_rpm) - unit.drag_w(speed_rpm)
    return loss


def half_w(maps: Maps, torque_nm: Array, speed_rpm: Array) -> Array:
    """Fixed half and half, gates always on, W."""
    return both_w(maps, torque_nm, speed_rpm, 0.5)


def best_w(maps: Maps, torque_nm: Array, speed_rpm: Array, rules: Rules) -> Array:
    """The least heat at each moment over all shares in steps of 1 % and all states of the gates, W.

    Gates switch without delay here, so nothing that keeps the rules can be better. With no torque both may be off.
    """
    front, rear = maps
    size = np.abs(torque_nm)
    drives, regenerates = torque_nm > 0.0, torque_nm < 0.0
    follows = drives & (torque_nm > rules.follow_above_nm)
    biased = regenerates & (size > rules.regen_both_above_nm)
    best = both_w(maps, torque_nm, speed_rpm, rules.both_share(torque_nm))
    for share in _SHARES:
        allowed = ~follows & ~(biased & (share > rules.regen_rear_share))
        allowed &= ~(regenerates & (share == 1.0) & (size > rules.regen_rear_only_nm))
        allowed &= np.maximum(share, 1.0 - share) * size <= rules.torque_max_nm
        heat = both_w(maps, torque_nm, speed_rpm, float(share))
        best = np.where(allowed, np.minimum(best, heat), best)
    may_be_off = np.abs(speed_rpm) < rules.gates_off_below_rpm
    alone = may_be_off & ~follows & (size <= rules.torque_max_nm)
    best = np.where(alone, np.minimum(best, alone_w(front, torque_nm, speed_rpm)), best)
    rear_alone = alone & ~(regenerates & (size > rules.regen_rear_only_nm))
    best = np.where(rear_alone, np.minimum(best, alone_w(rear, torque_nm, speed_rpm)), best)
    return np.where(may_be_off & (size == 0.0), 0.0, best)


def together(
    torque_nm: Array, speed_rpm: Array, step_s: float, rules: Rules, thresholds: tuple[Array, Array, Array]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(both axles at work, no gates on at all) at each moment, as the firmware decides: at once on, later off.

    `thresholds` are speeds in rpm, and the threshold of summed torque in Nm for driving and for regeneration.
    """
    size = np.abs(torque_nm)
    axis, drive, regen = thresholds
    limit = np.where(torque_nm < 0.0, np.interp(speed_rpm, axis, regen), np.interp(speed_rpm, axis, drive))
    limit = limit * rules.engage
    limit = np.where(torque_nm > 0.0, np.minimum(limit, rules.follow_above_nm), limit)
    fast = np.abs(speed_rpm) >= rules.gates_off_below_rpm
    above = (size > limit) | fast
    below = (size < limit * (1.0 - rules.hysteresis)) & ~fast
    dwell, wait = round(rules.dwell_s / step_s), round(rules.idle_s / step_s)
    both = np.zeros(len(size), dtype=np.bool_)
    none = np.zeros(len(size), dtype=np.bool_)
    on, since, idle = False, 0, 0
    for i in range(len(size)):
        since += 1
        idle = 0 if size[i] else idle + 1
        if above[i] and not on:
            on, since = True, 0
        elif on and below[i] and since >= dwell:
            on = False
        both[i] = on
        none[i] = idle > wait and not fast[i]
    return both, none


def table_w(
    maps: Maps, torque_nm: Array, speed_rpm: Array, step_s: float, rules: Rules, thresholds: tuple[Array, Array, Array]
) -> Array:
    """Heat with the threshold table, hysteresis and dwell of the firmware; the front axle is the one alone, W."""
    both, none = together(torque_nm, speed_rpm, step_s, rules, thresholds)
    shared = both_w(maps, torque_nm, speed_rpm, rules.both_share(torque_nm))
    heat = np.where(both, shared, alone_w(maps[0], torque_nm, speed_rpm))
    return np.where(none, 0.0, heat)


def shaft_wh(torque_nm: Array, speed_rpm: Array, step_s: float) -> float:
    """Energy at the shafts, Wh."""
    return float(np.sum(torque_nm * speed_rpm) * _RPM_TO_RADPS * step_s / 3600.0)


def energy_wh(heat_w: Array, step_s: float) -> float:
    """Energy of a power, Wh."""
    return float(np.sum(heat_w) * step_s / 3600.0)


def energies_wh(
    maps: Maps,
    torque_nm: Array,
    speed_rpm: Array,
    auxiliary_w: float,
    step_s: float,
    rules: Rules,
    thresholds: tuple[Array, Array, Array],
) -> dict[str, float]:
    """Energy of a drive at the pack in Wh: half and half, the threshold table, the best of all shares."""
    base_wh = shaft_wh(torque_nm, speed_rpm, step_s) + auxiliary_w * len(torque_nm) * step_s / 3600.0
    heat = {
        "half and half": half_w(maps, torque_nm, speed_rpm),
        "threshold table": table_w(maps, torque_nm, speed_rpm, step_s, rules, thresholds),
        "best of all shares": best_w(maps, torque_nm, speed_rpm, rules),
    }
    return {name: base_wh + energy_wh(power_w, step_s) for name, power_w in heat.items()}
