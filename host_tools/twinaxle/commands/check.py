"""`twinaxle check`: judge logs or a live bus by the DBC."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.arguments import listed, number
from twinaxle.bus_arguments import bit_rate, open_bus, with_bus_arguments
from twinaxle.errors import UserError
from twinaxle.files import replaced, write_text

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database
    from twinaxle.judge.config import Config
    from twinaxle.judge.result import Judgement
    from twinaxle.judge.stream import StreamWatch

_DESCRIPTION = """\
Judges bus logs, or a live bus, by the DBC: cycle times and jitter, missing messages, E2E CRC and counters, lengths,
ranges, value tables, start values, unknown identifiers, latencies, bus load, error frames. What is asked stands in the
DBC: GenMsgCycleTime, GenMsgSendType, RxTimeout, E2eProfile, minimum and maximum, value tables. Latency pairs and
start values come from FILE.judge.toml beside FILE.dbc. Exit code 1 when a rule is broken."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "check", help="judge a bus log or a live bus by the DBC; JSON and JUnit",
        description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("logs", nargs="*", type=Path, metavar="LOG", help="in any format that python-can reads")
    add("--live", action="store_true", help="judge the bus that the bus arguments name")
    add("--duration", type=number, metavar="SECONDS", help="with --live: how long; without it until Ctrl-C")
    add("--dbc", type=Path, metavar="FILE", help="default: dbc/powertrain.dbc")
    add("--rules", type=Path, metavar="TOML", help="limits, latency pairs, start values; default: FILE.judge.toml")
    add(
        "--limit",
        type=listed,
        action="extend",
        default=[],
        metavar="NAME=VALUE,...",
        help="change limits; --list shows them",
    )
    add("--latency", action="append", default=[], metavar="CAUSE>EFFECT:MS", help="a latency to judge, such as "
        "Pedals.Travel>Command.Torque:12; with a counter as cause, its echo")  # fmt: skip
    add(
        "--skip-rule",
        type=listed,
        action="extend",
        default=[],
        metavar="RULE,...",
        help="leave rules out; --list shows them",
    )
    add("--without", type=listed, action="extend", default=[], metavar="NODE,...", help="nodes that are not on the bus")
    add(
        "--allow",
        type=listed,
        action="extend",
        default=[],
        metavar="ID,...",
        help="identifiers that need not be in the DBC, as 0x123",
    )
    add("--from-start", action="store_true", help="the log begins before its senders: judge all first frames")
    add("--start", type=number, metavar="S", help="judge from so many seconds after the log's first frame")
    add("--end", type=number, metavar="S", help="judge up to so many seconds after the log's first frame")
    add("--json", type=Path, metavar="FILE", help="write the result as JSON, - for standard output")
    add("--junit", type=Path, metavar="FILE", help="write the result as JUnit")
    add("-v", "--verbose", action="store_true", help="show the checks that pass too")
    add("--list", action="store_true", help="list rules and limits with their defaults, and end")
    with_bus_arguments(
        parser, "bus (python-can's arguments; with LOG, -c is a channel of it and -b its bit rate)", filters=True
    )


def run(args: argparse.Namespace) -> int:
    """Judge. Returns 1 if a rule is broken."""
    if args.list:
        _list()
        return 0
    if bool(args.logs) == args.live:
        raise UserError("name a LOG, or ask for --live with -i and -c for the bus")

    from twinaxle.dbc.database import POWERTRAIN, load_database

    database = load_database(args.dbc or POWERTRAIN)
    config = _config(args, database)
    if args.live:
        result, problem = _live(args, database, config)
        code = _report(args, [result])
        if problem:
            raise UserError(f"{problem}; what came before that is judged")
        return code
    return _report(args, [_log(path, args, database, config) for path in args.logs])


