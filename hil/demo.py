"""The demo: a virtual car with the real firmware, from 12 V on to the end of a WLTC, and a report.

Each drive is a run of its own. Progress and the table of measured values go to `say`, the report to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.bench import Bench
from hil.measure import Measurement, limit_text, title_of
from hil.report import Report, chosen, plot_svg
from hil.report.coverage import coverage, evidence_of
from hil.report.junit import write_junit
from hil.requirements import requirements
from hil.scenarios.acceleration import full_pedal, measure_launch
from hil.scenarios.cycle import measure_cycle, wltc
from hil.scenarios.inverter_lost import inverter_lost
from hil.scenarios.latency import PEDAL_PPM, pedal_to_command
from hil.scenarios.start_up import start_up
from hil.scenarios.tick import measure_tick
from twinaxle import __version__
from twinaxle.dbc import powertrain

Say = Callable[[str], None]

HIGHLIGHTS = {
    "accel_0_100_s": "0-100 km/h",
    "system_power_kw": "System power",
    "system_torque_nm": "System torque",
    "wltc_consumption_whpkm": "WLTC",
    "wltc_range_km": "Range",
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

    def write(self, path: Path) -> None:
        """Report as HTML, and the measurements as a JUnit file beside it."""
        found = {item.name: item for items in self.runs.values() for item in items}
        for name, label in HIGHLIGHTS.items():
            if name in found:
                self.report.add_highlight(found[name], label)
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


def run_demo(seed: int, report_path: Path, say: Say, figure_path: Path | None = None) -> bool:
    """Drive everything and write the report; `figure_path` is for the plot of the launch alone, as SVG.

    Returns whether every limit held and no safety goal was broken.
    """
    demo = Demo(seed, say)
    with demo.drive("Start-up and 0-100 km/h", "12 V on, precharge, Drive, pedal to the floor.") as bench:
        start_up(bench)
        measure_launch(bench, full_pedal(bench))
        bench.run(1)
    if figure_path is not None:
        panels = chosen(["Pedals", "Torque at each motor", "Speed", "Power"])
        figure = plot_svg(bench.recorder, panels=panels, states=["vcu_state"], title="Start-up and 0-100 km/h")
        figure_path.write_text(figure, encoding="utf-8", newline="\n")
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
        measure_cycle(bench, result)
        bench.note(
            "real_time_factor", result.real_time_factor, unit="x", comment="WLTC, one core, without writing the log"
        )
    demo.write(report_path)
    say(table(demo.runs))
    for title, text in demo.failures:
        say(f"FAILED {title}: {text}")
    return not demo.failures


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
