"""The store against a slow reference, and what it makes of time, errors and marks."""

from collections import Counter
from itertools import pairwise

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bus.bits import frame_bits
from hil.bus.frame import Frame
from tests.sniff.conftest import ENGINE, Frames, Session, frame
from twinaxle.dbc import Database
from twinaxle.sniff.faults import ErrorFrames, describe
from twinaxle.sniff.load import frame_time
from twinaxle.sniff.store import Store

IDS = st.sampled_from([0x000, 0x100, 0x7FF, 0x0CF004FE, 0x1FFFFFFF])
HEARD = st.lists(
    st.tuples(st.integers(0, 50), IDS, st.binary(max_size=8), st.sampled_from(["can0", "can1"]), st.booleans()),
    max_size=60,
)


def store(messages: Database | None = None, bitrate: int = 500_000) -> Store:
    return Store(messages.by_id if messages else {}, frame_time(), bitrate)


@settings(deadline=None)
@given(HEARD, st.integers(1, 10))
def test_counts_data_and_changed_bits_are_those_of_a_slow_reference(
    heard: list[tuple[int, int, bytes, str, bool]], batch: int
) -> None:
    frames, time_ms = [], 0
    for gap_ms, can_id, data, channel, remote in heard:
        time_ms += gap_ms
        frames.append(frame(time_ms / 1000, can_id, b"" if remote else data, channel=channel, is_remote_frame=remote))
    tested = store()
    for begin in range(0, len(frames), batch):
        tested.feed(frames[begin : begin + batch])

    groups: dict[tuple[object, int, bool], list[can.Message]] = {}
    for one in frames:
        groups.setdefault((one.channel, one.arbitration_id, one.is_remote_frame), []).append(one)
    assert len(tested.rows) == len(groups)
    assert tested.frames == len(frames)
    for row in tested.rows.values():
        group = groups[row.channel, row.can_id, row.is_remote]
        assert row.count == len(group)
        assert row.data == group[-1].data
        assert row.last is group[-1]
        assert row.is_extended == (row.can_id > 0x7FF)
        toggled = 0
        for before, after in pairwise(group):
            toggled |= int.from_bytes(before.data, "little") ^ int.from_bytes(after.data, "little")
        assert row.recent == row.since_mark == toggled
    exact = sum(
        frame_bits(Frame(f.arbitration_id, bytes(f.data), f.is_extended_id, f.is_remote_frame)) + 3 for f in frames
    )
    assert tested.bits == exact


def test_load_is_the_share_of_the_bus_in_the_last_second() -> None:
    tested = store(bitrate=100_000)
    bits = frame_bits(Frame(0x123, bytes(8))) + 3
    for step in range(1, 31):
        if step <= 20:
            tested.feed(frame(step / 10 - 0.05 + at / 1000, 0x123, bytes(8)) for at in range(20))
        tested.tick(step / 10)
        if 10 < step <= 20:
            assert tested.load == pytest.approx(200 * bits / 100_000)
            assert tested.frame_rate == pytest.approx(200)
    assert tested.load == tested.frame_rate == 0
    assert tested.peak_load == pytest.approx(200 * bits / 100_000)


def test_rates_of_rows_are_over_the_last_second() -> None:
    tested = store()
    for step in range(1, 41):
        tested.feed([frame(step / 10, 1, b"")] * (1 + (step <= 20)))
        tested.feed([frame(step / 10, 2, b"")] * (step % 5 == 0))
        tested.tick(step / 10)
    assert {row.can_id: row.rate for row in tested.rows.values()} == pytest.approx({1: 10, 2: 2})


def test_changes_are_recent_for_a_while_and_stay_since_the_mark() -> None:
    tested = store()
    tested.feed([frame(0.0, 1, "00")])
    tested.tick(0.1)
    tested.set_mark()
    tested.feed([frame(0.2, 1, "05")])
    (row,) = tested.rows.values()
    seen = []
    for tenth in range(2, 30):
        tested.tick(tenth / 10)
        seen.append(row.recent)
    assert seen[:5] == [0x05] * 5
    assert seen[11:] == [0] * len(seen[11:])
    assert row.since_mark == 0x05


