"""The bench itself: it fails a run in which something forbidden happened, and tells the user what was wrong."""

import gzip
import math
import re

import can
import pytest

from hil.bench import Bench
from hil.pytest_plugin import BenchFactory
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.errors import UserError


def test_an_unknown_node_is_named(new_bench: BenchFactory) -> None:
    with pytest.raises(UserError, match=r"'INV_X'.*INV_F"):
        new_bench(nodes=["INV_X"])


def test_an_unknown_target_is_named(new_bench: BenchFactory) -> None:
    with pytest.raises(UserError, match="'dspace'"):
        new_bench(target="dspace")


def test_the_oracle_fails_a_run_with_torque_against_the_driver(new_bench: BenchFactory) -> None:
    bench = new_bench()
    bench.start_up()
    bench.driver.pedal(30)
    bench.run(2)
    bench.faults.lie("INV_R", "frozen")
    bench.faults.enable_ignored("INV_R")
    bench.driver.pedal(0)
    bench.run(1.5)
    with pytest.raises(AssertionError, match="G1 violated"):
        bench.end()


def test_an_absent_node_is_silent(new_bench: BenchFactory) -> None:
    bench = new_bench(nodes=["INV_F", "INV_R", "BMS", "ESC"])
    bench.run(1)
    assert not bench.observer.seen("PedalsDriver")
    assert bench.observer.seen("BmsStatus")


def test_python_can_listens_and_sends(bench: Bench) -> None:
    with bench.view() as bus:
        messages = [bus.recv(0.1) for _ in range(50)]
        assert all(isinstance(message, can.Message) for message in messages)
        bus.send(can.Message(arbitration_id=0x7E0, data=b"\x02\x3e\x00", is_extended_id=False))
        bench.run(0.1)
    assert bench.observer.payload("DiagRequest") == b"\x02\x3e\x00"


@pytest.mark.req("HB-05")
def test_a_run_leaves_log_truth_and_measurements(new_bench: BenchFactory) -> None:
    with new_bench() as bench:
        bench.run(1)
        bench.measure("time_s", bench.time_s, within=(0.999, 1.001))
    frames = list(can.BLFReader(bench.folder / "bus.blf"))
    assert len(frames) > 500
    with gzip.open(bench.folder / "truth.csv.gz", "rt") as truth:
        header, *rows = truth.read().splitlines()
    assert header.startswith("time_s,pedal_percent,")
    assert len(rows) == 101
    assert "time_s" in (bench.folder / "measurements.jsonl").read_text()
    page = (bench.folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Torque at each motor" in page
    assert "within limits</" in page
    assert 'href="bus.blf"' in page
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)  # opens without a network


@pytest.mark.req("HB-05")
def test_the_report_of_a_failed_run_says_why(new_bench: BenchFactory) -> None:
    bench = new_bench()
    bench.run(0.5)
    with pytest.raises(AssertionError, match="too_long_ms"):
        bench.measure("too_long_ms", 5, 4)
    bench.board.reset()
    with pytest.raises(AssertionError, match="the board was reset 1 times"):
        bench.end()
    page = (bench.folder / "report.html").read_text(encoding="utf-8")
    assert "the board was reset 1 times" in page
    assert "Too long" in page


def test_a_run_in_which_no_time_passed_leaves_a_report_too(new_bench: BenchFactory) -> None:
    bench = new_bench()
    bench.end()
    assert "<svg" not in (bench.folder / "report.html").read_text(encoding="utf-8")


def test_a_unit_without_power_has_no_state_in_the_record(driving: Bench) -> None:
    driving.run(0.1)
    driving.faults.power_cut("INV_F")
    driving.run(0.1)
    front, rear = (driving.recorder.series(name)[-12:].tolist() for name in ("front_state", "rear_state"))
    torque = driving.observer.raw("InvFrontStatus", "State", "Torque")
    assert front[0] == rear[0] == rear[-1] == torque
    assert math.isnan(front[-1])


@pytest.mark.parametrize(
    ("values", "wrong"),
    [({"TickTimeMax": 12_000}, "a tick took 12000 us"), ({"RxOverruns": 3}, "the firmware lost 3 received frames")],
)
def test_what_the_firmware_told_in_the_midst_of_a_run_fails_it(
    new_bench: BenchFactory, values: dict[str, float], wrong: str
) -> None:
    """The figures of VcuTiming are those of the last 100 ms: the newest alone would hide what was before."""
    bench = new_bench()
    bench.run(1)
    fields = dict.fromkeys((s.name for s in powertrain().messages["VcuTiming"].application_signals), 0.0) | values
    with bench.view() as bus:
        can_id = powertrain().messages["VcuTiming"].frame_id
        data = codec("VcuTiming").pack(**fields)
        bus.send(can.Message(arbitration_id=can_id, data=data, is_extended_id=False))
        bench.run(1)
    assert bench.latest("VcuTiming").TickTimeMax < 2_000
    with pytest.raises(AssertionError, match=wrong):
        bench.end()


def test_the_worst_of_a_run_is_not_its_newest(bench: Bench) -> None:
    assert math.isnan(bench.worst("VcuTiming", "TickTimeMax"))
    bench.start_up()
    bench.driver.pedal(50)
    bench.run(1)
    bench.driver.pedal(0)
    bench.run(1)
    assert bench.worst("PedalsDriver", "Apps1") == 2500.0
    assert bench.latest("PedalsDriver").Apps1 == 500.0
