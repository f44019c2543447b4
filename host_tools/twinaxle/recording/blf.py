"""Writes BLF in bulk: the objects of many frames are made by numpy, python-can does the containers and the header."""

from __future__ import annotations

from typing import Any

import can
import numpy as np

from twinaxle.logs.frames import ERROR, EXTENDED, REMOTE, SENT, FrameTable
from twinaxle.recording.formats import OLDEST_DATE_S

_OBJECT = np.dtype(
    [
        ("signature", "S4"),
        ("header_size", "<u2"),
        ("header_version", "<u2"),
        ("object_size", "<u4"),
        ("object_type", "<u4"),
        ("flags", "<u4"),
        ("client", "<u2"),
        ("object_version", "<u2"),
        ("time_ns", "<u8"),
        ("channel", "<u2"),
        ("message_flags", "u1"),
        ("dlc", "u1"),
        ("can_id", "<u4"),
        ("data", "u1", (8,)),
    ]
)
"""A classic frame (CAN_MESSAGE) with the headers of version 1, as python-can writes it."""

_HEADER_SIZE = 32
_CAN_MESSAGE = 1
_TIME_IN_NS = 2
_REMOTE, _SENT = 0x80, 0x01
_EXTENDED_ID = 1 << 31
_NS = 1_000_000_000
_BLOCK = 50_000


class BulkBLFWriter(can.BLFWriter):
    """python-can's BLF writer that takes whole tables besides messages."""

    def write_table(self, table: FrameTable) -> None:
        """Write all frames of a table, which is in the order of time, as `on_message_received` would one by one."""
        if len(table) and self.start_timestamp is None:
            first_ns = int(table.time_ns[0])
            # The header has milliseconds.
            self.start_timestamp = first_ns // 1_000_000 / 1000 if first_ns >= OLDEST_DATE_S * _NS else 0.0
        errors = np.flatnonzero(table.flags & ERROR).tolist()
        begin = 0
        for error in [*errors, len(table)]:
            for start in range(begin, error, _BLOCK):
                self._write_block(table.take(slice(start, min(error, start + _BLOCK))))
            if error < len(table):
                self._write_error(table, error)
            begin = error + 1

    def _write_block(self, table: FrameTable) -> None:
        """Write data and remote frames."""
        assert self.start_timestamp is not None
        objects = np.zeros(len(table), dtype=_OBJECT)
        objects["signature"] = b"LOBJ"
        objects["header_size"] = _HEADER_SIZE
        objects["header_version"] = 1
        objects["object_size"] = _OBJECT.itemsize
        objects["object_type"] = _CAN_MESSAGE
        objects["flags"] = _TIME_IN_NS
        objects["time_ns"] = np.maximum(table.time_ns - round(self.start_timestamp * 1000) * 1_000_000, 0)
        objects["channel"] = np.where(table.channel < 0, self.channel, table.channel + 1)
        objects["message_flags"] = np.where(table.flags & REMOTE, _REMOTE, 0) | np.where(table.flags & SENT, _SENT, 0)
        objects["dlc"] = table.length
        objects["can_id"] = table.can_id | np.where(table.flags & EXTENDED, _EXTENDED_ID, 0).astype(np.uint32)
        objects["data"] = table.data
        block = objects.tobytes()
        buffer: list[Any] = self._buffer
        buffer.append(block)
        self._buffer_size += len(block)
        self.object_count += len(table)
        self.stop_timestamp = int(table.time_ns[-1]) / _NS
        while self._buffer_size >= self.max_container_size:
            self._flush()

    def _write_error(self, table: FrameTable, row: int) -> None:
        channel = int(table.channel[row])
        self.on_message_received(
            can.Message(
                timestamp=int(table.time_ns[row]) / _NS,
                is_error_frame=True,
                is_rx=not table.flags[row] & SENT,
                channel=None if channel < 0 else channel,
            )
        )
