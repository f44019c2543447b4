"""Shows the estimated cost of a tick, writes it for others, and compares it with what the bench charges."""

import json
import tomllib
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.firmware.cost import GOAL_INSTRUCTIONS, LIMIT_INSTRUCTIONS, Cost, Estimate
from twinaxle.paths import BUILD, ROOT, shown

BENCH_FILE = ROOT / "hil" / "board" / "cost.toml"
"""What the virtual board charges: `tick_cost_us`, `rx_cost_us`."""
JSON_FILE = BUILD / "tick_cost.json"
_ROUND_US = 10


def report(cost: Cost) -> list[str]:
    """The estimate as lines of text."""
    measured = cost.measurement
    verdict = "within it" if cost.worst_period.most <= LIMIT_INSTRUCTIONS else "OVER IT"
    if cost.worst_period.least <= LIMIT_INSTRUCTIONS < cost.worst_period.most:
        verdict = "not certain"
    lines = [
        f"Cost of a control period on the board, estimated from {measured.periods} periods of a recorded drive",
        "",
        f"{'':24}{'instructions':>14}{'':>8}{'us on the board':>18}",
        _row("mean tick", cost.mean_tick),
        _row("worst tick", cost.worst_tick),
        _row("one received frame", cost.frame),
        _row(f"worst, {measured.most_frames} frames", cost.worst_period),
        "",
        f"RT-01 allows {LIMIT_INSTRUCTIONS} instructions in a period, the goal is {GOAL_INSTRUCTIONS}: {verdict}",
    ]
    lines += ["", "Viper functions, calls in a period and instructions in all (each without the others that it calls)"]
    for part in sorted(measured.functions, key=lambda item: -item.time_ns):
        if part.calls:
            name = part.name.partition(".")[2]
            lines.append(f"  {name:22}{part.time_ns / cost.ns_per_instruction['viper']:14.0f}{part.calls:8.2f}")
    lines += ["", "References: ns here for one instruction on the board"]
    for item in measured.mixes:
        lines.append(f"  {item.kind + ', ' + item.name:22}{item.ns_per_instruction:14.4f}")
    for kind, ratio in cost.ns_per_instruction.items():
        loops = [item.ns_per_instruction for item in measured.loops if item.kind == kind]
        lines.append(
            f"  {kind}: {ratio:.4f}, references apart by {100 * cost.spread[kind]:.0f} %"
            f" (short loops, which this machine predicts better: {min(loops):.4f}..{max(loops):.4f})"
        )
    return lines


def _row(name: str, value: Estimate) -> str:
    return f"{name:24}{value.instructions:14.0f}  +-{100 * value.error:3.0f} %{value.time_us:15.0f}"


def write_json(cost: Cost, path: Path = JSON_FILE) -> None:
    """Write the estimates: for each instructions, time in us on the board, relative error."""
    names = ("mean_tick", "worst_tick", "frame", "worst_period")
    content = {
        name: {
            "instructions": round(value.instructions),
            "time_us": round(value.time_us),
            "error": round(value.error, 3),
        }
        for name, value in ((name, getattr(cost, name)) for name in names)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def charged_us(cost: Cost) -> dict[str, int]:
    """What the bench should charge: the upper ends of worst tick and received frame, so that nothing is flattered."""
    return {"tick_cost_us": _rounded_up(cost.worst_tick), "rx_cost_us": _rounded_up(cost.frame)}


def _rounded_up(value: Estimate) -> int:
    return -(-round(value.time_us * (1 + value.error)) // _ROUND_US) * _ROUND_US


def write_bench(cost: Cost, path: Path = BENCH_FILE) -> None:
    """Write what the bench charges."""
    lines = [
        "# What the virtual board charges for computing, written by `twinaxle firmware cost --write`: the upper ends",
        "# of the estimates for the worst tick and for the interrupt of one received frame.",
        *(f"{key} = {value}" for key, value in charged_us(cost).items()),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare_bench(cost: Cost, path: Path = BENCH_FILE) -> list[str]:
    """What the bench charges that does not fit the estimate: less than its range, or far more. Empty if all fits.

    Raises UserError where the file is there and cannot be read.
    """
    try:
        charged = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [f"{shown(path)} is missing: the bench charges its defaults; `twinaxle firmware cost --write` makes it"]
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{shown(path)}: {error}") from error
    wrong = []
    for key, value in (("tick_cost_us", cost.worst_tick), ("rx_cost_us", cost.frame)):
        found, most_us = charged.get(key), value.time_us * (1 + value.error)
        if not isinstance(found, int) or not value.time_us * (1 - value.error) <= found <= 1.5 * most_us:
            wrong.append(f"{shown(path)}: {key} = {found}, estimated {value.time_us:.0f} us, at most {most_us:.0f}")
    return wrong
