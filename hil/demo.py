"""The demo: a virtual car with the real firmware, from 12 V on to the end of a WLTC, and a report.

Each drive is a run of its own. Progress and the table of measured values go to `say`, the report to a file. The cycles
with another battery and another split run in a second process beside the other drives.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.bench import Bench
from hil.judging.measure import Measurement, Measurements, limit_text
from hil.judging.names import title_of
from hil.judging.requirements import requirements
from hil.report import Report, chosen, plot_svg
from hil.report.coverage import coverage, evidence_of
from hil.report.junit import write_junit
from hil.scenarios.acceleration import full_pedal, full_pedal_to_top, measure_launch, measure_sprint
from hil.scenarios.cycle import measure_cycle, measure_split, wltc
from hil.scenarios.cycles import CycleRun, cycle_72kwh, cycle_half_and_half
from hil.scenarios.inverter_lost import inverter_lost
from hil.scenarios.latency import PEDAL_PPM, pedal_to_command
from hil.scenarios.start_up import start_up
from hil.scenarios.tick import measure_tick
from hil.workshop import check_writable
from twinaxle import __version__
from twinaxle.dbc import powertrain
from twinaxle.micropython import find_micropython

Say = Callable[[str], None]

HIGHLIGHTS = {
    "accel_0_100_s": "0-100 km/h",
    "accel_100_200_s": "100-200 km/h",
    "quarter_mile_s": "Quarter mile",
    "top_speed_kmh": "Top speed",
    "system_power_kw": "System power",
    "system_torque_nm": "System torque",
    "wltc_consumption_whpkm": "WLTC",
    "wltc_range_km": "Range",
    "wltc_closed_loop_saved_percent": "Saved by the split",
    "lost_axle_to_zero_ms": "Inverter lost to zero torque",
    "pedal_to_command_at_30_percent_load_ms": "Pedal to command, 30 % load",
    "pedal_to_command_at_80_percent_load_ms": "Pedal to command, 80 % load",
    "real_time_factor": "WLTC faster than real time",
}
"""Measured values at the top of the report, and what to call them."""


class Demo:
    """Runs the drives one after the other and keeps what they measured."""

    def __init__(self, seed: int, say: Say) -> None:
        meta = {
            "seed": seed,
            "target": "virtual board, MicroPython 1.29",
            "version": __version__,
            "protocol": f"{powertrain().protocol_hash:08X}",
        }
        self.seed = seed
        self.say = say
        self.report = Report("twinaxle demo", meta)
        self.runs: dict[str, list[Measurement]] = {}
        self.failures: list[tuple[str, str]] = []
        self.cycle_wh = 0.0
        """Energy of the WLTC at the pack's terminals."""

    @contextmanager
    def drive(self, title: str, text: str, **options: Any) -> Iterator[Bench]:
        """A bench for one drive. What fails in it is kept, and the demo goes on."""
        self.say(f"{title} ...")
        bench = Bench(seed=self.seed, name=f"demo-{title}", **options)
        try:
            with bench:
                yield bench
                measure_tick(bench)
        except AssertionError as error:
            self.failures.append((title, str(error)))
            self.say(f"  FAILED: {error}")
        self.runs[title] = list(bench.measurements)
        files = {"bus log (BLF)": bench.folder / "bus.blf", "truth (CSV)": bench.folder / "truth.csv.gz"}
        self.report.add_scenario(title, bench.recorder, None, bench.measurements, text, files=files)

    def add(self, run: CycleRun) -> None:
        """Take over a cycle that ran elsewhere."""
        if run.error:
            self.failures.append((run.title, run.error))
            self.say(f"  FAILED: {run.error}")
        self.runs[run.title] = list(run.measurements)
        self.report.add_scenario(run.title, None, None, run.measurements, run.text)

    def compare(self, driven_wh: float, half_wh: float) -> None:
        """Energy that the split saved, both cycles with the loop closed."""
        items = Measurements()
        if driven_wh and half_wh:
            items.note(
                "wltc_closed_loop_saved_percent",
                100.0 * (1.0 - driven_wh / half_wh),
                req="SP-01",
                comment=f"{driven_wh:.1f} Wh against {half_wh:.1f} Wh half and half; offline figures above",
            )
        title = "Energy saved by the split"
        self.runs[title] = list(items)
        self.report.add_scenario(title, None, None, items, "WLTC driven twice, with the split and half and half.")

    def write(self, path: Path) -> None:
        """Report as HTML, and the measurements as a JUnit file beside it."""
        for item, label in highlights(self.runs):
            self.report.add_highlight(item, label)
        evidence = [item for title, items in self.runs.items() for item in evidence_of(title, items)]
        rows = [row for row in coverage(requirements(), evidence) if row.evidence]
        self.report.set_coverage(rows, "What this demo measured for the requirements; the test report has all of them.")
        if self.failures:
            self.report.set_verdict("fail", f"{len(self.failures)} drives failed")
        self.report.write(path)
        broken = [
            (title, text) for title, text in self.failures if all(item.passed is not False for item in self.runs[title])
        ]
        write_junit(path.with_suffix(".xml"), "twinaxle demo", self.runs, broken)


