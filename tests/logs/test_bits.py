"""Lengths of frames on arrays against the bus's own count, frame by frame."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hil.bus import Frame
from hil.bus.bits import frame_bits as bits_of_one
from twinaxle.logs.bits import ERROR_FRAME_BITS, data_frame_bits, frame_bits
from twinaxle.logs.frames import ERROR, EXTENDED, REMOTE, FrameTable, make_table


def table_of(frames: list[Frame]) -> FrameTable:
    return make_table(
        range(len(frames)),
        [frame.can_id for frame in frames],
        [EXTENDED * frame.is_extended | REMOTE * frame.is_remote for frame in frames],
        [len(frame.data) for frame in frames],
        [list(frame.data.ljust(8, b"\0")) for frame in frames],
        [0] * len(frames),
    )


@st.composite
def any_frame(draw: st.DrawFn) -> Frame:
    extended, remote = draw(st.booleans()), draw(st.booleans())
    can_id = draw(st.integers(0, (1 << 29 if extended else 1 << 11) - 1))
    length = draw(st.integers(0, 8))
    # Runs of equal bits are what stuffing is about.
    byte = st.one_of(st.sampled_from([0x00, 0xFF, 0x0F, 0xF0, 0x1F, 0x7C]), st.integers(0, 255))
    data = bytes(draw(st.lists(byte, min_size=length, max_size=length)))
    return Frame(can_id, bytes(length) if remote else data, extended, remote)


@given(st.lists(any_frame(), min_size=1, max_size=20))
def test_every_kind_of_frame(frames: list[Frame]) -> None:
    expected = [bits_of_one(frame) for frame in frames]
    assert frame_bits(table_of(frames)).tolist() == expected
    assert [data_frame_bits(*frame) for frame in frames] == expected


def test_many_frames() -> None:
    draw = random.Random(1)
    frames = [Frame(draw.randrange(1 << 11), draw.randbytes(8)) for _ in range(3000)]
    found = frame_bits(table_of(frames))
    assert found.tolist() == [bits_of_one(frame) for frame in frames]
    assert found.min() >= 108 and found.max() <= 132  # without stuff bits; the most that 98 bits can get


def test_error_frames_and_an_empty_log() -> None:
    frames = table_of([Frame(0x123, b"\x01")] * 2)
    frames.flags[1] = ERROR
    assert frame_bits(frames).tolist() == [bits_of_one(Frame(0x123, b"\x01")), ERROR_FRAME_BITS]
    assert frame_bits(frames.take(slice(0, 0))).tolist() == []
    assert frame_bits(frames).dtype == np.int32
