"""What the user has chosen, and what each action does to it. Knows nothing of the terminal."""

from collections.abc import Callable
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.sniff import keys, table
from twinaxle.sniff.filters import Test, parse_filter
from twinaxle.sniff.glyphs import UNICODE, Glyphs
from twinaxle.sniff.prompt import Outcome, Prompt
from twinaxle.sniff.recording import Recorder, default_name
from twinaxle.sniff.source import LiveSource, LogSource, Source
from twinaxle.sniff.store import Key, Row, Store
from twinaxle.sniff.strip import Strip
from twinaxle.sniff.table import Look, Shows

_SKIP_S = 10.0
_RESTART_S = 1.0
"""Time that runs back by more is that of another run."""
_SLOWEST, _FASTEST = 1 / 64, 256.0

_ORDERS: dict[str, Callable[[Row], tuple[object, ...]]] = {
    "id": lambda row: (row.can_id, row.is_extended),
    "name": lambda row: (not row.name, row.name.lower(), row.can_id),
    "node": lambda row: (row.message is None, row.message.sender if row.message else "", row.can_id),
    "rate": lambda row: (-round(row.rate), row.can_id),
    "age": lambda row: (-row.watch.last_s if row.count else float("inf"), row.can_id),
    "faults": lambda row: (-row.fault_count - row.watch.lost, not row.is_late, row.can_id),
}
ORDERS = tuple(_ORDERS)


