"""A place in the tokens of a DBC and what can be taken from there; the grammar builds on it."""

import sys

from twinaxle.dbc.syntax.tokens import END, KEYWORD, NUMBER, STATEMENTS, STRING, WORD, tokenize
from twinaxle.dbc.syntax.tree import Name, Problem

MOST_DIGITS = 20  # of an integer: 2**64 has 20


class UnexpectedError(Exception):
    """A token that the grammar does not have here."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at


class Cursor:
    """The tokens of a text, the index of the next one, and the problems met so far."""

    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)
        self.kinds = self.tokens.kinds
        self.texts = self.tokens.texts
        self.starts = self.tokens.starts
        self.index = 0
        self.problems: list[Problem] = []

    def problem(self, rule: str, at: int, text: str) -> None:
        """Record what is not DBC."""
        self.problems.append(Problem(rule, at, text))

    def unexpected(self, wanted: str) -> UnexpectedError:
        kind, text = self.kinds[self.index], self.texts[self.index]
        if kind == END:
            return UnexpectedError(self.starts[self.index], f"the file ends where {wanted} should be")
        shown = text if len(text) <= 40 else text[:37] + "..."
        return UnexpectedError(self.starts[self.index], f"found {shown} where {wanted} should be")

    def recover(self, start: int) -> None:
        """Goes on at the next line that begins with a statement's keyword."""
        self.index = max(self.index, start + 1)
        while not self.at_statement() and self.kinds[self.index] != END:
            self.index += 1

    def at_statement(self) -> bool:
        """True at a keyword that begins a line (NS_ lists keywords in lines of their own too)."""
        index = self.index
        return self.kinds[index] == KEYWORD and self.texts[index] in STATEMENTS and self.tokens.first_on_line(index)

    def take(self, kind: str, wanted: str) -> str:
        index = self.index
        if self.kinds[index] != kind:
            raise self.unexpected(wanted)
        self.index = index + 1
        return self.texts[index]

    def has(self, kind: str) -> bool:
        """Takes a token of this kind if it is the next."""
        if self.kinds[self.index] != kind:
            return False
        self.index += 1
        return True

    def name(self, wanted: str) -> Name:
        index = self.index
        kind = self.kinds[index]
        # A keyword in place of a name is told by a rule on names, unless it begins the next statement.
        if kind not in (WORD, NUMBER) and (kind != KEYWORD or self.at_statement()):
            raise self.unexpected(wanted)
        self.index = index + 1
        name = Name(self.texts[index], self.starts[index])
        following = self.kinds[self.index]
        if following in ("-", ".", "$", "/") and self.starts[self.index] == name.at + len(name.text):
            raise UnexpectedError(self.starts[self.index], f"a name has letters, digits and _ only, no {following}")
        return name

    def integer(self, wanted: str) -> int:
        text, at = self.texts[self.index], self.starts[self.index]
        if text[:2] in ("0x", "0X"):
            raise UnexpectedError(at, f"found {text} where {wanted} should be: numbers are decimal")
        text = self.take(NUMBER, wanted)
        if len(text) > MOST_DIGITS:
            raise UnexpectedError(at, f"{wanted} has more than {MOST_DIGITS} digits")
        try:
            return int(text)
        except ValueError:
            raise UnexpectedError(at, f"found {text} where {wanted} should be: an integer") from None

    def number(self, wanted: str) -> float:
        text = self.take(NUMBER, wanted)
        if len(text) <= MOST_DIGITS and text.lstrip("+-").isdecimal():
            return int(text)
        # Ranges of long texts go past what a float can hold.
        return min(max(float(text), -sys.float_info.max), sys.float_info.max)

    def string(self, wanted: str) -> str:
        return self.take(STRING, wanted)[1:-1].replace('\\"', '"')

    def end(self) -> None:
        """The semicolon of a statement."""
        if self.has(";"):
            return
        if self.at_statement() or self.kinds[self.index] == END:
            last = self.index - 1
            at = self.starts[last] + len(self.texts[last])
            self.problem("missing-semicolon", at, "the statement does not end: put ; behind it")
            return
        raise self.unexpected(";")
