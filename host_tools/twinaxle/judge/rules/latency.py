"""The rule on latencies: from the end of a frame that is a cause to the end of the frame that shows its effect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.names import Place
from twinaxle.e2e import COUNTERS
from twinaxle.judge.config import Config, LatencyPair
from twinaxle.judge.material import Material, Seconds
from twinaxle.judge.result import Check, judged, note

_NEWER = COUNTERS // 2  # a counter up to so many steps ahead is newer, else it is older


def latency(material: Material, config: Config) -> Iterator[Check]:
    for pair in config.latency:
        measure = _echoes if pair.kind == "echo" else _changes
        found = measure(material, pair)
        if found is None or not len(found[0]):
            lacking = [
                place.name for place in (pair.cause, *pair.effects) if place.message.name not in material.messages
            ]
            yield note(
                "latency", pair.name, f"no {', '.join(lacking)}" if lacking else "nothing to measure in this log"
            )
            continue
        yield _judge(pair, *found, material.load_percent)


def _judge(pair: LatencyPair, cause_s: Seconds, latency_s: Seconds, load_percent: float) -> Check:
    """Latencies of NaN have no effect within the window: a fault of an echo; of a change it may be right."""
    limit_ms = pair.limit_ms(load_percent)
    answered = ~np.isnan(latency_s)
    late = latency_s > limit_ms * 1e-3 + 1e-9
    bad = late | ~answered if pair.kind == "echo" else late
    without = int(np.count_nonzero(~answered))
    text = f"{np.count_nonzero(answered)} measured"
    mean_ms = worst_ms = None
    if answered.any():
        mean_ms, worst_ms = 1e3 * float(np.nanmean(latency_s)), 1e3 * float(np.nanmax(latency_s))
        text += f": mean {mean_ms:.2f} ms, worst {worst_ms:.2f} ms at {cause_s[int(np.nanargmax(latency_s))]:.3f} s"
    text += f", allowed {limit_ms:g} ms at {load_percent:.0f} % load"
    if without:
        text += f"; {without} without effect in {1e3 * pair.window_s:g} ms"
    first_s = float(cause_s[int(np.argmax(bad))]) if bad.any() else None
    return judged(
        "latency", pair.name, text, int(np.count_nonzero(bad)), first_s,
        limit_ms=limit_ms, mean_ms=mean_ms, worst_ms=worst_ms, without_effect=without,
    )  # fmt: skip


def _series(material: Material, place: Place) -> tuple[Seconds, npt.NDArray[np.float64]] | None:
    """Times and physical values of a signal in the frames that a receiver uses; None without frames."""
    frames = material.messages.get(place.message.name)
    if frames is None:
        return None
    column = frames.column(place.signal)
    rows = frames.usable if column.present is None else frames.usable & column.present
    return frames.time_s[rows], column.physical[rows].astype(np.float64)


def _echoes(material: Material, pair: LatencyPair) -> tuple[Seconds, Seconds] | None:
    """For each cause, the time to the first effect with its counter or a newer one."""
    cause = _series(material, pair.cause)
    effects = [series for place in pair.effects if (series := _series(material, place)) is not None and len(series[0])]
    if cause is None or not effects:
        return None
    cause_s, counters = cause
    best_s = np.full(len(cause_s), np.inf)
    for effect_s, echoes in effects:
        at = np.searchsorted(effect_s, cause_s, side="right")
        open_rows = np.arange(len(cause_s))
        while len(open_rows):
            open_rows = open_rows[at[open_rows] < len(effect_s)]
            after_s = effect_s[at[open_rows]] - cause_s[open_rows]
            inside = after_s <= pair.window_s
            open_rows, after_s = open_rows[inside], after_s[inside]
            hit = (echoes[at[open_rows]] - counters[open_rows]) % COUNTERS <= _NEWER
            rows = open_rows[hit]
            best_s[rows] = np.minimum(best_s[rows], after_s[hit])
            open_rows = open_rows[~hit]
            at[open_rows] += 1
    # A cause whose window reaches past the end of the log may still have been answered.
    known = np.isfinite(best_s) | (cause_s + pair.window_s <= material.end_s)
    return cause_s[known], np.where(np.isfinite(best_s), best_s, np.nan)[known]


def _changes(material: Material, pair: LatencyPair) -> tuple[Seconds, Seconds] | None:
    """For each step of the cause out of rest, the time to the first effect."""
    cause = _series(material, pair.cause)
    effects = [series for place in pair.effects if (series := _series(material, place)) is not None and len(series[0])]
    if cause is None or not effects:
        return None
    cause_s, values = cause
    steps = np.abs(np.diff(values))
    moved = 1 + np.flatnonzero((steps > 0) & (steps >= pair.cause_step))
    rest_s = cause_s[moved] - np.concatenate([cause_s[:1], cause_s[moved[:-1]]])
    causes_s = cause_s[moved[rest_s >= pair.settle_s]]
    answers_s = [_answers_s(causes_s, *series, pair) for series in effects]
    if pair.effect_runs:
        runs = [_before(causes_s, *series) != 0.0 for series in effects]
        answers_s = [np.where(running, answer_s, np.inf) for running, answer_s in zip(runs, answers_s, strict=True)]
        asked = np.logical_or.reduce(runs)
        causes_s, answers_s = causes_s[asked], [answer_s[asked] for answer_s in answers_s]
    found_s = np.min(answers_s, axis=0)
    return causes_s, np.where(np.isfinite(found_s), found_s, np.nan)


def _before(causes_s: Seconds, effect_s: Seconds, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The effect's value before each cause; zero where there was none."""
    firsts = np.searchsorted(effect_s, causes_s, side="right")
    return np.where(firsts > 0, values[firsts - 1], 0.0)


def _answers_s(causes_s: Seconds, effect_s: Seconds, values: npt.NDArray[np.float64], pair: LatencyPair) -> Seconds:
    """For each cause the time to the first value that has left its course; infinity if none does in the window.

    The course is the last value before the cause, and the largest step that it made between two frames at rest.
    """
    firsts = np.searchsorted(effect_s, causes_s, side="right").tolist()
    rests = np.searchsorted(effect_s, causes_s - pair.settle_s).tolist()
    lasts = np.searchsorted(effect_s, causes_s + pair.window_s, side="right").tolist()
    steps = np.abs(np.diff(values))
    found_s = np.full(len(causes_s), np.inf)
    for at, (first, rest, last) in enumerate(zip(firsts, rests, lasts, strict=True)):
        if first == 0 or first == last:
            continue
        drift = steps[rest : first - 1].max(initial=0.0) * np.arange(1, last - first + 1)
        left = np.abs(values[first:last] - values[first - 1]) > pair.effect_step + drift
        if left.any():
            found_s[at] = effect_s[first + int(left.argmax())] - causes_s[at]
    return found_s
