"""The bulk reader of BLF against python-can's writer and reader."""

import struct
import zlib
from pathlib import Path
from typing import Any

import can
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.logs.conftest import START_S, Write, frames
from twinaxle.errors import UserError
from twinaxle.logs.blf import read_blf
from twinaxle.logs.frames import ERROR, EXTENDED, REMOTE, SENT, FrameTable

MS = 1_000_000
HEADER = 144


def assert_equal(table: FrameTable, messages: list[can.Message]) -> None:
    """The table has what python-can's reader gives, which drops FD frames before."""
    assert len(table) == len(messages)
    # python-can's times are floats, which are 240 ns apart in our century.
    np.testing.assert_allclose(table.time_ns / 1e9, [message.timestamp for message in messages], rtol=0, atol=3e-7)
    assert table.can_id.tolist() == [message.arbitration_id for message in messages]
    assert table.length.tolist() == [min(message.dlc, 8) for message in messages]
    assert table.channel.tolist() == [message.channel for message in messages]
    for flag, name in ((EXTENDED, "is_extended_id"), (REMOTE, "is_remote_frame"), (ERROR, "is_error_frame")):
        assert ((table.flags & flag) != 0).tolist() == [getattr(message, name) for message in messages]
    # python-can does not read the direction of error frames.
    sent = ((table.flags & SENT) != 0) & ((table.flags & ERROR) == 0)
    assert sent.tolist() == [not message.is_rx and not message.is_error_frame for message in messages]
    assert table.data.tobytes() == b"".join(bytes(message.data[:8]).ljust(8, b"\0") for message in messages)


def by_python_can(path: Path) -> list[can.Message]:
    with can.BLFReader(path) as reader:
        return list(reader)


@pytest.mark.parametrize("level", [-1, 0, 1, 9])
def test_reads_what_python_can_writes(write: Write, level: int) -> None:
    path = write("log.blf", frames(20_000), compression_level=level)
    table = read_blf(path)
    assert_equal(table, by_python_can(path))
    assert table.notes == () and table.skipped == {}
    # The file counts from its start in whole milliseconds, in ns.
    assert table.time_ns[0] == round(START_S * 1000) * MS


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), size=st.integers(60, 400))
def test_objects_across_containers(write: Write, data: st.DataObject, size: int) -> None:
    payloads = data.draw(st.lists(st.sampled_from([b"LOBJ", b"LOBJLOBJ", b"L", b"xLOBJ", b"", b"\0" * 8]), max_size=40))
    messages = [can.Message(timestamp=1.0 + at, arbitration_id=at, data=payload, channel=0, is_extended_id=False)
                for at, payload in enumerate(payloads)]  # fmt: skip
    path = write("log.blf", messages, max_container_size=size)
    assert_equal(read_blf(path), by_python_can(path))


def test_fd_frames_are_counted_and_markers_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.blf"
    classic = frames(50)
    with can.BLFWriter(path) as writer:
        for at, message in enumerate(classic):
            writer(message)
            writer.log_event("m" * (at % 7), message.timestamp)  # of odd sizes: objects lose their alignment
            writer(can.Message(timestamp=message.timestamp, arbitration_id=at, is_fd=True, data=bytes(at), channel=0)
                   if at in (0, 1, 8, 12, 48) else message)  # fmt: skip
    table = read_blf(path)
    assert_equal(table, [message for message in by_python_can(path) if not message.is_fd])
    assert table.skipped == {"CAN FD frames": 5}
    assert table.notes == ()


def lobj(kind: int, body: bytes, version: int = 1, flags: int = 2, stamp: int = 5) -> bytes:
    """An object as CANoe writes it."""
    head = struct.pack("<LHHQ", flags, 0, 0, stamp) if version == 1 else struct.pack("<LBxHQ8x", flags, 0, 0, stamp)
    size = 16 + len(head) + len(body)
    return struct.pack("<4sHHLL", b"LOBJ", 16 + len(head), version, size, kind) + head + body + bytes(size % 4)


def blf(stream: bytes, method: int = 2) -> bytes:
    packed = zlib.compress(stream) if method == 2 else stream
    container = struct.pack("<4sHHLL", b"LOBJ", 16, 1, 32 + len(packed), 10) + struct.pack(
        "<H6xL4x", method, len(stream)
    )
    header = struct.pack("<4sL8BQQLL8H8H", b"LOGG", HEADER, *[0] * 8, 0, 0, 0, 0, *[0] * 16)
    return header.ljust(HEADER, b"\0") + container + packed + bytes((32 + len(packed)) % 4)


def classic_in_fd64(can_id: int, data: bytes, flags: int = 0, sent: int = 0) -> bytes:
    size = len(data)
    head = struct.pack("<BBBBLLLLLLLHBBL", 2, size, size, 0, can_id, 0, flags, 0, 0, 0, 0, 0, sent, 0, 0)
    return lobj(101, head + data)


