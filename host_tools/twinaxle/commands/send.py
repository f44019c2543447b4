"""`twinaxle send`: messages by name with values by name, or raw frames, once or in cycles."""

import argparse
import sys
from pathlib import Path

from twinaxle.arguments import number
from twinaxle.bus_arguments import open_bus, with_bus_arguments
from twinaxle.errors import UserError

_DESCRIPTION = """\
Sends messages: each by its name, followed by the signals that differ from their start values.

  twinaxle send VcuHvCommand HvRequest=Drive
  twinaxle send --cyclic PedalsDriver Gear=D Apps1=1500 Apps2=750 VcuHvCommand HvRequest=Drive
  twinaxle send --count 100 VcuStatus@5 State=Ready        every 5 ms
  twinaxle send 123#DEADBEEF 18FF0001#11.22 200#R          raw frames as candump writes them

Protected messages get E2E counters and CRCs; a value given to such a signal (Crc=0) is sent as it is."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "send", help="send messages by name and value, or raw frames", description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("items", nargs="+", metavar="MESSAGE[@MS] SIGNAL=VALUE", help="or ID#DATA[@MS]; several of them")
    add("--cyclic", action="store_true", help="repeat in the cycle of the DBC, or of @MS, until Ctrl-C")
    add("--count", type=int, metavar="N", help="send each N times in its cycle")
    add("--duration", type=number, metavar="S", help="repeat for S seconds")
    add("--beyond-range", action="store_true", help="allow values outside the DBC's minimum and maximum")
    add("--no-e2e", action="store_true", help="leave counters and CRCs at 0")
    add("--dry-run", action="store_true", help="print the first frame of each, and use no bus")
    add("--dbc", type=Path, metavar="DBC", help="default: dbc/powertrain.dbc")
    with_bus_arguments(parser, "bus (python-can's arguments)")


def run(args: argparse.Namespace) -> int:
    """Send. Returns 0, also when Ctrl-C ended it."""
    from twinaxle.dbc.database import POWERTRAIN, load_database
    from twinaxle.interrupts import as_interrupt
    from twinaxle.replay.sender import parse_frames, send, shown

    if args.count is not None and args.count < 1:
        raise UserError(f"--count {args.count}: must be 1 or more")
    if args.duration is not None and not args.duration > 0:
        raise UserError(f"--duration {args.duration:g}: must be above 0")
    database = load_database(args.dbc or POWERTRAIN)
    frames = parse_frames(args.items, database, beyond_range=args.beyond_range, e2e=not args.no_e2e)
    if args.dry_run:
        for frame in frames:
            print(
                f"{shown(frame.message())}  {frame.name}" + (f" every {frame.cycle_ms:g} ms" if frame.cycle_ms else "")
            )
        return 0
    endless = args.cyclic or args.duration is not None
    count = args.count or (0 if endless else 1)
    with open_bus(args) as bus, as_interrupt():
        if not count and args.duration is None:
            print("sending until Ctrl-C", file=sys.stderr, flush=True)
        sent, timing = send(bus, frames, count=count, duration_s=args.duration)
    print(f"{sent:,} frames sent" + (f"; {timing}" if sent > len(frames) else ""))
    return 0
