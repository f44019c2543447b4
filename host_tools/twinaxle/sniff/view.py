"""The whole screen as lines: strip, state of the bus, table, and at the bottom a prompt, a message or the keys."""

from twinaxle.sniff import keys, numbers, table
from twinaxle.sniff.details import details, height
from twinaxle.sniff.recording import Recorder
from twinaxle.sniff.source import LogSource
from twinaxle.sniff.spans import Line, Span, Style, clip, line, plain
from twinaxle.sniff.store import Row
from twinaxle.sniff.viewer import Viewer

_STRIP_FROM = 12
"""Lines from which on the strip is shown whole; it is one line from half of it on."""
_HINTS = "q quit  h help  Enter open  f filter  / search  Space hold  s sort  m mark  t changes from now  w record"


def layout(viewer: Viewer, width: int, height: int) -> list[Line]:
    """The screen: exactly `height` lines of at most `width` characters. Moves the table so that the selection shows."""
    if width < 1 or height < 1:
        return []
    if viewer.help_top is not None:
        return _help(viewer, width, height)
    lines: list[Line] = []
    if viewer.strip and height >= _STRIP_FROM // 2:
        lines += viewer.strip.lines(viewer.shown, width, 3 if height >= _STRIP_FROM else 1)
    if height >= 3:
        lines.append(_status(viewer, width))
    rows = viewer.rows()
    fitted = table.fit(rows, width, viewer.shows)
    if height >= 5:
        lines.append(line(Span(f"{fitted.header():{width}}"[:width], Style.TITLE)))
    footer = [_footer(viewer, width)] if height >= 2 else []
    viewer.page = max(height - len(lines) - len(footer), 1)
    lines += _table(viewer, rows, fitted, width, viewer.page)
    return [*_fill(lines, height - len(footer)), *footer]


def _fill(lines: list[Line], height: int) -> list[Line]:
    return (lines + [Line()] * (height - len(lines)))[:height]


def _table(viewer: Viewer, rows: list[Row], fitted: table.Table, width: int, most: int) -> list[Line]:
    """The lines of the table that are on the screen."""
    if not rows:
        heard = len(viewer.shown.rows)
        text = f"none of {heard} messages passes the filter" if heard else "nothing heard yet"
        return [line(Span(f"  {text}", Style.DIM))]
    heights = [height(row, viewer.is_open(row)) for row in rows]
    at = viewer.index(rows)
    _follow(viewer, sum(heights[:at]), heights[at], sum(heights), most)
    look = viewer.look()
    lines: list[Line] = []
    begin = 0
    for place, row in enumerate(rows):
        end = begin + heights[place]
        if end > viewer.top and begin < viewer.top + most:
            is_open = viewer.is_open(row)
            of_row = [fitted.row(row, look, is_open=is_open, selected=place == at and viewer.selected is not None)]
            if is_open:
                of_row += details(row, look, width)
            lines += of_row[max(viewer.top - begin, 0) :]
        begin = end
    return lines[:most]


def _follow(viewer: Viewer, begin: int, height: int, total: int, most: int) -> None:
    """Scroll so that the selected row is seen: whole if it fits, else the part that the user has scrolled to."""
    if height <= most:
        viewer.top = min(max(viewer.top, begin + height - most), begin)
    else:
        viewer.top = min(max(viewer.top, begin), begin + height - most)
    viewer.top = max(min(viewer.top, total - most), 0)


