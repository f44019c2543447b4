"""Everything that was heard, by channel and identifier: counters, last frame, changed bits, cycle and E2E statistics.

`feed` runs for every frame and does only what cannot be done later; `tick` runs once for each redraw.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING

from twinaxle.dbc.model import EXTENDED, Message
from twinaxle.judge.stream import MessageWatch
from twinaxle.sniff.faults import ErrorFrames
from twinaxle.sniff.load import BitsOf
from twinaxle.sniff.values import Decoder, Reading

if TYPE_CHECKING:
    import can

REMOTE = 1 << 30
"""Added to the identifier of remote frames, which are rows of their own."""

WINDOW_S = 1.0
"""Rates and bus load are taken over this time."""

RECENT_S = 0.5
"""A bit that has changed is shown as changed for this time to twice of it."""

PROTECTION_BITS = 0xFFF
"""CRC and counter of a protected message. They always change, so that no change is shown there."""

Key = tuple[object, int]
"""(channel, identifier with EXTENDED and REMOTE)."""


class Row:
    """One identifier on one channel."""

    __slots__ = (
        "_counts", "_older", "_protection", "_read", "_readings", "_since_mark", "can_id", "channel", "decoder",
        "is_late", "key", "label", "last", "marked", "message", "name", "notched", "number", "rate", "toggled", "watch",
    )  # fmt: skip

    def __init__(self, key: Key, message: Message | None, decoder: Decoder | None) -> None:
        self.key = key
        self.channel, number = key
        self.can_id = number & ~(EXTENDED | REMOTE)
        self.message = message
        self.name = message.name if message else ""
        self.label = (self.name or "unknown") + (" (remote)" if number & REMOTE else "")
        """What stands for the name on the screen."""
        self.decoder = decoder
        self.watch = MessageWatch(number & ~REMOTE, None if number & REMOTE else message)
        self.last: can.Message | None = None
        """The last frame; None for a message of the DBC that has not come."""
        self.number = 0
        """The data as a little-endian number: its bit 8 * byte + bit is that bit of that byte."""
        self.toggled = 0
        """Bits that have changed since `tick` last took them over."""
        self.notched = self._protection = PROTECTION_BITS if message and message.e2e else 0
        """Bits whose changes are not shown."""
        self.rate = 0.0
        """Frames a second."""
        self.is_late = False
        """True if a receiver takes the message for missing at the last tick."""
        self.marked = False
        self._older = 0
        self._since_mark = 0
        self._counts: deque[int] = deque()
        self._read: bytes | bytearray | None = None
        self._readings: tuple[Reading, ...] = ()

    @property
    def is_extended(self) -> bool:
        """True for a 29-bit identifier."""
        return bool(self.key[1] & EXTENDED)

    @property
    def is_remote(self) -> bool:
        """True for remote frames."""
        return bool(self.key[1] & REMOTE)

    @property
    def count(self) -> int:
        """Frames so far."""
        return self.watch.count

    @property
    def data(self) -> bytes | bytearray:
        """The data of the last frame."""
        return self.watch.data

    @property
    def fault_count(self) -> int:
        """Frames that a receiver must not use."""
        return self.watch.e2e_faults if self.message and self.message.e2e else self.watch.wrong_length

    @property
    def recent(self) -> int:
        """Bits that have changed just now."""
        return (self.toggled | self._older) & ~self.notched

    @property
    def since_mark(self) -> int:
        """Bits that have changed since the mark."""
        return (self.toggled | self._since_mark) & ~self.notched

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The signals of the last frame, decoded when they are asked for."""
        data = self.watch.data
        if self._read is not data:
            self._read = data
            self._readings = self.decoder.read(bytes(data)) if self.decoder and self.last else ()
        return self._readings

    def settle(self) -> None:
        """Take over the bits that have changed."""
        self._older = self.toggled
        self._since_mark |= self.toggled
        self.toggled = 0

    def set_mark(self) -> None:
        """Changes are counted from here on."""
        self._since_mark = self.toggled = self._older = 0

    def notch(self) -> None:
        """Show no more changes of the bits that have changed since the mark."""
        self.notched |= self._since_mark | self.toggled

    def clear_notches(self) -> None:
        """Show all changes again."""
        self.notched = self._protection

    def take_rate(self, ticks: int, seconds: float) -> None:
        """Work out the rate from the frames of the last `ticks` ticks, which took `seconds`."""
        counts = self._counts
        counts.append(self.watch.count)
        while len(counts) > ticks + 1:
            counts.popleft()
        self.rate = (counts[-1] - counts[0]) / seconds if seconds > 0 else 0.0


