"""`twinaxle calibrate`: compile a calibration file to the firmware's module and keep the slots in the firmware true."""

import argparse
from pathlib import Path

from twinaxle.files import write_text


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "calibrate",
        help="compile a calibration to the firmware's module",
        description="Compiles a calibration file, checked against schema.toml beside it, to the firmware's module, and "
        "writes the slot numbers into the firmware's lines that carry a `# cal:` tag.",
    )
    parser.add_argument(
        "toml", type=Path, nargs="?", metavar="TOML", help="default: firmware/calibration/78kWh.toml", default=None
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="default: firmware/vcu/calibration.py")
    parser.add_argument("--check", action="store_true", help="change nothing; tell what is stale, exit 1 if any is")


def run(args: argparse.Namespace) -> int:
    """Compile, or check. Returns 1 where `--check` finds something stale."""
    from functools import partial

    from twinaxle import tags
    from twinaxle.calibration import calibration_hash, load_calibration, module_source, resolve
    from twinaxle.paths import CALIBRATIONS, FIRMWARE, shown

    calibration = load_calibration(args.toml or CALIBRATIONS / "78kWh.toml")
    source = module_source(calibration)
    output: Path = args.output or FIRMWARE / "vcu" / "calibration.py"
    # With another output the firmware of this checkout is not meant: its tags are left alone.
    tagged = [] if args.output else [path for path in FIRMWARE.rglob("*.py") if path != output]

    if args.check:
        from twinaxle.split.derive import stale as stale_layer

        if not args.toml:
            for path in sorted(CALIBRATIONS.glob("*kWh.toml")):
                load_calibration(path)  # each variant must hold, whichever is compiled
        stale = stale_layer(calibration.path)
        found = output.read_text(encoding="utf-8").splitlines() if output.is_file() else []
        if found != source.splitlines():
            pairs = zip(found, source.splitlines(), strict=False)
            line = next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), len(found) + 1)
            stale.append(f"{shown(output)}:{line}: stale: differs from what {shown(calibration.path)} gives")
        stale += [str(tag) for tag in tags.rewrite_files(tagged, "cal", partial(resolve, calibration), check=True)]
        for message in stale:
            print(message)
        if stale:
            print("run `make generate`")
        return 1 if stale else 0

    write_text(output, source)
    changed = {tag.file for tag in tags.rewrite_files(tagged, "cal", partial(resolve, calibration))}
    slots = len(calibration.values)
    print(f"{shown(output)}: {slots} slots, hash {calibration_hash(calibration):04X}")
    for path in sorted(changed):
        print(f"{shown(path)}: slots rewritten")
    return 0
