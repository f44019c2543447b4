"""One seed, one run: byte for byte."""

from pathlib import Path

import pytest

from hil.bench import Bench
from hil.pytest_plugin import BenchFactory


def _drive(bench: Bench) -> None:
    bench.start_up()
    bench.driver.pedal(70)
    bench.run(4)
    bench.driver.pedal(0)
    bench.faults.power_cut("INV_F")
    bench.run(1)


@pytest.mark.req("HB-02", "HB-05")
def test_two_runs_with_one_seed_give_identical_logs(new_bench: BenchFactory) -> None:
    logs = []
    for _ in range(2):
        with new_bench(seed=7) as bench:
            _drive(bench)
        logs.append(((bench.folder / "bus.blf").read_bytes(), (bench.folder / "truth.csv.gz").read_bytes()))
    assert logs[0] == logs[1]
    assert len(logs[0][0]) > 50_000


@pytest.mark.req("HB-02")
def test_another_seed_gives_another_log(new_bench: BenchFactory) -> None:
    logs = []
    for seed in (7, 8):
        with new_bench(seed=seed) as bench:
            bench.run(0.5)
        logs.append((bench.folder / "bus.blf").read_bytes())
    assert logs[0] != logs[1]


@pytest.mark.req("HB-02")
def test_the_folder_of_a_run_does_not_show_in_its_log(tmp_path: Path) -> None:
    """The board's heap holds the path of its flash; VcuTiming tells how much of it is free."""
    logs = []
    for length in (1, 2, 17, 40):
        with Bench(seed=7, folder=tmp_path / ("x" * length)) as bench:
            bench.run(0.6)
        logs.append((bench.folder / "bus.blf").read_bytes())
    assert len(set(logs)) == 1
    assert len(logs[0]) > 5_000
