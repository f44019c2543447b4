"""`twinaxle plot`: signals of a log over time, as a page with zoom and cursor or as a picture."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.files import write_text
from twinaxle.log_arguments import add_log_arguments, read_with_progress

_POINTS = 200_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "plot",
        help="plot signals of a log over time (HTML with zoom and cursor, or SVG)",
        description="Plots signals of a log. States are bands, signals of one unit share an axis, error frames are "
        "marks. The HTML page needs nothing besides; the SVG is a picture without zoom.",
    )
    add = parser.add_argument
    add_log_arguments(parser)
    add("signals", nargs="+", metavar="SIGNAL", help="Message.Signal, Signal or Message; `*` and `?` as in file names")
    add("-o", "--output", type=Path, metavar="OUT", help=".html or .svg, default: the log's name with .html here")
    add("--stack", action="store_true", help="an axis for each signal")
    add(
        "--points", type=int, default=_POINTS, metavar="N",
        help="samples of a signal in the page at most (default %(default)s); of more, the extremes are kept",
    )  # fmt: skip
    add("--title", metavar="TEXT", help="headline, default: the log's name")


def run(args: argparse.Namespace) -> int:
    """Plot. Returns 0."""
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.dbc.names import find_signals
    from twinaxle.decode.blocks import LogDecoder
    from twinaxle.plot.draw import draw_svg
    from twinaxle.plot.log_plot import log_plot
    from twinaxle.plot.page import plot_page

    output: Path = args.output or Path(args.log.name.split(".")[0] + ".html")
    if output.suffix.lower() not in (".html", ".htm", ".svg"):
        raise UserError(f"{output}: a plot is .html or .svg")
    if args.points < 10:
        raise UserError(f"--points {args.points}: must be 10 or more")
    database = load_database(args.dbc or POWERTRAIN)
    places = find_signals(database, args.signals)
    frames = read_with_progress(args.log, with_fd=True)
    shown = frames.between(args.start_s, args.end_s)
    decoder = LogDecoder(shown, database, places)
    plot = log_plot(
        shown, decoder, places, stacked=args.stack, points=args.points, title=args.title or args.log.name
    )  # fmt: skip
    if output.suffix.lower() == ".svg":
        text = draw_svg(plot.picture)
    else:
        text = plot_page(plot.picture, plot.details, _about(args.log, int(shown.time_ns.min()), len(shown)))
    write_text(output, text)
    kept = f"{plot.samples:,} of {plot.samples_of:,} samples" if plot.samples < plot.samples_of else "all samples"
    print(f"{output}: {output.stat().st_size / 1e6:.2f} MB, {kept} of {len(places)} signals")
    return 0


def _about(log: Path, start_ns: int, frames: int) -> str:
    """The log, its frames, and the time that 0 s stands for."""
    start_s = start_ns / 1e9
    zero = f"{start_s:.6f} s of the log"
    if start_s > 631152000:  # 1990: what python-can takes for a date
        zero = f"{datetime.fromtimestamp(start_s, UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    return f"{log.name}: {frames:,} frames; 0 s is {zero}"
