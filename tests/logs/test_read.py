"""Logs of every format that python-can writes, as arrays."""

import gzip
from pathlib import Path

import can
import numpy as np
import pytest

from tests.logs.conftest import Write, frames
from twinaxle.errors import UserError
from twinaxle.logs import read_log
from twinaxle.logs.frames import ERROR, EXTENDED, NO_CHANNEL, REMOTE, SENT
from twinaxle.logs.read import table_of

# How far times in a format are apart (TRC: 0.1 ms since a start that is itself rounded).
FORMATS = {".blf": 1e-6, ".asc": 1e-5, ".csv": 1e-6, ".db": 1e-6, ".log": 2e-6, ".trc": 2e-4, ".asc.gz": 1e-5}


def ordinary(count: int = 200) -> list[can.Message]:
    """Frames that every format holds: with data, on channel 0."""
    messages = [message for message in frames(2 * count) if not (message.is_error_frame or message.is_remote_frame)]
    for message in messages:
        message.channel = 0
        message.is_rx = True
    return messages[:count]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format(write: Write, suffix: str) -> None:
    messages = ordinary()
    table = read_log(write(f"log{suffix}", messages))
    assert len(table) == len(messages)
    assert table.can_id.tolist() == [message.arbitration_id for message in messages]
    assert ((table.flags & EXTENDED) != 0).tolist() == [message.is_extended_id for message in messages]
    assert table.length.tolist() == [message.dlc for message in messages]
    assert table.data.tobytes() == b"".join(bytes(message.data).ljust(8, b"\0") for message in messages)
    since_first = [message.timestamp - messages[0].timestamp for message in messages]
    np.testing.assert_allclose((table.time_ns - table.time_ns[0]) / 1e9, since_first, atol=FORMATS[suffix], rtol=0)
    assert table.notes == () and table.skipped == {}


@pytest.mark.parametrize("suffix", [".blf", ".asc", ".log"])
def test_remote_and_error_frames(write: Write, suffix: str) -> None:
    path = write(f"log{suffix}", frames(300))
    table = read_log(path)
    expected = [message for message in can.LogReader(path) if not message.is_fd]
    for flag, name in ((REMOTE, "is_remote_frame"), (ERROR, "is_error_frame"), (EXTENDED, "is_extended_id")):
        wanted = [getattr(message, name) for message in expected]
        assert ((table.flags & flag) != 0).tolist() == wanted
        assert any(wanted)
    assert table.is_data.tolist() == [not (message.is_remote_frame or message.is_error_frame) for message in expected]
    assert not table.data[~table.is_data & ((table.flags & ERROR) == 0)].any()


def test_an_unknown_format_and_a_missing_log(tmp_path: Path) -> None:
    (tmp_path / "log.xyz").write_text("")
    with pytest.raises(UserError, match=r"log\.xyz.*known: \.asc, \.blf"):
        read_log(tmp_path / "log.xyz")
    with pytest.raises(UserError, match="no such log"):
        read_log(tmp_path / "none.blf")
    with pytest.raises(UserError, match="is not a file"):
        read_log(tmp_path)


def test_of_a_damaged_log_the_frames_before_are_used(write: Write) -> None:
    path = write("log.csv", ordinary(50))
    path.write_text(path.read_text() + "not,a,line\n")
    table = read_log(path)
    assert len(table) == 50
    assert "damaged after 50 frames" in table.notes[0] and str(path) in table.notes[0]
    path.write_text("timestamp\nrubbish\n")
    with pytest.raises(UserError, match=r"log\.csv: cannot be read"):
        read_log(path)


def test_a_truncated_gzip(write: Write) -> None:
    path = write("log.asc.gz", ordinary(20_000))
    path.write_bytes(path.read_bytes()[:-5000])
    table = read_log(path)
    assert 1000 < len(table) < 20_000
    assert "damaged after" in table.notes[0]
    with gzip.open(path.with_name("x.log.gz"), "wt") as file:
        file.write("(1.0) can0 123#11\n")
    assert read_log(path.with_name("x.log.gz")).can_id.tolist() == [0x123]


def test_progress_ends_at_the_size(write: Write) -> None:
    for suffix in (".blf", ".asc"):
        path = write(f"log{suffix}", ordinary(60_000) if suffix == ".blf" else ordinary(25_000))
        seen: list[tuple[int, int]] = []
        read_log(path, lambda done, size, seen=seen: seen.append((done, size)))  # type: ignore[misc]
        size = path.stat().st_size
        assert len(seen) >= 2 and seen[-1] == (size, size)
        assert seen == sorted(seen) and seen[0][0] > 0


def test_messages_as_a_table() -> None:
    messages = frames(100)
    messages[3].channel = "vcan1"
    messages[4].channel = "PCAN"
    messages[5] = can.Message(is_fd=True, data=bytes(12))
    table = table_of(messages)
    assert len(table) == 99 and table.skipped == {"CAN FD frames": 1}
    assert table.channel[3] == 1 and table.channel[4] == NO_CHANNEL
    assert table.time_ns[0] == round(messages[0].timestamp * 1e9)
    assert ((table.flags & SENT) != 0).tolist() == [not message.is_rx for message in messages if not message.is_fd]
    assert len(table_of([])) == 0
