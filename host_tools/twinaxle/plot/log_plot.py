"""The picture of signals of a log: lines on shared or stacked axes, states as bands, marks for error frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twinaxle.dbc.model import Signal
from twinaxle.dbc.names import Place
from twinaxle.decode.blocks import LogDecoder, Selected
from twinaxle.decode.columns import Column
from twinaxle.errors import UserError
from twinaxle.logs.distinct import distinct
from twinaxle.logs.frames import FrameTable
from twinaxle.plot.bands import Stretch, tone
from twinaxle.plot.details import Detail, band_detail, line_detail
from twinaxle.plot.picture import Band, Line, Panel, Picture, PictureMark
from twinaxle.plot.scale import decimate_places

INTERVALS = 100_000
"""Places of the time axis of a picture; details are finer."""

_COLOURS = 8  # styles s0 to s7 of plot.css
_COLUMNS = 900  # of the plot: what is shorter than one of them is not drawn by itself
_MOST_STRETCHES = 1500
_GAP_CYCLES = 10  # a line is interrupted where so many frames are missing


@dataclass(frozen=True, eq=False)
class LogPlot:
    """A picture, the details of its lines and bands by key, and how many samples it shows of how many."""

    picture: Picture
    details: dict[str, Detail]
    samples: int
    samples_of: int


def log_plot(
    frames: FrameTable, decoder: LogDecoder, places: Sequence[Place], *, stacked: bool, points: int, title: str = ""
) -> LogPlot:
    """A plot of signals over the time of `frames` (all frames of the time that is shown, for its ends and errors).

    Args:
        places: the signals, in the order in which they are drawn.
        stacked: an axis for each signal; else signals of one unit share an axis.
        points: samples of a line that are kept at most; of longer ones each column's first, last, least and greatest.

    Raises UserError if no frame carries any of the signals.
    """
    if not len(frames):
        raise UserError("the log has no frames in this time")
    start_ns, end_ns = int(frames.time_ns.min()), int(frames.time_ns.max())
    return _Maker(start_ns, max(end_ns, start_ns + 1000), decoder, points).make(frames, places, stacked, title)


class _Maker:
    def __init__(self, start_ns: int, end_ns: int, decoder: LogDecoder, points: int) -> None:
        self._start_ns = start_ns
        self._span_ns = end_ns - start_ns
        self._decoder = decoder
        self._points = points
        self._details: dict[str, Detail] = {}
        self._samples = self._samples_of = 0

    def make(self, frames: FrameTable, places: Sequence[Place], stacked: bool, title: str) -> LogPlot:
        bands: list[Band] = []
        panels: dict[str, list[Line]] = {}
        titles: dict[str, tuple[str, str]] = {}
        missing = []
        for place in places:
            times_ns, column = self._series(place)
            if not len(times_ns):
                missing.append(place.name)
            elif names := _state_names(place.signal):
                bands.append(self._band(place, times_ns, column, names))
            else:
                unit = place.signal.unit
                key = place.name if stacked else unit
                lines = panels.setdefault(key, [])
                titles[key] = (place.name, unit) if stacked else (unit or "without unit", "")
                lines.append(self._line(place, times_ns, column, len(lines)))
        if missing and len(missing) == len(places):
            raise UserError(f"no frame of the log carries {' or '.join(missing)}")
        picture = Picture(
            0.0,
            self._span_ns / 1e9 / INTERVALS,
            INTERVALS,
            bands,
            [Panel(*titles[key], lines, with_zero=False, tall=len(lines) > 2) for key, lines in panels.items()],
            self._error_marks(frames),
            title,
            is_continuous=True,
        )
        return LogPlot(picture, self._details, self._samples, self._samples_of)

    def _series(self, place: Place) -> tuple[NDArray[np.int64], Column]:
        """Times after the start and values of the frames that carry a signal."""
        block = self._decoder.in_time_order(Selected(place.message, (place.signal,)))
        times_ns, column = block.decoded.frames.time_ns - self._start_ns, block.decoded.columns[0]
        if column.present is None:
            return times_ns, column
        return times_ns[column.present], column.take(column.present)

    def _line(self, place: Place, times_ns: NDArray[np.int64], column: Column, number: int) -> Line:
        values = column.physical.astype(np.float64)
        cycle_ns = int(np.median(np.diff(times_ns))) if len(times_ns) > 1 else 0
        gap_ns = max(_GAP_CYCLES * cycle_ns, 1_000_000) if place.message.cycle_ms else self._span_ns
        kept = np.arange(len(values))
        if len(values) > self._points:
            kept = decimate_places(times_ns, values, max(1, self._points // 5))
        self._samples += len(kept)
        self._samples_of += len(times_ns)
        signal = place.signal
        gap_ns = max(gap_ns, self._step_ns(times_ns, kept))
        decimals = _decimals(signal, values)
        if signal.is_float or signal.length > 32:
            detail = line_detail(times_ns[kept], values[kept], 1, 0, gap_ns, decimals)
        else:
            detail = line_detail(times_ns[kept], column.raw[kept], signal.factor, signal.offset, gap_ns, decimals)
        self._details[place.name] = detail
        at, drawn = _with_gaps(times_ns, values, gap_ns)
        return Line(place.name, f"s{number % _COLOURS}", drawn, signal.unit, self._places(at), ident=place.name)

    @staticmethod
    def _step_ns(times_ns: NDArray[np.int64], kept: NDArray[np.intp]) -> int:
        """Distance of thinned samples, which is no gap."""
        if len(kept) == len(times_ns):
            return 0
        return int(_GAP_CYCLES * (times_ns[-1] - times_ns[0]) / len(kept))

    def _band(self, place: Place, times_ns: NDArray[np.int64], column: Column, names: dict[int, str]) -> Band:
        changes = np.flatnonzero(np.diff(column.raw.astype(np.int64), prepend=int(column.raw[0]) - 1))
        starts_ns, raw = times_ns[changes], column.raw[changes]
        end_ns = int(times_ns[-1])
        self._samples += len(times_ns)  # the changes say it all
        self._samples_of += len(times_ns)
        found, states = distinct(raw)
        shown = [(name := names.get(number, str(number)), tone(name)) for number in found.tolist()]
        self._details[place.name] = band_detail(starts_ns, states, end_ns, shown)
        edges = [*(starts_ns / self._span_ns * INTERVALS).tolist(), end_ns / self._span_ns * INTERVALS]
        stretches = [
            Stretch(first, last, *shown[state])
            for (first, last), state in zip(pairwise(edges), states.tolist(), strict=True)
        ]
        return Band(place.name, _few(stretches), place.name)

    def _places(self, times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.rint(times_ns / self._span_ns * INTERVALS).astype(np.int64)

    def _error_marks(self, frames: FrameTable) -> list[PictureMark]:
        """Marks for error frames; those of one column are one mark."""
        places = np.sort((frames.time_ns[frames.has_error] - self._start_ns) / self._span_ns * INTERVALS)
        columns = (places * _COLUMNS // INTERVALS).astype(np.int64)
        firsts = np.flatnonzero(np.diff(columns, prepend=-1))
        counts = np.diff(np.append(firsts, len(places)))
        marks = []
        for place, count in zip(places[firsts].tolist(), counts.tolist(), strict=True):
            text = "error frame" if count == 1 else f"{count} error frames"
            time_s = place / INTERVALS * self._span_ns / 1e9
            marks.append(PictureMark(place, text, "fault", f"{time_s:.3f} s: {text}"))
        return marks


def _state_names(signal: Signal) -> dict[int, str]:
    """The names of the values of a signal that is a state; empty for a quantity."""
    if signal.is_enumeration:
        return dict(signal.choices)
    if signal.length == 1 and not signal.unit and not signal.is_float:
        return {0: "0", 1: "1", **signal.choices}
    return {}


def _decimals(signal: Signal, values: NDArray[np.float64]) -> int:
    """Decimals that show each raw step: those of factor and offset as they are written."""
    if not signal.is_float:
        return min(9, max(_written_decimals(signal.factor), _written_decimals(signal.offset)))
    finite = np.abs(values[np.isfinite(values)])
    top = float(finite.max()) if len(finite) else 0.0
    return min(9, max(0, 6 - math.ceil(math.log10(top)))) if top else 3


def _written_decimals(number: float) -> int:
    mantissa, _, exponent = f"{number!r}".lower().partition("e")
    return max(0, len(mantissa.partition(".")[2].rstrip("0")) - int(exponent or 0))


def _with_gaps(
    times_ns: NDArray[np.int64], values: NDArray[np.float64], gap_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A NaN behind each sample that the next one is more than a gap away from."""
    gaps = np.flatnonzero(np.diff(times_ns) > gap_ns) + 1
    return np.insert(times_ns, gaps, times_ns[gaps - 1]), np.insert(values, gaps, np.nan)


def _few(stretches: list[Stretch]) -> list[Stretch]:
    """Neighbours that are too short to be seen made one, where there are very many stretches."""
    if len(stretches) <= _MOST_STRETCHES:
        return stretches
    shortest = INTERVALS / _COLUMNS
    kept: list[Stretch] = []
    for stretch in stretches:
        short = stretch.last - stretch.first < shortest
        if short and kept and kept[-1].tone == "mixed" and stretch.first - kept[-1].first < shortest:
            kept[-1] = kept[-1]._replace(last=stretch.last)
        else:
            kept.append(stretch._replace(name="changes", tone="mixed") if short else stretch)
    return kept
