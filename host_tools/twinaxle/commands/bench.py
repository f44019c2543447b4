"""`twinaxle bench`: the virtual car in real time, its bus open to other programs and to a real bus."""

import argparse
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinaxle.arguments import number
from twinaxle.bus_arguments import open_bus, with_bus_arguments
from twinaxle.errors import UserError
from twinaxle.interrupts import end_signals

if TYPE_CHECKING:
    from hil.live.bench import LiveBench, Status

LOOPBACK = "127.0.0.1"
_TERMINAL_STATUS_S = 0.25
_LINE_STATUS_S = 10.0
_LATE_MS = 10.0

_MOVED_BY_DRIVER = {"PEDALS", "INV_F", "INV_R", "BMS"}
"""Only where all of them are virtual does the driver begin by himself: nothing real turns unless somebody asks."""

_DESCRIPTION = """\
The virtual car in real time. Its bus is a socketcand server on the loopback address, which python-can
(-i twinaxle or -i socketcand), SavvyCAN and other programs join. With -i and -c the bench joins a real bus too, and
plays all nodes but the VCU for a board there. Ctrl-C ends it."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "bench", help="the virtual car in real time: its bus for other programs and for a real board",
        description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--nodes", type=_names, metavar="A,B", help="virtual nodes: of INV_F, INV_R, BMS, PEDALS, ESC, VCU (the board)")
    add("--without", type=_names, default=[], metavar="A,B", help="leave these nodes to other programs or real units")
    add("--scenario", metavar="NAME|FILE", help="what the virtual driver does: off, drive (start the car), pedal, "
        "launch (0-100 km/h and back), wltc, or a file with a speed in km/h for each second; "
        "default wltc, but off where PEDALS, BMS or an inverter is not virtual")  # fmt: skip
    add("--pedal", type=number, default=20.0, metavar="PERCENT", help="for --scenario pedal, default %(default)s")
    add("--seed", type=int, default=1, help="seed of all random choices, default %(default)s")
    add("--duration", type=number, metavar="SECONDS", help="end after so much bench time")
    add("--speed", type=number, default=1.0, help="bench time over wall time, 0.1 is slow motion, default %(default)s")
    add("--port", type=int, help="of the server, 0 lets the system choose, default socketcand's own, 29536")
    add("--listen", default=LOOPBACK, metavar="ADDRESS", help="of the server; default %(default)s, this machine only")
    add("--no-server", action="store_true", help="no server, for a bench that only joins a real bus")
    add("--log", type=Path, metavar="FILE", help="write all frames to this file, in the format that its name ends in")
    add("--status", type=number, metavar="SECONDS", help="how often the status is shown, 0 for never")
    with_bus_arguments(parser, "the real bus to join (python-can's arguments)")


def _names(text: str) -> list[str]:
    return [name for name in text.replace(",", " ").split() if name != "none"]


def run(args: argparse.Namespace) -> int:
    """Let the bench live until Ctrl-C, SIGTERM or the end of the duration. Returns 0."""
    from hil.live.bench import NODES, LiveBench
    from hil.live.keys import HELP, Keys, keyboard
    from hil.live.scenario import scenario
    from twinaxle.socketcand import DEFAULT_PORT

    joins = "interface" in args or "channel" in args
    nodes = [node for node in NODES if node != "VCU" or not joins] if args.nodes is None else args.nodes
    for name in args.without:
        if name not in NODES:
            raise UserError(f"--without: there is no virtual node {name!r}; there are {', '.join(NODES)}")
    nodes = [node for node in nodes if node not in args.without]
    if "fd" in args or "data_bitrate" in args:
        raise UserError("the powertrain bus is classic CAN: leave out --fd and --data-bitrate")
    if args.speed <= 0 or (args.duration is not None and args.duration <= 0):
        raise UserError("--speed and --duration must be above 0")
    name = args.scenario or ("wltc" if set(nodes) >= _MOVED_BY_DRIVER else "off")
    display = _Display(args.status)
    options: dict[str, Any] = {
        "seed": args.seed,
        "nodes": nodes,
        "host": args.listen,
        "port": None if args.no_server else DEFAULT_PORT if args.port is None else args.port,
        "scenario": None if name == "off" else scenario(name, args.pedal),
        "log": args.log,
        "speed": args.speed,
        "say": display.line,
    }
    if joins:
        options["real"] = open_bus(args)
    with LiveBench(**options) as bench:
        _stop_on_signals(bench)
        bench.begin()  # who reads where to join is answered at once
        _introduce(bench, nodes, name, display)
        with keyboard(bench.loop.selector, Keys(bench.car.driver, bench.stop).press) as keys:
            if keys:
                display.line(HELP if "PEDALS" in nodes else "keys: q end")
            bench.run(args.duration, every_s=display.every_s, on_status=display.status)
    display.line(_summary(bench, args.log))
    return 0


def _stop_on_signals(bench: "LiveBench") -> None:
    """The first Ctrl-C ends the bench in good order, the second at once."""

    def stop(received: int, _frame: object) -> None:
        signal.signal(received, signal.default_int_handler if received == signal.SIGINT else signal.SIG_DFL)
        bench.stop()

    for wanted in (signal.SIGINT, *end_signals()):
        signal.signal(wanted, stop)


def _introduce(bench: "LiveBench", nodes: list[str], scenario: str, display: "_Display") -> None:
    display.line(f"virtual: {', '.join(nodes) or 'none'}; scenario: {scenario}; Ctrl-C ends the bench")
    if bench.hub is not None:
        host = f"[{bench.hub.host}]" if ":" in bench.hub.host else bench.hub.host
        address = f"{host}:{bench.hub.port}"
        display.line(f"join:    python -m can.viewer -i twinaxle -c {address}")
        display.line(f"         SavvyCAN: socketcand, target vcan0@twinaxle (can://{address})")
    if bench.adapter is not None:
        display.line(f"joined:  {bench.adapter.info}")


def _summary(bench: "LiveBench", log: Path | None) -> str:
    status, late = bench.last_status, bench.lateness
    assert status is not None
    parts = [
        f"{status.time_s:.1f} s of bench time",
        f"{bench.frames} frames",
        f"late by {late.percentile_ms(99):.1f} ms (p99), {late.worst_ms:.1f} ms at most",
    ]
    if status.lost_s:
        parts.append(f"NOT IN REAL TIME: {status.lost_s:.2f} s lost")
    if bench.hub is not None and bench.hub.dropped:
        parts.append(f"{bench.hub.dropped} frames dropped for slow clients")
    if bench.adapter is not None:
        adapter = bench.adapter
        parts.append(f"real bus: {adapter.received} frames in, {adapter.sent} out, {adapter.dropped} lost")
    if bench.log is not None:
        lost = f", {bench.log.dropped} LOST: the disk is too slow" if bench.log.dropped else ""
        parts.append(f"{log}: {bench.log.written} frames{lost}")
    return "ended: " + "; ".join(parts)


class _Display:
    """Lines, and below them the status: rewritten in place on a terminal, else a line now and then."""

    def __init__(self, every_s: float | None) -> None:
        self._in_place = sys.stdout.isatty()
        self.every_s = every_s if every_s is not None else _TERMINAL_STATUS_S if self._in_place else _LINE_STATUS_S
        self._shown = 0

    def line(self, text: str) -> None:
        self._clear()
        print(text, flush=True)

    def status(self, status: "Status") -> None:
        text = _status_line(status)
        if self._in_place:
            self._clear()
            text = text[: shutil.get_terminal_size().columns - 1]
            print(text, end="", flush=True)
            self._shown = len(text)
        else:
            print(text, flush=True)

    def _clear(self) -> None:
        if self._shown:
            print("\r" + " " * self._shown + "\r", end="")
            self._shown = 0


def _status_line(status: "Status") -> str:
    parts = [
        f"{status.time_s:8.1f} s  {status.vcu_state or 'no VCU':9} {status.speed_kmh:6.1f} km/h",
        f"load {status.bus_load:4.0%}",
        f"clients {status.clients}",
        f"dropped {status.dropped}",
        f"late {status.late_ms:.1f} ms",
    ]
    if status.adapter_dropped:
        parts.append(f"adapter lost {status.adapter_dropped}")
    if status.log_dropped:
        parts.append(f"log lost {status.log_dropped}")
    if status.lost_s:
        parts.append(f"{'NOT REAL TIME, ' if status.lost_lately_s else ''}{status.lost_s:.1f} s lost")
    elif status.late_ms > _LATE_MS:
        parts.append("LATE")
    return "  ".join(parts)
