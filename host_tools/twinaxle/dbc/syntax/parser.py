"""The grammar of the DBC language, statement by statement. A broken statement is told and passed over."""

import re
from collections.abc import Callable

from twinaxle.dbc.syntax.cursor import Cursor, UnexpectedError
from twinaxle.dbc.syntax.tokens import END, KEYWORD, NUMBER, STATEMENTS, STRING, WORD
from twinaxle.dbc.syntax.tree import (
    NO_NODE,
    Assignment,
    Comment,
    Default,
    Definition,
    Entry,
    MessageLine,
    MuxRanges,
    Name,
    Range,
    Senders,
    SignalGroup,
    SignalLine,
    Target,
    Tree,
    Value,
    ValueList,
    ValueTable,
    ValueType,
)

RELATIONS = ("BU_SG_REL_", "BU_BO_REL_", "BU_EV_REL_")
OBJECTS = ("BO_", "SG_", "BU_", "EV_")
_MUX = re.compile(r"M|m[0-9]{1,10}M?")


class Parser(Cursor):
    """Parses one text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tree = Tree(problems=self.problems)
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
            "BO_TX_BU_": self._senders,
            "EV_": self._environment_variable,
            "CM_": self._comment,
            "BA_DEF_": self._definition,
            "BA_DEF_REL_": self._definition,
            "BA_DEF_DEF_": lambda: self._default(relation=False),
            "BA_DEF_DEF_REL_": lambda: self._default(relation=True),
            "BA_": self._assignment,
            "BA_REL_": self._relation_assignment,
            "VAL_": self._value_list,
            "VAL_TABLE_": self._value_table,
            "SIG_VALTYPE_": self._value_type,
            "SG_MUL_VAL_": self._mux_ranges,
            "SIG_GROUP_": self._signal_group,
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

    def _message_target(self) -> Target:
        at = self.starts[self.index]
        return Target("BO_", at, self.integer("a message's identifier"))

    def _signal_target(self) -> Target:
        target = self._message_target()
        target.kind, target.name = "SG_", self.name("a signal's name")
        return target

    def _target(self) -> Target:
        """What a CM_ or BA_ is about."""
        kind, at = self.texts[self.index], self.starts[self.index]
        if self.kinds[self.index] != KEYWORD or kind not in OBJECTS:
            return Target("", at)
        self.index += 1
        if kind == "BO_":
            return self._message_target()
        if kind == "SG_":
            return self._signal_target()
        return Target(kind, self.starts[self.index], name=self.name("a name"))

    def _comment(self) -> None:
        at = self.starts[self.index - 1]
        target = self._target()
        start = self.index
        text = self.string("the comment in quotes")
        if self.kinds[self.index] not in (";", END) and not self.at_statement():
            text = self._comment_with_quotes(start)
        self.tree.comments.append(Comment(at, target, text))
        self.end()

    def _comment_with_quotes(self, start: int) -> str:
        """A comment whose text has quotes in it; goes on at the semicolon behind the last one."""
        index = start
        while self.kinds[index + 1] not in (";", END):
            index += 1
            self.index = index
            if self.at_statement():
                break
        if self.kinds[index] != STRING or self.kinds[index + 1] != ";":
            self.index = start + 1
            raise self.unexpected("; behind the comment")
        first, last = self.starts[start], self.starts[index] + len(self.texts[index])
        inner = self.starts[start] + len(self.texts[start]) - 1
        self.problem("unescaped-quote", inner, 'a quote inside the comment: write \\" or an apostrophe')
        self.index = index + 1
        return self.tokens.text[first + 1 : last - 1]

    def _definition(self) -> None:
        keyword = self.index - 1
        kind = ""
        if self.kinds[self.index] == KEYWORD and self.texts[self.index] in OBJECTS + RELATIONS:
            kind = self.texts[self.index]
            self.index += 1
        name = self._quoted_name()
        type_at = self.starts[self.index]
        type_ = self.take(WORD, "a type: INT, HEX, FLOAT, ENUM or STRING")
        minimum = maximum = None
        values: list[str] = []
        if type_ in ("INT", "HEX", "FLOAT"):
            if self.kinds[self.index] == NUMBER:
                minimum = self.number("the minimum")
                maximum = self.number("the maximum")
        elif type_ == "ENUM":
            while self.kinds[self.index] == STRING:
                values.append(self.string("a value"))
                if not self.has(","):
                    break
        elif type_ != "STRING":
            raise UnexpectedError(type_at, f"{type_} is no type of an attribute: INT, HEX, FLOAT, ENUM or STRING")
        at = self.starts[keyword]
        self.tree.definitions.append(Definition(at, kind, name, type_, minimum, maximum, tuple(values)))
        self.end()

    def _quoted_name(self) -> Name:
        at = self.starts[self.index]
        return Name(self.string("the attribute's name in quotes"), at)

    def _value(self) -> Value:
        at = self.starts[self.index]
        if self.kinds[self.index] == STRING:
            return Value(self.string("a value"), at)
        return Value(self.number("a number, or a string in quotes,"), at)

    def _default(self, *, relation: bool) -> None:
        at = self.starts[self.index - 1]
        self.tree.defaults.append(Default(at, self._quoted_name(), self._value(), relation))
        self.end()

    def _assignment(self) -> None:
        at = self.starts[self.index - 1]
        self.tree.assignments.append(Assignment(at, self._quoted_name(), self._target(), self._value(), False))
        self.end()

    def _relation_assignment(self) -> None:
        at = self.starts[self.index - 1]
        name = self._quoted_name()
        kind = self.texts[self.index]
        if kind not in RELATIONS:
            raise self.unexpected("BU_SG_REL_, BU_BO_REL_ or BU_EV_REL_")
        self.index += 1
        node = self.name("a node")
        if kind == "BU_EV_REL_":
            target = Target(kind, self.starts[self.index], name=self.name("an environment variable"))
        elif kind == "BU_SG_REL_":
            if self.texts[self.index] != "SG_":
                raise self.unexpected("SG_")
            self.index += 1
            target = self._signal_target()
        else:
            target = self._message_target()
        target.kind, target.node = kind, node
        self.tree.assignments.append(Assignment(at, name, target, self._value(), True))
        self.end()

    def _entries(self) -> list[Entry]:
        entries = []
        while self.kinds[self.index] == NUMBER:
            at = self.starts[self.index]
            entries.append(Entry(self.number("a value"), self.string("the value's text in quotes"), at))
        return entries

    def _value_list(self) -> None:
        at = self.starts[self.index - 1]
        if self.kinds[self.index] == NUMBER:
            target = self._signal_target()
        else:
            target = Target("EV_", self.starts[self.index], name=self.name("a message's identifier"))
        table = self.name("a value table") if self.kinds[self.index] == WORD else None
        self.tree.value_lists.append(ValueList(at, target, [] if table else self._entries(), table))
        self.end()

    def _value_table(self) -> None:
        at = self.starts[self.index - 1]
        name = self.name("the value table's name")
        self.tree.value_tables.append(ValueTable(at, name, self._entries()))
        self.end()

    def _value_type(self) -> None:
        at = self.starts[self.index - 1]
        target = self._signal_target()
        self.has(":")
        self.tree.value_types.append(ValueType(at, target, self.integer("the type: 0 to 3")))
        self.end()

    def _mux_ranges(self) -> None:
        at = self.starts[self.index - 1]
        target = self._signal_target()
        selector = self.name("the selector's name")
        ranges = []
        while True:
            start = self.starts[self.index]
            low = self.integer("a selector value")
            # 3-5 comes as the numbers 3 and -5.
            if not (self.has("-") or self.texts[self.index].startswith("-")):
                raise self.unexpected("- and the last value of the range")
            high = abs(self.integer("the last value of the range"))
            ranges.append(Range(low, high, start))
            if not self.has(","):
                break
        self.tree.mux_ranges.append(MuxRanges(at, target, selector, ranges))
        self.end()

    def _senders(self) -> None:
        at = self.starts[self.index - 1]
        target = self._message_target()
        self.take(":", ": behind the identifier")
        names = [self.name("a node")]
        while self.has(",") or self.kinds[self.index] == WORD:
            names.append(self.name("a node"))
        self.tree.senders.append(Senders(at, target, tuple(names)))
        self.end()

    def _signal_group(self) -> None:
        at = self.starts[self.index - 1]
        target = self._message_target()
        name = self.name("the group's name")
        self.integer("the number of repetitions")
        self.take(":", ": behind the repetitions")
        names = []
        while self.kinds[self.index] == WORD:
            names.append(self.name("a signal"))
        self.tree.groups.append(SignalGroup(at, target, name, tuple(names)))
        self.end()

    def _environment_variable(self) -> None:
        self.tree.environment_variables.append(self.name("the environment variable's name"))
        self._other()


def parse(text: str) -> Tree:
    """The statements of a DBC text. Never fails: what is not DBC is in the tree's `problems`."""
    return Parser(text).parse()
