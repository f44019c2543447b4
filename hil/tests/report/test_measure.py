"""Measurements: the verdict at the limits, what a failed one says, the record on disk."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.judging.measure import (
    FILE_NAME,
    Limit,
    Measurement,
    Measurements,
    from_json,
    read_measurements,
    to_json,
)
from hil.judging.names import title_of, unit_of
from twinaxle.errors import UserError

ABOVE_100 = math.nextafter(100.0, math.inf)
BELOW_100 = math.nextafter(100.0, 0.0)


@pytest.mark.parametrize(
    ("value", "limits", "passed"),
    [
        (100.0, {"limit": 100}, True),
        (ABOVE_100, {"limit": 100}, False),
        (-1e9, {"limit": 100}, True),
        (100.0, {"at_least": 100}, True),
        (BELOW_100, {"at_least": 100}, False),
        (100.0, {"within": (100, 200)}, True),
        (200.0, {"within": (100, 200)}, True),
        (BELOW_100, {"within": (100, 200)}, False),
        (math.nextafter(200.0, math.inf), {"within": (100, 200)}, False),
        (103.0, {"published": 100, "tolerance_percent": 3}, True),
        (97.0, {"published": 100, "tolerance_percent": 3}, True),
        (103.1, {"published": 100, "tolerance_percent": 3}, False),
        (96.9, {"published": 100, "tolerance_percent": 3}, False),
        (-103.0, {"published": -100, "tolerance_percent": 3}, True),
        (102.0, {"published": 100, "tolerance_percent": 3, "limit": 101}, False),
        (150.0, {"at_least": 100, "limit": 149}, False),
        (150.0, {"at_least": 100, "limit": 150}, True),
        (0.0, {"limit": 0}, True),
        (math.nan, {"limit": 100}, False),
        (math.nan, {"at_least": 100}, False),
        (-math.inf, {"limit": 100}, False),
        (math.inf, {"at_least": 100}, False),
    ],
)
def test_verdict(value: float, limits: dict[str, Any], passed: bool) -> None:
    items = Measurements()
    if passed:
        items.measure("some_ms", value, **limits)
    else:
        with pytest.raises(AssertionError):
            items.measure("some_ms", value, **limits)
    assert [item.passed for item in items] == [passed]
    assert len(items.failed) == (0 if passed else 1)


def test_a_failed_measurement_says_all() -> None:
    items = Measurements()
    expected = r"fault_to_zero_ms = 104.2 ms, allowed is at most 100 ms \(SF-05, SF-01\); published: 90 ms; front shaft"
    with pytest.raises(AssertionError, match=expected):
        items.measure("fault_to_zero_ms", 104.2, 100, req=["SF-05", "SF-01"], published=90, comment="front shaft")


def test_a_measurement_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="no limit given; use note"):
        Measurements().measure("speed_kmh", 3.0, published=4.0)


def test_impossible_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="allows nothing"):
        Measurements().measure("speed_kmh", 3.0, within=(5, 4))
    with pytest.raises(ValueError, match="finite"):
        Measurements().measure("speed_kmh", 3.0, math.nan)
    with pytest.raises(ValueError, match="needs a published figure"):
        Measurements().measure("speed_kmh", 3.0, 4.0, tolerance_percent=3)


def test_an_unknown_requirement_is_refused() -> None:
    with pytest.raises(UserError, match="measurement speed_kmh: unknown requirement 'SF-99'"):
        Measurements().measure("speed_kmh", 3.0, 4.0, req="SF-99")


def test_a_note_asks_nothing() -> None:
    items = Measurements()
    item = items.note("heap_free_bytes", 4096, published=4000)
    assert item.passed is None
    assert item.unit == "B"
    assert item.deviation_percent == pytest.approx(2.4)
    assert not items.failed


def test_the_clock_of_the_run_gives_the_time() -> None:
    items = Measurements(clock_s=lambda: 12.5)
    assert items.note("a_s", 1).time_s == 12.5
    assert items.note("a_s", 1, time_s=3.0).time_s == 3.0


def test_units_and_titles_come_from_names() -> None:
    assert (unit_of("fault_to_zero_ms"), title_of("fault_to_zero_ms")) == ("ms", "Fault to zero")
    assert (unit_of("tries"), title_of("tries")) == ("", "Tries")
    assert (unit_of("energy_whpkm"), unit_of("latency_us")) == ("Wh/km", "µs")
    assert title_of("first_guess") == "First guess"
    assert title_of("accel_0_100_s") == "Accel 0-100"
    assert title_of("pedal_to_command_at_30_percent_load_ms") == "Pedal to command at 30 % load"
    assert title_of("wltc_range_km") == "WLTC range"
    assert unit_of("s") == ""


measurement_strategy = st.builds(
    Measurement,
    name=st.text(min_size=1),
    value=st.floats(allow_nan=False),
    unit=st.text(),
    limit=st.builds(Limit, maximum=st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    req=st.tuples(st.sampled_from(["SF-01", "TQ-09"])),
    passed=st.none() | st.booleans(),
    published=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    comment=st.text(),
    time_s=st.none() | st.floats(0, 1e6),
)


@given(measurement_strategy)
def test_a_line_gives_back_the_measurement(item: Measurement) -> None:
    line = to_json(item)
    assert "\n" not in line
    assert from_json(line) == item


def test_nan_survives_the_record() -> None:
    item = Measurements().note("a_s", math.nan)
    assert math.isnan(from_json(to_json(item)).value)


def test_record_on_disk(measured: Measurements, tmp_path: Path) -> None:
    path = tmp_path / "run" / FILE_NAME
    measured.write(path)
    first = path.read_bytes()
    assert read_measurements(path) == list(measured)
    measured.write(path)
    assert path.read_bytes() == first


def test_a_broken_record_names_file_and_line(tmp_path: Path, measured: Measurements) -> None:
    path = tmp_path / FILE_NAME
    measured.write(path)
    path.write_text(path.read_text(encoding="utf-8") + '{"name": 1}\n', encoding="utf-8")
    with pytest.raises(UserError, match=rf"{FILE_NAME}:6: not a measurement"):
        read_measurements(path)
    with pytest.raises(UserError, match="cannot read the measurements"):
        read_measurements(tmp_path / "none")
