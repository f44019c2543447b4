"""Messages by name, or raw frames, sent once or in cycles."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinaxle.dbc.codec import MessageCodec
from twinaxle.dbc.model import Database, Message, Signal
from twinaxle.dbc.names import Place, find_message, suggestion
from twinaxle.dbc.values import raw_of_text
from twinaxle.e2e import Protector
from twinaxle.errors import UserError
from twinaxle.replay.pacer import Pacer, Timing, undisturbed

if TYPE_CHECKING:
    import can

_CLASSIC_BYTES = 8
_RAW = re.compile(r"(?P<id>[0-9A-Fa-f]{1,8})#(?:(?P<remote>[Rr](?P<dlc>[0-8])?)|(?P<data>[0-9A-Fa-f.]*))")
_SEND_TIMEOUT_S = 0.5


@dataclass
class Frame:
    """What is sent, and how often. `payload()` gives the data of the next frame: CAN FD if it is over 8 bytes."""

    name: str
    can_id: int
    is_extended: bool
    payload: Callable[[], bytes]
    cycle_ms: float
    """Time from frame to frame; 0 if there is none."""
    remote_length: int | None = None
    """Length that a remote frame asks for; None for a data frame."""

    def message(self) -> can.Message:
        """The next frame."""
        import can

        remote = self.remote_length is not None
        data = b"" if remote else self.payload()
        return can.Message(
            arbitration_id=self.can_id, is_extended_id=self.is_extended, is_remote_frame=remote, data=data,
            dlc=self.remote_length if remote else len(data), is_rx=False, is_fd=len(data) > _CLASSIC_BYTES,
        )  # fmt: skip


def parse_frames(
    items: Sequence[str], database: Database, *, beyond_range: bool = False, e2e: bool = True
) -> list[Frame]:
    """What the user's words name: `MESSAGE[@MS] SIGNAL=VALUE ...`, or raw frames `ID#DATA[@MS]` as in candump.

    Signals that are not named have their start values. A protected message gets counters and CRCs, unless the user
    gives the value of one of these signals or `e2e` is False.

    Raises UserError that names message and signal, and near names.
    """
    groups: list[tuple[str, list[str]]] = []
    for item in items:
        if "=" in item:
            if not groups:
                raise UserError(f"{item}: a value needs its message in front: MESSAGE SIGNAL=VALUE")
            groups[-1][1].append(item)
        else:
            groups.append((item, []))
    frames = []
    for head, values in groups:
        name, at, cycle = head.partition("@")
        cycle_ms = _cycle_ms(head, cycle) if at else 0.0
        if "#" in name:
            if values:
                raise UserError(f"{values[0]}: a raw frame ({name}) has no signals")
            frames.append(_raw_frame(name, cycle_ms))
        else:
            message = find_message(database, name)
            payload = _payload(message, values, beyond_range, e2e)
            frames.append(
                Frame(message.name, message.frame_id, message.is_extended, payload, cycle_ms or message.cycle_ms)
            )
    return frames


def _cycle_ms(item: str, text: str) -> float:
    try:
        cycle_ms = float(text)
    except ValueError:
        cycle_ms = 0.0
    if not 0.01 <= cycle_ms < 1e9:
        raise UserError(f"{item}: the cycle behind @ is a number of milliseconds, such as @10")
    return cycle_ms


def _raw_frame(text: str, cycle_ms: float) -> Frame:
    """`123#DEADBEEF`, `18FF0001#11.22`, `123#R`: three digits or fewer are a standard identifier, more an extended."""
    if "##" in text:
        raise UserError(f"{text}: CAN FD frames cannot be sent")
    found = _RAW.fullmatch(text)
    digits = (found["data"] or "").replace(".", "") if found else ""
    if found is None or len(digits) % 2 or len(digits) > 16:
        raise UserError(f"{text}: is no frame: write ID#DATA with up to 8 bytes, such as 123#DEADBEEF, or ID#R")
    can_id, is_extended = int(found["id"], 16), len(found["id"]) > 3
    if can_id >= 1 << (29 if is_extended else 11):
        raise UserError(f"{text}: the identifier is above {'1FFFFFFF' if is_extended else '7FF'}")
    data = bytes.fromhex(digits)
    remote = int(found["dlc"] or 0) if found["remote"] else None
    return Frame(text, can_id, is_extended, lambda: data, cycle_ms, remote)


def _payload(message: Message, items: list[str], beyond_range: bool, e2e: bool) -> Callable[[], bytes]:
    codec = MessageCodec(message)
    raw: dict[str, int] = {}
    for item in items:
        name, _, text = item.partition("=")
        name = name.removeprefix(f"{message.name}.")
        signal = next((one for one in message.signals if one.name == name), None)
        if signal is None:
            near = suggestion(name, (one.name for one in message.signals))
            raise UserError(f"{item}: message {message.name} has no signal {name}{near}")
        raw[name] = raw_of_text(Place(message, signal), text, beyond_range=beyond_range)
    start = {signal.name: signal.start_raw for signal in message.application_signals}
    _check_carried(message, {**start, **raw}, set(raw))
    values = {codec.fields[name]: {**start, **raw}[name] for name in start}
    data = bytearray(codec.pack_raw(**values))
    if message.e2e is None:
        return lambda: bytes(data)
    given = {name: raw[name] for name in (message.e2e.crc_signal, message.e2e.counter_signal) if name in raw}
    if given or not e2e:  # where they are is part of the profile
        data[0] = given.get(message.e2e.crc_signal, 0)
        data[1] |= given.get(message.e2e.counter_signal, 0)
        return lambda: bytes(data)
    protector = Protector(message.e2e.data_id)
    return lambda: protector.protect(bytes(data))


def _check_carried(message: Message, raw: dict[str, int], given: set[str]) -> None:
    """Raises UserError for a value that a multiplexed frame with these selectors does not carry."""
    for name in given:
        signal: Signal = message.signal(name)
        while signal.mux is not None:
            if not any(low <= raw.get(signal.mux, 0) <= high for low, high in signal.mux_values):
                spans = ", ".join(f"{low}" if low == high else f"{low} to {high}" for low, high in signal.mux_values)
                raise UserError(
                    f"{message.name}.{name}: the frame carries it only with {signal.mux} {spans}, "
                    f"not {raw.get(signal.mux, 0)}: give {signal.mux}=... too"
                )
            signal = message.signal(signal.mux)


def send(
    bus: can.BusABC,
    frames: Sequence[Frame],
    *,
    count: int = 1,
    duration_s: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[int, Timing]:
    """Send every frame `count` times (0: without end), each in its cycle, for `duration_s` at most.

    Ctrl-C ends it. Returns how many frames were sent and how late they were. Raises UserError if the bus refuses one,
    or if a frame that is to be repeated has no cycle.
    """
    import can

    for frame in frames:
        if count != 1 and not frame.cycle_ms:
            raise UserError(f"{frame.name}: has no cycle time: give one behind it, such as {frame.name}@100")
    # Due time in ns, number of the frame, how many of it are sent.
    queue = [(0, number, 0) for number in range(len(frames))]
    end_ns = None if duration_s is None else round(duration_s * 1e9)
    pacer = Pacer()
    sent = 0
    with undisturbed():
        pacer.start()
        try:
            while queue:
                due_ns, number, done = heapq.heappop(queue)
                if end_ns is not None and due_ns >= end_ns:
                    break
                frame = frames[number]
                message = frame.message()
                pacer.wait(due_ns)
                bus.send(message, timeout=_SEND_TIMEOUT_S)
                sent += 1
                if done + 1 < count or not count:
                    # From the cycle's number, so that no rounding sums up.
                    heapq.heappush(queue, (round((done + 1) * frame.cycle_ms * 1e6), number, done + 1))
                if progress is not None:
                    progress(sent)
        except (can.CanError, OSError) as error:
            raise UserError(f"the bus failed after {sent} frames: {error or type(error).__name__}") from error
        except KeyboardInterrupt:
            pass
    return sent, pacer.timing()


def shown(message: can.Message) -> str:
    """A frame as candump writes it."""
    digits = f"{message.arbitration_id:08X}" if message.is_extended_id else f"{message.arbitration_id:03X}"
    mark = "##0" if message.is_fd else "#"  # as candump writes a CAN FD frame without flags
    return f"{digits}{mark}{'R' if message.is_remote_frame else bytes(message.data).hex().upper()}"
