"""Rules on the bus as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twinaxle.judge.config import Config
from twinaxle.judge.material import Material, Seconds
from twinaxle.judge.result import Check, judged
from twinaxle.judge.stream import key_text

BUS = "bus"
_NAMED = 8  # identifiers that a text lists


def unknown_id(material: Material, config: Config) -> Iterator[Check]:
    found = {key: frames for key, frames in material.unknown.items() if key not in config.allowed_ids}
    count = sum(len(frames) for frames in found.values())
    names = ", ".join(key_text(key) for key in sorted(found)[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    text = f"{count} frames of {names}{more}" if found else "none"
    first_ns = min((int(frames.time_ns[0]) for frames in found.values()), default=material.start_ns)
    yield judged("unknown-id", BUS, text, count, (first_ns - material.start_ns) * 1e-9, identifiers=len(found))


def remote_frame(material: Material, config: Config) -> Iterator[Check]:
    times_s = material.remote_times_s
    yield judged("remote-frame", BUS, f"{len(times_s)} remote frames", len(times_s), _first(times_s))


def error_frame(material: Material, config: Config) -> Iterator[Check]:
    times_s = material.error_times_s
    allowed = config.limits.error_frames
    text = f"{len(times_s)} error frames, allowed {allowed}"
    yield judged("error-frame", BUS, text, len(times_s), _first(times_s), allowed=allowed)


def bus_load(material: Material, config: Config) -> Iterator[Check]:
    limits = config.limits
    worst, end_s = material.worst_load(limits.load_window_s)
    mean = material.load_percent
    text = (
        f"mean {mean:.1f} %, worst {limits.load_window_s * 1e3:g} ms {worst:.1f} % at {end_s:.3f} s, "
        f"allowed {limits.load_percent:g} % at {material.bitrate / 1000:g} kbit/s"
    )
    bad = int(worst > limits.load_percent)
    yield judged("bus-load", BUS, text, bad, end_s, mean_percent=mean, worst_percent=worst)


def _first(times_s: Seconds) -> float | None:
    return float(np.min(times_s)) if len(times_s) else None
