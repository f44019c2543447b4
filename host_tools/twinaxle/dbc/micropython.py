"""Generates the firmware's codec, a MicroPython module, from a database (see `layout` and `kernels`)."""

import re
import struct
from collections.abc import Iterable, Sequence, Set

from twinaxle.dbc import kernels
from twinaxle.dbc.filters import BANKS, make_filters
from twinaxle.dbc.layout import Entry, Layout, make_layout
from twinaxle.dbc.model import Database, Message, Signal
from twinaxle.dbc.schedule import phases
from twinaxle.e2e import CRC_TABLE, crc_seed
from twinaxle.errors import UserError
from twinaxle.tags import Resolved

_NOTHING_YET = 32  # E2E state of a receiver that has seen no frame
_NEVER = 1_000_000  # age of a message that never came, ms
_NOW = 1 << 20  # time to the next sending is kept above 0: a ptr32 of a 64-bit machine reads without sign
_FREE = 0x800  # no identifier: standard ones are less, extended ones have bit 29
MAX_TABLE = 0xFFFF  # bytes that a message's place can name


def generate(database: Database, node: str | None, read: Set[str] | None = None) -> str:
    """The module's text for a node (None: receive and send everything). Raises UserError as `make_layout` does.

    `read`: the received signals that it decodes, as Message.Signal; None for all.
    """
    layout = make_layout(database, node, read)
    source = database.path.name
    parts = [
        _fill(kernels.DOCSTRING, {
            "node": node or "all nodes", "dbc": source,
            "extended": _extended_note(layout),
        }),
        kernels.HEAD,
        kernels.CRC,
        _constants(layout),
        _table_text(layout),
        _fill(_drop(kernels.KERNELS, _features(layout)), {
            "starts": 'array("i", array("h", _START))' if _start_typecode(layout) == "h" else 'array("i", _START)',
            "tx_start": _tx_start(layout), "state": _state(layout),
            "word": "word" if layout.has_motorola else "int(buf)",
            "accept_crc": _crc_lines(layout, "end", "ptr8(at)", 12),
            "pack_crc": _crc_lines(layout, "ready", "table", 16),
            "rx_slots": str(_slot_count(layout.received)),
        }),
        "\n\n" + _filters_text(layout) + _schedule_text(layout),
    ]  # fmt: skip
    return "".join(parts)


def resolver(database: Database, node: str | None) -> "TagResolver":
    """Answers the paths of `# dbc:` tags with the numbers of the module that `generate` makes."""
    return TagResolver(make_layout(database, node))


class TagResolver:
    """Paths of `# dbc:` tags.

    Message                    number of the message, for accept, pack, ages and start_values
    Message:bit                its bit in the answer of tick (received) or due (sent)
    Message:id :length :cycle :timeout   identifier, bytes, GenMsgCycleTime and RxTimeout in ms
    Message.Signal             slot in rx or tx (the first one of a wide signal), unit `factor unit`
    Message.Signal.ValueName   raw number of a name in the value table
    Message.Signal:max :min    largest and smallest raw number that its bits hold
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        # A message that is both received and sent stands for its received number and slots.
        self._entries = {entry.message.name: entry for entry in (*layout.sent, *layout.received)}

    def __call__(self, path: str) -> Resolved:
        """Raises KeyError(reason) for a path that names nothing in the node's protocol."""
        path, _, aspect = path.partition(":")
        name, *rest = path.split(".")
        message = self._layout.database.messages.get(name)
        if message is None:
            raise KeyError(f"the DBC has no message {name}")
        if not rest:
            return self._message(message, aspect)
        signal = message.signal(rest[0])
        if len(rest) == 2 and not aspect:
            return _choice(message, signal, rest[1])
        if len(rest) > 1:
            raise KeyError("a path is Message, Message.Signal or Message.Signal.ValueName")
        if aspect:
            return _limit(signal, aspect)
        entry = self._entry(name)
        if signal.name not in entry.slots:
            raise KeyError(f"{self._layout.node} has no slot for signal {signal.name} of message {name}")
        return Resolved(entry.slots[signal.name][0].slot, _unit(signal))

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            raise KeyError(f"{self._layout.node} neither receives nor sends message {name}")
        return self._entries[name]

    def _message(self, message: Message, aspect: str) -> Resolved:
        match aspect:
            case "id":
                return Resolved(message.frame_id)
            case "length":
                return Resolved(message.length, "B")
            case "cycle":
                return Resolved(message.cycle_ms, "ms")
            case "timeout":
                return Resolved(message.rx_timeout_ms, "ms")
            case "":
                return Resolved(self._entry(message.name).index)
            case "bit":
                entry = self._entry(message.name)
                place = entry.index - (len(self._layout.received) if entry.is_sent else 0)
                if place >= 30:
                    raise KeyError(f"message {message.name} is past the 30 messages that have a bit")
                return Resolved(1 << place)
        raise KeyError(f"there is no `:{aspect}` of a message")


