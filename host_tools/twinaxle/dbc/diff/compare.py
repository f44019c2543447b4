"""Compares two documents."""

from collections.abc import Iterator

from twinaxle.dbc.diff.attributes import compare_attributes, compare_definitions
from twinaxle.dbc.diff.change import Change, Impact
from twinaxle.dbc.diff.pairing import Pairs, pair_messages, pair_nodes, pair_signals
from twinaxle.dbc.syntax import Document, Message, Signal
from twinaxle.dbc.syntax.tree import plain


def compare(old: Document, new: Document) -> list[Change]:
    """All differences, the ones that reach furthest first, then in the order of the files."""
    comparison = _Comparison(old, new)
    return sorted(comparison.changes(), key=lambda change: -change.impact)


class _Comparison:
    """Two documents, what is which, and the differences."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old = old
        self.new = new
        self.messages: Pairs[Message] = pair_messages(old, new)
        self.nodes: Pairs[str] = pair_nodes(old, new, self.messages)
        self._new_name = dict(self.nodes.both)  # of a node

    def changes(self) -> Iterator[Change]:
        """All differences."""
        yield from self._file()
        yield from self._nodes()
        for one, other in self.messages.both:
            yield from self._message(one, other)
        for message in self.messages.removed:
            yield Change(Impact.BREAKING, message.name, "message removed", _id(message), "", message.number)
        for message in self.messages.added:
            yield Change(Impact.WIRE, message.name, "message added", "", _id(message), 0, message.number)

    def _change(
        self, impact: Impact, one: Message | Signal, other: Message | Signal, what: str, old: object, new: object
    ) -> Change:
        """A change of a message or signal, called by its new name."""
        return Change(impact, other.title, what, str(old), str(new), one.number, other.number)

    def _file(self) -> Iterator[Change]:
        old, new = self.old, self.new
        if old.tree.version != new.tree.version:
            yield Change(Impact.TEXT, "file", "version", f'"{old.tree.version}"', f'"{new.tree.version}"')
        if old.comment != new.comment:
            yield Change(Impact.TEXT, "file", "comment", _quoted(old.comment), _quoted(new.comment))
        for found in (*compare_definitions(old, new), *compare_attributes(old, new, old, new)):
            yield Change(found.impact, "file", found.name, found.old, found.new)

    def _nodes(self) -> Iterator[Change]:
        for one, other in self.nodes.both:
            if one != other:
                yield Change(Impact.SOFTWARE, other, "node renamed", one, other)
            before, after = self.old.node_comments.get(one, ""), self.new.node_comments.get(other, "")
            if before != after:
                yield Change(Impact.TEXT, other, "comment", _quoted(before), _quoted(after))
            values_old, values_new = self.old.node_attributes[one], self.new.node_attributes[other]
            for name in dict.fromkeys([*values_old, *values_new]):
                before, after = (
                    str(values[name].value) if name in values else "none" for values in (values_old, values_new)
                )
                if before != after:
                    yield Change(Impact.TEXT, other, name, before, after)
        # Whether a node that sends is missed shows in its messages.
        for node in self.nodes.removed:
            yield Change(Impact.SOFTWARE, node, "node removed", "", "")
        for node in self.nodes.added:
            yield Change(Impact.SOFTWARE, node, "node added", "", "")

    def _message(self, one: Message, other: Message) -> Iterator[Change]:
        def differs(impact: Impact, what: str, old: object, new: object) -> Iterator[Change]:
            if old != new:
                yield self._change(impact, one, other, what, old, new)

        yield from differs(Impact.SOFTWARE, "message renamed", one.name, other.name)
        yield from differs(Impact.BREAKING, "identifier", _id(one), _id(other))
        yield from differs(Impact.BREAKING, "length in bytes", one.line.length, other.line.length)
        senders = [self._new_name.get(node, node) for node in one.senders]
        yield from differs(Impact.BREAKING, "sender", _list(senders), _list(other.senders))
        yield from differs(Impact.TEXT, "comment", _quoted(one.comment), _quoted(other.comment))
        for found in compare_attributes(self.old, self.new, one, other):
            yield from differs(found.impact, found.name, found.old, found.new)

        signals = pair_signals(one, other)
        for before, after in signals.both:
            yield from self._signal(before, after)
        for signal in signals.removed:
            yield Change(Impact.BREAKING, signal.title, "signal removed", _place(signal), "", signal.number)
        for signal in signals.added:
            impact, where = self._impact_of_added(one, signal)
            line = signal.number
            yield Change(impact, signal.title, f"signal added{where}", "", _place(signal), 0, line)

    @staticmethod
    def _impact_of_added(message: Message, signal: Signal) -> tuple[Impact, str]:
        """A signal in bits that meant nothing is understood by nobody old, which hurts nobody."""
        used = {bit for one in message.signals for bit in one.bits if one.selector == "" or signal.selector == ""}
        if used & set(signal.bits):
            return Impact.BREAKING, " in bits that had a meaning"
        return Impact.WIRE, ""

    def _signal(self, one: Signal, other: Signal) -> Iterator[Change]:
        def differs(impact: Impact, what: str, old: object, new: object) -> Iterator[Change]:
            if old != new:
                yield self._change(impact, one, other, what, old, new)

        before, after = one.line, other.line
        yield from differs(Impact.SOFTWARE, "signal renamed", one.name, other.name)
        for what, old, new in (
            ("start bit", before.start, after.start),
            ("length in bits", before.length, after.length),
            ("byte order", _order(one), _order(other)),
            ("type", _kind(one), _kind(other)),
            ("factor", plain(before.factor), plain(after.factor)),
            ("offset", plain(before.offset), plain(after.offset)),
            ("unit", f'"{before.unit}"', f'"{after.unit}"'),
            ("multiplexing", _mux(one), _mux(other)),
        ):
            yield from differs(Impact.BREAKING, what, old, new)
        yield from differs(Impact.SOFTWARE, "range", _range(one), _range(other))
        receivers = sorted(self._new_name.get(node, node) for node in one.receivers)
        yield from differs(Impact.SOFTWARE, "receivers", _list(receivers), _list(sorted(other.receivers)))
        yield from differs(Impact.TEXT, "comment", _quoted(one.comment), _quoted(other.comment))
        for found in compare_attributes(self.old, self.new, one, other):
            yield from differs(found.impact, found.name, found.old, found.new)
        yield from self._values(one, other)

    def _values(self, one: Signal, other: Signal) -> Iterator[Change]:
        for value in sorted(one.choices.keys() | other.choices.keys()):
            before, after = one.choices.get(value), other.choices.get(value)
            what = f"value {plain(value)}"
            if before is None:
                yield self._change(Impact.WIRE, one, other, f"{what} named", "", f'"{after}"')
            elif after is None:
                # A name that moved to another value is told there.
                impact = Impact.BREAKING if before in other.choices.values() else Impact.SOFTWARE
                yield self._change(impact, one, other, f"{what} not named any more", f'"{before}"', "")
            elif before != after:
                impact = Impact.SOFTWARE if _letters(before) == _letters(after) else Impact.BREAKING
                yield self._change(impact, one, other, what, f'"{before}"', f'"{after}"')


def _id(message: Message) -> str:
    return f"{message.frame_id:#x}{' extended' if message.is_extended else ''}"


def _place(signal: Signal) -> str:
    line = signal.line
    return f"{line.start}|{line.length}@{line.order}{line.sign}"


def _order(signal: Signal) -> str:
    return "Motorola" if signal.is_big_endian else "Intel"


def _kind(signal: Signal) -> str:
    return "float" if signal.is_float else "signed" if signal.is_signed else "unsigned"


def _range(signal: Signal) -> str:
    return f"[{plain(signal.line.minimum)}|{plain(signal.line.maximum)}]"


def _mux(signal: Signal) -> str:
    parts = ["selector"] if signal.is_selector else []
    if signal.mux_values:
        ranges = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in signal.mux_values)
        parts.append(f"at {ranges}")
    return " ".join(parts) or "none"


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ",".join(names) or "none"


def _quoted(text: str) -> str:
    return f'"{text}"' if text else "none"


def _letters(text: str) -> str:
    """A text without what is only a way to write it."""
    return "".join(character for character in text.lower() if character.isalnum())
