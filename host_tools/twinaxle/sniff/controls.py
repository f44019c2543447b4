"""What keys do: each action of `keys` is a method here, and changes what the viewer shows or does."""

from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.sniff import keys
from twinaxle.sniff.content import text_of
from twinaxle.sniff.details import height
from twinaxle.sniff.filters import Test, parse_filter
from twinaxle.sniff.prompt import Outcome, Prompt
from twinaxle.sniff.recording import default_name
from twinaxle.sniff.source import LiveSource, LogSource
from twinaxle.sniff.store import Row
from twinaxle.sniff.table import Shows
from twinaxle.sniff.viewer import ORDERS, Viewer

_SKIP_S = 10.0
_SLOWEST, _FASTEST = 1 / 64, 256.0


class Controls:
    """The keyboard of a viewer. The help page (`keys`) says what the actions `do_...` are for."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._hit: Test | None = None

    def press(self, key: str) -> None:
        """Do what a key asks for; `key` is a name of curses' `keyname`, or a character."""
        if self._viewer.prompt is not None:
            if self._viewer.prompt.press(key) is not Outcome.OPEN:
                self._viewer.prompt = None
            return
        action = keys.ACTIONS.get(key)
        if self._viewer.help_top is not None and action != "quit":
            steps = {"down": 1, "up": -1, "page_down": self._viewer.page, "page_up": -self._viewer.page}
            self._viewer.help_top = self._viewer.help_top + steps[action] if action in steps else None
            return
        self._viewer.message = ""
        if action:
            getattr(self, f"do_{action}")()

    # --- moving ---

    def _move(self, step: int) -> None:
        """To another row; through an opened one that is longer than the screen line by line."""
        rows = self._viewer.rows()
        if not rows:
            return
        at = self._viewer.index(rows)
        begin = sum(height(row, self._viewer.is_open(row)) for row in rows[:at])
        end = begin + height(rows[at], self._viewer.is_open(rows[at]))
        if step == 1 and end > self._viewer.top + self._viewer.page:
            self._viewer.top += 1
        elif step == -1 and begin < self._viewer.top:
            self._viewer.top -= 1
        else:
            self._viewer.select(rows, at + step)

    def do_down(self) -> None:
        self._move(1)

    def do_up(self) -> None:
        self._move(-1)

    def do_page_down(self) -> None:
        rows = self._viewer.rows()
        self._viewer.select(rows, self._viewer.index(rows) + self._viewer.page)

    def do_page_up(self) -> None:
        rows = self._viewer.rows()
        self._viewer.select(rows, self._viewer.index(rows) - self._viewer.page)

    def do_first(self) -> None:
        self._viewer.select(self._viewer.rows(), 0)

    def do_last(self) -> None:
        rows = self._viewer.rows()
        self._viewer.select(rows, len(rows) - 1)

    def _selected_row(self) -> Row | None:
        rows = self._viewer.rows()
        return rows[self._viewer.index(rows)] if rows else None

    def do_toggle(self) -> None:
        if row := self._selected_row():
            self._viewer.selected = row.key
            self._viewer.open ^= {row.key}

    def do_toggle_all(self) -> None:
        rows = {row.key for row in self._viewer.rows()}
        self._viewer.open = set() if self._viewer.open & rows else rows

    # --- choosing ---

    def do_filter(self) -> None:
        before = self._viewer.filter

        def done(expression: str) -> None:
            if not self._try_filter(expression):
                self._viewer.set_filter(before)

        self._viewer.prompt = Prompt("filter", done, before, self._try_filter, lambda: self._viewer.set_filter(before))

    def _try_filter(self, expression: str) -> bool:
        try:
            self._viewer.set_filter(expression)
        except UserError as error:
            self._viewer.message = str(error)
            return False
        self._viewer.message = ""
        return True

    def do_clear_filter(self) -> None:
        self._viewer.set_filter("")
        self._viewer.only_marked = False

    def do_search(self) -> None:
        self._viewer.prompt = Prompt("search", self._search)

    def _search(self, expression: str) -> None:
        try:
            self._hit = parse_filter(expression, text_of) if expression.strip() else None
        except UserError as error:
            self._viewer.message = str(error)
            return
        self._find(0, 1)

    def do_next_hit(self) -> None:
        self._find(1, 1)

    def do_previous_hit(self) -> None:
        self._find(-1, -1)

    def _find(self, offset: int, step: int) -> None:
        """Select the next hit from the selected row on, round the end."""
        rows = self._viewer.rows()
        if self._hit is None or not rows:
            self._viewer.message = "nothing to search for"
            return
        begin = self._viewer.index(rows) + offset
        for away in range(len(rows)):
            row = rows[(begin + away * step) % len(rows)]
            if self._hit(row):
                self._viewer.selected = row.key
                return
        self._viewer.message = "not found"

    def do_sort(self) -> None:
        self._viewer.order = ORDERS[(ORDERS.index(self._viewer.order) + 1) % len(ORDERS)]
        self._viewer.is_reversed = False

    def do_reverse(self) -> None:
        self._viewer.is_reversed = not self._viewer.is_reversed

    def do_mark(self) -> None:
        if row := self._selected_row():
            self._viewer.selected = row.key
            self._viewer.marked ^= {row.key}

    def do_only_marked(self) -> None:
        self._viewer.only_marked = not self._viewer.only_marked
        if self._viewer.only_marked and not self._viewer.marked:
            self._viewer.only_marked = False
            self._viewer.message = "no message is marked: m marks one"

    def do_content(self) -> None:
        kinds = list(Shows)
        self._viewer.shows = kinds[(kinds.index(self._viewer.shows) + 1) % len(kinds)]
        self._viewer.message = self._viewer.shows.value

    def do_absent(self) -> None:
        self._viewer.shows_absent = not self._viewer.shows_absent

    # --- time ---

    def do_pause(self) -> None:
        if isinstance(self._viewer.source, LogSource):
            self._viewer.source.hold(not self._viewer.source.held)
        else:
            self._viewer.frozen = None if self._viewer.frozen else self._viewer.store.snapshot()

    def do_set_mark(self) -> None:
        self._viewer.shown.set_mark()

    def do_clear_mark(self) -> None:
        self._viewer.shown.mark_s = None

    def do_notch(self) -> None:
        self._viewer.shown.notch()

    def do_clear_notches(self) -> None:
        self._viewer.shown.clear_notches()

    def do_restart(self) -> None:
        self._viewer.shown.restart_statistics()
        self._viewer.message = "statistics from zero"

    def do_clear(self) -> None:
        self._viewer.frozen = None
        self._viewer.store.clear()

    # --- recording, the source, the end ---

    def do_record(self) -> None:
        if self._viewer.recorder.is_on:
            self._viewer.recorder.stop()
            self._viewer.message = (
                self._viewer.recorder.problem or f"{self._viewer.recorder.path}: {self._viewer.recorder.frames} frames"
            )
        else:
            self._viewer.prompt = Prompt("record to", self._record, f"{default_name()}.blf")

    def _record(self, name: str) -> None:
        try:
            self._viewer.recorder.start(Path(name).expanduser())
        except UserError as error:
            self._viewer.message = str(error)

    def do_picture(self) -> None:
        self._viewer.wants_picture = Path(f"{default_name()}.svg")

    def do_reopen(self) -> None:
        if isinstance(self._viewer.source, LiveSource):
            self._viewer.source.reopen()
        else:
            self._viewer.message = "a log does not go away"

    def do_help(self) -> None:
        self._viewer.help_top = 0

    def do_quit(self) -> None:
        self._viewer.is_over = True

    def _log(self) -> LogSource | None:
        if isinstance(self._viewer.source, LogSource):
            return self._viewer.source
        self._viewer.message = "only in a log"
        return None

    def do_slower(self) -> None:
        if log := self._log():
            log.speed = max(log.speed / 2, _SLOWEST)

    def do_faster(self) -> None:
        if log := self._log():
            log.speed = min(log.speed * 2, _FASTEST)

    def do_forward(self) -> None:
        self._skip(_SKIP_S)

    def do_back(self) -> None:
        self._skip(-_SKIP_S)

    def do_rewind(self) -> None:
        self._skip(float("-inf"))

    def _skip(self, seconds: float) -> None:
        if log := self._log():
            try:
                again = log.skip(seconds)
            except UserError as error:
                self._viewer.message = str(error)
                return
            if again:
                self._viewer.store.clear()
