"""The car without firmware against the figures of independent check runs, and its step against half of it."""

from __future__ import annotations

import pytest

from hil.plant import load_parameters
from hil.plant.reference import Figure, efficiency, envelope_kw, launch, quick_figures

TOLERANCES = {"s": 0.02, "Wh/km": 0.02, "Hz": 0.05, "%": 0.001, "kW": 0.001}
"""The formula's figures are exact to rounding, simulated ones differ by the model's detail."""


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return quick_figures()


def test_figures_agree_with_check_runs(figures: list[Figure]) -> None:
    wrong = [f for f in figures if f.deviation is not None and abs(f.deviation) > TOLERANCES[f.unit]]
    assert not wrong
    assert len(figures) > 10


def test_figures_agree_with_the_published_car() -> None:
    run = launch()
    assert run.to_100_kmh_s == pytest.approx(4.7, rel=0.03)
    assert run.quarter_mile_s == pytest.approx(12.6, rel=0.03)
    assert run.from_100_to_200_kmh_s == pytest.approx(13.5, rel=0.05)


def test_half_the_step_gives_the_same_launch() -> None:
    whole, half = launch(), launch(step_ns=500_000)
    assert half.to_100_kmh_s == pytest.approx(whole.to_100_kmh_s, rel=0.002)
    assert half.quarter_mile_s == pytest.approx(whole.quarter_mile_s, rel=0.002)
    assert half.from_100_to_200_kmh_s == pytest.approx(whole.from_100_to_200_kmh_s, rel=0.002)


def test_efficiency_points() -> None:
    car = load_parameters()
    assert 100 * efficiency(car, 50, 3000) == pytest.approx(93.2, abs=0.05)
    assert 100 * efficiency(car, 150, 4000) == pytest.approx(94.2, abs=0.05)


def test_power_falls_linearly_behind_the_corner() -> None:
    car = load_parameters()
    assert envelope_kw(car, 500) == pytest.approx(150.0)
    assert envelope_kw(car, (650 + 1431) / 2) == pytest.approx((150 + 113) / 2)
