"""`twinaxle convert`: turn logs into a log of another format."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.arguments import listed, number
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database

_DESCRIPTION = """\
Turns logs into one of another format; several inputs are merged by time. The ends of the names tell the formats: .blf,
.mf4, .asc, .log (candump), .csv, .db (SQLite), .trc, and .gz behind a text format. What the output's format cannot hold
is said. A run that fails leaves OUT as it was."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "convert", help="turn logs into another format: merge, cut, filter, decode to MF4",
        description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("inputs", nargs="+", type=Path, metavar="IN", help="logs to read")
    add("output", type=Path, metavar="OUT", help="log to write")
    add("--start", type=number, metavar="S", help="take frames from so many seconds after the first one")
    add("--end", type=number, metavar="S", help="take frames up to so many seconds after the first one")
    add("--ids", type=listed, action="extend", metavar="ID,...", help="take these: 0x123, 0x18FF0102x, message names, "
        "nodes (what they send)")  # fmt: skip
    add("--without-ids", type=listed, action="extend", metavar="ID,...", help="leave these out, given alike")
    add("--channel", type=int, metavar="N", help="take this channel alone; the first is 0")
    add("--channels-by-log", action="store_true", help="the first log is channel 0, the second channel 1 ...")
    add("--decode", action="store_true", help="add the decoded signals to an MF4")
    add("--dbc", type=Path, metavar="FILE", help="default: dbc/powertrain.dbc")
    add("--overwrite", action="store_true", help="replace OUT if it exists")
    add("--file-kwargs", type=listed, action="extend", default=[], metavar="NAME=VALUE,...", help="options of "
        "python-can's writer, such as compression_level=9")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Convert."""
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.recording.convert import Selection, convert
    from twinaxle.recording.files import size_text
    from twinaxle.recording.formats import writer_options
    from twinaxle.terminal import Progress, warn

    if args.output.exists() and not args.overwrite:
        raise UserError(f"{args.output}: exists; name another file or say --overwrite")
    database = load_database(args.dbc or POWERTRAIN)
    selection = Selection(
        args.start, args.end, _keys(args.ids, database), _keys(args.without_ids, database) or frozenset(),
        args.channel, args.channels_by_log,
    )  # fmt: skip
    progress = Progress("converting")
    result = convert(
        args.inputs, args.output, selection,
        comment=f"DBC {database.path.name}, ProtocolHash {database.protocol_hash:08X}" if args.decode else "",
        options=writer_options(args.file_kwargs), decode_by=database if args.decode else None,
        progress=progress,
    )  # fmt: skip
    progress.end()
    warn(result.notes)
    warn(f"{args.output}: the format holds no {what}: {count} frames" for what, count in result.left_out.items())
    if result.read and not result.written:
        warn(["no frame was selected"])
    print(f"{args.output}: {result.written} of {result.read} frames, {size_text(args.output.stat().st_size)}")
    return 0


def _keys(texts: list[str] | None, database: "Database") -> frozenset[int] | None:
    """The identifiers that numbers, message names and node names stand for."""
    from twinaxle.dbc.names import keys_of

    return None if texts is None else frozenset(key for text in texts for key in keys_of(database, text))
