"""`twinaxle log`: record a live bus to files."""

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.arguments import listed
from twinaxle.bus_arguments import bit_rate, open_bus, with_bus_arguments
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database
    from twinaxle.recording.files import FileSettings, Sink
    from twinaxle.recording.recorder import Progress, Recorder

_DESCRIPTION = """\
Records a bus. The end of the file's name tells the format: .blf, .mf4, .asc, .log (candump), .csv, .db (SQLite), .trc,
and .gz behind a text format. With --max-size, --max-time or --on-fault files are numbered: NAME_0001.blf ...
With --on-fault only faults are kept, with what went before them.
A thread of its own writes the file; frames that the memory for waiting ones cannot hold are counted, and the exit code
is 1 then. After a kill, what was written up to the last flush can be read."""

_STATUS_S = 0.5
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_TIMES = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "log", help="record a bus: every format, rotation, or faults only with what went before them",
        description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("file", nargs="?", type=Path, metavar="FILE", help="default: log_DATE_TIME.blf")
    add("--duration", type=_seconds, metavar="TIME", help="how long, such as 90, 10m, 1h; without it until Ctrl-C")
    add("--max-size", type=_bytes, default=0, metavar="SIZE", help="begin the next file past this size, such as 100M")
    add("--max-time", type=_seconds, default=0.0, metavar="TIME", help="begin the next file after this time")
    add("--keep", type=int, default=0, metavar="N", help="keep the newest N files of this recording")
    add("--overwrite", action="store_true", help="replace FILE if it exists")
    add("--on-fault", action="store_true", help="keep faults only: a file for each")
    add("--before", type=_seconds, default=5.0, metavar="TIME", help="with --on-fault: kept before it, default 5 s")
    add("--after", type=_seconds, default=5.0, metavar="TIME", help="with --on-fault: kept after it, default 5 s")
    add("--trigger", action="append", default=[], metavar="FAULT", help="with --on-fault: error-frame, e2e, missing "
        "(all three by default) or a condition such as 'VcuStatus.State == Fault'; may be repeated")  # fmt: skip
    add("--dbc", type=Path, metavar="FILE", help="default: dbc/powertrain.dbc")
    add("--flush", type=_seconds, default=1.0, metavar="TIME", help="hand frames to the system so often, default 1 s")
    add("--queue", type=int, default=250_000, metavar="FRAMES", help="frames in memory that wait for the disk, and "
        "that --on-fault keeps, default %(default)s (about 70 MB)")  # fmt: skip
    add("--file-kwargs", type=listed, action="extend", default=[], metavar="NAME=VALUE,...", help="options of "
        "python-can's writer, such as compression_level=9")  # fmt: skip
    add("--quiet", action="store_true", help="no status line")
    with_bus_arguments(parser, "bus (python-can's arguments)", filters=True)


def _seconds(text: str) -> float:
    """A time such as `90`, `1.5s`, `10m`, `1h`."""
    number = text.rstrip("smhin")
    unit = text[len(number) :]
    try:
        seconds = float(number) * _TIMES[unit]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 90, 1.5s, 10m or 1h") from None
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r}: must be above 0")
    return seconds


def _bytes(text: str) -> int:
    """A size such as `500k`, `100M`, `1G`."""
    number = text.rstrip("kMGB")
    unit = text[len(number) :].removesuffix("B")
    try:
        size = int(float(number) * _UNITS[unit])
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 500k, 100M or 1G") from None
    if size <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: must be above 0")
    return size


def run(args: argparse.Namespace) -> int:
    """Record. Returns 1 if frames were lost."""
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.interrupts import as_interrupt
    from twinaxle.recording.recorder import Recorder

    if args.queue < 1 or args.keep < 0:
        raise UserError("--queue must be 1 or more, --keep 0 or more")
    if args.trigger and not args.on_fault:
        raise UserError("--trigger needs --on-fault")
    database = load_database(args.dbc or POWERTRAIN)
    settings = _settings(args, database)
    display = _Display(quiet=args.quiet or not sys.stderr.isatty())
    # The bus first: a file for a bus that cannot be opened would be empty.
    with open_bus(args) as bus, as_interrupt():
        sink = _sink(args, settings, database, display)
        bitrate = bit_rate([database], getattr(args, "bitrate", None))
        recorder = Recorder(bus, sink, queue_frames=args.queue, flush_s=args.flush, bitrate=bitrate)
        end_s = None if args.duration is None else time.monotonic() + args.duration
        try:
            with recorder:
                _watch(recorder, display, end_s)
        except KeyboardInterrupt:
            pass
    display.end()
    return _result(recorder)