def _status(viewer: Viewer, width: int) -> Line:
    """State of source, bus and recording."""
    store, source = viewer.shown, viewer.source
    late = sum(row.is_late for row in store.rows.values())
    bad = sum(row.fault_count for row in store.rows.values())
    unknown = sum(row.message is None for row in store.rows.values())
    faults = store.faults
    spans = [Span(f" {plain(source.title)}", Style.STRONG)]
    if viewer.is_paused:
        spans.append(Span("  HELD", Style.WARN))
    spans += _recording(viewer)
    if isinstance(source, LogSource):
        spans.append(Span(f"  {numbers.clock(store.now_s - source.begin_s)}  x{source.speed:g}"))
        spans.append(Span("  end" if source.ended else "  reading" if source.is_behind else "", Style.WARN))
    elif source.problem:
        spans.append(Span("  no bus", Style.BAD))
    elif store.frames and store.now_s - store.last_s >= 1:
        spans.append(Span(f"  silent for {numbers.age(store.now_s - store.last_s)}", Style.BAD))
    if state := source.state():
        spans.append(Span(f"  {state}", Style.BAD))
    spans.append(Span(f"  load {100 * store.load:.1f} %", Style.WARN if store.load > _HIGH_LOAD else Style.NORMAL))
    spans.append(Span(f" (most {100 * store.peak_load:.1f})  {store.bitrate / 1000:g} kbit/s", Style.DIM))
    spans.append(Span(f"  {numbers.rate(store.frame_rate)} frames/s"))
    for count, word in ((late, "late"), (bad, "bad"), (faults.count, "error frames"), (unknown, "unknown")):
        if count:
            style = Style.NORMAL if word == "unknown" else Style.BAD
            detail = f" ({faults.last})" if word == "error frames" and faults.last else ""
            spans.append(Span(f"  {numbers.count(count)} {word}{detail}", style))
    if absent := store.absent_count():
        spans.append(Span(f"  {absent} not heard", Style.DIM))
    if faults.transmit_counter is not None:
        spans.append(Span(f"  TEC {faults.transmit_counter} REC {faults.receive_counter}"))
    spans.append(Span(f"  {len(store.rows)} ids  {numbers.count(store.frames)} frames", Style.DIM))
    return Line(clip(spans, width, viewer.glyphs.more))


_HIGH_LOAD = 0.8


def _recording(viewer: Viewer) -> list[Span]:
    recorder: Recorder = viewer.recorder
    if not recorder.is_on:
        return []
    return [
        Span(f"  {viewer.glyphs.recording} ", Style.BAD),
        Span(f"{recorder.path} {numbers.count(recorder.frames)}", Style.STRONG),
    ]


def _footer(viewer: Viewer, width: int) -> Line:
    """The prompt, else what must be said, else what is chosen and the keys."""
    spans: tuple[Span, ...] = ()
    if viewer.prompt:
        spans = viewer.prompt.line(width).spans
        if viewer.message:
            spans = (*spans, Span(f"  {viewer.message}", Style.BAD))
        return Line(clip(spans, width, viewer.glyphs.more))
    problem = viewer.recorder.problem or viewer.source.problem
    if viewer.message:
        spans = (Span(f" {plain(viewer.message)}", Style.WARN),)
    elif problem:
        spans = (Span(f" {plain(problem)}", Style.BAD), Span("  o connects again, q leaves", Style.DIM))
    chosen = []
    if viewer.filter:
        chosen.append(f"filter {viewer.filter}")
    if viewer.only_marked:
        chosen.append("marked only")
    if viewer.order != "id" or viewer.is_reversed:
        chosen.append(f"by {viewer.order}{' reversed' if viewer.is_reversed else ''}")
    if viewer.shown.mark_s is not None:
        chosen.append(f"changes of {numbers.clock(viewer.shown.now_s - viewer.shown.mark_s)}")
    if chosen:
        spans += (Span(f" {'  '.join(chosen)}", Style.KEY),)
    return Line(clip((*spans, Span(f" {_HINTS}", Style.DIM)), width, viewer.glyphs.more))


def _help(viewer: Viewer, width: int, height: int) -> list[Line]:
    """The page of keys and columns, as far as it is scrolled."""
    lines = []
    for group in keys.GROUPS:
        lines.append(line(Span(f" {group.title}", Style.STRONG)))
        for binding in group.bindings:
            lines.append(line(Span(f"   {binding.shown:8}", Style.KEY), f"  {binding.help}"))
    lines.append(line(Span(" Columns", Style.STRONG)))
    for name, words in _COLUMNS:
        lines.append(line(Span(f"   {name:8}", Style.KEY), f"  {words}"))
    lines = [Line(clip(one.spans, width)) for one in lines]
    footer = line(Span(" Up and Down scroll, any other key leaves this page."[:width], Style.TITLE))
    viewer.page = max(height - 1, 1)
    viewer.help_top = max(min(viewer.help_top or 0, len(lines) - viewer.page), 0)
    return [*_fill(lines[viewer.help_top :], height - 1), footer]


_COLUMNS = (
    ("Age", "time since the last frame, red when a receiver takes the message for missing"),
    ("Cycle", "mean time between frames in ms; DBC: what GenMsgCycleTime asks for"),
    ("Jitter", "the largest deviation from that, ms"),
    ("E2E", "verdict on the last frame: ok, lost (some before it), rep(eated), seq(uence), crc, init, sync, ctr, len"),
    ("Bad", "frames that a receiver must not use; Lost: frames missing by the counter"),
)
