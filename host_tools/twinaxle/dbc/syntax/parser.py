"""The grammar of the DBC language, statement by statement. A broken statement is told and passed over."""

import re
from collections.abc import Callable

from twinaxle.dbc.syntax.annotations import Annotations
from twinaxle.dbc.syntax.cursor import UnexpectedError
from twinaxle.dbc.syntax.tokens import END, KEYWORD, NUMBER, STATEMENTS, WORD
from twinaxle.dbc.syntax.tree import NO_NODE, MessageLine, Name, SignalLine, Tree

_MUX = re.compile(r"M|m[0-9]{1,10}M?")


class Parser(Annotations):
    """Parses one text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        for at in self.tokens.unclosed:
            self.problem("unclosed-string", at, "the string is not closed: end it with a quote")
        for at in self.tokens.slashes:
            self.problem("slash-comment", at, "a DBC has no // comments: use CM_")

    def parse(self) -> Tree:
        """All statements. What is not DBC is in `problems`."""
        statements: dict[str, Callable[[], None]] = {
            "VERSION": self._version,
            "NS_": self._new_symbols,
            "BS_": self._bit_timing,
            "BU_": self._nodes,
            "BO_": self._message,
            "SG_": self._stray_signal,
            "BO_TX_BU_": self.read_senders,
            "EV_": self._environment_variable,
            "CM_": self.read_comment,
            "BA_DEF_": self.read_definition,
            "BA_DEF_REL_": self.read_definition,
            "BA_DEF_DEF_": lambda: self.read_default(relation=False),
            "BA_DEF_DEF_REL_": lambda: self.read_default(relation=True),
            "BA_": self.read_assignment,
            "BA_REL_": self.read_relation_assignment,
            "VAL_": self.read_value_list,
            "VAL_TABLE_": self.read_value_table,
            "SIG_VALTYPE_": self.read_value_type,
            "SG_MUL_VAL_": self.read_mux_ranges,
            "SIG_GROUP_": self.read_signal_group,
        }
        while self.kinds[self.index] != END:
            start, keyword = self.index, self.texts[self.index]
            try:
                if self.kinds[start] != KEYWORD or keyword not in STATEMENTS:
                    raise self.unexpected("a statement (BO_, CM_, BA_ ...)")
                self.tree.keywords.append(Name(keyword, self.starts[start]))
                self.index += 1
                statements.get(keyword, self._other)()
            except UnexpectedError as error:
                self._pass_over(start, error)
        return self.tree

    def _pass_over(self, start: int, error: UnexpectedError) -> None:
        """Tells of the statement that begins with token `start`, and goes on behind it."""
        self.problem("syntax", error.at, str(error))
        self.tree.unread.add(self.texts[start])
        self.recover(start)

    def _other(self) -> None:
        """A statement whose content is of no concern here."""
        while self.kinds[self.index] not in (";", END) and not self.at_statement():
            self.index += 1
        self.end()

    def _version(self) -> None:
        self.tree.version = self.string("the version in quotes")

    def _new_symbols(self) -> None:
        self.take(":", ":")
        while self.kinds[self.index] in (WORD, KEYWORD):
            following = self.index + 1
            ends_list = self.kinds[following] not in (WORD, KEYWORD) or not self.tokens.first_on_line(following)
            if ends_list and self.tokens.first_on_line(self.index) and self.at_statement():
                break
            self.index += 1

    def _bit_timing(self) -> None:
        self.take(":", ":")
        while self.kinds[self.index] in (NUMBER, ":", ","):
            self.index += 1

    def _nodes(self) -> None:
        self.take(":", ":")
        while self.kinds[self.index] in (WORD, NUMBER) or (
            self.kinds[self.index] == KEYWORD and not self.at_statement()
        ):
            self.tree.nodes.append(self.name("a node"))
            if self.kinds[self.index] == ",":
                self.problem("syntax", self.starts[self.index], "nodes are separated by blanks, not commas")
                self.index += 1

    def _stray_signal(self) -> None:
        self.index -= 1
        at = self.starts[self.index]
        self._signal()
        # Below a broken BO_ they stand right, and the BO_ is told already.
        if not {"BO_"} & self.tree.unread or self.tree.keywords[-2].text not in ("BO_", "SG_"):
            self.problem("syntax", at, "SG_ outside of a message: put it under its BO_")

    def _message(self) -> None:
        at = self.starts[self.index - 1]
        identifier = self.integer("the identifier, a decimal number")
        name = self.name("the message's name")
        self.take(":", ": behind the message's name")
        length_at = self.starts[self.index]
        length = self.integer("the length in bytes")
        if self.at_statement() or self.kinds[self.index] == END:
            self.problem("syntax", length_at, f"the sender is missing: name a node of BU_, or {NO_NODE}")
            sender = Name(NO_NODE, length_at)
        else:
            sender = self.name("the sender")
        message = MessageLine(at, identifier, name, length, length_at, sender)
        self.tree.messages.append(message)
        while self.texts[self.index] == "SG_" and self.kinds[self.index] == KEYWORD:
            start = self.index
            try:
                message.signals.append(self._signal())
            except UnexpectedError as error:
                self._pass_over(start, error)

    def _signal(self) -> SignalLine:
        at = self.starts[self.index]
        self.index += 1
        name = self.name("the signal's name")
        mux = ""
        if self.kinds[self.index] == WORD:
            mux = self.texts[self.index]
            if not _MUX.fullmatch(mux):
                raise self.unexpected(": or M or m with a number")
            self.index += 1
        self.take(":", ": behind the signal's name")
        layout_at = self.starts[self.index]
        start = self.integer("the start bit")
        self.take("|", "| between start bit and length")
        length = self.integer("the length in bits")
        self.take("@", "@ behind the length")
        order, sign = self._order_and_sign()
        scaling_at = self.starts[self.index]
        factor, offset = self._pair("(", ",", ")", "the factor", "the offset")
        range_at = self.starts[self.index]
        minimum, maximum = self._pair("[", "|", "]", "the minimum", "the maximum")
        unit = self.string("the unit in quotes")
        receivers = self._receivers()
        end = self.starts[self.index - 1] + len(self.texts[self.index - 1])
        return SignalLine(
            at, name, mux, start, length, layout_at, order, sign, factor, offset, scaling_at,
            minimum, maximum, range_at, unit, receivers, end,
        )  # fmt: skip

    def _order_and_sign(self) -> tuple[int, str]:
        at = self.starts[self.index]
        order = self.integer("the byte order, 1 (Intel) or 0 (Motorola)")
        sign = self.texts[self.index]
        if sign not in ("+", "-"):
            raise self.unexpected("the sign, + or -")
        self.index += 1
        if order not in (0, 1):
            raise UnexpectedError(at, f"byte order {order} is neither 1 (Intel) nor 0 (Motorola)")
        return order, sign

    def _pair(self, opening: str, middle: str, closing: str, first: str, second: str) -> tuple[float, float]:
        """Two numbers in brackets."""
        self.take(opening, f"{opening} before {first}")
        one = self.number(first)
        self.take(middle, f"{middle} behind {first}")
        other = self.number(second)
        if middle == "," and self.kinds[self.index] == ",":
            raise UnexpectedError(self.starts[self.index], "too many commas: the decimal point is a dot")
        self.take(closing, f"{closing} behind {second}")
        return one, other

    def _receivers(self) -> tuple[Name, ...]:
        if self.at_statement() or self.kinds[self.index] == END:
            at = self.starts[self.index - 1]
            self.problem("syntax", at, f"the receiver is missing: name nodes of BU_, or {NO_NODE}")
            return ()
        names = [self.name("a receiver")]
        while self.has(","):
            names.append(self.name("a receiver"))
        if self.kinds[self.index] == WORD:
            raise UnexpectedError(self.starts[self.index], "receivers are separated by commas")
        return tuple(names)

    def _environment_variable(self) -> None:
        self.tree.environment_variables.append(self.name("the environment variable's name"))
        self._other()


def parse(text: str) -> Tree:
    """The statements of a DBC text. Never fails: what is not DBC is in the tree's `problems`."""
    return Parser(text).parse()
