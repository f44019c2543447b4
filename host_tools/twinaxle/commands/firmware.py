"""`twinaxle firmware`: build the flash folder, show its sizes, estimate what a tick costs on the board."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("firmware", help="build the firmware, its sizes, the cost of a tick")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    build = actions.add_parser("build", help="compile the firmware into a flash folder")
    build.add_argument("--march", help="armv7emsp for the board; default: what the interpreter of this machine runs")
    build.add_argument("-o", "--output", type=Path, help="default: build/flash-MARCH")

    actions.add_parser("sizes", help="sizes of the .mpy files for the board against RT-03; exit 1 when over")

    cost = actions.add_parser("cost", help="estimate the tick's instructions on the board against RT-01")
    cost.add_argument("--repeats", type=int, default=40, help="rounds of measurement, default %(default)s")
    cost.add_argument("--write", action="store_true", help="put the result into hil/board/cost.toml, the bench's value")
    cost.add_argument("--check", action="store_true", help="exit 1 when the bench's value is outside the estimate")


def run(args: argparse.Namespace) -> int:
    """Do the action. Returns 1 where a limit or a check fails."""
    if args.action == "build":
        return _build(args)
    if args.action == "sizes":
        return _sizes()
    from twinaxle.firmware import cost_report

    return cost_report.run(repeats=args.repeats, write=args.write, check=args.check, show=print)


def _build(args: argparse.Namespace) -> int:
    from twinaxle.firmware.build import build_flash, interpreter_march
    from twinaxle.paths import BUILD, shown

    march = args.march or interpreter_march()
    out = args.output or BUILD / f"flash-{march}"
    files = build_flash(out, march)
    print(f"{shown(out)}: {len(files)} files, {sum(size for _, size in files)} bytes, {march}")
    return 0


def _sizes() -> int:
    from twinaxle.firmware.build import BOARD_MARCH
    from twinaxle.firmware.sizes import MPY_LIMIT_BYTES, measure_sizes

    sizes = measure_sizes()
    for path, size in sizes.files:
        print(f"{size:7d}  {path.as_posix()}{'' if path.suffix == '.mpy' else '  (source, not counted)'}")
    verdict = "ok" if sizes.is_within_limit else "OVER"
    print(f"{sizes.mpy_bytes:7d}  bytes of .mpy for {BOARD_MARCH}; RT-03 allows {MPY_LIMIT_BYTES}: {verdict}")
    return 0 if sizes.is_within_limit else 1