class Viewer:
    """The state of a session.

    Args:
        store: filled by whoever runs the session.
        source: for its title, its time, and what only one kind of source can do.
        strip: the two-axle strip, None where the DBC has not got its messages.
    """

    def __init__(
        self, store: Store, source: Source, recorder: Recorder, strip: Strip | None = None, glyphs: Glyphs = UNICODE
    ) -> None:
        self.store = store
        self.source = source
        self.recorder = recorder
        self.strip = strip
        self.glyphs = glyphs
        self.selected: Key | None = None
        self.top = 0
        """The first line of the table that is on the screen."""
        self.page = 10
        """Lines that the table has on the screen; set by the view."""
        self.open: set[Key] = set()
        self._open_names: set[str] = set()
        self.order = "id"
        self.is_reversed = False
        self.filter = ""
        self.only_marked = False
        self.shows_absent = False
        self.shows = Shows.BOTH
        self.help_top: int | None = None
        """The first line of the help page that is on the screen; None while it is not shown."""
        self.is_over = False
        self.message = ""
        """The last thing said to the user."""
        self.prompt: Prompt | None = None
        self.wants_picture: Path | None = None
        self._frozen: Store | None = None
        self._marked: set[Key] = set()
        self._test: Test = lambda row: True
        self._hit: Test | None = None

    # --- what is shown ---

    @property
    def is_paused(self) -> bool:
        """True while the picture stands still."""
        return self._frozen is not None or (isinstance(self.source, LogSource) and self.source.held)

    @property
    def shown(self) -> Store:
        """The store to show: a copy while a live picture is held."""
        return self._frozen or self.store

    def look(self) -> Look:
        """How rows are to be shown."""
        return Look(self.shown.now_s, self.glyphs, since_mark=self.shown.mark_s is not None)

    def rows(self) -> list[Row]:
        """The rows that pass the filter, in order."""
        rows = list(self.shown.rows.values())
        if self.shows_absent:
            rows += self.shown.absent()
        for row in rows:
            row.marked = row.key in self._marked
        rows = [row for row in rows if self._test(row) and (row.marked or not self.only_marked)]
        rows.sort(key=lambda row: str(row.channel))
        rows.sort(key=_ORDERS[self.order], reverse=self.is_reversed)
        return rows

    def is_open(self, row: Row) -> bool:
        """True if the row shows its signals below."""
        if self._open_names and row.name in self._open_names:  # from the command line, before anything was heard
            self._open_names.discard(row.name)
            self.open.add(row.key)
        return row.key in self.open

    # --- frames ---

    def listen(self) -> None:
        """Take, record and judge what has come."""
        frames = self.source.take()
        self.recorder.feed(frames)
        if frames and isinstance(self.source, LiveSource) and frames[0].timestamp < self.store.last_s - _RESTART_S:
            self.store.clear()  # the bus has begun again, with its time
        self.store.feed(frames)
        self.store.tick(self.source.now_s())

    # --- input ---

    def press(self, key: str) -> None:
        """Do what a key asks for; `key` is a name of curses' `keyname`, or a character."""
        if self.prompt is not None:
            if self.prompt.press(key) is not Outcome.OPEN:
                self.prompt = None
            return
        action = keys.ACTIONS.get(key)
        if self.help_top is not None and action != "quit":
            steps = {"down": 1, "up": -1, "page_down": self.page, "page_up": -self.page}
            self.help_top = self.help_top + steps[action] if action in steps else None
            return
        self.message = ""
        if action:
            getattr(self, f"do_{action}")()

    def set_filter(self, expression: str) -> None:
        """Show only what an expression lets through. Raises UserError if it is wrong; the filter then stays."""
        self._test = parse_filter(expression, table.text_of)
        self.filter = expression

    def open_names(self, names: list[str]) -> None:
        """Open messages by name as soon as they are heard; `all` opens those of the DBC.

        Raises UserError for a name that the DBC has not got.
        """
        known = {message.name for message in self.store.messages.values()}
        if names == ["all"]:
            names = list(known)
        if unknown := [name for name in names if name not in known]:
            raise UserError(f"the DBC has no message {', '.join(unknown)}")
        self._open_names = set(names)

    # --- moving ---

    def _index(self, rows: list[Row]) -> int:
        """Place of the selected row; the first where it is not shown."""
        return next((at for at, row in enumerate(rows) if row.key == self.selected), 0)

    def _select(self, rows: list[Row], at: int) -> None:
        if rows:
            self.selected = rows[min(max(at, 0), len(rows) - 1)].key

    def _move(self, step: int) -> None:
        """To another row; through an opened one that is longer than the screen line by line."""
        rows = self.rows()
        if not rows:
            return
        at = self._index(rows)
        begin = sum(table.height(row, self.is_open(row)) for row in rows[:at])
        end = begin + table.height(rows[at], self.is_open(rows[at]))
        if step == 1 and end > self.top + self.page:
            self.top += 1
        elif step == -1 and begin < self.top:
            self.top -= 1
        else:
            self._select(rows, at + step)

    def do_down(self) -> None:
        self._move(1)

    def do_up(self) -> None:
        self._move(-1)

    def do_page_down(self) -> None:
        rows = self.rows()
        self._select(rows, self._index(rows) + self.page)

    def do_page_up(self) -> None:
        rows = self.rows()
        self._select(rows, self._index(rows) - self.page)

    def do_first(self) -> None:
        self._select(self.rows(), 0)

    def do_last(self) -> None:
        rows = self.rows()
        self._select(rows, len(rows) - 1)

    def _selected_row(self) -> Row | None:
        rows = self.rows()
        return rows[self._index(rows)] if rows else None

    def do_toggle(self) -> None:
        if row := self._selected_row():
            self.selected = row.key
            self.open ^= {row.key}

    def do_toggle_all(self) -> None:
        rows = {row.key for row in self.rows()}
        self.open = set() if self.open & rows else rows

    # --- choosing ---

    def do_filter(self) -> None:
        before = self.filter

        def done(expression: str) -> None:
            if not self._try_filter(expression):
                self.set_filter(before)

        self.prompt = Prompt("filter", done, before, self._try_filter, lambda: self.set_filter(before))

    def _try_filter(self, expression: str) -> bool:
        try:
            self.set_filter(expression)
        except UserError as error:
            self.message = str(error)
            return False
        self.message = ""
        return True

    def do_clear_filter(self) -> None:
        self.set_filter("")
        self.only_marked = False

    def do_search(self) -> None:
        self.prompt = Prompt("search", self._search)

    def _search(self, expression: str) -> None:
        try:
            self._hit = parse_filter(expression, table.text_of) if expression.strip() else None
        except UserError as error:
            self.message = str(error)
            return
        self._find(0, 1)

    def do_next_hit(self) -> None:
        self._find(1, 1)

    def do_previous_hit(self) -> None:
        self._find(-1, -1)

    def _find(self, offset: int, step: int) -> None:
        """Select the next hit from the selected row on, round the end."""
        rows = self.rows()
        if self._hit is None or not rows:
            self.message = "nothing to search for"
            return
        begin = self._index(rows) + offset
        for away in range(len(rows)):
            row = rows[(begin + away * step) % len(rows)]
            if self._hit(row):
                self.selected = row.key
                return
        self.message = "not found"

    def do_sort(self) -> None:
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.is_reversed = False

    def do_reverse(self) -> None:
        self.is_reversed = not self.is_reversed

    def do_mark(self) -> None:
        if row := self._selected_row():
            self.selected = row.key
            self._marked ^= {row.key}

    def do_only_marked(self) -> None:
        self.only_marked = not self.only_marked
        if self.only_marked and not self._marked:
            self.only_marked = False
            self.message = "no message is marked: m marks one"

    def do_content(self) -> None:
        kinds = list(Shows)
        self.shows = kinds[(kinds.index(self.shows) + 1) % len(kinds)]
        self.message = self.shows.value

    def do_absent(self) -> None:
        self.shows_absent = not self.shows_absent

    # --- time ---

    def do_pause(self) -> None:
        if isinstance(self.source, LogSource):
            self.source.hold(not self.source.held)
        else:
            self._frozen = None if self._frozen else self.store.snapshot()

    def do_set_mark(self) -> None:
        self.shown.set_mark()

    def do_clear_mark(self) -> None:
        self.shown.mark_s = None

    def do_notch(self) -> None:
        self.shown.notch()

    def do_clear_notches(self) -> None:
        self.shown.clear_notches()

    def do_restart(self) -> None:
        self.shown.restart_statistics()
        self.message = "statistics from zero"

    def do_clear(self) -> None:
        self._frozen = None
        self.store.clear()

    # --- recording, the source, the end ---

    def do_record(self) -> None:
        if self.recorder.is_on:
            self.recorder.stop()
            self.message = self.recorder.problem or f"{self.recorder.path}: {self.recorder.frames} frames"
        else:
            self.prompt = Prompt("record to", self._record, f"{default_name()}.blf")

    def _record(self, name: str) -> None:
        try:
            self.recorder.start(Path(name).expanduser())
        except UserError as error:
            self.message = str(error)

    def do_picture(self) -> None:
        self.wants_picture = Path(f"{default_name()}.svg")

    def do_reopen(self) -> None:
        if isinstance(self.source, LiveSource):
            self.source.reopen()
        else:
            self.message = "a log does not go away"

    def do_help(self) -> None:
        self.help_top = 0

    def do_quit(self) -> None:
        self.is_over = True

    def _log(self) -> LogSource | None:
        if isinstance(self.source, LogSource):
            return self.source
        self.message = "only in a log"
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
                self.message = str(error)
                return
            if again:
                self.store.clear()
