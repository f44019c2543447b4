"""Each rule finds the defect that is planted for it, and nothing else does; the log without defects passes."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.judge.conftest import Forge, Judge
from twinaxle.dbc.database import powertrain
from twinaxle.judge.config import Config, Limits
from twinaxle.judge.result import Judgement, Outcome
from twinaxle.judge.rules import RULES
from twinaxle.logs import FrameTable
from twinaxle.logs.frames import ERROR, REMOTE, concatenate, make_table


def broken(result: Judgement) -> dict[tuple[str, str], int]:
    """The broken rules: (rule, subject) -> violations."""
    return {(check.rule, check.subject): check.count for check in result.failed}


def text_of(result: Judgement, rule: str, subject: str) -> str:
    return next(check.text for check in result.checks if (check.rule, check.subject) == (rule, subject))


def test_a_drive_of_the_bench_passes_every_rule(drive: FrameTable, judged: Judge) -> None:
    result = judged(drive, from_start=True)
    assert broken(result) == {}
    judged_rules = {check.rule for check in result.checks if check.outcome is Outcome.PASS}
    assert judged_rules == {rule.name for rule in RULES}
    assert {row.name for row in result.rows} == {m.name for m in powertrain().messages.values() if m.cycle_ms}


def test_presence(forge: Forge, judged: Judge) -> None:
    table = forge.drop(forge.rows("BmsStatus"))
    assert broken(judged(table)) == {("presence", "BmsStatus"): 1}
    assert "from BMS" in text_of(judged(table), "presence", "BmsStatus")
    assert broken(judged(table, without=frozenset({"BMS"}))) == {}


def test_cycle(forge: Forge, judged: Judge) -> None:
    rows = forge.rows("VcuTiming")
    forge.table.time_ns[rows] += (np.arange(len(rows)) * 0.008 * 1e9).astype(np.int64)
    table = forge.table.take(forge.table.time_ns <= forge.start_ns + 3_000_000_000)
    assert broken(judged(table)) == {("cycle", "VcuTiming"): 1}
    assert broken(judged(table, limits=Limits(cycle_percent=9))) == {}


def test_jitter(forge: Forge, judged: Judge) -> None:
    row = forge.rows("EscMotion", 1.0)[0]
    forge.table.time_ns[row] += 4_000_000
    result = judged(forge.table)
    assert broken(result) == {("jitter", "EscMotion"): 2}  # one cycle is too long, the next too short
    check = result.failed[0]
    assert check.first_s == pytest.approx((forge.table.time_ns[row] - forge.start_ns) * 1e-9)
    assert broken(judged(forge.table, limits=Limits(jitter_ms=5))) == {}


def test_missing(forge: Forge, judged: Judge) -> None:
    """One lost frame is no matter; after four the next two only get the receiver into step again."""
    rows = forge.rows("InvFrontStatus", 2.0)[:4]
    result = judged(forge.drop(rows))
    assert ("missing", "InvFrontStatus") in broken(result)
    assert text_of(result, "missing", "InvFrontStatus").startswith("gap of 70.0 ms after ")
    one = judged(forge.drop(forge.rows("InvFrontStatus", 2.0)[:1]))
    assert ("missing", "InvFrontStatus") not in broken(one)


def test_a_bad_frame_counts_as_missing(forge: Forge, judged: Judge) -> None:
    rows = forge.rows("InvFrontStatus", 2.0)[:4]
    forge.table.data[rows, 0] ^= 1
    assert broken(judged(forge.table))["missing", "InvFrontStatus"] == 1


def test_start_and_end_of_a_log_are_not_missing(forge: Forge, judged: Judge) -> None:
    early = forge.drop(forge.rows("EscMotion", end_s=1.5))
    assert broken(judged(early)) == {}
    end_s = (int(forge.table.time_ns[-1]) - forge.start_ns) * 1e-9
    late = forge.drop(forge.rows("EscMotion", end_s - 0.5))
    assert broken(judged(late)) == {}
    gone = forge.drop(forge.rows("EscMotion", end_s - 1.5))
    assert broken(judged(gone)) == {("missing", "EscMotion"): 1}
    assert "to the end" in text_of(judged(gone), "missing", "EscMotion")


def test_length(forge: Forge, judged: Judge) -> None:
    row = forge.rows("VcuIdentity")[0]
    forge.table.length[row] = 6
    assert broken(judged(forge.table)) == {("length", "VcuIdentity"): 1}
    assert "have 6 instead of 8" in text_of(judged(forge.table), "length", "VcuIdentity")


def test_crc(forge: Forge, judged: Judge) -> None:
    row = forge.rows("BmsLimits", 1.0)[0]
    forge.table.data[row, 4] ^= 0x10
    assert broken(judged(forge.table)) == {("crc", "BmsLimits"): 1, ("lost", "BmsLimits"): 1}


@pytest.mark.parametrize(("step", "what"), [(0, "repeated"), (5, "wrong sequence"), (None, "invalid")])
def test_counter(forge: Forge, judged: Judge, step: int | None, what: str) -> None:
    rows = forge.rows("BmsPack", 1.0)
    before = int(forge.table.data[rows[0], 1]) & 0x0F
    counter = 15 if step is None else (before + step) % 15
    forge.table.data[rows[1], 1] = forge.table.data[rows[1], 1] & 0xF0 | counter
    result = judged(forge.sign(rows[1:2]))
    assert ("counter", "BmsPack") in broken(result)
    assert what in text_of(result, "counter", "BmsPack")
    assert {subject for _, subject in broken(result)} == {"BmsPack"}


def test_lost(forge: Forge, judged: Judge) -> None:
    rows = forge.rows("EscWheelSpeeds", 1.0)
    table = forge.drop(rows[[1, 20, 40]])
    assert broken(judged(table))["lost", "EscWheelSpeeds"] == 3
    allowed = broken(judged(table, limits=Limits(lost_frames=3, jitter_ms=11)))
    assert allowed == {}


def test_range(forge: Forge, judged: Judge) -> None:
    database = powertrain()
    limits = database.messages["InvFrontLimits"]
    narrow = replace(
        limits,
        signals=tuple(
            replace(signal, minimum=-100, maximum=100.05) if signal.name == "DcCurrent" else signal
            for signal in limits.signals
        ),
    )
    strict = _with(narrow)
    row = forge.rows("InvFrontLimits", 1.0)[0]
    assert broken(judged(forge.table, strict)) == {}
    _set(forge, int(row), "InvFrontLimits", DcCurrent=100.5)
    assert broken(judged(forge.sign(np.array([row])), strict)) == {("range", "InvFrontLimits.DcCurrent"): 1}
    assert "100.5 A, allowed -100 to 100.05 A" in text_of(
        judged(forge.table, strict), "range", "InvFrontLimits.DcCurrent"
    )


def test_a_wrong_crc_says_nothing_on_the_content(forge: Forge, judged: Judge) -> None:
    row = int(forge.rows("PedalsDriver", 1.0)[0])
    forge.table.data[row, 1] |= 0x50  # gear 5
    assert ("value-table", "PedalsDriver.Gear") not in broken(judged(forge.table))


def test_value_table(forge: Forge, judged: Judge) -> None:
    row = int(forge.rows("PedalsDriver", 1.0)[0])
    _set(forge, row, "PedalsDriver", Gear=5)
    result = judged(forge.sign(np.array([row])))
    assert broken(result) == {("value-table", "PedalsDriver.Gear"): 1}
    assert text_of(result, "value-table", "PedalsDriver.Gear") == "1 frames with 5, which the table does not have"


def test_start_value(forge: Forge, judged: Judge) -> None:
    row = int(forge.rows("VcuInvFrontCommand")[0])
    _set(forge, row, "VcuInvFrontCommand", TorqueRequest=12.0)
    result = judged(forge.sign(np.array([row])))
    assert broken(result) == {("start-value", "VcuInvFrontCommand.TorqueRequest"): 1}
    # The inverter sends from the first moment of the log on: whether that is its start, only the user knows.
    row = int(forge.rows("InvRearStatus")[0])
    _set(forge, row, "InvRearStatus", GatesOn=1)
    forge.sign(np.array([row]))
    assert broken(judged(forge.table, from_start=True)).keys() - broken(result).keys() == {
        ("start-value", "InvRearStatus.GatesOn")
    }
    assert broken(judged(forge.table)) == broken(result)


def test_latency_of_a_change(forge: Forge, judged: Judge, config: Config) -> None:
    commands = np.concatenate([forge.rows("VcuInvFrontCommand"), forge.rows("VcuInvRearCommand")])
    forge.table.time_ns[commands] += 10_000_000
    result = judged(forge.table.take(forge.table.time_ns <= forge.start_ns + 3_000_000_000))
    assert broken(result).keys() == {("latency", "pedal to command")}
    check = result.failed[0]
    assert check.count >= 4  # the first step of the drive wakes the axle and does not count
    usual = next(check for check in judged(forge.table, latency=()).checks if check.rule == "bus-load")
    assert usual.outcome is Outcome.PASS


def test_latency_of_an_echo(forge: Forge, judged: Judge) -> None:
    rows = forge.rows("InvFrontStatus", 1.0, 2.0)
    frozen = forge.table.data[rows[0], 6]
    forge.table.data[rows, 6] = frozen
    result = judged(forge.sign(rows))
    assert broken(result).keys() == {("latency", "front command to response")}
    assert "without effect in 100 ms" in text_of(result, "latency", "front command to response")


def test_commands_that_nobody_answers_are_too_late(forge: Forge, judged: Judge) -> None:
    result = judged(forge.drop(forge.rows("InvRearStatus", 1.5)))
    assert broken(result).keys() == {("missing", "InvRearStatus"), ("latency", "rear command to response")}


def test_latency_that_cannot_be_measured_is_a_note(forge: Forge, judged: Judge) -> None:
    result = judged(forge.drop(forge.rows("PedalsDriver")), without=frozenset({"PEDALS"}))
    check = next(check for check in result.checks if check.subject == "pedal to command")
    assert (check.outcome, check.text) == (Outcome.NOTE, "no PedalsDriver.Apps1")


def test_unknown_identifier(forge: Forge, judged: Judge) -> None:
    row = forge.rows("VcuIdentity")[:1]
    table = forge.add(row, 0.0005)
    table.can_id[-1] = 0x7AB
    assert broken(judged(table)) == {("unknown-id", "bus"): 1}
    assert text_of(judged(table), "unknown-id", "bus") == "1 frames of 0x7AB"
    assert broken(judged(table, allowed_ids=frozenset({0x7AB}))) == {}


@pytest.mark.parametrize(("flag", "rule"), [(ERROR, "error-frame"), (REMOTE, "remote-frame")])
def test_frames_that_are_no_data(forge: Forge, judged: Judge, flag: int, rule: str) -> None:
    table = forge.add(forge.rows("VcuIdentity")[:2], 0.0005)
    table.flags[-2:] |= flag
    result = judged(table)
    assert broken(result) == {(rule, "bus"): 2}


def test_bus_load(forge: Forge, judged: Judge) -> None:
    """200 ms of frames back to back."""
    draw = random.Random(1)
    count = 800
    noise = make_table(
        forge.start_ns + 1_500_000_000 + np.arange(count) * 250_000,
        np.full(count, 0x7FF), np.zeros(count), np.full(count, 8), np.frombuffer(draw.randbytes(8 * count), np.uint8),
        np.zeros(count),
    )  # fmt: skip
    result = judged(concatenate([forge.table, noise]), allowed_ids=frozenset({0x7FF}))
    assert broken(result) == {("bus-load", "bus"): 1}
    check = result.failed[0]
    assert 100 < float(check.values["worst_percent"] or 0) < 135  # the noise alone fills the bus
    assert 1.5 < (check.first_s or 0) < 1.8


def test_load_of_known_frames() -> None:
    """One frame each 10 ms at 500 kbit/s."""
    from twinaxle.judge.material import Material
    from twinaxle.logs.bits import frame_bits

    data = np.tile(np.array([0x55] * 8, dtype=np.uint8), (11, 1))
    table = make_table(np.arange(11) * 10_000_000, np.full(11, 0x555), np.zeros(11), np.full(11, 8), data, np.zeros(11))
    bits = int(frame_bits(table)[0]) + 3
    material = Material(table, powertrain(), 500_000)
    assert material.load_percent == pytest.approx(100 * bits / 5000)
    assert material.worst_load(0.020)[0] == pytest.approx(100 * bits / 5000)


def _set(forge: Forge, row: int, name: str, **values: float) -> None:
    """Give signals of one frame other values; counter and CRC are left as they were."""
    from twinaxle.dbc.codec import codec

    message = codec(name)
    data = forge.table.data[row].tobytes()
    fresh = message.pack(**{**message.unpack(data)._asdict(), **values})
    forge.table.data[row] = np.frombuffer(fresh, dtype=np.uint8)
    forge.table.data[row, 1] = forge.table.data[row, 1] & 0xF0 | data[1] & 0x0F


def _with(message: object) -> object:
    """Our protocol with another version of one message."""
    from twinaxle.dbc.model import Message, make_database

    assert isinstance(message, Message)
    database = powertrain()
    messages = [message if old.name == message.name else old for old in database.messages.values()]
    return make_database(database.path, database.nodes, messages)
