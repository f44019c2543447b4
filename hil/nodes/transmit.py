"""From physical values to a frame in the bus's queue in one compiled step: scale, pack, count, sign, queue.

Messages that this cannot do (Motorola signals, floats, multiplexers, other lengths than 8) go through the host's codec.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any

from hil.bus import Port, calm
from hil.native import address, compiled, memory
from hil.nodes.layout import Layout, is_plain, layout_at, layout_of, pack, pack_next
from twinaxle.dbc.codec import MessageCodec
from twinaxle.e2e import Protector

if TYPE_CHECKING:
    from twinaxle.dbc import Message

Values = tuple[float, ...]
Provider = Callable[[], Values]


@compiled
def queue_next(message: Layout, line: Any, now_ns: int, port: int, latest_only: bool) -> bool:
    """Pack and queue the next frame. False: the bus has not taken it, and `message.word` is to be sent otherwise."""
    can_id = message.can_id
    result = calm.offer(line, now_ns, can_id << 21, port, can_id, 8, pack_next(message), calm.NOBODY, latest_only)
    return result <= calm.REPLACED


@compiled
def transmit(layout: Any, line: Any, now_ns: int, port: int, latest_only: bool) -> bool:
    """`queue_next` by itself."""
    return queue_next(layout_at(layout), line, now_ns, port, latest_only)


class Outgoing:
    """One message that a node sends, with the function that gives its values."""

    address: int | None = None
    """Of its `Layout`, where compiled code can send it."""

    def __init__(self, message: Message, codec: MessageCodec, provider: Provider) -> None:
        self.can_id = message.frame_id
        self._provider = provider
        self._pack = codec.pack
        self._protect = Protector(message.e2e.data_id).protect if message.e2e else None

    def send(self, port: Port, now_ns: int) -> None:
        """Send the present values."""
        data = self._pack(*self._provider())
        if self._protect is not None:
            data = self._protect(data)
        port.send_word(self.can_id, int.from_bytes(data, "little"))

    def send_packed(self, port: Port) -> None:
        """Only compiled code packs without sending."""
        raise NotImplementedError


class CompiledOutgoing(Outgoing):
    """The quick way, for messages of which `is_plain` holds."""

    def __init__(self, message: Message, codec: MessageCodec, provider: Provider) -> None:
        super().__init__(message, codec, provider)
        self.layout = layout_of(message)
        self._memory, self.address = memory(self.layout), address(self.layout)
        self._put = Struct(f"={self.layout.signals}d").pack_into
        self._values = memoryview(self.layout.values).cast("B")

    def send(self, port: Port, now_ns: int) -> None:
        self._put(self._values, 0, *self._provider())
        bus = port.bus
        if port.tx_hooks or bus.disturbed:
            port.send_word(self.can_id, pack(self._memory))
        elif not transmit(self._memory, bus.memory, now_ns, port.number, port.latest_only):
            self.send_packed(port)

    def send_packed(self, port: Port) -> None:
        """Send the frame that was packed last: the compiled bus has not taken it."""
        port.send_word(self.can_id, self.layout.word)


def outgoing(message: Message, codec: MessageCodec, provider: Provider) -> Outgoing:
    """The quickest way for this message."""
    return (CompiledOutgoing if is_plain(message) else Outgoing)(message, codec, provider)
