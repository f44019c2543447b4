"""Names of measured values: the unit that the suffix of an identifier stands for, and the identifier as a phrase."""

from __future__ import annotations

import re

_UNITS = {
    "ns": "ns", "us": "µs", "ms": "ms", "s": "s", "nm": "Nm", "nmps": "Nm/s", "kmh": "km/h", "mps": "m/s",
    "mps2": "m/s²", "rpm": "rpm", "radps": "rad/s", "w": "W", "kw": "kW", "wh": "Wh", "kwh": "kWh", "whpkm": "Wh/km",
    "km": "km", "m": "m", "v": "V", "mv": "mV", "a": "A", "percent": "%", "degc": "°C", "bytes": "B", "kb": "KB",
    "bar": "bar", "g": "g", "hz": "Hz", "frames": "frames", "ticks": "ticks", "count": "", "factor": "x",
}  # fmt: skip


_WORDS = {"percent": "%", "wltc": "WLTC", "soc": "SoC", "hv": "HV", "vcu": "VCU", "can": "CAN"}
"""Words of an identifier that are written otherwise in a title."""


def unit_of(name: str) -> str:
    """The unit that the suffix of an identifier stands for: "fault_to_zero_ms" gives "ms"; "" when there is none."""
    head, _, suffix = name.rpartition("_")
    return _UNITS.get(suffix, "") if head else ""


def title_of(name: str) -> str:
    """An identifier as a phrase without its unit: "fault_to_zero_ms" gives "Fault to zero", "accel_0_100_s"
    "Accel 0-100".
    """
    head, _, suffix = name.rpartition("_")
    words = (head if head and suffix in _UNITS else name).replace("_", " ").strip()
    words = re.sub(r"(\d) (?=\d)", r"\1-", words)
    words = " ".join(_WORDS.get(word, word) for word in words.split(" "))
    return words[:1].upper() + words[1:]
