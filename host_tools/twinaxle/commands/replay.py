"""`twinaxle replay`: play a log onto a bus, or into another log, as it was or rewritten by the DBC."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.arguments import number
from twinaxle.bus_arguments import open_bus, with_bus_arguments
from twinaxle.errors import UserError
from twinaxle.log_arguments import add_log_arguments, read_with_progress

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database
    from twinaxle.logs import FrameTable
    from twinaxle.replay.rewrite import Rule

_DESCRIPTION = """\
Plays a log onto a bus at its times. Frames can be chosen and rewritten on the way:

  --set VcuStatus.State=Drive       a value or its name
  --offset PedalsDriver.Apps1=200   added to the physical value
  --scale EscWheelSpeeds.RearLeft=1.1
  --freeze BmsPack                  a message (its counter goes on) or a signal holds its last value
  --drop InvRearStatus              a message is not sent; a signal has its start value

A part of the log, in seconds after its first frame, stands behind it: --freeze BmsPack@10:12.5
Messages that are rewritten get fresh E2E counters and CRCs, with --loop all messages do."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "replay", help="play a log onto a bus, as it was or rewritten", description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add_log_arguments(parser)
    add("--speed", type=number, default=1.0, metavar="X", help="2 is twice as fast, default 1")
    add("--loop", type=int, nargs="?", const=0, default=1, metavar="N", help="play N times, without N until Ctrl-C")
    choice = parser.add_argument_group("which frames (identifiers such as 0x100 or 0x18FF0001x, or message names)")
    for name, what in (("id", "identifiers"), ("node", "nodes of the DBC")):
        choice.add_argument(f"--{name}", nargs="+", metavar=name.upper(), help=f"only those of these {what}")
        choice.add_argument(f"--without-{name}", nargs="+", default=[], metavar=name.upper(), help="all but those")
    change = parser.add_argument_group("what they say (each may be repeated)")
    for kind in ("set", "offset", "scale", "freeze", "drop"):
        form = "NAME" if kind in ("freeze", "drop") else "SIGNAL=VALUE"
        change.add_argument(f"--{kind}", action="append", default=[], metavar=f"{form}[@FROM:TO]")
    change.add_argument(
        "--e2e", choices=("auto", "fresh", "keep"), default="auto",
        help="fresh counters and CRCs: where needed (default), for all messages, or for none",
    )  # fmt: skip
    add("--dry-run", type=Path, metavar="OUT", help="write a log of what would be sent, at once, and use no bus")
    with_bus_arguments(parser, "bus (python-can's arguments)")


def run(args: argparse.Namespace) -> int:
    """Replay. Returns 0; Ctrl-C ends a replay without end in the same way."""
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.interrupts import as_interrupt
    from twinaxle.replay.filters import choose
    from twinaxle.replay.player import Player
    from twinaxle.replay.rewrite import KINDS, parse_rule, rewrite
    from twinaxle.terminal import Progress, warn

    if not args.speed > 0:
        raise UserError(f"--speed {args.speed:g}: must be above 0")
    if args.loop < 0:
        raise UserError(f"--loop {args.loop}: must be 1 or more, or stand alone for a replay until Ctrl-C")
    if args.dry_run is not None and args.dry_run.exists() and args.log.exists() and args.dry_run.samefile(args.log):
        raise UserError(f"--dry-run {args.dry_run}: is the log itself")
    database = load_database(args.dbc or POWERTRAIN)
    rules = [parse_rule(kind, text, database) for kind in KINDS for text in getattr(args, kind)]
    only, without = _keys(args, database)
    frames = read_with_progress(args.log)
    warn(_left_out(frames, str(args.log)))
    frames = rewrite(frames, rules).between(args.start_s, args.end_s)
    player = Player(
        frames.take(choose(frames, only, without)), database, speed=args.speed,
        protect=_protected(args, database, rules),
    )  # fmt: skip
    if args.dry_run is not None:
        writing = Progress(f"writing {args.dry_run}")
        written = player.write(args.dry_run, args.loop, writing)
        writing.end()
        print(f"{args.dry_run}: {written:,} frames")
        return 0
    playing = Progress(f"playing {args.log}")
    with open_bus(args) as bus, as_interrupt():
        timing = player.play(bus, args.loop, playing)
    playing.end()
    print(f"{timing.count:,} frames sent; {timing}")
    return 0


def _keys(args: argparse.Namespace, database: "Database") -> tuple[set[int] | None, set[int]]:
    """Keys of the frames that are wanted (None: all) and of those that are not."""
    from twinaxle.replay.filters import keys_of_ids, keys_of_nodes

    only = None
    if args.id is not None or args.node is not None:
        only = keys_of_ids(database, args.id or []) | keys_of_nodes(database, args.node or [])
    return only, keys_of_ids(database, args.without_id) | keys_of_nodes(database, args.without_node)


def _protected(args: argparse.Namespace, database: "Database", rules: "list[Rule]") -> set[int]:
    if args.e2e == "keep":
        return set()
    if args.e2e == "fresh" or args.loop != 1:
        return {message.key for message in database.messages.values()}
    return {rule.message.key for rule in rules}


def _left_out(frames: "FrameTable", log: str) -> list[str]:
    """What of the log cannot be sent."""
    errors = int(frames.has_error.sum())
    left = {**frames.skipped, **({"error frames": errors} if errors else {})}
    return [f"{log}: {count:,} {what} are not sent" for what, count in left.items()]
