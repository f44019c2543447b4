"""The watch over a live bus: for each message its count, cycle, E2E verdicts, age and timeouts.

    watch = StreamWatch(database)
    watch.feed(message.timestamp, key, message.data)   # for each data frame, key as in dbc.model.Message.key
    for entry in watch.entries.values():
        print(entry.name, entry.count, entry.cycle_mean_s, entry.jitter_s, entry.e2e_faults, entry.age_s(now_s))

Times are seconds of any clock, the same one for all calls.
Nothing here takes a lock: feed from one thread, and read numbers (which may be one frame apart) from any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy

from twinaxle.dbc.model import EXTENDED, Database, Message
from twinaxle.e2e import Checker, Verdict

TIMEOUT_CYCLES = 3.0
"""A cyclic message without RxTimeout in the DBC is late after this many cycles."""

FAULTS = (
    Verdict.REPEATED, Verdict.WRONG_SEQUENCE, Verdict.WRONG_CRC, Verdict.INVALID_COUNTER, Verdict.WRONG_LENGTH,
)  # fmt: skip
"""Frames with these verdicts are faults: a receiver must not use them."""
USABLE = (Verdict.OK, Verdict.OK_SOME_LOST, Verdict.INITIAL)
"""A receiver takes the content of frames with these verdicts."""
_NEVER = float("-inf")


def key_text(key: int) -> str:
    """An identifier as people write it: 0x123, 0x18FF0102x for one of 29 bits."""
    return f"0x{key - EXTENDED:08X}x" if key & EXTENDED else f"0x{key:03X}"


def receive_timeout_s(message: Message, cycles: float = TIMEOUT_CYCLES) -> float | None:
    """The time in s without a usable frame after which a receiver takes the message for missing; None: never.

    It is the DBC's RxTimeout, else `cycles` times the cycle.
    """
    if message.rx_timeout_ms:
        return message.rx_timeout_ms * 1e-3
    return message.cycle_ms * 1e-3 * cycles if message.is_cyclic else None


class MessageWatch:
    """What is known of one identifier. Attributes are updated by `feed`; change none of them.

    count: data frames. first_s, last_s: time of the first and the last one. data: the last one's bytes.
    good_s: time of the last usable frame: of the right length and, with E2E, with a good verdict (-inf: none yet).
    cycle_s, cycle_min_s, cycle_max_s: distance of the last two frames, and its extremes (None with less than two).
    timeouts: how often the time between two usable frames was longer than `timeout_s`.
    wrong_length: frames whose length is not the DBC's. verdicts: frames by E2E verdict, indexed by `Verdict`.
    """

    __slots__ = (
        "_checker", "_deviation_sum", "_length", "_nominal_s", "_square_sum", "_timeout_s", "count", "cycle_max_s",
        "cycle_min_s", "cycle_s", "data", "first_s", "good_s", "key", "last_s", "message", "timeouts", "verdict",
        "verdicts", "wrong_length",
    )  # fmt: skip

    def __init__(self, key: int, message: Message | None = None) -> None:
        """`message` None: an identifier that the DBC does not know; it has no cycle to keep and no E2E."""
        self.key = key
        self.message = message
        self._length = message.length if message else None
        self._timeout_s = receive_timeout_s(message) if message else None
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        message = self.message
        self.count = 0
        self.data: bytes | bytearray = b""
        self.first_s = self.last_s = self.good_s = _NEVER
        self.cycle_s: float | None = None
        self.cycle_min_s: float | None = None
        self.cycle_max_s: float | None = None
        self.timeouts = 0
        self.wrong_length = 0
        self.verdict: Verdict | None = None
        self.verdicts = [0] * len(Verdict)
        # Sums of deviations from the nominal cycle keep their precision where sums of times would lose it.
        self._nominal_s = message.cycle_ms * 1e-3 if message and message.cycle_ms else None
        self._deviation_sum = self._square_sum = 0.0
        e2e = message.e2e if message else None
        self._checker = Checker(e2e.data_id, e2e.max_delta, message.length) if message and e2e else None

    def feed(self, time_s: float, data: bytes | bytearray) -> Verdict | None:
        """Take one data frame. Returns its E2E verdict, None without E2E. The data is kept, not copied."""
        if self.count:
            self.cycle_s = cycle_s = time_s - self.last_s
            if self._nominal_s is None:
                self._nominal_s = cycle_s
            if self.cycle_min_s is None or self.cycle_max_s is None:
                self.cycle_min_s = self.cycle_max_s = cycle_s
            elif cycle_s < self.cycle_min_s:
                self.cycle_min_s = cycle_s
            elif cycle_s > self.cycle_max_s:
                self.cycle_max_s = cycle_s
            deviation = cycle_s - self._nominal_s
            self._deviation_sum += deviation
            self._square_sum += deviation * deviation
        else:
            self.first_s = time_s
        self.count += 1
        self.last_s = time_s
        self.data = data

        usable = True
        if len(data) != self._length and self._length is not None:
            self.wrong_length += 1
            usable = False
        verdict = None
        if self._checker is not None:
            self.verdict = verdict = self._checker.check(data)
            self.verdicts[verdict] += 1
            usable = verdict in USABLE
        if usable:
            if self._timeout_s is not None and time_s - self.good_s > self._timeout_s and self.good_s != _NEVER:
                self.timeouts += 1
            self.good_s = time_s
        return verdict

    def copy(self) -> MessageWatch:
        """A copy that no later frame changes."""
        twin = copy(self)
        twin.verdicts = list(self.verdicts)
        twin._checker = copy(self._checker)
        return twin

    @property
    def name(self) -> str:
        """The message's name; the identifier in hex where the DBC has none."""
        return self.message.name if self.message else key_text(self.key)

    @property
    def nominal_s(self) -> float | None:
        """The cycle that the DBC asks for (GenMsgCycleTime); None if it asks for none."""
        return self.message.cycle_ms * 1e-3 if self.message and self.message.cycle_ms else None

    @property
    def timeout_s(self) -> float | None:
        """See `receive_timeout_s`."""
        return self._timeout_s

    @property
    def cycle_mean_s(self) -> float | None:
        """Mean distance of two frames."""
        return (self.last_s - self.first_s) / (self.count - 1) if self.count > 1 else None

    @property
    def cycle_deviation_s(self) -> float | None:
        """Standard deviation of the distance of two frames."""
        n = self.count - 1
        if n < 1:
            return None
        variance = (self._square_sum - self._deviation_sum * self._deviation_sum / n) / n
        return float(max(variance, 0.0) ** 0.5)

    @property
    def jitter_s(self) -> float | None:
        """The largest deviation of a cycle from GenMsgCycleTime, without that from the mean cycle."""
        if self.cycle_min_s is None or self.cycle_max_s is None:
            return None
        nominal_s = self.nominal_s or self.cycle_mean_s or 0.0
        return max(self.cycle_max_s - nominal_s, nominal_s - self.cycle_min_s)

    @property
    def rate_hz(self) -> float | None:
        """Frames a second, on average."""
        return 1.0 / self.cycle_mean_s if self.cycle_mean_s else None

    @property
    def lost(self) -> int:
        """Frames that the counter shows to be missing. It counts to 15, so of a longer gap only a part is seen."""
        return self._checker.lost if self._checker is not None else 0

    @property
    def e2e_faults(self) -> int:
        """Frames that a receiver must not use: wrong CRC, length, counter or sequence, repeated."""
        return sum(self.verdicts[verdict] for verdict in FAULTS)

    def age_s(self, now_s: float) -> float | None:
        """Time since the last frame; None if there was none."""
        return now_s - self.last_s if self.count else None

    def is_late(self, now_s: float) -> bool:
        """True if a receiver takes the message for missing: no usable frame for longer than `timeout_s`.

        A message of which there never was a usable frame is not late.
        """
        return self._timeout_s is not None and self.good_s != _NEVER and now_s - self.good_s > self._timeout_s


