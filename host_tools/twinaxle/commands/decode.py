"""`twinaxle decode`: a log as tables of signals, CSV or Parquet."""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.arguments import number
from twinaxle.log_arguments import add_log_arguments, read_with_progress

if TYPE_CHECKING:
    from twinaxle.decode.blocks import LogDecoder
    from twinaxle.decode.sampling import Samples
    from twinaxle.logs import FrameTable


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "decode",
        help="decode a log to CSV or Parquet",
        description="Decodes a log into tables of signals. Without -o the table goes to standard output as CSV.",
    )
    add_log_arguments(parser)
    parser.add_argument(
        "signals",
        nargs="*",
        metavar="SIGNAL",
        help="Message.Signal, Signal or Message; `*` and `?` as in file names (default: all)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="a file .csv, .csv.gz or .parquet for one table, or a folder for a table of each message",
    )
    parser.add_argument(
        "--layout",
        choices=("messages", "wide", "long"),
        help="messages: a table a message (in a folder); wide: a column a signal, a row a frame (default for one "
        "file); long: a row a value",
    )
    parser.add_argument("--format", choices=("csv", "parquet"), help="of the files in a folder, default csv")
    parser.add_argument(
        "--every",
        type=number,
        metavar="MS",
        help="one wide table with a row every MS, in which signals hold their value",
    )
    parser.add_argument("--names", action="store_true", help="names of the DBC's value tables in place of numbers")
    parser.add_argument("--raw", action="store_true", help="numbers as they are in the frame, without scaling")
    parser.add_argument(
        "--digits", type=int, metavar="N", help="significant digits in CSV (default: all that the number has)"
    )
    parser.add_argument("--e2e", action="store_true", help="a column with the E2E receiver's verdict on each frame")


def run(args: argparse.Namespace) -> int:
    """Decode. Returns 0 also when a damaged log was decoded in part, which is said."""
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.dbc.names import find_signals
    from twinaxle.decode.blocks import LogDecoder
    from twinaxle.decode.cells import Style
    from twinaxle.decode.write import target, write_csv, write_tables
    from twinaxle.errors import UserError
    from twinaxle.terminal import Progress, warn

    if args.every is not None and (round(args.every * 1e6) < 1 or args.layout in ("messages", "long") or args.e2e):
        raise UserError("--every: needs a nanosecond (0.000001) or more, and goes with neither --layout nor --e2e")
    if args.digits is not None and not 1 <= args.digits <= 17:
        raise UserError(f"--digits: {args.digits} must be 1 to 17")
    if args.output is None and (args.layout == "messages" or args.format == "parquet"):
        raise UserError("standard output takes one table as CSV: name a file or folder with -o")
    where = None if args.output is None else target(args.output, args.layout, args.format)
    if where is not None and where.is_folder and args.every is not None:
        raise UserError(f"{args.output}: --every makes one table: name a file .csv, .csv.gz or .parquet")

    start_s = time.perf_counter()
    database = load_database(args.dbc or POWERTRAIN)
    places = find_signals(database, args.signals)
    frames = read_with_progress(args.log, with_fd=True)
    rows = frames.rows_between(args.start_s, args.end_s)
    decoder = LogDecoder(frames, database, places, chosen=rows, with_verdicts=args.e2e)
    sampled = None if args.every is None else _samples(args, decoder, frames)
    style = Style(args.names, args.raw, args.digits)

    total = sum(decoder.count(selected.message) for selected in decoder.selection)
    writing = Progress("decoding")
    done = 0
    counting = threading.Lock()

    def progress(count: int) -> None:
        nonlocal done
        with counting:  # messages are written by several threads
            done += count
            writing(done, total)

    if where is None:
        write_csv(sys.stdout.buffer, args.layout or "wide", decoder, style, progress, sampled)
        sys.stdout.flush()
    else:
        files = write_tables(where, decoder, style, progress, sampled)
    writing.end()
    warn(_left_out(decoder, frames, str(args.log)))
    if where is not None:
        used_s = time.perf_counter() - start_s
        what = f"{len(files)} files in {where.path}" if where.is_folder else str(where.path)
        print(f"{what}: {total:,} of {len(frames):,} frames in {used_s:.1f} s")
    return 0


def _samples(args: argparse.Namespace, decoder: "LogDecoder", frames: "FrameTable") -> "Iterator[Samples]":
    from twinaxle.decode.sampling import samples

    if not len(frames):
        return iter(())
    first_ns, last_ns = int(frames.time_ns.min()), int(frames.time_ns.max())
    start_ns = first_ns + round((args.start_s or 0) * 1e9)
    end_ns = last_ns if args.end_s is None else min(last_ns, first_ns + round(args.end_s * 1e9))
    return samples(decoder, start_ns, end_ns, round(args.every * 1e6))


def _left_out(decoder: "LogDecoder", frames: "FrameTable", log: str) -> Iterator[str]:
    """What of the log is not in the tables."""
    from twinaxle.dbc.model import EXTENDED

    if not len(frames):
        yield f"{log}: has no frames"
    elif not decoder.frames_chosen:
        yield f"{log}: no data frame lies between --from and --to"
    if decoder.unknown:
        ids = [f"0x{key & ~EXTENDED:X}{'x' if key & EXTENDED else ''}" for key in sorted(decoder.unknown)]
        shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
        yield f"{log}: {sum(decoder.unknown.values()):,} frames with identifiers that the DBC does not have: {shown}"
    for name, count in decoder.short_frames.items():
        yield f"{log}: {count:,} frames of {name} are shorter than the message; the signals beyond their end are empty"
    for what, count in frames.skipped.items():
        yield f"{log}: {count:,} {what} are not decoded"
