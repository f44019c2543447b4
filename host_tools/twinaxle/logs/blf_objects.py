"""The objects of a BLF stream as arrays: where they are, and the frames in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from twinaxle.logs.frames import ERROR, EXTENDED, FD, FD_BYTES, REMOTE, SENT, FrameTable, empty_table

Positions = npt.NDArray[np.int64]
Objects = npt.NDArray[Any]

_SIGNATURE = b"LOBJ"
_SIGNATURE_WORD = int.from_bytes(_SIGNATURE, "little")
_BASE_HEADER = 16  # bytes of the part of the header that says type and size
_PADDING = 8  # an object begins at most so many bytes behind the end of the one before it
_LONGEST = 1 << 26  # bytes of the longest object that is believed
_TEN_MICROSECONDS = 1  # flag of an object: its time counts 10 us, else 1 ns
_HEADER_SIZES = {1: 32, 2: 40}  # header version -> size

_EXTENDED_SHIFT = np.uint32(31)  # the top bit of an identifier says that it is extended
_ID_MASK = np.uint32((1 << 29) - 1)
_MESSAGE_SENT, _MESSAGE_REMOTE = 0x01, 0x80
_FD_EDL = 0x01
_FD_64_REMOTE, _FD_64_EDL = 0x0010, 0x1000

_HEADER = np.dtype(
    {
        "names": ["version", "size", "kind", "flags", "time"],
        "formats": ["<u2", "<u4", "<u4", "<u4", "<i8"],
        "offsets": [6, 8, 12, 16, 24],
        "itemsize": 32,
    }
)
_MESSAGE = np.dtype([("channel", "<u2"), ("flags", "u1"), ("dlc", "u1"), ("can_id", "<u4"), ("data", "<u8")])
_ERROR = np.dtype([("channel", "<u2")])
_ERROR_EXT = np.dtype(
    {
        "names": ["channel", "dlc", "can_id", "data"],
        "formats": ["<u2", "u1", "<u4", "<u8"],
        "offsets": [0, 10, 16, 24],
    }
)
_FD = np.dtype(
    {
        "names": ["channel", "flags", "dlc", "can_id", "fd_flags", "data"],
        "formats": ["<u2", "u1", "u1", "<u4", "u1", "<u8"],
        "offsets": [0, 2, 3, 4, 13, 20],
    }
)
_FD_64 = np.dtype(
    {
        "names": ["channel", "dlc", "can_id", "flags", "sent", "data"],
        "formats": ["u1", "u1", "<u4", "<u4", "u1", "<u8"],
        "offsets": [0, 1, 4, 12, 34, 40],
    }
)
_FD_64_LENGTH = 40  # bytes in front of its data
_FD_ROW = np.dtype({"names": ["length", "data"], "formats": ["u1", ("u1", FD_BYTES)], "offsets": [14, 20]})
_FD_64_ROW = np.dtype(
    {"names": ["length", "after", "data"], "formats": ["u1", "u1", ("u1", FD_BYTES)], "offsets": [2, 35, _FD_64_LENGTH]}
)
_LONG_ROWS = {100: _FD_ROW, 101: _FD_64_ROW}
"""Object type -> where length and data of a CAN FD frame are. `after`: where what follows the data begins, or 0."""
_MARGIN = bytes(_HEADER_SIZES[2] + _FD_64_ROW.itemsize)


def find_objects(stream: bytes) -> tuple[Positions, int, int]:
    """Where the complete objects of a stream begin.

    Wherever the signature stands may be an object. Where the size of each leads to the next, all of them are; only the
    other places are walked one by one: data that happens to read like the signature, and damage.

    Returns:
        The positions, ascending; where the next object is expected, which is the first byte to keep for when the stream
        goes on; how many bytes between objects belong to none.
    """
    starts, size = _alike(stream)
    if len(starts):
        return starts, int(starts[-1]) + size, 0
    content = np.frombuffer(stream, dtype=np.uint8)
    starts = np.flatnonzero(content[: max(0, len(content) - _BASE_HEADER + 1)] == _SIGNATURE[0])
    if len(starts):
        heads = _rows(stream, starts, _BASE_HEADER).view("<u4")
        starts = starts[heads[:, 0] == _SIGNATURE_WORD]
        sizes = heads[heads[:, 0] == _SIGNATURE_WORD, 2].astype(np.int64)
        believed = (sizes >= _BASE_HEADER) & (sizes <= _LONGEST)
        starts, ends = starts[believed], (starts + sizes)[believed]
    if not len(starts):
        kept = min(len(stream), _BASE_HEADER - 1)
        return starts, len(stream) - kept, len(stream) - kept
    lost = int(starts[0]) if starts[0] > _PADDING else 0
    chosen = np.ones(len(starts), dtype=np.bool_)
    gaps = starts[1:] - ends[:-1]
    breaks = np.flatnonzero((gaps < 0) | (gaps > _PADDING))
    at = 0
    while (turn := int(np.searchsorted(breaks, at))) < len(breaks):
        last = int(breaks[turn])
        at = int(np.searchsorted(starts, ends[last]))
        chosen[last + 1 : at] = False
        if at < len(starts) and starts[at] - ends[last] > _PADDING:
            lost += int(starts[at] - ends[last])
    chosen_at = np.flatnonzero(chosen)
    if ends[chosen_at[-1]] <= len(stream):
        return starts[chosen_at], int(ends[chosen_at[-1]]), lost
    return starts[chosen_at[:-1]], int(starts[chosen_at[-1]]), lost


def _alike(stream: bytes) -> tuple[Positions, int]:
    """Where objects begin and their size, if all of them have the same size, as in a log of nothing but messages.

    No positions if there is another one among them, or anything else.
    """
    first = stream.find(_SIGNATURE, 0, _PADDING + len(_SIGNATURE))
    if first < 0 or first + _BASE_HEADER > len(stream):
        return np.empty(0, dtype=np.int64), 0
    size = int.from_bytes(stream[first + 8 : first + 12], "little")
    step = size + size % 4  # as the format pads them
    if size < _BASE_HEADER or first + size > len(stream):
        return np.empty(0, dtype=np.int64), 0
    starts = first + np.arange((len(stream) - first - size) // step + 1) * step
    heads = _rows(stream, starts, _BASE_HEADER).view("<u4")
    behind = int(starts[-1]) + step  # the next object, as far as it is there
    if (heads[:, 0] != _SIGNATURE_WORD).any() or (heads[:, 2] != size).any():
        return np.empty(0, dtype=np.int64), 0
    if not _SIGNATURE.startswith(stream[behind : behind + len(_SIGNATURE)]):
        return np.empty(0, dtype=np.int64), 0
    return starts, size


def frames_of(stream: bytes, positions: Positions, start_ns: int, *, with_fd: bool = False) -> tuple[FrameTable, int]:
    """The frames among the objects at `positions`, in their order, and how many of them are CAN FD.

    The table has these only `with_fd`. `start_ns` is added to the time of each.
    """
    stream += _MARGIN  # the layouts may reach behind the end of a short object
    headers = _rows(stream, positions, _HEADER.itemsize).view(_HEADER)[:, 0]
    count = len(positions)
    used = np.zeros(count, dtype=np.bool_)
    time_ns = headers["time"] + np.int64(start_ns)
    coarse = headers["flags"] == _TEN_MICROSECONDS
    if coarse.any():
        time_ns[coarse] = headers["time"][coarse] * 10_000 + start_ns
    table = empty_table(time_ns)
    fd_frames = 0
    for version, header_size in _HEADER_SIZES.items():
        of_version = headers["version"] == version
        for kind, (layout, flags_of) in _KINDS.items():
            rows = np.flatnonzero(of_version & (headers["kind"] == kind))
            if not len(rows):
                continue
            objects = _rows(stream, positions[rows] + header_size, layout.itemsize).view(layout)[:, 0]
            flags, classic = flags_of(objects)
            _fill(table, slice(None) if len(rows) == count else rows, objects, flags)
            used[rows] = classic
            fd_rows = rows[~used[rows]]
            fd_frames += len(fd_rows)
            if with_fd and len(fd_rows):
                table = table.widened(FD_BYTES)
                _fill_fd(table, fd_rows, stream, positions[fd_rows], headers["size"][fd_rows], header_size, kind)
                used[fd_rows] = True
    return (table if used.all() else table.take(used)), fd_frames


def _fill(table: FrameTable, rows: Any, objects: Objects, flags: npt.NDArray[np.uint8]) -> None:
    names = objects.dtype.names or ()
    table.channel[rows] = objects["channel"].astype(np.int16) - 1
    if "dlc" not in names:
        table.flags[rows] = flags
        return
    length = np.minimum(objects["dlc"], 8)
    table.flags[rows] = flags | (objects["can_id"] >> _EXTENDED_SHIFT).astype(np.uint8) * np.uint8(EXTENDED)
    table.can_id[rows] = objects["can_id"] & _ID_MASK
    table.length[rows] = length
    table.words[rows] = objects["data"] & _KEPT[np.where(flags & REMOTE, 0, length)]


def _fill_fd(
    table: FrameTable, rows: Any, stream: bytes, starts: Positions, sizes: Any, header_size: int, kind: int
) -> None:
    """The length and the data of CAN FD frames, whose other columns are there."""
    layout = _LONG_ROWS[kind]
    objects = _rows(stream, starts + header_size, layout.itemsize).view(layout)[:, 0]
    length = np.minimum(objects["length"], FD_BYTES)
    held = length.astype(np.int64)
    if "after" in (layout.names or ()):  # fewer bytes may be there than the frame has: the others are zero
        ends = np.where(objects["after"] > 0, objects["after"], sizes.astype(np.int64))
        held = np.clip(ends - header_size - _FD_64_LENGTH, 0, held)
    table.length[rows] = length
    table.flags[rows] |= np.uint8(FD)
    table.data[rows] = np.where(np.arange(FD_BYTES) < held[:, None], objects["data"], 0)


_KEPT = np.array([(1 << 8 * length) - 1 for length in range(9)], dtype=np.uint64)
"""The bytes of a little-endian word that a frame of each length has."""

_MESSAGE_FLAGS = np.array(
    [(REMOTE if byte & _MESSAGE_REMOTE else 0) | (SENT if byte & _MESSAGE_SENT else 0) for byte in range(256)],
    dtype=np.uint8,
)

FlagsOf = Callable[[Objects], tuple[npt.NDArray[np.uint8], Any]]


def _message_flags(objects: Objects) -> tuple[npt.NDArray[np.uint8], Any]:
    return _MESSAGE_FLAGS[objects["flags"]], True


def _error_flags(objects: Objects) -> tuple[npt.NDArray[np.uint8], Any]:
    return np.full(len(objects), ERROR, dtype=np.uint8), True


def _fd_flags(objects: Objects) -> tuple[npt.NDArray[np.uint8], Any]:
    return _message_flags(objects)[0], (objects["fd_flags"] & _FD_EDL) == 0


def _fd_64_flags(objects: Objects) -> tuple[npt.NDArray[np.uint8], Any]:
    flags = np.where(objects["flags"] & _FD_64_REMOTE, REMOTE, 0) | np.where(objects["sent"], SENT, 0)
    return flags.astype(np.uint8), (objects["flags"] & _FD_64_EDL) == 0


_KINDS: dict[int, tuple[np.dtype[Any], FlagsOf]] = {
    1: (_MESSAGE, _message_flags),
    2: (_ERROR, _error_flags),
    73: (_ERROR_EXT, _error_flags),
    86: (_MESSAGE, _message_flags),
    100: (_FD, _fd_flags),
    101: (_FD_64, _fd_64_flags),
}
"""Object type -> its layout, and the function that gives its flags and which of the objects are classic frames."""


def _rows(stream: bytes, starts: Positions, width: int) -> npt.NDArray[np.uint8]:
    """The `width` bytes from each start: [n, width]. The stream must reach so far."""
    content = np.frombuffer(stream, dtype=np.uint8)
    if len(starts) > 1:
        step = int(starts[1] - starts[0])
        if (starts[1:] - starts[:-1] == step).all():  # nothing needs to be copied
            return np.lib.stride_tricks.as_strided(
                content[starts[0] :], (len(starts), width), (step, 1), writeable=False
            )
    windows = np.lib.stride_tricks.as_strided(
        content, (max(0, len(stream) - width + 1), width), (1, 1), writeable=False
    )
    return windows[starts]