def _choice(message: Message, signal: Signal, wanted: str) -> Resolved:
    for value, name in signal.choices.items():
        if re.sub(r"\W", "_", name) == wanted:
            return Resolved(value)
    raise KeyError(f"signal {signal.name} of message {message.name} has no value named {wanted}")


def _limit(signal: Signal, aspect: str) -> Resolved:
    if aspect not in ("min", "max"):
        raise KeyError(f"there is no `:{aspect}` of a signal")
    return Resolved(signal.raw_minimum if aspect == "min" else signal.raw_maximum, _unit(signal))


def _unit(signal: Signal) -> str:
    """`0.1 Nm`, or `1,-40 degC` with an offset; nothing for a plain number."""
    if not signal.unit and signal.factor == 1 and not signal.offset:
        return ""
    offset = f",{signal.offset:g}" if signal.offset else ""
    return f"{signal.factor:g}{offset} {signal.unit}".rstrip()


def _fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], text)


def _features(layout: Layout) -> set[str]:
    return {
        name for name, used in (
            ("motorola", layout.has_motorola), ("mux", layout.has_multiplexing),
            ("few", len(layout.received) < 30 and len(layout.sent) < 30),
            ("many", len(layout.received) >= 30 or len(layout.sent) >= 30),
        ) if used
    }  # fmt: skip


def _drop(text: str, features: set[str]) -> str:
    """The text without the lines of features that are not used, and without the marks."""
    kept = []
    for line in text.split("\n"):
        code, _, feature = line.partition("  #if ")
        if not feature or feature in features:
            kept.append(code)
    return "\n".join(kept)


def _slot_count(entries: Iterable[Entry]) -> int:
    return sum(entry.slot_count for entry in entries)


def _extended_note(layout: Layout) -> str:
    if not any(entry.message.is_extended for entry in layout.received):
        return ""
    return " (plus 1 << 29 if extended)"


def _constants(layout: Layout) -> str:
    """Names with an underscore cost nothing at run time: the compiler folds them."""
    received, sent = len(layout.received), len(layout.sent)
    protocol_hash = layout.database.protocol_hash
    ids = len(CRC_TABLE) + 8 * (received + sent + 1)
    fold, mask, _ = _buckets(layout)
    values = {
        "_RECEIVED": (received, "messages"),
        "_SENT": (sent, "messages"),
        "_MESSAGES": (len(CRC_TABLE), "byte of _TABLE: 8 bytes for each message"),
        "_IDS": (ids, "byte of _TABLE: identifiers of received messages, by their fold"),
        "_FOLD": (fold, "bits"),
        "_MASK": (mask, "of the fold"),
        "_FREE": (_FREE, "marks a bucket without identifier"),
        "_NOW": (_NOW, "in the place of a message that is due"),
        "_E2E": (received, "place in ages, from that of the message on"),
        "_COUNTDOWN": (2 * received + sent, "place in ages"),
    }
    lines = [f"{name} = const({value})  # {comment}" for name, (value, comment) in values.items()]
    lines += ["RECEIVED = _RECEIVED", "SENT = _SENT"]
    lines += [
        f"PROTOCOL_HASH_LOW = 0x{protocol_hash & 0xFFFF:04X}",
        f"PROTOCOL_HASH_HIGH = 0x{protocol_hash >> 16:04X}",
    ]
    return "\n".join(lines) + "\n\n"


def _table_text(layout: Layout) -> str:
    """_TABLE: CRC table, messages, identifiers, programs, all as one bytes object; and _START."""
    entries = layout.entries
    *_, buckets = _buckets(layout)
    place = len(CRC_TABLE) + 8 * (len(entries) + 1 + len(buckets))
    heads, programs = [], []
    for entry in entries:
        heads.append((_head(entry, place), entry.message.name))
        programs.append((_words(entry.program), f"{entry.message.name}: {', '.join(entry.slots)}"))
        place += 4 * len(entry.program)
    if place > MAX_TABLE:
        raise UserError(f"{layout.database.path}: too many signals for the codec of {layout.node or 'all nodes'}")
    heads.append((_words([place, 0]), "end"))
    ids = b"".join(_words([_FREE, 0] if entry is None else [entry.key, 4 * entry.index]) for entry in buckets)
    lines = ["# CRC table, messages (first byte of the program, time in ms; length, E2E, first slot), identifiers,"]
    lines += ["# programs: one word for each signal (see `twinaxle.dbc.layout`).", "_TABLE = _crc_table() + ("]
    lines += [_literal(data, comment) for data, comment in heads]
    lines += [_literal(ids[at : at + 16]) for at in range(0, len(ids), 16)]
    for data, comment in programs:
        lines.append(f"    # {comment}"[:119])
        lines += [_literal(data[at : at + 16]) for at in range(0, len(data), 16)]
    lines += [")", "# Start values of the received messages.", "_START = ("]
    typecode = _start_typecode(layout)
    for entry in layout.received:
        starts = [piece.start for pieces in entry.slots.values() for piece in pieces]
        data = struct.pack(f"<{len(starts)}{typecode}", *starts)
        lines.append(f"    # {entry.message.name}")
        lines += [_literal(data[at : at + 16]) for at in range(0, len(data), 16)]
    if not _slot_count(layout.received):
        lines.append("    b''")
    return "\n".join([*lines, ")", ""])


