"""Axis numbers and thinning of lines."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinaxle.plot.scale import (
    axis_number,
    decimate,
    decimate_places,
    nice_range,
    nice_step,
    number,
    number_beside,
    ticks,
    time_step_s,
)

values_strategy = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=400)


@given(values=values_strategy, buckets=st.integers(1, 60))
def test_decimation_keeps_ends_and_the_extremes_of_every_column(values: list[float], buckets: int) -> None:
    series = np.array(values)
    index = decimate(series, buckets)
    assert index[0] == 0
    assert index[-1] == len(series) - 1
    assert (np.diff(index) > 0).all()
    if len(series) <= 2 * buckets:
        assert len(index) == len(series)
        return
    assert len(index) <= 5 * buckets
    edges = [column * len(series) // buckets for column in range(buckets + 1)]
    kept = series[index]
    for first, last in pairwise(edges):
        column = series[first:last]
        inside = kept[(index >= first) & (index < last)]
        finite = column[~np.isnan(column)]
        if len(finite):
            assert np.nanmin(inside) == finite.min()
            assert np.nanmax(inside) == finite.max()
        assert np.isnan(inside).any() == np.isnan(column).any()


def test_a_single_sample_spike_in_a_long_cycle_survives() -> None:
    series = np.zeros(180_001)
    series[123_457] = 660.0
    index = decimate(series, 1804)
    assert series[index].max() == 660.0
    assert len(index) < 8000


def test_no_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        decimate(np.zeros(5), 0)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6))
def test_axes_hold_their_values_with_few_round_ticks(low: float, span: float) -> None:
    bottom, top, step = nice_range(low, low + span)
    assert bottom <= low
    assert top >= low + span
    found = ticks(bottom, top, step)
    assert 2 <= len(found) <= 7
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert round(mantissa, 6) in (1, 2, 5)


def test_ticks_are_the_expected_ones() -> None:
    assert ticks(0, 16, 5) == [0, 5, 10, 15]
    assert ticks(-0.3, 0.3, 0.1) == [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
    assert nice_step(16, 10) == 2
    assert time_step_s(1800, 10) == 300
    assert time_step_s(0.4, 10) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("low", "high"), [(math.nan, 1.0), (math.inf, -math.inf), (0.0, 0.0), (5.0, 5.0), (-3.0, -3.0)]
)
def test_an_axis_of_nothing_or_of_one_value_is_still_an_axis(low: float, high: float) -> None:
    bottom, top, step = nice_range(low, high)
    assert bottom < top
    assert step > 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (4.66, "4.66"), (159.34, "159.3"), (41234.0, "41\u202f234"), (-12.5, "−12.5"),
        (1.0, "1"), (0.00012345, "0.0001234"), (math.nan, "no value"), (-math.inf, "−∞"), (1000.0, "1000"),
    ],
)  # fmt: skip
def test_numbers_for_the_reader(value: float, text: str) -> None:
    assert number(value) == text


def test_a_value_just_outside_never_reads_like_its_limit() -> None:
    assert number_beside(100.0, 100.0) == "100"
    assert number_beside(100.001, 100.0) == "100.001"
    assert number_beside(99.99999, None, 100.0) == "99.99999"


def test_axis_labels_have_the_decimals_of_their_step() -> None:
    assert [axis_number(tick, 0.05) for tick in (0.0, 0.05, -0.1)] == ["0.00", "0.05", "−0.10"]
    assert axis_number(15000.0, 5000.0) == "15\u202f000"
    assert axis_number(2000.0, 1000.0) == "2000"


@given(values=values_strategy, buckets=st.integers(1, 60), seed=st.integers(0, 99))
def test_decimation_by_place_keeps_the_extremes_of_every_column(values: list[float], buckets: int, seed: int) -> None:
    series = np.array(values)
    places = np.cumsum(np.random.default_rng(seed).integers(0, 1000, len(series)))
    index = decimate_places(places, series, buckets)
    assert index[0] == 0 and index[-1] == len(series) - 1 and (np.diff(index) > 0).all()
    column = (places - places[0]) * buckets // (int(places[-1] - places[0]) + 1)
    for one in np.unique(column):
        every, kept = series[column == one], series[index][column[index] == one]
        assert np.isnan(kept).any() == np.isnan(every).any()
        if not np.isnan(every).all():
            assert (np.nanmin(kept), np.nanmax(kept)) == (np.nanmin(every), np.nanmax(every))
    assert len(index) <= max(2 * buckets, 5 * len(np.unique(column)))
