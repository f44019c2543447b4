"""`twinaxle demo`: drive the virtual car and write the report."""

import argparse
import time
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "demo",
        help="drive the virtual car: start-up, 0-100 km/h, WLTC, loss of an inverter; writes an HTML report",
    )
    parser.add_argument("--report", type=Path, default=Path("build/report.html"), help="default: %(default)s")
    parser.add_argument("--figure", type=Path, metavar="SVG", help="write the plot of the launch to this file too")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random choices, default %(default)s")


def run(args: argparse.Namespace) -> int:
    """Run the demo. Returns 0 when every measured value is within its limit, else 1."""
    from hil.demo import run_demo

    start_s = time.perf_counter()
    good = run_demo(args.seed, args.report, lambda text: print(text, flush=True), args.figure)
    print(f"report: {args.report} ({time.perf_counter() - start_s:.0f} s)")
    return 0 if good else 1
