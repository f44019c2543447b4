"""`twinaxle split`: threshold of the split from the drive units' loss maps, beside the best split there is."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.files import write_text

if TYPE_CHECKING:
    from twinaxle.split.optimum import Maps, Rules
    from twinaxle.split.table import Thresholds

STEP_S = 0.1


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "split",
        help="compute the split between the axles from the loss maps",
        description="Reads loss maps of both drive units (CSV: speed_rpm,torque_nm,loss_w with the gates on; "
        "speed_rpm,loss_w with the gates off) and computes under which summed torque one axle alone loses less. "
        "'show' prints the table and the energy over the WLTC and other cycles of half and half, the table, and the "
        "best of all shares; 'write' puts the table and the fitted loss model into the calibration; 'maps' writes maps "
        "from the virtual car's loss formula.",
    )
    parser.add_argument("action", choices=("show", "write", "maps"), nargs="?", default="show")
    parser.add_argument("--maps", type=Path, metavar="FOLDER", help="default: firmware/calibration/losses")
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="TOML",
        help="with the split's rules; default: firmware/calibration/78kWh.toml",
    )
    parser.add_argument("--plot", type=Path, metavar="SVG", help="write the threshold and the loss saved as a plot")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="TOML", help="of write; default: from_loss_maps.toml beside"
    )


def run(args: argparse.Namespace) -> int:
    """Do the action. Returns 0."""
    from twinaxle.paths import CALIBRATIONS

    folder: Path = args.maps or CALIBRATIONS / "losses"
    if args.action == "maps":
        return _write_maps(folder)

    from twinaxle.paths import shown
    from twinaxle.split.derive import DERIVED_NAME, check_reach, read_rules
    from twinaxle.split.maps import load_maps
    from twinaxle.split.table import loss_model, thresholds, toml_text

    calibration: Path = args.calibration or CALIBRATIONS / "78kWh.toml"
    maps, rules = load_maps(folder), read_rules(calibration)
    for note in check_reach(folder, maps, rules):
        print(f"note: {note}", file=sys.stderr)
    table, model = thresholds(maps, rules), loss_model(maps)
    if args.action == "write":
        output: Path = args.output or calibration.parent / DERIVED_NAME
        write_text(output, toml_text(table, model))
        print(f"{shown(output)}: written; `twinaxle calibrate` compiles it")
        return 0

    print(f"{'motor speed':>12} {'drive':>8} {'regeneration':>13}   one axle alone under this summed torque")
    for rpm, drive, regen in zip(table.speeds_rpm, table.drive_dnm, table.regen_dnm, strict=True):
        print(f"{rpm:8d} rpm {drive / 10:5.1f} Nm {regen / 10:10.1f} Nm")
    print(f"from {rules.gates_off_below_rpm:.0f} rpm on both axles together: no gates may be off")
    print(
        f"loss model of the limits: {model.mean_error_w:.1f} W off the maps on average, "
        f"{model.worst_error_w:.1f} W at most"
    )
    print("\n".join(_energies(maps, rules, table)))
    if args.plot:
        from twinaxle.split.plot import split_svg

        write_text(args.plot, split_svg(maps, rules, table))
        print(f"written: {shown(args.plot)}")
    return 0


def _write_maps(folder: Path) -> int:
    from hil.plant import load_parameters
    from hil.plant.drive_unit import loss_w
    from twinaxle.paths import shown
    from twinaxle.split.maps import AXLES, write_map

    losses = load_parameters().losses
    source = "loss model of the virtual car (hil/plant/polestar2.toml), written by `twinaxle split maps`"
    for axle in AXLES:
        for path in write_map(
            folder,
            axle,
            lambda torque, speed, gates: loss_w(losses, torque, speed, gates),
            source,
            range(0, 15001, 500),
            range(0, 331, 15),
        ):
            print(f"{shown(path)}: written")
    return 0


def _energies(maps: "Maps", rules: "Rules", table: "Thresholds") -> list[str]:
    """Lines on the WLTC, and on cycles that the rules were not chosen on."""
    from hil.plant.cycle import other_cycles, wltc_class3b
    from hil.plant.reference import cycle_torque
    from twinaxle.split.optimum import energies_wh

    lines = []
    for cycle, speeds_mps in {"WLTC class 3b": wltc_class3b(), **other_cycles()}.items():
        energy = energies_wh(maps, *cycle_torque(speeds_mps, STEP_S), STEP_S, rules, table.as_arrays())
        lines += ["", f"{cycle + ', at the pack':26} {'energy':>10} {'to half':>9} {'to best':>9}"]
        for name, value in energy.items():
            to_half, to_best = (100 * (value / energy[other] - 1) for other in ("half and half", "best of all shares"))
            lines.append(f"{name:26} {value:7.1f} Wh {to_half:+7.2f} % {to_best:+7.3f} %")
    return lines
