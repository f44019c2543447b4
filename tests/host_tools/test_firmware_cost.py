"""The estimate of a tick's cost: its arithmetic, its report, and one short measurement of the real firmware."""

import dataclasses

import pytest

from twinaxle.cli import main
from twinaxle.firmware import cost_report
from twinaxle.firmware.cortex.costs import load_costs, sum_rows
from twinaxle.firmware.cost import (
    FRAME_CALLS,
    FRAME_INTERRUPTS,
    TICK_CALLS,
    TICK_INTERRUPTS,
    Estimate,
    Measurement,
    Part,
    Reference,
    estimate,
    measure,
    viper_functions,
)
from twinaxle.micropython import find_micropython

# A machine that takes 0.1 ns for an interpreted instruction and 0.2 ns for one of viper
MEASURED = Measurement(
    loops=[Reference("loop", kind, 100, 20.0) for kind in ("bytecode", "viper", "viper")],
    mixes=[
        Reference("a", "bytecode", 10_000, 900.0),
        Reference("b", "bytecode", 10_000, 1100.0),
        Reference("c", "viper", 5_000, 1000.0),
    ],
    mean_tick_ns=3000.0,
    worst_over_mean=1.5,
    timer_ns=20.0,
    frame_ns=100.0,
    mean_frames=8.0,
    most_frames=10,
    functions=[Part("vcu.protocol.accept", 8.0, 600.0), Part("vcu.protocol.pack", 3.0, 400.0)],
    periods=800,
)


def test_instructions_are_time_over_time_of_the_references() -> None:
    cost = estimate(MEASURED)
    assert cost.ns_per_instruction == pytest.approx({"bytecode": 0.1, "viper": 0.2})
    assert cost.spread == pytest.approx({"bytecode": 0.1, "viper": 0.0})
    c, error = (
        sum(pair) for pair in zip(sum_rows("driver", TICK_CALLS), sum_rows("interrupt", TICK_INTERRUPTS), strict=True)
    )
    # 2000 ns interpreted, 1000 ns viper, 20 ns timer
    assert cost.mean_tick.instructions == pytest.approx(20_000 + 5_000 + 200 + c)
    assert cost.mean_tick.error * cost.mean_tick.instructions == pytest.approx(2_020 + error)
    assert cost.worst_tick.instructions == pytest.approx(35_000 + 5_000 + 200 + c)
    frame_c = sum_rows("driver", FRAME_CALLS)[0] + sum_rows("interrupt", FRAME_INTERRUPTS)[0]
    assert cost.frame.instructions == pytest.approx(1_000 + frame_c)
    assert cost.worst_period.instructions == pytest.approx(40_200 + c + 10 * (1_000 + frame_c))


def test_driver_and_interrupts_cost_what_the_table_says() -> None:
    receive, send = load_costs()["interrupt"]["receive"], load_costs()["driver"]["machine.CAN.send"]
    instructions, error = sum_rows("interrupt", {"receive": 3})
    assert instructions == 3 * receive["instructions"]
    assert error == pytest.approx(instructions * receive["error"])
    assert sum_rows("driver", {"machine.CAN.send": 2})[0] == 2 * send["instructions"]


def test_time_on_the_board() -> None:
    value = Estimate(70_000, 0.1)
    assert value.time_us == 1000
    assert (value.least, value.most) == pytest.approx((63_000, 77_000))


@pytest.mark.parametrize(("tick_ns", "verdict"), [(1200, "within it"), (3600, "not certain"), (9000, "OVER IT")])
def test_report_judges_by_the_range(tick_ns: float, verdict: str) -> None:
    measured = dataclasses.replace(MEASURED, mean_tick_ns=tick_ns)
    text = "\n".join(cost_report.report(estimate(measured)))
    assert f"the goal is 35000: {verdict}" in text
    assert "protocol.accept" in text


def test_firmware_is_read_for_its_functions() -> None:
    assert viper_functions()["vcu.protocol.accept"] == 3


@pytest.mark.skipif(find_micropython().architecture is None, reason="no native code to measure")
def test_real_firmware_runs_through_a_recording_with_the_heap_locked() -> None:
    frames = [(0x100, bytes(8)), (0x0A0, bytes(8)), (0x7FF, bytes(8))]
    measured = measure([frames] * 40, repeats=1)
    assert measured.periods == 40
    assert measured.mean_frames == 3
    assert measured.mean_tick_ns > 0
    assert {"attributes", "arrays", "decisions", "calls", "functions"} <= {item.name for item in measured.mixes}
    calls = {part.name: part.calls for part in measured.functions}
    assert calls["vcu.protocol.accept"] >= 1
    assert calls["vcu.protocol.tick"] == 1
    assert calls["vcu.axle.step"] == 1


def test_command_refuses_no_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firmware", "cost", "--repeats", "0"]) == 2
    assert "--repeats must be 1 or more" in capsys.readouterr().err
