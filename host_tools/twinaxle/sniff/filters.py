"""Filter expressions: which messages are shown, and which a search finds.

Terms stand side by side and must all hold; `!` in front turns one round; `a|b` is either.

    0A0  0x18FF1234       identifier (hexadecimal; starts with a digit or 0x)
    100-1FF               identifiers from ... to
    from:VCU  to:INV_F    sender, receiver of the DBC
    on:can0               channel
    is:late               late, bad (E2E), unknown, marked, changed, absent
    torque                text in the name of the message or of a signal, or in a decoded value; * and ? are wildcards
"""

import re
from collections.abc import Callable
from fnmatch import translate

from twinaxle.errors import UserError
from twinaxle.sniff.store import Row

Test = Callable[[Row], bool]
TextOf = Callable[[Row], str]
"""The decoded text of a row, on which free words are tried."""

_ID = re.compile(r"(?:0x)?([0-9a-f]{1,8})(?:-(?:0x)?([0-9a-f]{1,8}))?", re.IGNORECASE)

_FLAGS: dict[str, Callable[[Row], bool]] = {
    "late": lambda row: row.is_late,
    "bad": lambda row: row.fault_count > 0,
    "unknown": lambda row: row.message is None,
    "marked": lambda row: row.marked,
    "changed": lambda row: bool(row.recent),
    "absent": lambda row: row.count == 0,
}


def parse_filter(expression: str, text_of: TextOf) -> Test:
    """The test that an expression stands for; an empty one lets everything through.

    Raises UserError that names the wrong term.
    """
    tests = [_alternatives(term, text_of) for term in expression.split()]
    return lambda row: all(test(row) for test in tests)


def _alternatives(term: str, text_of: TextOf) -> Test:
    turned = term.startswith("!")
    words = term[turned:].split("|")
    if not all(words):
        raise UserError(f"filter: `{term}` has nothing to look for")
    tests = [_word(word, text_of) for word in words]
    return lambda row: any(test(row) for test in tests) != turned


def _word(word: str, text_of: TextOf) -> Test:
    kind, colon, value = word.partition(":")
    if colon:
        return _tagged(kind.lower(), value)
    if word[0].isdigit() and (found := _ID.fullmatch(word)):
        low = int(found[1], 16)
        high = int(found[2], 16) if found[2] else low
        return lambda row: low <= row.can_id <= high
    matches = _matcher(word)
    return lambda row: matches(row.name) or matches(text_of(row))


def _tagged(kind: str, value: str) -> Test:
    if kind == "is":
        if value.lower() not in _FLAGS:
            raise UserError(f"filter: `is:{value}` is unknown; there are {', '.join(_FLAGS)}")
        return _FLAGS[value.lower()]
    if not value:
        raise UserError(f"filter: `{kind}:` needs a name behind it")
    if kind == "from":
        return lambda row: row.message is not None and value.lower() in map(str.lower, row.message.senders)
    if kind == "to":
        return lambda row: row.message is not None and value.lower() in map(str.lower, row.message.receivers)
    if kind == "on":
        return lambda row: str(row.channel).lower() == value.lower()
    raise UserError(f"filter: `{kind}:` is unknown; there are from:, to:, on: and is:")


def _matcher(word: str) -> Callable[[str], bool]:
    if "*" in word or "?" in word:
        pattern = re.compile(translate(f"*{word}*"), re.IGNORECASE)
        return lambda text: pattern.match(text) is not None
    lower = word.lower()
    return lambda text: lower in text.lower()
