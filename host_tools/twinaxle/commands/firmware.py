"""`twinaxle firmware`: build the flash folder, show its sizes, count and estimate what a tick costs on the board."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinaxle.firmware.cost import Recording


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("firmware", help="build the firmware, its sizes, the cost of a tick")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    build = actions.add_parser("build", help="compile the firmware into a flash folder")
    build.add_argument("--march", help="armv7emsp for the board; default: what the interpreter of this machine runs")
    build.add_argument("-o", "--output", type=Path, help="default: build/flash-MARCH")

    count = actions.add_parser("count", help="count the tick's instructions on an emulated Cortex-M4")
    count.add_argument("--top", type=int, default=30, help="functions listed, default %(default)s")
    count.add_argument("--write", action="store_true", help="put the result into hil/board/cost.toml, for the bench")
    count.add_argument(
        "--check",
        action="store_true",
        help="exit 1 when the worst period with its error is over RT-01, or the bench charges less than was counted",
    )

    actions.add_parser("sizes", help="sizes of the .mpy files for the board against RT-03; exit 1 when over")

    cost = actions.add_parser("cost", help="estimate the tick's instructions on the board against RT-01")
    cost.add_argument("--repeats", type=int, default=40, help="rounds of measurement, default %(default)s")


def run(args: argparse.Namespace) -> int:
    """Do the action. Returns 1 where a limit or a check fails."""
    if args.action == "build":
        return _build(args)
    if args.action == "sizes":
        return _sizes()
    return _count(args) if args.action == "count" else _cost(args)


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


def _cost(args: argparse.Namespace) -> int:
    from twinaxle.errors import UserError
    from twinaxle.firmware import cost_report
    from twinaxle.firmware.cost import estimate, measure
    from twinaxle.paths import shown

    if args.repeats < 1:
        raise UserError("--repeats must be 1 or more.")
    print("recording a drive on the virtual board ...", flush=True)
    recording = record()
    print("measuring ...", flush=True)
    cost = estimate(measure(recording, args.repeats))
    print("\n".join(cost_report.report(cost)))
    cost_report.write_json(cost)
    print(f"\nwritten: {shown(cost_report.JSON_FILE)}")
    return 0


def _count(args: argparse.Namespace) -> int:
    from twinaxle.firmware.cortex import charge
    from twinaxle.firmware.cortex.count import count, report
    from twinaxle.paths import shown

    print("recording a drive on the virtual board ...", flush=True)
    recording = record()
    print("counting ...", flush=True)
    counted = count(recording)
    print("\n".join(report(counted, args.top)))
    if args.write:
        charge.write(counted)
        print(f"\nwritten: {shown(charge.FILE)}")
    if not args.check:
        return 0
    wrong = charge.compare(counted)
    for message in wrong:
        print(message)
    return 0 if counted.fits and not wrong else 1


def record() -> "Recording":
    """The frames of a drive, by control period: start-up, full pedal, lift-off, wheels that slide, braking to rest, the
    pedal's sensors apart, and the front inverter lost under full pedal.

    A period's frames are those that were on the bus before its torque command was due.
    """
    from hil.bench import Bench
    from twinaxle.dbc import powertrain

    tick_and_frame_ns = 750_000
    command = powertrain().messages["VcuInvFrontCommand"].frame_id
    with Bench(seed=1, name="firmware-cost", write_log=False) as bench:
        bench.start_up()
        bench.driver.brake(0)
        for pedal, seconds in ((100, 3.0), (30, 1.0), (0, 1.0)):
            bench.driver.pedal(pedal)
            bench.run(seconds)
        bench.driver.pedal(100)
        bench.plant.set_friction(0.2)
        bench.run(1.0)
        bench.plant.set_friction(1.0)
        bench.driver.pedal(0)
        bench.driver.brake(60)
        bench.run(2.0)
        bench.driver.brake(0)
        bench.faults.sensor("PEDALS", "apps1_mv", offset=800.0, duration_ms=300)
        bench.driver.pedal(40)
        bench.run(0.5)
        bench.driver.pedal(0)
        bench.run(0.3)
        bench.driver.pedal(100)
        bench.run(1.0)
        bench.faults.power_cut("INV_F")
        bench.run(1.0)
        entries = [entry for entry in bench.trace if entry.error is None]
    begins = [entry.time_ns - tick_and_frame_ns for entry in entries if entry.frame.can_id == command]
    received = [entry for entry in entries if entry.sender != "VCU"]
    recording = []
    at = next(index for index, entry in enumerate(received) if entry.time_ns >= begins[0])
    for begin in begins[1:]:
        frames = []
        while at < len(received) and received[at].time_ns < begin:
            frames.append((received[at].frame.can_id, received[at].frame.data))
            at += 1
        recording.append(frames)
    return recording