def _start_typecode(layout: Layout) -> str:
    """16 bits where all start values fit: half the size in the flash."""
    starts = [piece.start for entry in layout.received for pieces in entry.slots.values() for piece in pieces]
    return "h" if all(-(1 << 15) <= start < 1 << 15 for start in starts) else "i"


def _literal(data: bytes, comment: str = "") -> str:
    text = "".join(f"\\x{byte:02x}" for byte in data)
    return f'    b"{text}"' + (f"  # {comment}" if comment else "")


def _words(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}I", *(value & 0xFFFFFFFF for value in values))


def _buckets(layout: Layout) -> tuple[int, int, list[Entry | None]]:
    """(bits, mask, buckets) to look identifiers up: one stands at `(key ^ key >> bits) & mask` or soon behind.

    The last bucket is free, so that every search ends.
    """
    best: tuple[int, int, list[Entry | None]] | None = None
    count = 1 << len(layout.received).bit_length()
    for fold in range(1, 16):
        buckets: list[Entry | None] = [None] * count
        steps = 0
        for entry in layout.received:
            at = (entry.key ^ entry.key >> fold) & (count - 1)
            while at < len(buckets) and buckets[at] is not None:
                at += 1
                steps += 1
            buckets += [None] * (at + 1 - len(buckets))
            buckets[at] = entry
        if best is None or steps < best[0]:
            best = steps, fold, buckets
    assert best is not None
    return best[1], count - 1, [*best[2], None]


def _head(entry: Entry, place: int) -> bytes:
    """Word 0: first byte of the program, time << 16. Word 1: length, E2E flag, max delta, CRC seed, first slot."""
    message = entry.message
    word = message.length | entry.first_slot << 17
    if message.e2e:
        word |= 1 << 4 | message.e2e.max_delta << 5 | crc_seed(message.e2e.data_id) << 9
    return _words([place | entry.time_ms << 16, word])


def _tx_start(layout: Layout) -> str:
    values = [piece.start for entry in layout.sent for pieces in entry.slots.values() for piece in pieces]
    if any(values):
        return f"({', '.join(map(str, values))},)"
    return f"bytes({4 * len(values)})"


def _state(layout: Layout) -> str:
    sent = [entry.message.cycle_ms for entry in layout.sent]
    received = len(layout.received)
    start = f"[{_NEVER}] * {received} + [{_NOTHING_YET}] * {received} + [0] * {len(sent)}"
    return f"{start} + [_NOW + phase for phase in {tuple(phases(sent))}]"


def _crc_lines(layout: Layout, crc: str, table: str, indent: int) -> str:
    """CRC over bytes 1 and up: straight for what all protected messages have, a loop for the rest."""
    lengths = [entry.message.length for entry in layout.entries if entry.message.e2e] or [2]
    pad = " " * indent
    lines = [f"{pad}{crc} = {table}[{crc} ^ buf[{at}]]" for at in range(1, min(lengths))]
    if max(lengths) > min(lengths):
        lines += [f"{pad}byte = {min(lengths)}", f"{pad}while byte < head & 15:"]
        lines += [f"{pad}    {crc} = {table}[{crc} ^ buf[byte]]", f"{pad}    byte += 1"]
    return "\n".join(lines)


def _filters_text(layout: Layout) -> str:
    # Half of the banks: every second one belongs to the other FIFO
    filters = make_filters([entry.message for entry in layout.received], BANKS // 2)
    rows = [f"    (0x{can_id:X}, 0x{mask:X}, {flags})," for can_id, mask, flags in filters]
    return "\n".join(["FILTERS = (", *rows, ")", ""]) if rows else "FILTERS = ()\n"


def _schedule_text(layout: Layout) -> str:
    sent = [entry.message for entry in layout.sent]
    rows = [
        f"    ({entry.index}, 0x{entry.key:X}, {message.length}, {message.cycle_ms}, {phase}),  # {message.name}"
        for entry, message, phase in zip(layout.sent, sent, phases([m.cycle_ms for m in sent]), strict=True)
    ]
    return "\n".join(["SCHEDULE = (", *rows, ")", ""]) if rows else "SCHEDULE = ()\n"
