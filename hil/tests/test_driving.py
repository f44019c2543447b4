"""Drives against the published car, with the firmware in the loop."""

import pytest

from hil.bench import Bench
from hil.pytest_plugin import BenchFactory
from hil.scenarios.acceleration import full_pedal, measure_launch
from hil.scenarios.cycle import measure_cycle, measure_split, wltc
from hil.scenarios.inverter_lost import inverter_lost
from hil.scenarios.latency import PEDAL_PPM, pedal_to_command
from hil.scenarios.tick import measure_tick


def test_full_pedal_from_rest(driving: Bench) -> None:
    measure_launch(driving, full_pedal(driving))
    measure_tick(driving)


@pytest.mark.parametrize("axle", ["front", "rear"])
def test_one_inverter_lost_at_100_kmh(driving: Bench, axle: str) -> None:
    inverter_lost(driving, "front" if axle == "front" else "rear", at_kmh=100)


@pytest.mark.req("RT-04")
@pytest.mark.parametrize("load_percent", [30, 80])
def test_pedal_to_command(new_bench: BenchFactory, load_percent: int) -> None:
    bench = new_bench(clock_ppm={"PEDALS": PEDAL_PPM})
    bench.start_up()
    pedal_to_command(bench, load_percent)


@pytest.mark.req("SP-01", "SP-08")
def test_wltc_class_3b_whole(new_bench: BenchFactory) -> None:
    bench = new_bench(record_period_ms=100, write_log=False)
    bench.start_up()
    result = wltc(bench)
    measure_cycle(bench, result)
    measure_split(bench, result)
    measure_tick(bench)


@pytest.mark.req("RT-02")
def test_every_state_and_drive_allocates_nothing(driving: Bench) -> None:
    driving.driver.pedal(40)
    driving.run(3)
    driving.driver.pedal(0)
    driving.driver.brake(40)
    driving.until(lambda: driving.speed_kmh < 0.5, timeout=20)
    driving.driver.shut_down()
    driving.until(lambda: not driving.driver.busy, timeout=20)
    measure_tick(driving)
