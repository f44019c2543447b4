"""What is seen and what the user has chosen. `controls` changes it, `view` shows it; it knows nothing of terminals."""

from collections.abc import Callable
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.sniff.content import Look, text_of
from twinaxle.sniff.filters import Test, parse_filter
from twinaxle.sniff.glyphs import UNICODE, Glyphs
from twinaxle.sniff.prompt import Prompt
from twinaxle.sniff.recording import Recorder
from twinaxle.sniff.source import LiveSource, LogSource, Source
from twinaxle.sniff.store import Key, Row, Store
from twinaxle.sniff.strip import Strip
from twinaxle.sniff.table import Shows

_RESTART_S = 1.0
"""Time that runs back by more is that of another run."""

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
        self.frozen: Store | None = None
        """What is shown while a live picture is held."""
        self.marked: set[Key] = set()
        self._test: Test = lambda row: True

    # --- what is shown ---

    @property
    def is_paused(self) -> bool:
        """True while the picture stands still."""
        return self.frozen is not None or (isinstance(self.source, LogSource) and self.source.held)

    @property
    def shown(self) -> Store:
        """The store to show: a copy while a live picture is held."""
        return self.frozen or self.store

    def look(self) -> Look:
        """How rows are to be shown."""
        return Look(self.shown.now_s, self.glyphs, since_mark=self.shown.mark_s is not None)

    def rows(self) -> list[Row]:
        """The rows that pass the filter, in order."""
        rows = list(self.shown.rows.values())
        if self.shows_absent:
            rows += self.shown.absent()
        for row in rows:
            row.marked = row.key in self.marked
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

    # --- what the user asks for ---

    def set_filter(self, expression: str) -> None:
        """Show only what an expression lets through. Raises UserError if it is wrong; the filter then stays."""
        self._test = parse_filter(expression, text_of)
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

    def index(self, rows: list[Row]) -> int:
        """Place of the selected row among these; the first where it is not there."""
        return next((at for at, row in enumerate(rows) if row.key == self.selected), 0)

    def select(self, rows: list[Row], at: int) -> None:
        """Select the row at a place, or the nearest one that there is."""
        if rows:
            self.selected = rows[min(max(at, 0), len(rows) - 1)].key