def highlights(runs: dict[str, list[Measurement]]) -> list[tuple[Measurement, str]]:
    """The values at the top of the report with their labels; of several with one name that of the first drive.

    (The cycles with another split and another pack come later, and measure the same again.)
    """
    found: dict[str, Measurement] = {}
    for items in runs.values():
        for item in items:
            found.setdefault(item.name, item)
    return [(found[name], label) for name, label in HIGHLIGHTS.items() if name in found]


def run_demo(seed: int, report_path: Path, say: Say, figure_path: Path | None = None) -> bool:
    """Drive everything and write the report; `figure_path` is for the plot of the launch alone, as SVG.

    Returns whether every limit held and no safety goal was broken.

    Raises:
        UserError: a file cannot be written, no MicroPython; before anything is driven.
    """
    for path in (report_path, figure_path):
        if path is not None:
            check_writable(path)
    find_micropython()
    demo = Demo(seed, say)
    beside = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    try:
        others = [beside.submit(cycle, seed) for cycle in (cycle_half_and_half, cycle_72kwh)]
        _drives(demo, figure_path)
        half_wh, driven_wh = 0.0, demo.cycle_wh
        say("WLTC half and half, and with the 72 kWh pack ...")
        for other in others:
            run = other.result()
            demo.add(run)
            half_wh = half_wh or run.terminals_wh
    finally:
        beside.shutdown(cancel_futures=True)
    demo.compare(driven_wh, half_wh)
    demo.write(report_path)
    say(table(demo.runs))
    for title, text in demo.failures:
        say(f"FAILED {title}: {text}")
    return not demo.failures


def _drives(demo: Demo, figure_path: Path | None) -> None:
    """All drives of this process."""
    say = demo.say
    with demo.drive("Start-up and 0-100 km/h", "12 V on, precharge, Drive, pedal to the floor.") as bench:
        start_up(bench)
        measure_launch(bench, full_pedal(bench))
        bench.run(1)
    if figure_path is not None:
        panels = chosen(["Pedals", "Torque at each motor", "Speed", "Power"])
        figure = plot_svg(bench.recorder, panels=panels, states=["vcu_state"], title="Start-up and 0-100 km/h")
        figure_path.write_text(figure, encoding="utf-8", newline="\n")
    with demo.drive("Full pedal to top speed", "From rest until the speed no longer rises.") as bench:
        bench.start_up()
        measure_sprint(bench, full_pedal_to_top(bench))
    with demo.drive(
        "Front inverter lost at 100 km/h", "60 % pedal; at 100 km/h the front inverter loses its supply."
    ) as bench:
        bench.start_up()
        inverter_lost(bench, "front", at_kmh=100)
    for load in (30, 80):
        with demo.drive(
            f"Pedal to command at {load} % bus load",
            "The driver steps the pedal up and down; what counts is the first answer on the bus.",
            clock_ppm={"PEDALS": PEDAL_PPM},
        ) as bench:
            bench.start_up()
            pedal_to_command(bench, load)
    with demo.drive(
        "WLTC class 3b", "One-pedal driving by a speed-following driver, 1800 s.", record_period_ms=100
    ) as bench:
        bench.start_up()
        result = wltc(bench, progress=lambda done, total: say(f"  {done:5.0f} s of {total:.0f} s"))
        demo.cycle_wh = result.terminals_wh
        measure_cycle(bench, result)
        measure_split(bench, result)
        bench.note(
            "real_time_factor", result.real_time_factor, unit="x", comment="WLTC, one core, without writing the log"
        )


def table(runs: dict[str, list[Measurement]]) -> str:
    """Measured values against limits and published figures, as text."""
    lines = [f"{'':44} {'measured':>12} {'unit':6} {'published':>10}  limit"]
    for title, items in runs.items():
        lines.append(title)
        for item in items:
            published = "" if item.published is None else f"{item.published:.5g}"
            verdict = {True: "ok  ", False: "FAIL", None: "    "}[item.passed]
            text = f"  {title_of(item.name):42} {item.value:12.5g} {item.unit:6} {published:>10}  {verdict} "
            lines.append((text + limit_text(item.limit, item.unit)).rstrip())
    return "\n".join(lines)
