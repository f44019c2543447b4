"""Curves and surfaces of the calibration."""

from array import array

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from vcu.interp import curve, surface

axes = st.lists(st.integers(0, 20_000), min_size=2, max_size=9, unique=True).map(sorted)
values = st.integers(0, 20_000)


@given(st.data())
def test_curve_follows_straight_lines(data):
    axis = data.draw(axes)
    points = data.draw(st.lists(values, min_size=len(axis), max_size=len(axis)))
    x = data.draw(st.integers(-100, 21_000))
    table = array("i", [7, *axis, *points])
    result = curve(table, 1, 1 + len(axis), len(axis), x)
    assert abs(result - np.interp(x, axis, points)) <= 1


@given(st.data())
def test_surface_is_exact_on_its_points_and_between_them_elsewhere(data):
    rows, columns = data.draw(axes), data.draw(axes)
    size = len(rows) * len(columns)
    points = data.draw(st.lists(values, min_size=size, max_size=size))
    table = array("i", [*rows, *columns, *points])
    at = (0, len(rows), len(rows), len(columns), len(rows) + len(columns))
    i, j = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(columns) - 1))
    assert surface(table, *at, rows[i], columns[j]) == points[i * len(columns) + j]
    r, c = data.draw(st.integers(-10, 21_000)), data.draw(st.integers(-10, 21_000))
    grid = np.array(points, dtype=float).reshape(len(rows), len(columns))
    wanted = np.interp(r, rows, [np.interp(c, columns, row) for row in grid])
    assert abs(surface(table, *at, r, c) - wanted) <= 3
