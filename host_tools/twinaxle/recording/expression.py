"""Conditions on signals, such as `VcuStatus.State == Fault and InvFrontStatus.Speed > 1000`.

The syntax is Python's: comparisons, `and`, `or`, `not`, parentheses, `abs`. A signal is `Message.Signal`, physical; a
bare or quoted word is a name of the value table of the signal that it is compared with.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from twinaxle.dbc.codec import MessageCodec
from twinaxle.dbc.model import Database, Signal
from twinaxle.dbc.names import Place, find_signal, suggestion
from twinaxle.errors import UserError

Value = float | int | bool | None
_Term = Callable[[], Value]

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


class Condition:
    """A condition over the newest frames of a bus. A comparison with a signal that has not come yet is false."""

    def __init__(self, text: str, database: Database) -> None:
        """Raises UserError for what is no condition, and for signals and value names that the database lacks."""
        self.text = text
        self._database = database
        self._values: dict[str, Value] = {}
        self._codecs: dict[int, tuple[MessageCodec, list[tuple[str, str]]]] = {}
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError):
            raise self._wrong("is no condition; write it as VcuStatus.State == Fault") from None
        self._evaluate = self._logic(tree.body)
        if not self._codecs:
            raise self._wrong("names no signal")

    def feed(self, key: int, data: bytes | bytearray) -> bool:
        """Take a data frame; `key` as in `Message.key`. True if it has a signal of the condition, and that holds."""
        entry = self._codecs.get(key)
        if entry is None:
            return False
        codec, names = entry
        try:
            values = codec.unpack(bytes(data))
        except ValueError:  # too short to be this message
            return False
        for name, field in names:
            self._values[name] = getattr(values, field)
        return bool(self._evaluate())

    def concerns(self, key: int) -> bool:
        """True if the message has a signal of the condition."""
        return key in self._codecs

    def _wrong(self, what: str) -> UserError:
        return UserError(f"condition {self.text!r} {what}")

    def _logic(self, node: ast.expr) -> _Term:
        if isinstance(node, ast.BoolOp):
            terms = [self._logic(value) for value in node.values]
            decide = all if isinstance(node.op, ast.And) else any
            return lambda: decide(term() for term in terms)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            term = self._logic(node.operand)
            return lambda: not term()
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        return self._term(node, None)

    def _comparison(self, node: ast.Compare) -> _Term:
        kinds = [_COMPARISONS.get(type(one)) for one in node.ops]
        if None in kinds:
            raise self._wrong("compares in a way that is not known: ==, !=, <, <=, >, >=")
        nodes = [node.left, *node.comparators]
        place = next((self._place(one) for one in nodes if isinstance(one, ast.Attribute)), None)
        terms = [self._term(one, place) for one in nodes]

        def compare() -> bool:
            values = [term() for term in terms]
            if None in values:
                return False
            pairs = zip(kinds, values, values[1:], strict=False)
            return all(kind is not None and kind(left, right) for kind, left, right in pairs)

        return compare

    def _term(self, node: ast.expr, partner: Place | None) -> _Term:
        """A value. `partner` is the signal that it is compared with."""
        if isinstance(node, ast.Attribute):
            return self._signal(self._place(node))
        if isinstance(node, ast.Name):
            return self._named(node.id, partner)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._named(node.value, partner)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            number = node.value
            return lambda: number
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = self._term(node.operand, partner)
            return lambda: None if (value := operand()) is None else -value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "abs":
            if len(node.args) != 1 or node.keywords:
                raise self._wrong("abs takes one value")
            inner = self._term(node.args[0], partner)
            return lambda: None if (value := inner()) is None else abs(value)
        raise self._wrong(f"has what is not known here: {ast.unparse(node)}")

    def _place(self, node: ast.Attribute) -> Place:
        return find_signal(self._database, ast.unparse(node))

    def _signal(self, place: Place) -> _Term:
        name = place.name
        codec, names = self._codecs.setdefault(place.message.key, (MessageCodec(place.message), []))
        field = codec.fields.get(place.signal.name)
        if field is None:
            raise self._wrong(f"uses {name}, which belongs to the E2E protection")
        if (name, field) not in names:
            names.append((name, field))
        values = self._values
        return lambda: values.get(name)

    def _named(self, word: str, partner: Place | None) -> _Term:
        """The number that stands for a name of a value table."""
        if partner is None:
            raise self._wrong(f"has {word}, which is neither Message.Signal nor compared with one")
        value = _value_of(partner.signal, word)
        if value is None:
            near = suggestion(word, partner.signal.choices.values())
            raise self._wrong(f"has {word}, which is no value of {partner.name}{near}")
        return lambda: value


def _value_of(signal: Signal, word: str) -> float | None:
    """The physical value that a name of the value table stands for."""
    raw = next((raw for raw, name in signal.choices.items() if name == word), None)
    return None if raw is None else raw * signal.factor + signal.offset
