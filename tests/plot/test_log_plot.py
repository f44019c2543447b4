"""Plots of logs: what is drawn, and what the page's script draws from, is what the log says."""

import base64
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.decode.conftest import Run, drive, frame, run, write_blf
from twinaxle.dbc import load_database, powertrain
from twinaxle.dbc.names import find_signals
from twinaxle.decode.blocks import LogDecoder
from twinaxle.logs.frames import FrameTable, make_table
from twinaxle.logs.read import table_of
from twinaxle.plot.log_plot import LogPlot, log_plot

__all__ = ["run"]

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {"u8": "u1", "i8": "i1", "u16": "<u2", "i16": "<i2", "u32": "<u4", "i32": "<i4", "f64": "<f8"}
SCRIPT = Path(__file__).parents[2] / "host_tools" / "twinaxle" / "plot" / "plot.js"


def plot(frames: FrameTable, *signals: str, **options: Any) -> LogPlot:
    places = find_signals(powertrain(), signals)
    options = {"stacked": False, "points": 1000, **options}
    return log_plot(frames, LogDecoder(frames, powertrain(), places), places, **options)


def unpacked(detail: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Times in s and values (or states) of a detail, as the script has them."""

    def numbers(name: str, kind: str) -> np.ndarray:
        return np.frombuffer(zlib.decompress(base64.b64decode(detail[name])), dtype=KINDS[detail[kind]])

    steps, raw = numbers("t", "times"), numbers("v", "values")
    times = steps if detail["times"] == "f64" else np.cumsum(steps.astype(np.int64)) / 1e6
    return times.tolist(), (raw if "names" in detail else raw * detail["factor"] + detail["offset"]).tolist()


def torque_log(raw: list[int], step_ns: int = 10_000_000, times_ns: list[int] | None = None) -> FrameTable:
    """InvFrontStatus with these raw values of TorqueActual (0.1 Nm)."""
    data = np.zeros((len(raw), 8), dtype=np.uint8)
    data[:, 2:4] = np.array(raw, dtype="<i2").view(np.uint8).reshape(-1, 2)
    times = times_ns or [5_000_000_000 + step_ns * at for at in range(len(raw))]
    return make_table(times, [0x100] * len(raw), [0] * len(raw), [8] * len(raw), data, [0] * len(raw))


def test_details_hold_every_sample() -> None:
    raw = np.random.default_rng(1).integers(-3000, 3000, 500).tolist()
    made = plot(torque_log(raw), "InvFrontStatus.TorqueActual")
    times, values = unpacked(made.details["InvFrontStatus.TorqueActual"])
    assert times == [pytest.approx(at / 100) for at in range(500)]
    assert values == [number * 0.1 for number in raw]
    assert made.details["InvFrontStatus.TorqueActual"]["decimals"] == 1
    assert (made.samples, made.samples_of) == (500, 500)


def test_thinned_details_keep_the_extremes_at_their_times() -> None:
    raw = np.random.default_rng(1).integers(-100, 100, 20_000)
    raw[12_345], raw[777] = 3000, -2999
    made = plot(torque_log(raw.tolist()), "InvFrontStatus.TorqueActual")
    times, values = unpacked(made.details["InvFrontStatus.TorqueActual"])
    assert made.samples == len(times) <= 1000 and made.samples_of == 20_000
    assert times[values.index(max(values))] == pytest.approx(123.45)
    assert times[values.index(min(values))] == pytest.approx(7.77)
    assert (times[0], times[-1]) == (0, pytest.approx(199.99))
    assert all(values[at] == raw[round(times[at] * 100)] * 0.1 for at in range(len(times)))
    svg_values = made.picture.panels[0].lines[0].values
    assert (np.nanmax(svg_values), np.nanmin(svg_values)) == pytest.approx((300, -299.9))


def test_missing_frames_interrupt_the_line() -> None:
    times = [0, 10, 20, 30, 40, 50, 900, 910, 920]
    made = plot(torque_log([1] * 9, times_ns=[at * 1_000_000 for at in times]), "InvFrontStatus.TorqueActual")
    (line,) = made.picture.panels[0].lines
    assert np.flatnonzero(np.isnan(line.values)).tolist() == [6]
    assert 0.05 < made.details[line.label]["gap"] < 0.85


def test_signals_of_one_unit_share_an_axis_unless_stacked() -> None:
    frames = table_of(drive())
    names = ["Inv*Status.TorqueActual", "BmsPack.PackVoltage", "InvFrontStatus.Speed", "BmsPack.LinkVoltage"]
    panels = plot(frames, *names).picture.panels
    assert [(panel.title, [line.label for line in panel.lines]) for panel in panels] == [
        ("Nm", ["InvFrontStatus.TorqueActual", "InvRearStatus.TorqueActual"]),
        ("V", ["BmsPack.PackVoltage", "BmsPack.LinkVoltage"]),
        ("rpm", ["InvFrontStatus.Speed"]),
    ]
    stacked = plot(frames, *names, stacked=True).picture.panels
    assert [(panel.title, panel.unit, len(panel.lines)) for panel in stacked][:2] == [
        ("InvFrontStatus.TorqueActual", "Nm", 1), ("InvRearStatus.TorqueActual", "Nm", 1),
    ]  # fmt: skip


def test_states_are_bands_with_names() -> None:
    states = [0, 0, 1, 3, 3, 3, 4, 4, 9]
    messages = [frame(100 * at, 0x130, bytes([0, state << 4, *bytes(6)])) for at, state in enumerate(states)]
    made = plot(table_of(messages), "VcuStatus.State", "VcuStatus.DriveReady", "VcuStatus.TorqueDemand")
    band, bit = made.picture.bands
    assert [(one.name, round(one.first), round(one.last)) for one in band.stretches] == [
        ("Init", 0, 25_000), ("Standby", 25_000, 37_500), ("Ready", 37_500, 75_000), ("Drive", 75_000, 100_000),
        ("9", 100_000, 100_000),
    ]  # fmt: skip
    assert [one.name for one in bit.stretches] == ["0"]
    detail = made.details["VcuStatus.State"]
    times, places = unpacked(detail)
    assert [detail["names"][int(place)][0] for place in places] == ["Init", "Standby", "Ready", "Drive", "9"]
    assert times == pytest.approx([0, 0.2, 0.3, 0.6, 0.8]) and detail["end"] == pytest.approx(0.8)


def test_a_state_that_flickers_stays_small() -> None:
    messages = [frame(at, 0x130, bytes([0, (at % 2) << 4, *bytes(6)])) for at in range(20_000)]
    made = plot(table_of(messages), "VcuStatus.State")
    stretches = made.picture.bands[0].stretches
    assert len(stretches) < 1500 and {one.name for one in stretches} == {"changes"}
    assert len(unpacked(made.details["VcuStatus.State"])[0]) == 20_000


def test_error_frames_are_marks() -> None:
    frames = torque_log([1] * 4000)
    flags = frames.flags.copy()
    flags[[100, 3000, 3001]] = 4
    marks = plot(make_table(frames.time_ns, frames.can_id, flags, frames.length, frames.data, frames.channel),
                 "InvFrontStatus.TorqueActual").picture.marks  # fmt: skip
    assert [(mark.text, mark.title) for mark in marks] == [
        ("error frame", "1.000 s: error frame"), ("2 error frames", "30.000 s: 2 error frames"),
    ]  # fmt: skip
    assert marks[0].place == pytest.approx(100 / 3999 * 100_000)


def test_an_hour_stays_small(tmp_path: Path, run: Run) -> None:
    noise = np.random.default_rng(1).normal(0, 400, 360_000).astype(int).tolist()
    path = tmp_path / "hour.html"
    from twinaxle.plot.page import plot_page

    made = plot(torque_log(noise), "InvFrontStatus.TorqueActual", "InvFrontStatus.State", points=200_000)
    path.write_text(plot_page(made.picture, made.details, "an hour"))
    assert path.stat().st_size < 1_500_000
    assert 100_000 < made.samples - 360_000 <= 200_000


def test_the_page_needs_nothing_else_and_the_svg_is_one(tmp_path: Path, run: Run) -> None:
    log = write_blf(tmp_path / "drive.blf", drive())
    said = run("plot", log, "VcuStatus.State", "Inv*Status.TorqueActual", "-o", tmp_path / "p.html", "--title", "A <b>")
    assert "all samples of 3 signals" in said
    page = (tmp_path / "p.html").read_text()
    assert not re.search(r"(src|href)=", page) and "<b>" not in page.split("<script")[0]
    assert "0 s is 2023-11-14 22:13:20" in page
    details = json.loads(re.findall(r'id="detail-plot">(.*?)</script>', page)[0])
    drawn = set(re.findall(r'data-detail="([^"]+)"', page.split("<script")[0]))
    assert drawn == set(details) == {"VcuStatus.State", "InvFrontStatus.TorqueActual", "InvRearStatus.TorqueActual"}
    run("plot", log, "VcuStatus.State", "Inv*Status.TorqueActual", "-o", tmp_path / "p.svg")
    root = ElementTree.fromstring((tmp_path / "p.svg").read_text())
    assert root.find(f"{SVG}style") is not None
    assert len([node for node in root.iter(f"{SVG}path") if node.get("data-lo")]) == 2
    assert "1 error" not in said and "error frame" in {node.text for node in root.iter(f"{SVG}text")}


def test_multiplexed_and_float_signals(tmp_path: Path, run: Run) -> None:
    dbc = tmp_path / "other.dbc"
    dbc.write_text(
        'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\nBO_ 5 Mux: 6 A\n SG_ Sel M : 0|8@1+ (1,0) [0|0] "" B\n'
        ' SG_ Cold m0 : 8|8@1- (0.25,-10) [0|0] "K" B\n SG_ Number m1 : 16|32@1- (1,0) [0|0] "m" B\n\n'
        "SIG_VALTYPE_ 5 Number : 1;\n"
    )
    database = load_database(dbc)
    number = np.float32(1.1).tobytes()
    frames = table_of([frame(10 * at, 5, bytes([at % 2, at, *number])) for at in range(20)])
    places = find_signals(database, ["Cold", "Number"])
    made = log_plot(frames, LogDecoder(frames, database, places), places, stacked=False, points=100)
    times, values = unpacked(made.details["Mux.Cold"])
    assert times == [pytest.approx(at / 50) for at in range(10)]
    assert values == [2 * at * 0.25 - 10 for at in range(10)]
    assert made.details["Mux.Cold"]["decimals"] == 2
    assert unpacked(made.details["Mux.Number"])[1] == [float(np.float32(1.1))] * 10


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["VcuStatus.Stat"], "message VcuStatus has no signal Stat; did you mean State"),
        (["VcuStatus.State", "-o", "x.pdf"], "x.pdf: a plot is .html or .svg"),
        (["VcuStatus.State", "--from", "99"], "no frames in this time"),
        (["DiagRequst"], "no signal or message DiagRequst; did you mean DiagRequest"),
        (["VcuStatus.State", "--to", "0.0001"], "no frame of the log carries VcuStatus.State"),
        (["VcuStatus.State", "--points", "1"], "--points 1"),
        (["VcuStatus.State", "-o", "/dev/null/there.html"], "/dev/null/there.html: cannot be written"),
    ],
)
def test_errors(tmp_path: Path, run: Run, args: list[str], message: str) -> None:
    log = write_blf(tmp_path / "drive.blf", drive())
    assert message in run("plot", log, *args, code=2)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
def test_the_script_reads_details_and_draws_extremes() -> None:
    raw = np.random.default_rng(1).integers(-100, 100, 20_000)
    raw[12_345] = 3000
    made = plot(torque_log(raw.tolist()), "InvFrontStatus.TorqueActual", "InvFrontStatus.State", points=100_000)
    program = f"""
      const plot = require({json.dumps(str(SCRIPT))}), details = {json.dumps(made.details)};
      const period = {made.picture.period_s};
      (async () => {{
        const line = await plot.readDetail(details["InvFrontStatus.TorqueActual"], period);
        const band = await plot.readDetail(details["InvFrontStatus.State"], period);
        console.log(JSON.stringify({{
          t: Array.from(line.t), v: Array.from(line.v), whole: plot.pathOf(line, 0, 100000, 900, -10, 300),
          near: plot.pathOf(line, 61000, 61100, 900, -10, 300), boxes: plot.boxesOf(band, 0, 100000, 900),
          range: [plot.niceRange(-3, 88), plot.niceRange(5, 5), plot.niceRange(Infinity, -Infinity)],
        }}));
      }})();
    """
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=120)
    result = json.loads(done.stdout)
    assert result["v"] == [number * 0.1 for number in raw.tolist()]
    assert result["t"] == [pytest.approx(at * 100_000 / 19_999, abs=0.01) for at in range(20_000)]
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML](\S+) (-?\d+)", result["whole"])]
    assert len(points) <= 4 * 901
    x, y = min(points, key=lambda point: point[1])
    assert y == 0 and x == pytest.approx(12_345 / 19_999 * 900, abs=1)
    near = re.findall(r"[ML](\S+) (-?\d+)", result["near"])
    assert len(near) == pytest.approx(20, abs=3)  # the samples of this part, each one
    assert result["boxes"] == [pytest.approx([0, 900, 0])]
    assert result["range"] == [[-50, 100, 50], [4.5, 5.5, 0.5], [0, 1, 0.5]]