class StreamWatch:
    """The watch over all messages of a bus.

    `entries` maps `Message.key` to its watch: every message of the database from the start (`count` 0: not seen),
    and every unknown identifier from its first frame on.
    """

    def __init__(self, database: Database | None = None) -> None:
        messages: Mapping[int, Message] = database.by_id if database else {}
        self.entries: dict[int, MessageWatch] = {key: MessageWatch(key, message) for key, message in messages.items()}

    def feed(self, time_s: float, key: int, data: bytes | bytearray) -> Verdict | None:
        """Take one data frame; `key` is the identifier, plus `EXTENDED` for a 29-bit one. Returns the E2E verdict."""
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = MessageWatch(key)
        return entry.feed(time_s, data)

    def reset(self) -> None:
        """Forget all frames and the unknown identifiers."""
        self.entries = {key: entry for key, entry in self.entries.items() if entry.message}
        for entry in self.entries.values():
            entry.reset()

    def late(self, now_s: float) -> Iterator[MessageWatch]:
        """The messages that are late (see `MessageWatch.is_late`)."""
        return (entry for entry in self.entries.values() if entry.is_late(now_s))

    def missing(self) -> Iterator[MessageWatch]:
        """The cyclic messages of which no frame has come."""
        return (entry for entry in self.entries.values() if entry.nominal_s and not entry.count)

    def unknown(self) -> Iterator[MessageWatch]:
        """The identifiers that the database does not have."""
        return (entry for entry in self.entries.values() if entry.message is None)
