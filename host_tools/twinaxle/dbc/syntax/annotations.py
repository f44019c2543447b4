"""The part of the grammar that speaks of nodes, messages and signals: comments, attributes, values and the like."""

from twinaxle.dbc.syntax.cursor import Cursor, UnexpectedError
from twinaxle.dbc.syntax.tokens import END, KEYWORD, NUMBER, STRING, WORD
from twinaxle.dbc.syntax.tree import (
    Assignment,
    Comment,
    Default,
    Definition,
    Entry,
    MuxRanges,
    Name,
    Range,
    Senders,
    SignalGroup,
    Target,
    Tree,
    Value,
    ValueList,
    ValueTable,
    ValueType,
)

RELATIONS = ("BU_SG_REL_", "BU_BO_REL_", "BU_EV_REL_")
OBJECTS = ("BO_", "SG_", "BU_", "EV_")


class Annotations(Cursor):
    """Reads the statements that begin behind their keyword into `tree`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tree = Tree(problems=self.problems)

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

    def read_comment(self) -> None:
        """CM_."""
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

    def read_definition(self) -> None:
        """BA_DEF_ and BA_DEF_REL_."""
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

    def read_default(self, *, relation: bool) -> None:
        """BA_DEF_DEF_ and BA_DEF_DEF_REL_."""
        at = self.starts[self.index - 1]
        self.tree.defaults.append(Default(at, self._quoted_name(), self._value(), relation))
        self.end()

    def read_assignment(self) -> None:
        """BA_."""
        at = self.starts[self.index - 1]
        self.tree.assignments.append(Assignment(at, self._quoted_name(), self._target(), self._value(), False))
        self.end()

    def read_relation_assignment(self) -> None:
        """BA_REL_."""
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

    def read_value_list(self) -> None:
        """VAL_."""
        at = self.starts[self.index - 1]
        if self.kinds[self.index] == NUMBER:
            target = self._signal_target()
        else:
            target = Target("EV_", self.starts[self.index], name=self.name("a message's identifier"))
        table = self.name("a value table") if self.kinds[self.index] == WORD else None
        self.tree.value_lists.append(ValueList(at, target, [] if table else self._entries(), table))
        self.end()

    def read_value_table(self) -> None:
        """VAL_TABLE_."""
        at = self.starts[self.index - 1]
        name = self.name("the value table's name")
        self.tree.value_tables.append(ValueTable(at, name, self._entries()))
        self.end()

    def read_value_type(self) -> None:
        """SIG_VALTYPE_."""
        at = self.starts[self.index - 1]
        target = self._signal_target()
        self.has(":")
        self.tree.value_types.append(ValueType(at, target, self.integer("the type: 0 to 3")))
        self.end()

    def read_mux_ranges(self) -> None:
        """SG_MUL_VAL_."""
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

    def read_senders(self) -> None:
        """BO_TX_BU_."""
        at = self.starts[self.index - 1]
        target = self._message_target()
        self.take(":", ": behind the identifier")
        names = [self.name("a node")]
        while self.has(",") or self.kinds[self.index] == WORD:
            names.append(self.name("a node"))
        self.tree.senders.append(Senders(at, target, tuple(names)))
        self.end()

    def read_signal_group(self) -> None:
        """SIG_GROUP_."""
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
