"""CAN FD: frames of up to 64 bytes from every log format that holds them, and signals anywhere in them."""

from __future__ import annotations

import random
from pathlib import Path

import can
import cantools
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decode.conftest import Run, table, write_blf
from twinaxle.dbc import load_database
from twinaxle.decode.columns import decode
from twinaxle.logs import read_log
from twinaxle.logs.frames import FD, FD_BYTES
from twinaxle.logs.read import table_of

HEAD = 'VERSION ""\n\nBS_:\n\nBU_: ECU\n\n'
LENGTHS = (0, 1, 8, 12, 16, 20, 24, 32, 48, 64)
START_S = 1_700_000_000.0


def mixed(count: int, seed: int = 1) -> list[can.Message]:
    """FD frames of all lengths among classic ones."""
    rng = random.Random(seed)
    messages = []
    for number in range(count):
        length = rng.choice(LENGTHS)
        is_fd = length > 8 or rng.random() < 0.5
        messages.append(
            can.Message(
                timestamp=START_S + number / 1000, arbitration_id=0x100 + length, is_extended_id=False, channel=0,
                is_fd=is_fd, bitrate_switch=is_fd and rng.random() < 0.5, data=rng.randbytes(length), dlc=length,
            )
        )  # fmt: skip
    return messages


@pytest.mark.parametrize("suffix", [".blf", ".asc", ".log", ".mf4"])
def test_logs_with_fd_frames(suffix: str, tmp_path: Path) -> None:
    if suffix == ".mf4":
        pytest.importorskip("asammdf")
    messages = mixed(300)
    path = tmp_path / f"log{suffix}"
    with can.Logger(path) as writer:
        for message in messages:
            writer(message)
    frames = read_log(path, with_fd=True)
    assert len(frames) == 300 and frames.width == FD_BYTES and frames.skipped == {}
    assert frames.length.tolist() == [len(message.data) for message in messages]
    assert ((frames.flags & FD) != 0).tolist() == [message.is_fd for message in messages]
    for row, message in enumerate(messages):
        assert frames.data[row].tobytes() == bytes(message.data).ljust(FD_BYTES, b"\0")
    classic = read_log(path)
    wanted = [message for message in messages if not message.is_fd]
    assert classic.skipped == {"CAN FD frames": 300 - len(wanted)} and classic.width == 8
    assert classic.can_id.tolist() == [message.arbitration_id for message in wanted]


def test_a_log_of_classic_frames_has_short_rows(tmp_path: Path) -> None:
    messages = [message for message in mixed(300) if not message.is_fd]
    assert read_log(write_blf(tmp_path / "log.blf", messages), with_fd=True).width == 8
    assert table_of(messages, with_fd=True).width == 8


def test_fd_frames_as_other_writers_have_them(tmp_path: Path) -> None:
    """CAN_FD_MESSAGE_64, which python-can does not write, with fewer bytes there than the frame has."""
    import struct

    data = bytes(range(1, 65))
    flags, is_sent = 0x1000, 1
    objects = []
    for number, held in enumerate((64, 64, 40, 0)):
        body = struct.pack("<BBBBLLLLLLLHBBL", 2, 15, 64, 0, 0x123 + number, 0, flags, 0, 0, 0, 0, 0, is_sent, 0, 0)
        size = 32 + len(body) + held
        header = struct.pack("<4sHHLL", b"LOBJ", 32, 1, size, 101) + struct.pack("<LHHQ", 2, 0, 1, number * 1000)
        objects.append(header + body + data[:held])
    path = tmp_path / "log.blf"
    with can.BLFWriter(path) as writer:
        writer(can.Message(timestamp=START_S, arbitration_id=1, is_extended_id=False, data=b"\x07"))
        for one in objects:
            writer._buffer.append(one + bytes(-len(one) % 4))
            writer._buffer_size += len(one) + -len(one) % 4
    frames = read_log(path, with_fd=True)
    by_python_can = list(can.BLFReader(path))
    assert [one.arbitration_id for one in by_python_can] == frames.can_id.tolist() == [1, 0x123, 0x124, 0x125, 0x126]
    for row, message in enumerate(by_python_can):
        assert frames.data[row, : frames.length[row]].tobytes() == bytes(message.data)
    assert frames.channel.tolist()[1:] == [1] * 4 and frames.length.tolist()[1:] == [64] * 4


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_signals_anywhere_as_cantools_decodes_them(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = random.Random(seed)
    texts = []
    for number in range(8):
        length = rng.randint(1, 64)
        first = rng.randint(0, 512 - length)
        is_big = rng.random() < 0.5
        start = 8 * (first // 8) + 7 - first % 8 if is_big else first
        sign = rng.choice("+-")
        scale = rng.choice(["1,0", "0.5,-3"])
        texts.append(
            f"BO_ {number} M{number}: 64 ECU\n"
            f' SG_ S : {start}|{length}@{0 if is_big else 1}{sign} ({scale}) [0|0] "" ECU\n'
        )
    path = tmp_path_factory.mktemp("fd") / "fd.dbc"
    path.write_text(HEAD + "\n".join(texts))
    database, parsed = load_database(path), cantools.database.load_file(path)
    payloads = [rng.randbytes(rng.choice((8, 12, 32, 48, 64))) for _ in range(20)]
    frames = table_of([can.Message(data=data, is_fd=len(data) > 8, dlc=len(data)) for data in payloads], with_fd=True)
    for message in database.messages.values():
        (column,) = decode(message, frames).columns
        reference = parsed.get_message_by_name(message.name)
        for row, data in enumerate(payloads):
            wanted = reference.decode(data, allow_truncated=True)
            there = column.present is None or bool(column.present[row])
            assert there == ("S" in wanted)
            if there:
                assert column.physical[row] == np.float64(wanted["S"]) or int(column.physical[row]) == wanted["S"]


def test_decode_and_plot_take_them(tmp_path: Path, run: Run) -> None:
    dbc = tmp_path / "fd.dbc"
    dbc.write_text(
        HEAD
        + 'BO_ 600 Long: 64 ECU\n SG_ First : 0|16@1+ (1,0) [0|0] "" ECU\n'
        + ' SG_ Far : 487|32@0- (0.5,0) [0|0] "" ECU\n'
    )
    far = [(-3 - number).to_bytes(4, "big", signed=True) for number in range(5)]
    log = write_blf(
        tmp_path / "log.blf",
        [
            can.Message(
                timestamp=START_S + number, arbitration_id=600, is_extended_id=False, is_fd=True,
                data=bytes([number]) + bytes(59) + far[number],
            )
            for number in range(5)
        ],
    )  # fmt: skip
    rows = table(run("decode", log, "--dbc", dbc))
    assert [(row["Long.First"], row["Long.Far"]) for row in rows] == [
        ("0", "-1.5"), ("1", "-2.0"), ("2", "-2.5"), ("3", "-3.0"), ("4", "-3.5"),
    ]  # fmt: skip
    assert "FD" not in run.err  # type: ignore[attr-defined]
    run("plot", log, "Far", "--dbc", dbc, "-o", tmp_path / "page.html")
