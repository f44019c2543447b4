"""Shows the estimated cost of a tick and writes it for others."""

import json
from pathlib import Path

from twinaxle.firmware.cost import GOAL_INSTRUCTIONS, LIMIT_INSTRUCTIONS, Cost, Estimate
from twinaxle.paths import BUILD

JSON_FILE = BUILD / "tick_cost.json"


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