def test_notched_bits_are_silent_until_the_notches_are_cleared() -> None:
    tested = store()
    tested.feed([frame(0.0, 1, "00"), frame(0.1, 1, "01")])
    tested.notch()
    tested.feed([frame(0.2, 1, "03")])
    (row,) = tested.rows.values()
    assert (row.recent, row.since_mark) == (0x02, 0x02)
    tested.clear_notches()
    assert row.recent == 0x03


def test_a_snapshot_stands_still(session: Session, engine: Frames) -> None:
    session.hear(*engine(n / 100 for n in range(5)))
    frozen = session.store.snapshot()
    (row,) = frozen.rows.values()
    before = (row.count, bytes(row.data), row.watch.verdicts[:], row.watch.lost, row.readings)
    session.hear(*engine(n / 100 for n in range(5, 9)), frame(0.2, 0x7FF, ""), frame(0.3, 1, "", is_error_frame=True))
    assert (row.count, bytes(row.data), row.watch.verdicts[:], row.watch.lost, row.readings) == before
    assert (frozen.frames, len(frozen.rows), frozen.faults.count) == (5, 1, 0)
    assert (session.store.frames, len(session.store.rows), session.store.faults.count) == (11, 2, 1)


def test_a_message_is_late_after_its_timeout_and_not_after_it_came_again(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.00, 0.01]))
    (row,) = session.store.rows.values()
    session.hear(now_s=0.059)
    assert not row.is_late
    session.hear(now_s=0.061)
    assert row.is_late
    session.hear(*engine([0.07]))
    assert not row.is_late


def test_remote_frames_are_rows_of_their_own_and_break_no_protection(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01]), frame(0.02, ENGINE, "", is_remote_frame=True), *engine([0.03]))
    data, remote = sorted(session.store.rows.values(), key=lambda row: row.is_remote)
    assert (data.count, data.fault_count, remote.count, remote.fault_count) == (3, 0, 1, 0)


def test_error_frames_are_counted_and_explained() -> None:
    faults = ErrorFrames(as_socketcan=True)
    faults.add(frame(1.0, 0x204, "0008000000006007", is_error_frame=True))
    faults.add(frame(2.0, 0x20C, "0020040000008007", is_error_frame=True))
    assert (faults.count, faults.transmit_counter, faults.receive_counter) == (2, 0x80, 7)
    assert faults.last == "controller, protocol, transmit passive, stuff"
    silent = ErrorFrames()
    silent.add(frame(1.0, 0x204, "0008000000006007", is_error_frame=True))
    assert (silent.count, silent.last, silent.transmit_counter) == (1, "", None)
    assert describe(0x40, b"") == "bus-off"


def test_can_fd_takes_less_time_with_a_faster_data_phase() -> None:
    long = can.Message(arbitration_id=1, is_extended_id=False, data=bytes(64), is_fd=True, bitrate_switch=True)
    slow, fast = frame_time(1.0)(long), frame_time(4.0)(long)
    # Without stuffing: 27 bits of arbitration and end, 5 + 512 + 32 bits of data phase, 3 of intermission.
    assert slow == pytest.approx(27 + 549 + 3, rel=0.1)
    assert fast == pytest.approx(27 + 549 / 4 + 3, rel=0.1)


def test_frames_that_no_bus_can_carry_do_no_harm() -> None:
    tested = store()
    tested.feed([frame(0.0, 0xFFF, bytes(8), is_extended_id=False), frame(0.1, 1, bytes(20))])
    assert tested.frames == 2


def test_statistics_and_everything_can_begin_again(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01, 0.2]), frame(0.3, 1, "", is_error_frame=True))
    session.store.restart_statistics()
    (row,) = session.store.rows.values()
    assert (row.count, row.watch.timeouts) == (0, 0)
    session.store.clear()
    assert (session.store.rows, session.store.frames, session.store.faults.count) == ({}, 0, 0)


def test_absent_messages_are_those_of_the_dbc_that_were_not_heard(session: Session, engine: Frames) -> None:
    assert session.store.absent_count() == 0
    session.hear(*engine([0.0]))
    assert Counter(row.name for row in session.store.absent()) == Counter(["Extended", "Long"])
    assert session.store.absent_count() == 1  # Long has no cycle
