"""The two axles at a glance: pedal, demand, torque front and rear, split, power, state, limit.

It is there when the DBC has the messages and signals that it shows, whatever else the DBC has.
"""

from collections.abc import Mapping
from typing import NamedTuple

from twinaxle.dbc.model import Message
from twinaxle.sniff import numbers
from twinaxle.sniff.glyphs import Glyphs
from twinaxle.sniff.spans import Line, Span, Style, clip
from twinaxle.sniff.store import Row, Store
from twinaxle.sniff.values import Reading

_SIGNALS = {
    "VcuStatus": ("State", "TorqueDemand", "TorqueGranted", "RearShare", "LimitReason", "FaultLevel"),
    "PedalsDriver": ("Apps1", "BrakePressure", "Gear"),
    "BmsPack": ("PackVoltage", "PackCurrent"),
    "VcuInvFrontCommand": ("TorqueRequest",),
    "VcuInvRearCommand": ("TorqueRequest",),
    "InvFrontStatus": ("State", "TorqueActual", "Speed"),
    "InvRearStatus": ("State", "TorqueActual", "Speed"),
}

_GAUGE = 10
"""Characters of the pedal's bar."""
_BAR_MAX = 24
"""Characters of each half of a torque bar."""
_BAR_MIN = 5


class Scale(NamedTuple):
    """What the bars are measured against; both from the calibration."""

    apps1_min_mv: int
    apps1_max_mv: int
    torque_max_nm: float


def calibrated_scale() -> Scale:
    """The scale of the calibration that the firmware is built with."""
    from twinaxle.calibration import load_calibration
    from twinaxle.paths import CALIBRATIONS

    items = load_calibration(CALIBRATIONS / "78kWh.toml").items
    low, high, torque = (
        items[name].values[0] for name in ("pedal.apps1_min_mv", "pedal.apps1_max_mv", "motor.torque_max_dnm")
    )
    return Scale(low, high, torque / 10)


def fits(messages: Mapping[str, Message]) -> bool:
    """True if a DBC has what the strip shows."""
    return all(
        name in messages and set(signals) <= {signal.name for signal in messages[name].signals}
        for name, signals in _SIGNALS.items()
    )