def _list() -> None:
    from dataclasses import fields

    from twinaxle.judge.config import Limits
    from twinaxle.judge.rules import RULES

    print("rules")
    for rule in RULES:
        print(f"  {rule.name:16} {rule.asks}")
    print("limits")
    for item in fields(Limits):
        print(f"  {item.name}={item.default}")


def _config(args: argparse.Namespace, database: "Database") -> "Config":
    from twinaxle.dbc.names import keys_of, suggestion
    from twinaxle.judge.config import Config, default_file, load_config, parse_pair, with_limits

    path = args.rules or default_file(database.path)
    config = load_config(path, database) if path else Config()
    changes = {}
    for text in args.limit:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--limit {text}: write NAME=VALUE")
        changes[name] = value
    for node in args.without:
        if node not in database.nodes:
            raise UserError(f"--without: {database.path.name} has no node {node}{suggestion(node, database.nodes)}")
    return replace(
        config,
        limits=with_limits(config.limits, changes),
        latency=config.latency + tuple(parse_pair(text, database) for text in args.latency),
        bitrate=bit_rate([database], getattr(args, "bitrate", None)),
        without=frozenset(args.without),
        allowed_ids=frozenset(key for text in args.allow for key in keys_of(database, text)),
        from_start=args.from_start,
    )


def _log(path: Path, args: argparse.Namespace, database: "Database", config: "Config") -> "Judgement":
    from twinaxle.judge.judge import judge, one_channel
    from twinaxle.logs.read import read_log
    from twinaxle.terminal import Progress

    progress = Progress(f"reading {path.name}")
    table = read_log(path, progress)
    progress.end()
    try:
        channel = int(args.channel) if "channel" in args else None
    except ValueError:
        raise UserError(f"channel {args.channel!r} of a log must be a number") from None
    try:
        table = one_channel(table.between(args.start, args.end), channel)
        return judge(table, database, config, path, args.skip_rule)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _live(args: argparse.Namespace, database: "Database", config: "Config") -> "tuple[Judgement, str]":
    """The judgement of a bus, and why the bus failed, if it did."""
    from twinaxle.interrupts import as_interrupt
    from twinaxle.judge.judge import judge
    from twinaxle.judge.live import collect

    if args.duration is not None and not args.duration > 0:
        raise UserError("--duration must be above 0")
    is_terminal = sys.stderr.isatty()
    with open_bus(args) as bus, as_interrupt():
        source = str(bus.channel_info)
        table, problem = collect(bus, database, args.duration, _status if is_terminal else None)
    if is_terminal:
        print(file=sys.stderr)
    if not len(table):
        raise UserError(problem or f"no frame came from {source}: is the other side running, is the bit rate right?")
    return judge(table, database, config, source, args.skip_rule), problem


def _status(elapsed_s: float, watch: "StreamWatch") -> None:
    entries = watch.entries.values()
    frames = sum(entry.count for entry in entries)
    faults = sum(entry.e2e_faults + entry.wrong_length + entry.timeouts for entry in entries)
    unknown = sum(1 for _ in watch.unknown())
    text = f"{elapsed_s:6.1f} s  {frames} frames  {faults} faults  {unknown} unknown identifiers"
    print(f"\r{text}  ", end="", file=sys.stderr, flush=True)


def _report(args: argparse.Namespace, results: "list[Judgement]") -> int:
    from twinaxle.judge.report import as_json, summary, text_lines, write_junit

    to_stdout = args.json is not None and str(args.json) == "-"
    if args.json is not None:
        text = json.dumps(as_json(results), indent=1, allow_nan=False) + "\n"
        if to_stdout:
            print(text, end="")
        else:
            write_text(args.json, text)
    if args.junit is not None:
        with replaced(args.junit) as part:
            write_junit(part, results)
    if not to_stdout:
        for result in results:
            print("\n".join(text_lines(result, verbose=args.verbose)))
        if len(results) > 1:
            print("\n" + "\n".join(summary(result) for result in results))
    return 1 if any(result.failed for result in results) else 0
