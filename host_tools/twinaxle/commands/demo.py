"""`twinaxle demo`: drive the virtual car and write the report."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "demo",
        help="drive the virtual car: start-up, 0-100 km/h, WLTC, loss of an inverter; writes an HTML report",
    )
    parser.add_argument("--report", type=Path, default=Path("build/report.html"), help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random choices, default %(default)s")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration. Returns 0 when every measured value is within its limit."""
    from hil import demo

    return int(demo.main(args))
