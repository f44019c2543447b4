"""The stream watch against a slow reference that keeps every frame."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinaxle.dbc.database import powertrain
from twinaxle.dbc.model import EXTENDED
from twinaxle.e2e import Protector, Verdict
from twinaxle.judge.stream import MessageWatch, StreamWatch

PEDALS = powertrain().messages["PedalsDriver"]
IDENTITY = powertrain().messages["VcuIdentity"]


@dataclass(frozen=True)
class Step:
    """One frame: `gap_ms` after the one before, its counter `delta` on from it; what is done to its content."""

    gap_ms: int
    delta: int
    defect: str


STEPS = st.lists(
    st.builds(Step, st.integers(0, 80), st.integers(0, 14), st.sampled_from(["", "", "", "crc", "short", "counter"])),
    min_size=1,
    max_size=40,
)


def frame(counter: int, defect: str = "") -> bytes:
    protector = Protector(PEDALS.e2e.data_id if PEDALS.e2e else 0, counter)
    data = bytearray(protector.protect(bytes(8)))
    if defect == "crc":
        data[0] ^= 0x40
    if defect == "short":
        del data[7]
    return bytes(data)


@given(STEPS)
def test_it_finds_what_a_look_at_all_frames_finds(steps: list[Step]) -> None:
    watch = MessageWatch(PEDALS.key, PEDALS)
    times_s: list[float] = []
    usable_s: list[float] = []
    expected: list[Verdict] = []
    lost = 0
    counter, last, syncing, now_ms = 3, None, False, 0
    for step in steps:
        now_ms += step.gap_ms
        counter = (counter + step.delta) % 15
        time_s = now_ms / 1000
        verdict = watch.feed(time_s, frame(15 if step.defect == "counter" else counter, step.defect))
        times_s.append(time_s)
        # The rules of AUTOSAR E2E Profile 1, written as a list of cases.
        if step.defect == "short":
            want = Verdict.WRONG_LENGTH
        elif step.defect == "crc":
            want = Verdict.WRONG_CRC
        elif step.defect == "counter":
            want = Verdict.INVALID_COUNTER
        elif last is None:
            want = Verdict.INITIAL
        else:
            delta = (counter - last) % 15
            lost += max(delta - 1, 0)
            if delta == 0:
                want = Verdict.REPEATED
            elif delta > 2:
                want, syncing = Verdict.WRONG_SEQUENCE, True
            elif syncing:
                want, syncing = Verdict.SYNC, False
            else:
                want = Verdict.OK if delta == 1 else Verdict.OK_SOME_LOST
        if not step.defect:
            last = counter
        if want in (Verdict.OK, Verdict.OK_SOME_LOST, Verdict.INITIAL):
            usable_s.append(time_s)
        expected.append(want)
        assert verdict == want

    cycles = [b - a for a, b in itertools.pairwise(times_s)]
    assert watch.count == len(times_s)
    assert watch.lost == lost
    assert watch.verdicts == [expected.count(verdict) for verdict in Verdict]
    assert watch.wrong_length == expected.count(Verdict.WRONG_LENGTH)
    assert watch.age_s(now_ms / 1000 + 1) == pytest.approx(1)
    gaps = [b - a for a, b in itertools.pairwise(usable_s)]
    assert watch.timeouts == sum(gap > 0.030 for gap in gaps)
    assert watch.is_late(times_s[-1]) == (bool(usable_s) and times_s[-1] - usable_s[-1] > 0.030)
    if cycles:
        assert watch.cycle_s == cycles[-1]
        assert (watch.cycle_min_s, watch.cycle_max_s) == (min(cycles), max(cycles))
        assert watch.cycle_mean_s == pytest.approx(statistics.fmean(cycles))
        assert watch.cycle_deviation_s == pytest.approx(statistics.pstdev(cycles), abs=1e-7)
        assert watch.jitter_s == pytest.approx(max(abs(cycle - 0.010) for cycle in cycles))
    else:
        assert watch.cycle_s is watch.cycle_mean_s is watch.jitter_s is watch.cycle_deviation_s is None


def test_the_deviation_keeps_its_precision_in_unix_time() -> None:
    watch = MessageWatch(PEDALS.key, PEDALS)
    for index in range(10_000):
        watch.feed(1_800_000_000 + index * 0.010 + (0.001 if index % 2 else 0.0), frame(index % 15))
    assert watch.cycle_deviation_s == pytest.approx(0.001, rel=1e-3)
    assert watch.cycle_mean_s == pytest.approx(0.010, rel=1e-4)


def test_a_message_without_e2e_has_no_verdict() -> None:
    watch = MessageWatch(IDENTITY.key, IDENTITY)
    assert watch.feed(0.0, bytes(8)) is None
    assert watch.feed(1.0, bytes(8)) is None
    assert (watch.verdict, watch.e2e_faults, watch.lost) == (None, 0, 0)
    assert watch.rate_hz == 1.0


def test_a_message_without_timeout_is_late_after_three_cycles() -> None:
    watch = MessageWatch(IDENTITY.key, replace(IDENTITY, rx_timeout_ms=0))
    assert watch.timeout_s == pytest.approx(3.0)
    assert not watch.is_late(100.0)  # never seen
    watch.feed(0.0, bytes(8))
    assert not watch.is_late(3.0)
    assert watch.is_late(3.001)


def test_the_bus_has_an_entry_for_each_message_and_for_each_unknown_identifier() -> None:
    watch = StreamWatch(powertrain())
    assert len(watch.entries) == len(powertrain().messages)
    assert {entry.name for entry in watch.missing()} == {m.name for m in powertrain().messages.values() if m.cycle_ms}
    watch.feed(1.0, PEDALS.key, frame(0))
    watch.feed(1.0, PEDALS.frame_id | EXTENDED, bytes(3))
    watch.feed(1.0, 0x7FF, b"")
    assert [entry.name for entry in watch.unknown()] == ["0x000000A0x", "0x7FF"]
    assert watch.entries[PEDALS.key].count == 1
    assert "PedalsDriver" not in {entry.name for entry in watch.missing()}
    assert [entry.name for entry in watch.late(1.05)] == ["PedalsDriver"]
    watch.reset()
    assert not list(watch.unknown())
    assert watch.entries[PEDALS.key].count == 0
    assert watch.feed(2.0, PEDALS.key, frame(7)) == Verdict.INITIAL
