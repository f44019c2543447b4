"""Where in a DBC text things stand, and what a parser's complaint means for the user."""

import re
from pathlib import Path

_MESSAGE = re.compile(r"^\s*BO_\s+(\d+)\s+(\w+)\s*:")
_SIGNAL = re.compile(r"^\s*SG_\s+(\w+)\b")
_ATTRIBUTE = re.compile(r'^\s*BA_\s+"(\w+)"\s+(?:(?:BO_|SG_|BU_|EV_)\s+\w+\s+(?:[A-Za-z_]\w*\s+)?)?(.+?)\s*;\s*$')
_DEFINITION = re.compile(r'^\s*BA_DEF_\s+(?:(?:BO_|SG_|BU_|EV_)\s+)?"(\w+)"\s+(\w+)\s*(.*?)\s*;')


class SourceMap:
    """Line numbers (from 1) of messages and signals in a DBC text; 0 where there is none."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self._messages: dict[str, int] = {}
        self._signals: dict[tuple[str, str], list[int]] = {}
        message = ""
        for number, line in enumerate(self.lines, 1):
            if found := _MESSAGE.match(line):
                message = found[2]
                self._messages.setdefault(message, number)
            elif found := _SIGNAL.match(line):
                self._signals.setdefault((message, found[1]), []).append(number)

    def message_line(self, message: str) -> int:
        return self._messages.get(message, 0)

    def signal_line(self, message: str, signal: str) -> int:
        """The line of a signal; of the second one if a message has the name twice."""
        found = self._signals.get((message, signal), [0])
        return found[min(1, len(found) - 1)]

    def selector_values(self, line: int) -> list[int]:
        """The selector value that the signal in this line names (`m3`), as a list; empty for none."""
        found = re.match(r"\s*SG_\s+\w+\s+m(\d+)M?\s*:", self.lines[line - 1]) if line else None
        return [int(found[1])] if found else []

    def find(self, pattern: str) -> int:
        """The first line that the regular expression matches."""
        return next((number for number, line in enumerate(self.lines, 1) if re.search(pattern, line)), 0)


def explain(path: Path, source: SourceMap, error: Exception) -> str:
    """`file:line: what is wrong` for an exception that cantools raised while it read the text."""
    error = getattr(error, "e_dbc", None) or error
    line, what = _syntax(error) or _of_message(source, error) or _of_entry(source, error) or (0, "")
    if not what:
        line, what = _of_attribute(source) or (0, f"{type(error).__name__}: {error}")
    return f"{path}:{line}: {what}" if line else f"{path}: not a usable DBC: {what}"


def _syntax(error: Exception) -> tuple[int, str] | None:
    found = re.match(r'Invalid syntax at line (\d+), column (\d+): "(.*)"$', str(error), re.DOTALL)
    if not found:
        return None
    return int(found[1]), f'not DBC syntax at column {found[2]} (after ">>!<<"): {found[3].strip()}'


def _of_message(source: SourceMap, error: Exception) -> tuple[int, str] | None:
    """Complaints that name a message, most of them a signal too."""
    text = str(error)
    in_message = re.search(r"(?:in|of) message (\w+)", text)
    if not in_message:
        return None
    message = in_message[1]
    names = re.findall(r"[Ss]ignals? (\w+)(?: and (\w+))?", text)
    # Of two overlapping signals the later one in the file is the likelier mistake.
    lines = [source.signal_line(message, name) for pair in names for name in pair if name]
    return max([*lines, 0]) or source.message_line(message), text


def _of_entry(source: SourceMap, error: Exception) -> tuple[int, str] | None:
    """Entries that speak of something undefined: attributes without definition, value tables without signal."""
    if isinstance(error, KeyError):
        name = str(error.args[0])
        line = source.find(rf'^\s*BA_(?:DEF_DEF_)?\s+"{re.escape(name)}"')
        if line:
            return line, f"attribute {name} is used but not defined: it needs a BA_DEF_ line"
    unused = re.search(r"VAL_ (\d+) (\w+)", str(error))
    if unused:
        identifier, signal = unused.groups()
        line = source.find(rf"^\s*VAL_\s+{identifier}\s+{signal}\b")
        message = source.find(rf"^\s*BO_\s+{identifier}\s")
        if not message:
            return line, f"value table of signal {signal}: there is no message {identifier}"
        name = source.lines[message - 1].split()[2].rstrip(":")
        return line, f"value table of signal {signal}: message {name} ({identifier}) has no such signal"
    return None


def _of_attribute(source: SourceMap) -> tuple[int, str] | None:
    """The first attribute whose value does not fit its definition."""
    kinds = {found[1]: (found[2], found[3]) for line in source.lines if (found := _DEFINITION.match(line))}
    for number, line in enumerate(source.lines, 1):
        found = _ATTRIBUTE.match(line)
        if not found or found[1] not in kinds:
            continue
        kind, rest = kinds[found[1]]
        value = found[2]
        if kind in ("INT", "FLOAT", "HEX") and not re.fullmatch(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", value):
            return number, f"attribute {found[1]} must be a number, not {value}"
        names = re.findall(r'"([^"]*)"', rest)
        if kind == "ENUM" and value.isdigit() and int(value) >= len(names):
            return number, f"attribute {found[1]}: {value} is past the last of its values ({', '.join(names)})"
    return None
