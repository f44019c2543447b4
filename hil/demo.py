"""The demo: a virtual car with the real firmware, from 12 V on to the end of a WLTC, and a report.

Each drive is a run of its own. Progress and the table of measured values go to `say`, the report to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hil.bench import Bench
from hil.measure import Measurement, limit_text, title_of
from hil.report import Report
from hil.report.junit import write_junit
from hil.scenarios.acceleration import full_pedal, measure_launch
from hil.scenarios.cycle import measure_cycle, wltc
from hil.scenarios.inverter_lost import inverter_lost
from hil.scenarios.latency import PEDAL_PPM, pedal_to_command
from hil.scenarios.start_up import start_up
from hil.scenarios.tick import measure_tick

Say = Callable[[str], None]


@dataclass
class Demo:
    """Runs the drives one after the other and keeps what they measured."""

    seed: int
    say: Say
    report: Report
    measurements: list[tuple[str, list[Measurement]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def drive(self, title: str, text: str, **options: object) -> Iterator[Bench]:
        """A bench for one drive; a failed measure or a verdict of the oracle is kept and the demo goes on."""
        self.say(f"{title} ...")
        bench = Bench(seed=self.seed, name=f"demo-{title}", **options)  # type: ignore[arg-type]
        try:
            with bench:
                yield bench
                measure_tick(bench)
        except AssertionError as error:
            self.failures.append(f"{title}: {error}")
            self.say(f"  FAILED: {error}")
        self.measurements.append((title, list(bench.measurements)))
        self.report.add_scenario(title, bench.recorder, bench.marks, bench.measurements, text)


def run_demo(seed: int, report_path: Path, say: Say) -> bool:
    """Drive everything and write the report and a JUnit file beside it. Returns whether every limit held."""
    demo = Demo(seed, say, Report("twinaxle demo", {"seed": str(seed), "target": "virtual board"}))
    with demo.drive("Start-up and 0-100 km/h", "12 V on, precharge, Drive, pedal to the floor.") as bench:
        start_up(bench)
        measure_launch(bench, full_pedal(bench))
        bench.run(1)
    with demo.drive("Front inverter lost at 100 km/h", "60 % pedal; the front inverter loses its supply.") as bench:
        bench.start_up()
        inverter_lost(bench, "front", at_kmh=100)
    for load in (30, 80):
        with demo.drive(
            f"Pedal to command at {load} % bus load", "The driver steps the pedal.", clock_ppm={"PEDALS": PEDAL_PPM}
        ) as bench:
            bench.start_up()
            pedal_to_command(bench, load)
    with demo.drive("WLTC class 3b", "One-pedal driving by a speed-following driver.", record_period_ms=100) as bench:
        bench.start_up()
        result = wltc(bench, progress=lambda done, total: say(f"  {done:5.0f} s of {total:.0f} s"))
        measure_cycle(bench, result)
        bench.note("real_time_factor", result.real_time_factor, unit="x", comment="WLTC, one core, logs not counted")
    demo.report.write(report_path)
    write_junit(report_path.with_suffix(".xml"), demo.measurements)
    say(table(demo.measurements))
    for failure in demo.failures:
        say(f"FAILED {failure}")
    return not demo.failures


def table(groups: list[tuple[str, list[Measurement]]]) -> str:
    """Measured values against limits and published figures, as text."""
    lines = [f"{'':44} {'measured':>12} {'unit':6} {'published':>10}  limit"]
    for title, items in groups:
        lines.append(title)
        for item in items:
            published = "" if item.published is None else f"{item.published:.5g}"
            verdict = {True: "ok  ", False: "FAIL", None: "    "}[item.passed]
            lines.append(
                f"  {title_of(item.name):42} {item.value:12.5g} {item.unit:6} {published:>10}  {verdict} "
                f"{limit_text(item.limit, item.unit)}".rstrip()
            )
    return "\n".join(lines)