class Store:
    """All rows, and the sums over the bus.

    Args:
        messages: of the DBC, by `Message.key`.
        bits_of: time of a frame in bit times (see `load.frame_time`).
        bitrate: nominal, bit/s.
        faults: counter of error frames.
    """

    def __init__(
        self, messages: Mapping[int, Message], bits_of: BitsOf, bitrate: int, faults: ErrorFrames | None = None
    ) -> None:
        self.messages = messages
        self.bitrate = bitrate
        self.faults = faults or ErrorFrames()
        self._bits_of = bits_of
        self._decoders: dict[int, Decoder] = {}
        self.clear()

    def clear(self) -> None:
        """Forget everything that was heard."""
        self.faults.clear()
        self.rows: dict[Key, Row] = {}
        self.frames = 0
        self.bits = 0.0
        self.first_s: float | None = None
        """Time of the first frame; None before it."""
        self.last_s = 0.0
        self.now_s = 0.0
        """Bus time of the last `tick`."""
        self.mark_s: float | None = None
        self.frame_rate = 0.0
        self.load = 0.0
        """Share of the bus's time taken by frames, 0 to 1, over the last second."""
        self.peak_load = 0.0
        self._ticks: deque[tuple[float, int, float]] = deque()
        self._settled_s = 0.0

    def feed(self, frames: "Iterable[can.Message]") -> None:
        """Count and judge frames in the order in which they came."""
        rows, bits_of = self.rows, self._bits_of
        number_of = int.from_bytes
        bits, count = 0.0, 0
        message = None
        for message in frames:
            count += 1
            bits += bits_of(message)
            if message.is_error_frame:
                self.faults.add(message)
                continue
            can_id = message.arbitration_id
            if message.is_extended_id:
                can_id |= EXTENDED
            if message.is_remote_frame:
                can_id |= REMOTE
            row = rows.get((message.channel, can_id))
            if row is None:
                row = self._new_row((message.channel, can_id))
            row.last = message
            data, watch = message.data, row.watch
            before = watch.data
            watch.feed(message.timestamp, data)
            if data != before:
                number = number_of(data, "little")
                if watch.count > 1:
                    row.toggled |= number ^ row.number
                row.number = number
        if message is None:
            return
        self.frames += count
        self.bits += bits
        self.last_s = max(self.last_s, message.timestamp)
        if self.first_s is None:
            self.first_s = message.timestamp

    def _new_row(self, key: Key) -> Row:
        message = self.messages.get(key[1] & ~REMOTE)
        row = self.rows[key] = Row(key, message, self._decoder(message) if message else None)
        return row

    def _decoder(self, message: Message) -> Decoder:
        if message.key not in self._decoders:
            self._decoders[message.key] = Decoder(message)
        return self._decoders[message.key]

    def tick(self, now_s: float) -> None:
        """Work out rates and load; `now_s` is the bus's time, which also passes while nothing is heard."""
        self.now_s = now_s = max(now_s, self.last_s)
        ticks = self._ticks
        ticks.append((now_s, self.frames, self.bits))
        while len(ticks) > 2 and ticks[1][0] <= now_s - WINDOW_S:
            ticks.popleft()
        begin_s, frames, bits = ticks[0]
        seconds = now_s - begin_s
        if seconds > 0:
            self.frame_rate = (self.frames - frames) / seconds
            self.load = (self.bits - bits) / (seconds * self.bitrate)
            if seconds >= WINDOW_S / 2:
                self.peak_load = max(self.peak_load, self.load)
        settle = now_s - self._settled_s >= RECENT_S
        if settle:
            self._settled_s = now_s
        for row in self.rows.values():
            row.take_rate(len(ticks) - 1, seconds)
            row.is_late = row.watch.is_late(now_s)
            if settle:
                row.settle()

    def absent(self) -> list[Row]:
        """Rows for the messages of the DBC that were heard on no channel."""
        heard = {number for _, number in self.rows}
        return [
            Row((None, key), message, self._decoder(message))
            for key, message in self.messages.items()
            if key not in heard
        ]

    def absent_count(self) -> int:
        """Cyclic messages of the DBC that were heard on no channel, once any message of it was."""
        heard = {number for _, number in self.rows} & self.messages.keys()
        return sum(message.is_cyclic for key, message in self.messages.items() if key not in heard) if heard else 0

    def restart_statistics(self) -> None:
        """Count, and take cycles and E2E verdicts, from here on."""
        for row in self.rows.values():
            row.watch.reset()
        self.peak_load = 0.0

    def set_mark(self) -> None:
        """Changes are shown from here on, not only those of just now."""
        self.mark_s = self.now_s
        for row in self.rows.values():
            row.set_mark()

    def notch(self) -> None:
        """Show no more changes of any bit that has changed since the mark."""
        for row in self.rows.values():
            row.notch()

    def clear_notches(self) -> None:
        """Show all changes again."""
        for row in self.rows.values():
            row.clear_notches()

    def snapshot(self) -> "Store":
        """A copy that stands still: for looking at while frames come in."""
        frozen = copy(self)
        frozen.rows = {}
        for key, row in self.rows.items():
            frozen.rows[key] = kept = copy(row)
            kept.watch = row.watch.copy()
        frozen.faults = copy(self.faults)
        return frozen