def _settings(args: argparse.Namespace, database: "Database") -> "FileSettings":
    from twinaxle.recording.files import FileSettings
    from twinaxle.recording.formats import kind_of, writer_options

    path: Path = args.file or Path(time.strftime("log_%Y%m%d_%H%M%S.blf"))
    kind_of(path)
    comment = f"DBC {database.path.name}, ProtocolHash {database.protocol_hash:08X}"
    return FileSettings(
        path, comment, writer_options(args.file_kwargs), args.max_size, args.max_time, args.keep, args.flush,
        args.overwrite,
    )  # fmt: skip


def _sink(args: argparse.Namespace, settings: "FileSettings", database: "Database", display: "_Display") -> "Sink":
    from twinaxle.recording.files import FaultFiles, RotatingFiles
    from twinaxle.recording.trigger import FAULT_KINDS, Trigger

    if not args.on_fault:
        return RotatingFiles(settings, display.line)
    kinds = [text for text in args.trigger if text in FAULT_KINDS]
    conditions = [text for text in args.trigger if text not in FAULT_KINDS]
    trigger = Trigger(database, kinds if args.trigger else FAULT_KINDS, conditions)
    return FaultFiles(settings, display.line, trigger, args.before, args.after, args.queue)


def _watch(recorder: "Recorder", display: "_Display", end_s: float | None) -> None:
    """Show how the recording stands until its end."""
    while True:
        left_s = _STATUS_S if end_s is None else min(_STATUS_S, end_s - time.monotonic())
        if left_s <= 0 or recorder.wait(left_s):
            return
        display.status(recorder)


def _result(recorder: "Recorder") -> int:
    """The sum for the user, and the exit code."""
    from twinaxle.terminal import warn

    queue, sink = recorder.queue, recorder.sink
    faults = "" if sink.faults is None else f", faults: {sink.faults}"
    print(f"{queue.received} frames received, {sink.written} written{faults}, {queue.lost} lost", file=sys.stderr)
    warn(f"the format holds no {what}: {count} frames" for what, count in sink.left_out.items())
    if sink.ring_was_full:
        print("the memory did not hold all frames before a fault: see --queue, --before", file=sys.stderr)
    if recorder.error is not None:
        what = "the bus failed" if recorder.bus_failed else "the file cannot be written any more"
        error = recorder.error
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        raise UserError(f"{what}: {told}" + ("" if recorder.bus_failed else f"; {queue.lost} frames are lost"))
    if queue.lost:
        print(
            f"{queue.lost} frames are lost, the first at {queue.first_lost_s:.3f} s: the disk is too slow for "
            f"{queue.capacity} waiting frames (--queue)", file=sys.stderr,
        )  # fmt: skip
        return 1
    return 0


class _Display:
    """Lines, and a status line that is written over; both go to standard error."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._shown = 0
        self._lock = threading.Lock()  # the thread that writes the files has lines too

    def line(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            print(f"\r{text:{self._shown}}" if self._shown else text, file=sys.stderr, flush=True)
            self._shown = 0

    def status(self, recorder: "Recorder") -> None:
        """How the recording stands."""
        if self._quiet:
            return
        text = status_text(recorder.progress(), recorder.queue.capacity)
        with self._lock:
            print(f"\r{text:{self._shown}}", end="", file=sys.stderr, flush=True)
            self._shown = len(text)

    def end(self) -> None:
        """Leave the status line."""
        if self._shown:
            print(file=sys.stderr)
        self._shown = 0


def status_text(progress: "Progress", capacity: int) -> str:
    """The status line: time, frames, rate, load, size of the file, frames that wait, lost frames."""
    from twinaxle.recording.files import size_text

    load = "" if progress.load_percent is None else f"  load {progress.load_percent:.0f} %"
    lost = f"  {progress.lost} LOST" if progress.lost else ""
    faults = "" if progress.faults is None else f"  faults: {progress.faults}"
    waiting = 100 * progress.queued / capacity
    return (
        f"{progress.elapsed_s:7.1f} s  {progress.received} frames  {progress.rate_hz:.0f}/s{load}  "
        f"{size_text(progress.bytes)}  files: {progress.files}{faults}  queue {waiting:.0f} %{lost}"
    )