def test_objects_that_only_vectors_tools_write(tmp_path: Path) -> None:
    message = struct.pack("<HBBL8s", 1, 0, 3, 0x123, b"\1\2\3\xff\xff")
    stream = (
        lobj(86, message + bytes(8))  # CAN_MESSAGE2
        + lobj(1, message, version=2)  # the longer header
        + lobj(1, message, flags=1, stamp=7)  # in units of 10 us
        + classic_in_fd64(0x80000456, b"\4\5")  # newer CANoe writes classic frames as FD objects without EDL
        + classic_in_fd64(0x456, bytes(8), flags=0x1000)  # an FD frame
        + classic_in_fd64(0x457, b"", flags=0x10, sent=1)
        + lobj(2, struct.pack("<HHL", 1, 0, 0))  # the old error frame, which python-can passes over
        + lobj(1, message, version=9)  # an unknown header is passed over
        + lobj(65, b"application text")
    )
    path = tmp_path / "log.blf"
    path.write_bytes(blf(stream))
    table = read_blf(path)
    expected = [message for message in by_python_can(path) if not message.is_fd]
    errors = (table.flags & ERROR) != 0
    assert_equal(table.take(~errors), expected)
    assert errors.tolist() == [False] * 5 + [True]
    assert table.time_ns.tolist() == [5, 5, 70_000, 5, 5, 5]
    assert table.skipped == {"CAN FD frames": 1}


@pytest.mark.parametrize("cut", [1, 7, 40, 1000, 30_000, 90_000])
def test_of_a_truncated_file_the_readable_part_is_used(write: Write, cut: int) -> None:
    messages = frames(10_000)
    path = write("log.blf", messages)
    whole = read_blf(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - cut])
    table = read_blf(path)
    assert len(messages) * (1 - 1.3 * cut / len(content)) - 80 <= len(table) <= len(messages)
    rows = len(table)
    for name in ("time_ns", "can_id", "flags", "length", "data", "channel"):
        assert np.array_equal(getattr(table, name), getattr(whole, name)[:rows])
    assert any("truncated" in note for note in table.notes)
    assert all(note.startswith(str(path)) for note in table.notes)


def test_a_file_whose_writer_was_killed_has_no_counts_in_its_header(tmp_path: Path) -> None:
    path = tmp_path / "log.blf"
    writer = can.BLFWriter(path, max_container_size=4096)
    for message in frames(1000):
        writer(message)
    writer.file.flush()
    table = read_blf(path)
    writer.stop()
    assert 900 < len(table) < 1000
    # Times are from the start, which is written last.
    assert table.time_ns[0] == 0


def test_damage_in_a_container_costs_only_that_container(write: Write) -> None:
    path = write("log.blf", frames(20_000))
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    content[place : place + 40] = b"\xff" * 40
    path.write_bytes(content)
    whole, table = read_blf(write("whole.blf", frames(20_000))), read_blf(path)
    container_frames = 131072 // 48  # and one on each side, which reach into it
    assert 20_000 - container_frames - 300 < len(table) < 20_000 - container_frames + 300
    assert np.isin(table.time_ns, whole.time_ns).all()
    at = np.searchsorted(whole.time_ns, table.time_ns)
    assert np.array_equal(table.words, whole.words[at]) and np.array_equal(table.keys, whole.keys[at])
    assert f"{path}: byte " in table.notes[0] and "damaged and left out" in table.notes[0]


def test_damage_between_objects_is_passed_over(tmp_path: Path) -> None:
    message = lobj(1, struct.pack("<HBBL8s", 1, 0, 3, 0x123, b"\1\2\3"))
    path = tmp_path / "log.blf"
    path.write_bytes(blf(message + b"\x55" * 100 + message + b"LOBJ\0\0\0\0" + bytes(40) + message))
    table = read_blf(path)
    assert len(table) == 3
    assert "148 bytes" in table.notes[0]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_content_breaks_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    stream = b"".join(
        data.draw(
            st.lists(st.one_of(st.just(b"LOBJ"), st.binary(max_size=60), st.just(lobj(1, bytes(16)))), max_size=12)
        )
    )
    content = bytearray(data.draw(st.sampled_from([blf(stream), blf(stream, 0), blf(b"")[:HEADER] + stream])))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "log.blf"
    path.write_bytes(content)
    table: Any = read_blf(path)
    assert len(table.can_id) == len(table.time_ns)


@pytest.mark.parametrize("content", [b"", b"LOGG", b"no log at all" * 20])
def test_no_blf(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.blf"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"log\.blf: is not a BLF file"):
        read_blf(path)


def test_an_empty_log(write: Write) -> None:
    assert len(read_blf(write("log.blf", []))) == 0