class Strip:
    """Lays out the strip."""

    def __init__(self, scale: Scale, glyphs: Glyphs) -> None:
        self._scale = scale
        self._glyphs = glyphs

    def lines(self, store: Store, width: int, most: int) -> list[Line]:
        """At most `most` lines for `width` characters; nothing before the controller's status was heard."""
        rows = _rows(store)
        if rows is None or most < 1:
            return []
        values = {name: {r.signal.name: r for r in row.readings} for name, row in rows.items()}
        lines = [self._car(values, rows, width)]
        if most >= 3:
            lines += [self._axle(axle, values, rows, store.now_s, width) for axle in ("Front", "Rear")]
        return lines

    def _car(self, values: dict[str, dict[str, Reading]], rows: dict[str, Row], width: int) -> Line:
        status = values.get("VcuStatus", {})
        fault = status["FaultLevel"].text if "FaultLevel" in status else "-"
        limit = status["LimitReason"].text if "LimitReason" in status else "-"
        stale = rows["VcuStatus"].is_late
        state = Span(f" {_text(status, 'State'):8}", Style.BAD if stale or fault not in ("None", "-") else Style.STRONG)
        parts = [
            state,
            *self._pedal(values.get("PedalsDriver", {}), width),
            *_pair("demand", _number(status, "TorqueDemand", "Nm")),
            *_pair("granted", _number(status, "TorqueGranted", "Nm")),
            *_pair("rear", _number(status, "RearShare", "%", 0)),
            *_pair("power", _power(values.get("BmsPack", {}))),
            *_pair("limit", limit, Style.NORMAL if limit in ("None", "-") else Style.WARN),
            *_pair("fault", fault, Style.NORMAL if fault in ("None", "-") else Style.BAD),
        ]
        return Line(clip(parts, width, self._glyphs.more))

    def _pedal(self, pedals: dict[str, Reading], width: int) -> list[Span]:
        gear = Span(f"{_text(pedals, 'Gear')} ", Style.STRONG)
        if "Apps1" not in pedals:
            return [gear, *_pair("pedal", "-")]
        low, high = self._scale.apps1_min_mv, self._scale.apps1_max_mv
        travel = (pedals["Apps1"].value - low) / (high - low)
        spans = [gear, Span(" pedal ", Style.DIM)]
        if width >= 110:
            spans.append(Span(_filled(travel, _GAUGE, self._glyphs), Style.DRIVE))
        spans.append(Span(f"{100 * travel:4.0f} %"))
        if pedals["BrakePressure"].value > 0 or width >= 140:
            spans += _pair("brake", _number(pedals, "BrakePressure", "bar", 0))
        return spans

    def _axle(
        self, axle: str, values: dict[str, dict[str, Reading]], rows: dict[str, Row], now_s: float, width: int
    ) -> Line:
        """An axle; what its inverter said last is not shown any more when that is late."""
        row = rows.get(f"Inv{axle}Status")
        late = row is None or row.is_late
        inverter = {} if late else values[f"Inv{axle}Status"]
        command = values.get(f"VcuInv{axle}Command", {})
        state = _text(inverter, "State")
        if late:
            state = f"no frames for {numbers.age(row.watch.age_s(now_s))}" if row else "no frames"
        head = Span(f" {axle:6}", Style.STRONG)
        torque = f"{_number(inverter, 'TorqueActual', 'Nm'):>10}"
        tail = [
            Span(torque, Style.BAD if late else Style.NORMAL),
            *_pair("request", f"{_number(command, 'TorqueRequest', 'Nm'):>9}"),
            *_pair("speed", f"{_number(inverter, 'Speed', 'rpm', 0):>9}"),
            Span(f"  {state}", Style.BAD if late or state == "Fault" else Style.NORMAL),
        ]
        half = min((width - len(head.text) - 54) // 2, _BAR_MAX)
        bar = self._torque_bar(inverter, command, half) if half >= _BAR_MIN else ()
        return Line(clip((head, *bar, *tail), width, self._glyphs.more))

    def _torque_bar(
        self, inverter: dict[str, Reading], command: dict[str, Reading], half: int
    ) -> tuple[Span, Span, Span, Span, Span]:
        """Braking torque to the left of the middle, driving torque to the right."""
        glyphs = self._glyphs
        torque = inverter["TorqueActual"].value / self._scale.torque_max_nm if "TorqueActual" in inverter else 0.0
        regen = round(min(max(-torque, 0.0), 1.0) * half)
        left = glyphs.empty * (half - regen), glyphs.bar * regen
        right = _filled(torque, half, glyphs)
        return (
            Span(left[0], Style.DIM),
            Span(left[1], Style.REGEN),
            Span(glyphs.zero, Style.DIM),
            Span(right.rstrip(glyphs.empty), Style.DRIVE),
            Span(glyphs.empty * (len(right) - len(right.rstrip(glyphs.empty))), Style.DIM),
        )


def _rows(store: Store) -> dict[str, Row] | None:
    """The rows of the strip by message name, of the channel on which the controller was heard first."""
    found: dict[str, Row] = {}
    status = next((row for row in store.rows.values() if row.name == "VcuStatus" and row.count), None)
    if status is None:
        return None
    for row in store.rows.values():
        if row.name in _SIGNALS and row.channel == status.channel and not row.is_remote:
            found[row.name] = row
    return found


def _filled(share: float, columns: int, glyphs: Glyphs) -> str:
    """A bar from the left, with parts of a character where the terminal has them."""
    steps = len(glyphs.parts) + 1
    filled = round(min(max(share, 0.0), 1.0) * columns * steps)
    whole, part = divmod(filled, steps)
    bar = glyphs.bar * whole + (glyphs.parts[part - 1] if part else "")
    return bar + glyphs.empty * (columns - len(bar))


def _pair(name: str, value: str, style: Style = Style.NORMAL) -> tuple[Span, Span]:
    return Span(f"  {name} ", Style.DIM), Span(value, style)


def _text(readings: dict[str, Reading], name: str) -> str:
    return readings[name].text if name in readings else "-"


def _number(readings: dict[str, Reading], name: str, unit: str, decimals: int = 1) -> str:
    return f"{readings[name].value:.{decimals}f} {unit}" if name in readings else "-"


def _power(pack: dict[str, Reading]) -> str:
    """Electrical power out of the pack."""
    if "PackVoltage" not in pack:
        return "-"
    return f"{pack['PackVoltage'].value * pack['PackCurrent'].value / 1000:.1f} kW"
