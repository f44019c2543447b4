"""Cuts a DBC text into tokens. Never fails: a string that nobody closed ends with its line and is told."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

STATEMENTS = frozenset({
    "VERSION", "NS_", "BS_", "BU_", "VAL_TABLE_", "BO_", "SG_", "BO_TX_BU_", "EV_", "ENVVAR_DATA_", "EV_DATA_",
    "SGTYPE_", "SGTYPE_VAL_", "CM_", "BA_DEF_", "BA_DEF_REL_", "BA_DEF_SGTYPE_", "BA_DEF_DEF_", "BA_DEF_DEF_REL_",
    "BA_", "BA_REL_", "BA_SGTYPE_", "VAL_", "CAT_DEF_", "CAT_", "FILTER", "SIG_TYPE_REF_", "SIG_GROUP_",
    "SIG_VALTYPE_", "SIGTYPE_VALTYPE_", "SG_MUL_VAL_",
})  # fmt: skip
KEYWORDS = STATEMENTS | {"NS_DESC_", "BU_SG_REL_", "BU_EV_REL_", "BU_BO_REL_"}

# Kinds of tokens; punctuation is its own kind.
WORD, KEYWORD, NUMBER, STRING, END = "word", "keyword", "number", "string", "end"

# Groups: number, word, string, // comment, any other character. Blanks before a token go with it.
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      ([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?!\w))
    | (\w+)
    | ("[^"\\]*(?:\\.[^"\\]*)*")
    | (//[^\n]*)
    | ([^ \t\r\n])
    )""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER, _WORD, _STRING, _SLASHES = 1, 2, 3, 4
# A line that can only be a statement: inside a string it means that the string was meant to end before it.
_STATEMENT_LINE = re.compile(
    r"""^[ \t]*(?: BO_\ +\d+\ +\w+\ *: | SG_\ +\w+(?:\ +[mM]\w*)?\ *:\ *\d+\| | BU_\ *:
    | CM_\ +(?:"|(?:BO_|SG_|BU_|EV_)\ ) | BA_(?:REL_|DEF_|DEF_DEF_)?\ +(?:(?:BO_|SG_|BU_|EV_)\ +)?"
    | VAL_\ +\d+\ | VAL_TABLE_\ +\w | SIG_VALTYPE_\ +\d | SG_MUL_VAL_\ +\d | SIG_GROUP_\ +\d )""",
    re.VERBOSE | re.MULTILINE,
)


@dataclass
class Tokens:
    """The tokens of a text as parallel lists, ended by one of kind END. `starts` are offsets into the text."""

    text: str
    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # of a string: with its quotes
    starts: list[int] = field(default_factory=list)
    unclosed: list[int] = field(default_factory=list)  # offsets of strings that nobody closed
    slashes: list[int] = field(default_factory=list)  # offsets of // comments

    def add(self, kind: str, text: str, start: int) -> None:
        """Append one token."""
        self.kinds.append(kind)
        self.texts.append(text)
        self.starts.append(start)

    def first_on_line(self, index: int) -> bool:
        """True if nothing but blanks stands before the token in its line."""
        start = self.starts[index]
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return not before or before.isspace()


def tokenize(text: str) -> Tokens:
    """The tokens of a text."""
    tokens = Tokens(text)
    position = 0
    while position < len(text):
        position = _run(tokens, position)
    tokens.add(END, "", len(text))
    return tokens


def _run(tokens: Tokens, position: int) -> int:
    """Adds tokens up to a string that nobody closed, or to the end; returns where to go on. The inner loop."""
    text = tokens.text
    add_kind, add_text, add_start = tokens.kinds.append, tokens.texts.append, tokens.starts.append
    for found in _TOKEN.finditer(text, position):
        group = found.lastindex or 0
        value = found[group]
        start = found.start(group)
        if group == _NUMBER:
            kind = NUMBER
        elif group == _WORD:
            kind = KEYWORD if value in KEYWORDS else WORD
        elif group == _STRING:
            if "\n" in value and _STATEMENT_LINE.search(value):
                return _cut_string(tokens, start)
            kind = STRING
        elif group == _SLASHES:
            tokens.slashes.append(start)
            continue
        elif value == '"':
            return _cut_string(tokens, start)
        else:
            kind = value
        add_kind(kind)
        add_text(value)
        add_start(start)
    return len(text)


def _cut_string(tokens: Tokens, start: int) -> int:
    """Ends the string that opens at `start` with its line; returns where to go on."""
    tokens.unclosed.append(start)
    end = tokens.text.find("\n", start)
    end = len(tokens.text) if end < 0 else end
    line = tokens.text[start:end].rstrip()
    has_semicolon = len(line) > 1 and line.endswith(";")
    content = line[:-1].rstrip() if has_semicolon else line
    tokens.add(STRING, content + '"', start)
    if has_semicolon:
        tokens.add(";", ";", start + len(line) - 1)
    return end


class Places:
    """Turns offsets into a text into line and column, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        find = text.find
        at = find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = find("\n", at + 1)

    def place(self, at: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def line(self, at: int) -> int:
        """The line of an offset."""
        return bisect_right(self._starts, at)

    def start(self, line: int) -> int:
        """The offset of a line's first character; of the last line's, if there are fewer."""
        return self._starts[min(line, len(self._starts)) - 1]
