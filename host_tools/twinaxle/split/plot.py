"""The split as a picture: loss saved by one axle alone over speed and summed torque, and the threshold on it. SVG."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twinaxle.split.maps import Array
from twinaxle.split.optimum import Maps, Rules, alone_w, both_w
from twinaxle.split.table import Thresholds

_LEFT, _TOP, _WIDTH, _HEIGHT, _GAP = 64, 40, 640, 220, 70
_SPEED_TO_RPM, _TORQUE_TO_NM = 8000.0, 160.0
_COLUMNS, _ROWS = 64, 32
_FULL_W = 200.0
"""Saved loss of the strongest colour."""


def split_svg(maps: Maps, rules: Rules, table: Thresholds) -> str:
    """Two panels, driving and regeneration; stands alone, no scripts, no fonts."""
    height = _TOP + 2 * _HEIGHT + _GAP + 60
    body: list[str] = []
    axis, drive, regen = table.as_arrays()
    for number, (title, sign, limit) in enumerate((("Driving", 1.0, drive), ("Regeneration", -1.0, regen))):
        top = _TOP + number * (_HEIGHT + _GAP)
        body += _panel(maps, rules, title, sign, top)
        points = " ".join(f"{_x(rpm):.1f},{_y(nm, top):.1f}" for rpm, nm in zip(axis, limit, strict=True))
        body.append(f'<polyline points="{points}" fill="none" stroke="#111" stroke-width="2"/>')
        gate = _x(rules.gates_off_below_rpm)
        body.append(f'<line x1="{gate:.1f}" y1="{top}" x2="{gate:.1f}" y2="{top + _HEIGHT}" stroke="#111" '
                    'stroke-dasharray="4 3"/>')  # fmt: skip
    legend = height - 16
    explained = (
        f"green: one axle alone loses less; red: both together (full colour: {_FULL_W:.0f} W); "
        "line: threshold; dashed: gates may be off to the left"
    )
    body.append(_text(_LEFT, legend, explained))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 24} {height}" '
        'font-family="sans-serif" font-size="12" fill="#111">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _panel(maps: Maps, rules: Rules, title: str, sign: float, top: int) -> Iterator[str]:
    yield _text(_LEFT, top - 8, f"{title}: summed torque (Nm) over motor speed (rpm)")
    for row in range(_ROWS):
        torque = (row + 0.5) * _TORQUE_TO_NM / _ROWS
        rpm = (np.arange(_COLUMNS) + 0.5) * _SPEED_TO_RPM / _COLUMNS
        for column, saved in enumerate(_saved_w(maps, rules, sign * torque, rpm)):
            strength = min(abs(saved) / _FULL_W, 1.0)
            colour = "#1a9850" if saved > 0.0 else "#d73027"
            x, y = _x(column * _SPEED_TO_RPM / _COLUMNS), _y((row + 1) * _TORQUE_TO_NM / _ROWS, top)
            yield (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{_WIDTH / _COLUMNS + 0.2:.1f}" '
                f'height="{_HEIGHT / _ROWS + 0.2:.1f}" fill="{colour}" fill-opacity="{strength:.2f}"/>'
            )
    yield f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#555"/>'
    for speed in range(0, int(_SPEED_TO_RPM) + 1, 1000):
        yield _text(_x(speed), top + _HEIGHT + 16, str(speed), "middle")
    for torque in range(0, int(_TORQUE_TO_NM) + 1, 40):
        yield _text(_LEFT - 8, _y(torque, top) + 4, str(torque), "end")


def _saved_w(maps: Maps, rules: Rules, torque_nm: float, rpm: Array) -> Array:
    """Loss saved by the front axle alone, W; with the gate limit, above which its own idle unit's gates stay on."""
    torque = np.full_like(rpm, torque_nm)
    idle = np.where(rpm < rules.gates_off_below_rpm, 0.0, maps[1].loss_w(0.0, rpm) - maps[1].drag_w(rpm))
    result: Array = both_w(maps, torque, rpm, rules.both_share(torque)) - alone_w(maps[0], torque, rpm) - idle
    return result


def _x(rpm: float) -> float:
    return _LEFT + _WIDTH * rpm / _SPEED_TO_RPM


def _y(nm: float, top: int) -> float:
    return top + _HEIGHT * (1.0 - nm / _TORQUE_TO_NM)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
