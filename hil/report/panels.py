"""What a plot of a run shows: which channels share a panel, and in which colour.

Colour carries meaning and is the same in all panels: blue is the front axle, orange the rear axle, black the car as a
whole, green what was asked or granted, grey a limit. A second line of one colour is dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hil.recording.recorder import Recorder

Role = Literal["car", "front", "rear", "ask", "grant", "battery", "limit", "other"]


@dataclass(frozen=True)
class Line:
    """One line of a panel. A line of role "limit" doesn't widen the axis beyond what the others need."""

    channel: str
    label: str
    role: Role
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines on one axis. `with_zero` keeps zero on the axis; `tall` gives it half as much height again."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    with_zero: bool = True
    tall: bool = False


PANELS = (
    Panel(
        "Pedals", "%, bar", (Line("pedal_percent", "Accelerator", "ask"), Line("brake_bar", "Brake pressure", "other"))
    ),
    Panel(
        "Torque of both motors",
        "Nm",
        (Line("torque_demand_nm", "Demand", "ask", dashed=True), Line("torque_granted_nm", "Granted", "grant")),
    ),
    Panel(
        "Torque at each motor",
        "Nm",
        (
            Line("front_torque_request_nm", "Front request", "front", dashed=True),
            Line("front_torque_nm", "Front shaft", "front"),
            Line("rear_torque_request_nm", "Rear request", "rear", dashed=True),
            Line("rear_torque_nm", "Rear shaft", "rear"),
        ),
        tall=True,
    ),
    Panel(
        "Speed",
        "km/h",
        (
            Line("target_kmh", "Cycle", "ask", dashed=True),
            Line("front_wheel_kmh", "Front wheels", "front"),
            Line("rear_wheel_kmh", "Rear wheels", "rear"),
            Line("speed_kmh", "Car", "car"),
        ),
    ),
    Panel("Acceleration", "m/s²", (Line("accel_mps2", "Car", "car"),)),
    Panel(
        "Motor speed",
        "rpm",
        (Line("front_motor_rpm", "Front motor", "front"), Line("rear_motor_rpm", "Rear motor", "rear")),
    ),
    Panel("Tyre slip", "%", (Line("front_slip_percent", "Front", "front"), Line("rear_slip_percent", "Rear", "rear"))),
    Panel(
        "Power",
        "kW",
        (
            Line("discharge_limit_kw", "Discharge limit", "limit"),
            Line("charge_limit_kw", "Charge limit", "limit", dashed=True),
            Line("front_power_kw", "Front DC", "front"),
            Line("rear_power_kw", "Rear DC", "rear"),
            Line("battery_power_kw", "Battery", "battery"),
        ),
    ),
    Panel(
        "High voltage",
        "V",
        (Line("pack_voltage_v", "Pack", "battery", dashed=True), Line("link_voltage_v", "Link", "car")),
    ),
    Panel("State of charge", "%", (Line("soc_percent", "State of charge", "battery"),), with_zero=False),
    Panel(
        "Temperature",
        "°C",
        (
            Line("front_stator_degc", "Front stator", "front"),
            Line("rear_stator_degc", "Rear stator", "rear"),
            Line("front_inverter_degc", "Front inverter", "front", dashed=True),
            Line("rear_inverter_degc", "Rear inverter", "rear", dashed=True),
            Line("cell_degc", "Cells", "battery"),
        ),
        with_zero=False,
    ),
)
"""Every panel that a run of the car can show. A channel that a run doesn't record is left out."""


def present(panels: Sequence[Panel], recorder: Recorder) -> list[Panel]:
    """The panels with the lines that `recorder` holds; panels without any are dropped."""
    kept = []
    for panel in panels:
        lines = tuple(line for line in panel.lines if recorder.has(line.channel))
        if lines:
            kept.append(replace(panel, lines=lines))
    return kept


def chosen(titles: Sequence[str]) -> list[Panel]:
    """The panels of `PANELS` with these titles, in this order.

    Raises:
        ValueError: there is no panel of a title.
    """
    by_title = {panel.title: panel for panel in PANELS}
    missing = [title for title in titles if title not in by_title]
    if missing:
        raise ValueError(f"no panel {missing[0]!r}; there are: {', '.join(by_title)}")
    return [by_title[title] for title in titles]
