"""`twinaxle sniff`: a bus or a log in the terminal, decoded, counted and judged."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinaxle.arguments import number
from twinaxle.bus_arguments import bit_rate, open_bus, with_bus_arguments
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database, Message
    from twinaxle.sniff.source import Source
    from twinaxle.sniff.viewer import Viewer

_ORDERS = ("id", "name", "node", "rate", "age", "faults")
_BENCH = "twinaxle"
_PICTURE_SIZE = (132, 40)

_DESCRIPTION = """\
What is on a CAN bus, for any adapter that python-can knows and any DBC: signals with units and value names, changed
bits, rate, cycle and jitter, E2E verdicts, age, late and unknown messages, bus load, error frames. `h` shows the keys.
Without -i, -c and a python-can configuration it joins the bench that runs on this machine (`twinaxle bench`). With a
log it plays that. Where the output is no terminal, and with --text, it prints a line for each frame."""

_EPILOG = """\
filter expressions, for --show and the keys f and /: terms that must all hold, `!` turns one round, `a|b` is either
  0A0  100-1FF         identifier or range, hexadecimal
  from:VCU  to:INV_F   sender or receiver
  on:can0              channel
  is:late              late, bad (E2E), unknown, marked, changed, absent
  torque  *Limit*      in the name of the message or a signal, or in a decoded value"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "sniff", help="watch a bus or a log: decoded signals, changes, cycles, E2E verdicts, load",
        description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("log", type=Path, nargs="?", metavar="LOG", help="play this log (any format that python-can reads)")
    add("--dbc", action="append", metavar="FILE", help="may be given more than once; `none` for no decoding; "
        "default: dbc/powertrain.dbc")  # fmt: skip
    add("--context", metavar="NAME", help="section of python-can's configuration file")
    add("--show", default="", metavar="FILTER", help="show only these messages, see below")
    add("--sort", choices=_ORDERS, default="id", help="order of the messages, default %(default)s")
    add("--open", default=[], type=_names, metavar="A,B", help="messages to show with their signals, `all` for all")
    add("--record", type=Path, metavar="FILE", help="record all frames to this file, in the format of its suffix")
    add("--speed", type=number, default=1.0, help="of a log, default %(default)s times real time")
    add("--text", action="store_true", help="a line for each frame instead of a screen; a log at full speed")
    add("--count", type=int, metavar="N", help="with --text: end after N lines")
    add("--duration", type=number, metavar="SECONDS", help="with --text: end after so much time of the bus")
    add("--no-color", action="store_true", help="as the environment variable NO_COLOR")
    add("--picture", type=Path, metavar="FILE.svg", help="no screen, but a picture of it --after so many seconds")
    add("--after", type=number, default=5.0, metavar="SECONDS", help="default %(default)s")
    add("--size", type=_size, default=_PICTURE_SIZE, metavar="132x40", help="of the picture, default %(metavar)s")
    with_bus_arguments(parser, "the bus (python-can's arguments)", filters=True)


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _size(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    if not (columns.isdecimal() and rows.isdecimal() and int(columns) and int(rows)):
        raise argparse.ArgumentTypeError(f"{text!r} is not columns x rows, like 132x40")
    return int(columns), int(rows)


def run(args: argparse.Namespace) -> int:
    """Sniff until the user leaves. Returns 0; raises UserError if the bus has gone or a recording failed."""
    import logging
    import os

    from twinaxle.interrupts import as_interrupt
    from twinaxle.sniff import screen, session
    from twinaxle.sniff.source import named

    if args.speed <= 0 or args.after <= 0:
        raise UserError("--speed and --after must be above 0")
    # python-can warns of each message that its socketcand interface got in two pieces.
    logging.getLogger("can").setLevel(logging.ERROR)
    as_text = args.text or not (sys.stdin.isatty() and sys.stdout.isatty())
    if not as_text and not args.picture:
        screen.load_curses()  # before the bus is opened
    with as_interrupt():
        viewer = _viewer(args)
        try:
            if args.record:
                viewer.recorder.start(args.record)
            if args.picture:
                columns, rows = args.size
                session.draw(viewer, args.picture, seconds=args.after, width=columns, height=rows)
            elif as_text:
                _print(viewer, args)
            else:
                screen.run(viewer, color=not (args.no_color or os.environ.get("NO_COLOR")))
        finally:
            viewer.recorder.stop()
            viewer.source.close()
    if problem := viewer.recorder.problem or viewer.source.problem:
        raise UserError(named(viewer.source.title, problem))
    return 0


def _print(viewer: "Viewer", args: argparse.Namespace) -> None:
    from twinaxle.sniff import session

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        session.print_lines(viewer, write, duration_s=args.duration, count=args.count)
    except KeyboardInterrupt:  # the way to end it
        return


def _viewer(args: argparse.Namespace) -> "Viewer":
    """Everything put together. Raises UserError for a file, filter or bus that does not work."""
    from twinaxle.sniff import strip
    from twinaxle.sniff.faults import ErrorFrames
    from twinaxle.sniff.glyphs import UNICODE
    from twinaxle.sniff.load import frame_time
    from twinaxle.sniff.recording import Recorder
    from twinaxle.sniff.screen import glyphs_of_locale
    from twinaxle.sniff.store import Store
    from twinaxle.sniff.viewer import Viewer

    databases = _databases(args)
    glyphs = UNICODE if args.picture else glyphs_of_locale()
    has_strip = any(strip.fits(database.messages) for database in databases)
    source, bitrate, ratio, as_socketcan = _source(args, databases)
    try:
        messages = _messages(databases)
        store = Store(messages, frame_time(ratio), bitrate, ErrorFrames(as_socketcan))
        two_axles = strip.Strip(strip.calibrated_scale(), glyphs) if has_strip else None
        viewer = Viewer(store, source, Recorder(), two_axles, glyphs)
        viewer.order = args.sort
        viewer.set_filter(args.show)
        viewer.open_names(args.open)
    except BaseException:
        source.close()
        raise
    return viewer


def _databases(args: argparse.Namespace) -> "list[Database]":
    from twinaxle.dbc.database import POWERTRAIN, load_database

    files = args.dbc or [POWERTRAIN]
    return [load_database(Path(file)) for file in files if str(file) != "none"]


def _messages(databases: "list[Database]") -> "dict[int, Message]":
    """The messages of all DBCs by `Message.key`. Raises UserError where two have different ones for an identifier."""
    messages: dict[int, Message] = {}
    found_in: dict[int, Path] = {}
    for database in databases:
        for key, message in database.by_id.items():
            if key in messages and messages[key] != message:
                raise UserError(
                    f"{database.path}:{message.line}: message {message.name} has the identifier "
                    f"{message.frame_id:#x} of {messages[key].name} in {found_in[key]}: give one DBC only"
                )
            messages[key] = message
            found_in[key] = database.path
    return messages


def _source(args: argparse.Namespace, databases: "list[Database]") -> "tuple[Source, int, float, bool]":
    """The source, its bit rate, data bit rate over bit rate, and whether error frames have SocketCAN's classes."""
    from twinaxle.sniff.source import SOCKETCAN_ERRORS, LiveSource, LogSource

    if args.log:
        bitrate = bit_rate(databases, getattr(args, "bitrate", None))
        source: Source = LogSource(args.log, args.speed)
        return source, bitrate, getattr(args, "data_bitrate", bitrate) / bitrate, args.log.suffix == ".log"
    configured = _configured(args)
    interface = str(configured("interface") or configured("bustype") or _BENCH)
    asked = configured("bitrate")
    bitrate = bit_rate(databases, None if asked is None else int(asked))
    ratio = int(configured("data_bitrate") or bitrate) / bitrate
    options = {"interface": interface, "config_context": args.context}
    return LiveSource(lambda: open_bus(args, **options), interface), bitrate, ratio, interface in SOCKETCAN_ERRORS


def _configured(args: argparse.Namespace) -> Callable[[str], Any]:
    """A look-up of bus settings where python-can looks for them: arguments, `can.rc`, environment, files."""
    import can
    from can.util import load_environment_config, load_file_config

    sources = [vars(args), can.rc]
    for context in dict.fromkeys((args.context, None)):
        sources += [load_environment_config(context)]
    for context in dict.fromkeys((args.context, None)):
        sources += [load_file_config(None, context)] if context else [load_file_config()]
    return lambda key: next((source[key] for source in sources if source.get(key)), None)
