"""The firmware's view of a protocol: message numbers, slots, and the table that drives the generated codec.

A slot is one place of `array('i')`. On the target an integer leaves the small-int range past 2**30, so a signal of
more than 25 bits (and a float, as its bit pattern) takes several slots of 16 bits each, the lowest first; any signal
of up to 25 bits has one slot and fits into one 32-bit word of the frame wherever it starts.

The program of a message is a list of 32-bit words, run for unpacking and for packing alike:

    field   bits 0-2 byte offset of the 32-bit word in the frame (0-4), bit 3 set in the byte-reversed frame (Motorola),
            bits 4-8 shift, bits 9-13 length, bit 14 signed, bits 16-30 slot
    choice  bits 0-14 number of words to skip, bit 15 set, bits 16-30 slot of the selector; two words follow, the first
            and the last selector value for which the next words apply
    end     0
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from twinaxle.dbc.codec import check_message
from twinaxle.dbc.model import Database, Message, Signal
from twinaxle.errors import UserError

WIDEST_SLOT = 25  # bits
_PIECE = 16  # bits of each slot of a wider signal
_CHOICE = 1 << 15
_SIGNED = 1 << 14
_REVERSED = 1 << 3
MAX_SLOTS = 1 << 15
MAX_TIME_MS = 65535
_EXTENDED_KEY = 1 << 29  # added to extended identifiers on the target, where 1 << 31 is no small integer


@dataclass(frozen=True)
class Piece:
    """The part of a signal that one slot holds: `length` bits from bit `shift` of the frame as one 64-bit number."""

    slot: int
    shift: int
    length: int
    signed: bool
    start: int  # start value

    def word(self, reversed_frame: bool) -> int:
        """The field word of the program."""
        offset = min(self.shift // 8, 4)
        flags = (_REVERSED if reversed_frame else 0) | (_SIGNED if self.signed else 0)
        return offset | flags | (self.shift - 8 * offset) << 4 | self.length << 9 | self.slot << 16


@dataclass(frozen=True)
class Entry:
    """One message that the node receives or sends. `index` counts the received ones first, then the sent ones."""

    message: Message
    index: int
    is_sent: bool
    first_slot: int
    slots: dict[str, tuple[Piece, ...]] = field(default_factory=dict)  # by signal name, in the order of the file
    program: tuple[int, ...] = ()

    @property
    def key(self) -> int:
        """The identifier as the target knows it."""
        return self.message.frame_id | (_EXTENDED_KEY if self.message.is_extended else 0)

    @property
    def slot_count(self) -> int:
        return sum(len(pieces) for pieces in self.slots.values())

    @property
    def time_ms(self) -> int:
        """The cycle of a sent message, the timeout of a received one; 0 is none."""
        return self.message.cycle_ms if self.is_sent else self.message.rx_timeout_ms


@dataclass(frozen=True)
class Layout:
    """All entries of a node, both kinds ordered by identifier (standard ones first)."""

    database: Database
    node: str | None
    received: tuple[Entry, ...]
    sent: tuple[Entry, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.received + self.sent

    @property
    def has_motorola(self) -> bool:
        """True if any used signal is big-endian."""
        return any(entry.message.signal(name).is_big_endian for entry in self.entries for name in entry.slots)

    @property
    def has_multiplexing(self) -> bool:
        """True if any used signal is multiplexed."""
        return any(entry.message.signal(name).mux for entry in self.entries for name in entry.slots)


def make_layout(database: Database, node: str | None, read: Set[str] | None = None) -> Layout:
    """The layout for a node; with None for one that receives and sends every message with all its signals.

    `read`: received signals, as Message.Signal, that are decoded; the others keep their slots with the start values.
    None decodes all.

    Raises UserError if there is no such node or the protocol cannot be put into the tables.
    """
    if node is not None and node not in database.nodes:
        known = ", ".join(database.nodes) or "none"
        raise UserError(f"{database.path}: there is no node {node} (BU_ has: {known}): choose one of them or all")
    messages = sorted(database.messages.values(), key=lambda message: message.key)
    received = _entries(
        database, [m for m in messages if node is None or node in m.receivers], node, 0, read, is_sent=False
    )
    sent = _entries(
        database, [m for m in messages if node is None or node in m.senders], node, len(received), None, is_sent=True
    )
    return Layout(database, node, received, sent)


def _entries(
    database: Database,
    messages: Sequence[Message],
    node: str | None,
    index: int,
    read: Set[str] | None,
    *,
    is_sent: bool,
) -> tuple[Entry, ...]:
    entries = []
    slot = 0
    for message in messages:
        check_message(message, database.path)
        if max(message.cycle_ms, message.rx_timeout_ms) > MAX_TIME_MS:
            where = f"{database.path}:{message.line}: message {message.name}"
            raise UserError(f"{where}: cycle and timeout must be at most {MAX_TIME_MS} ms")
        signals = [signal for signal in message.application_signals if is_sent or _is_wanted(message, signal, node)]
        slots: dict[str, tuple[Piece, ...]] = {}
        first = slot
        for signal in signals:
            slots[signal.name] = _pieces(signal, slot)
            slot += len(slots[signal.name])
        moved = [s for s in signals if read is None or s.is_selector or f"{message.name}.{s.name}" in read]
        program = _program([signal for signal in moved if signal.mux is None], moved, slots)
        entries.append(Entry(message, index, is_sent, first, slots, (*program, 0)))
        index += 1
    if slot >= MAX_SLOTS:
        raise UserError(f"{database.path}: {slot} slots are too many (at most {MAX_SLOTS - 1}): choose one node")
    return tuple(entries)


def _is_wanted(message: Message, signal: Signal, node: str | None) -> bool:
    """True if the node receives the signal or needs it as the selector of one that it receives."""
    if node is None or node in signal.receivers:
        return True
    return signal.is_selector and any(_is_wanted(message, s, node) for s in message.signals if s.mux == signal.name)


def _pieces(signal: Signal, slot: int) -> tuple[Piece, ...]:
    signed = signal.is_signed and not signal.is_float
    if signal.length <= WIDEST_SLOT and not signal.is_float:
        start = _wrap(signal.start_raw, signal.length, signed)
        return (Piece(slot, signal.shift, signal.length, signed, start),)
    pieces: list[Piece] = []
    for done in range(0, signal.length, _PIECE):
        length = min(_PIECE, signal.length - done)
        is_top = done + length == signal.length
        start = _wrap(signal.start_raw >> done, length, signed and is_top)
        pieces.append(Piece(slot + len(pieces), signal.shift + done, length, signed and is_top, start))
    return tuple(pieces)


def _wrap(raw: int, length: int, signed: bool) -> int:
    """The lowest bits of a number, as the device would hold them."""
    value = raw & (1 << length) - 1
    return value - (1 << length) if signed and value >> (length - 1) else value


def _program(members: Sequence[Signal], signals: Sequence[Signal], slots: dict[str, tuple[Piece, ...]]) -> list[int]:
    """The words for `members`, each followed by the choices that the selectors among them make from `signals`."""
    words: list[int] = []
    for signal in members:
        words += [piece.word(signal.is_big_endian) for piece in slots[signal.name]]
    names = {signal.name for signal in members}
    choices: dict[tuple[str, int, int], list[Signal]] = {}
    for signal in signals:
        if signal.mux in names:
            for low, high in signal.mux_values:
                choices.setdefault((str(signal.mux), low, high), []).append(signal)
    for (name, low, high), chosen in choices.items():
        body = _program(chosen, signals, slots)
        words += [slots[name][0].slot << 16 | _CHOICE | len(body), low, high, *body]
    return words
