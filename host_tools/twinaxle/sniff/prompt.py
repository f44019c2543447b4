"""A line that the user types at the bottom of the screen."""

from collections.abc import Callable
from enum import Enum, auto

from twinaxle.sniff import keys
from twinaxle.sniff.spans import Line, Span, Style, line


class Outcome(Enum):
    """What a key did to a prompt."""

    OPEN = auto()
    DONE = auto()
    DROPPED = auto()


class Prompt:
    """A question with a text to edit. `changed(text)` is called while the user types, `done(text)` at the end."""

    def __init__(
        self,
        question: str,
        done: Callable[[str], None],
        text: str = "",
        changed: Callable[[str], object] | None = None,
        dropped: Callable[[], None] | None = None,
    ) -> None:
        self.question = question
        self.text = text
        self._cursor = len(text)
        self._done, self._changed, self._dropped = done, changed, dropped

    def press(self, key: str) -> Outcome:
        """Take a key (a name of curses' `keyname`, or a character)."""
        if key in keys.ENTER:
            self._done(self.text)
            return Outcome.DONE
        if key in keys.ESCAPE or key == "^C":
            if self._dropped:
                self._dropped()
            return Outcome.DROPPED
        before = self.text
        self._edit(key)
        if self.text != before and self._changed:
            self._changed(self.text)
        return Outcome.OPEN

    def _edit(self, key: str) -> None:
        text, at = self.text, self._cursor
        if key == "KEY_LEFT":
            self._cursor = max(at - 1, 0)
        elif key == "KEY_RIGHT":
            self._cursor = min(at + 1, len(text))
        elif key in ("KEY_HOME", "^A"):
            self._cursor = 0
        elif key in ("KEY_END", "^E"):
            self._cursor = len(text)
        elif key == "KEY_DC":
            self.text = text[:at] + text[at + 1 :]
        elif key in keys.BACKSPACE:
            self.text = text[: max(at - 1, 0)] + text[at:]
            self._cursor = max(at - 1, 0)
        elif key == "^U":
            self.text, self._cursor = text[at:], 0
        elif len(key) == 1 and key.isprintable():
            self.text = text[:at] + key + text[at:]
            self._cursor = at + 1

    def line(self, width: int) -> Line:
        """The prompt on `width` characters; a long text shows the part with the cursor."""
        head = f"{self.question}: "
        room = max(width - len(head) - 1, 1)
        begin = max(self._cursor - room, 0)
        text = self.text[begin : begin + room]
        at = self._cursor - begin
        cursor = text[at : at + 1] or " "
        return line(Span(head, Style.KEY), text[:at], Span(cursor, Style.TITLE), text[at + 1 :])
