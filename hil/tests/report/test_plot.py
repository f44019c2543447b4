"""Plots: what is drawn is what was recorded."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.recording.recorder import Channel, Mark, Recorder
from hil.report import PANELS, chosen, plot_svg
from twinaxle.plot.bands import stretches
from twinaxle.plot.draw import plot_css
from twinaxle.plot.lines import RESOLUTION, axis_range, path_data
from twinaxle.plot.picture import Line, Panel

SVG = "{http://www.w3.org/2000/svg}"


def decoded(path: str) -> dict[int, int]:
    """The points of a path by their x, as the page's script reads them."""
    points: dict[int, int] = {}
    for part in path.split("M")[1:]:
        head, _, tail = part.partition("l")
        x, y = (int(text) for text in re.findall(r"-?\d+", head)[:2])
        points[x] = y
        steps = [int(text) for text in re.findall(r"-?\d+", tail)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            points[x] = y
    return points


@given(st.lists(st.floats(-100, 100) | st.just(float("nan")), min_size=2, max_size=80))
def test_a_path_gives_back_every_value_of_a_short_series(values: list[float]) -> None:
    series = np.array(values)
    points = decoded(path_data(series, -100.0, 100.0, 1000))
    assert all(not np.isnan(series[x]) for x in points)
    known = sorted(points)
    for index, value in enumerate(values):
        if np.isnan(value):
            assert index not in points
            continue
        # Inner points of level stretches are left out: the neighbours' common height stands for them.
        height = points.get(index)
        if height is None:
            before = points[max(x for x in known if x < index)]
            assert before == points[min(x for x in known if x > index)]
            height = before
        assert 100.0 - height / RESOLUTION * 200.0 == pytest.approx(value, abs=200.0 / RESOLUTION)


def test_a_gap_interrupts_the_line() -> None:
    path = path_data(np.array([0.0, 1.0, np.nan, 1.0, np.nan]), 0.0, 1.0, 100)
    assert path == "M0 10000l1-10000M3 0h0"


def test_limits_far_away_do_not_flatten_the_other_lines() -> None:
    def with_limit(limit: float) -> Panel:
        power = Line("power", "battery", np.array([0.0, 30.0]))
        return Panel("Power", "kW", [power, Line("limit", "limit", np.array([limit, limit]), is_limit=True)])

    far = axis_range(with_limit(300.0))
    near = axis_range(with_limit(40.0))
    assert far[1] < 60.0
    assert near[1] >= 40.0


def test_states_become_stretches_and_unknown_numbers_stay_visible() -> None:
    values = np.array([0, 0, 4, 4, 4, np.nan, np.nan, 9])
    found = stretches(values, {0: "Init", 4: "Drive"})
    assert [(item.first, item.last, item.name) for item in found] == [(0, 2, "Init"), (2, 5, "Drive"), (7, 8, "9")]
    assert stretches(np.array([]), {}) == []


def test_the_picture_stands_alone_and_holds_lines_states_and_marks(run: Recorder) -> None:
    svg = plot_svg(run, title="Start <1>")
    root = ElementTree.fromstring(svg)
    assert root.find(f"{SVG}style") is not None
    texts = [node.text for node in root.iter(f"{SVG}text")]
    assert "Start <1>" in texts
    assert "Front inverter: hardware fault" in texts
    assert "Limp" in texts
    lines = [node for node in root.iter(f"{SVG}path") if "line" in (node.get("class") or "") and node.get("data-lo")]
    recorded = sum(run.has(line.channel) for panel in PANELS for line in panel.lines)
    assert len(lines) == recorded == 16
    speed = next(node for node in lines if node.get("class") == "line car")
    points = decoded(speed.get("d") or "")
    top = float(speed.get("data-hi") or 0)
    highest = top - min(points.values()) / RESOLUTION * (top - float(speed.get("data-lo") or 0))
    assert highest == pytest.approx(run.series("speed_kmh").max(), abs=0.02)


def test_a_mark_stands_at_its_time(run: Recorder) -> None:
    root = ElementTree.fromstring(plot_svg(run, marks=[Mark(8_000_000_000, "half way", "fault")]))
    mark = next(node for node in root.iter(f"{SVG}g") if node.get("class") == "mark fault")
    assert mark.get("data-i") == "800"
    path = mark.find(f"{SVG}path")
    assert path is not None
    assert (path.get("d") or "").startswith("M509.0 ")  # half of 902 after 58


def test_marks_outside_the_run_are_left_out_and_crowded_ones_keep_their_line(run: Recorder) -> None:
    crowd = [Mark(8_000_000_000 + index, f"event number {index}", "info") for index in range(6)]
    root = ElementTree.fromstring(plot_svg(run, marks=[*crowd, Mark(99_000_000_000, "never", "info")]))
    marks = [node for node in root.iter(f"{SVG}g") if (node.get("class") or "").startswith("mark ")]
    assert len(marks) == 6
    hidden = [node for node in root.iter(f"{SVG}text") if node.get("display") == "none" and node.get("data-w")]
    assert sum("event number" in (node.text or "") for node in hidden) == 3


def test_a_long_cycle_stays_small() -> None:
    recorder = Recorder([Channel("speed_kmh", "km/h"), Channel("front_torque_nm", "Nm")], 10_000_000)
    noise = np.random.default_rng(1).normal(0.0, 40.0, (180_001, 2))
    for row in noise.tolist():
        recorder.append(row)
    assert len(plot_svg(recorder)) < 200_000


def test_same_run_same_bytes(run: Recorder) -> None:
    assert plot_svg(run, title="a") == plot_svg(run, title="a")


def test_panels_are_chosen_by_title() -> None:
    assert [panel.title for panel in chosen(["Speed", "Pedals"])] == ["Speed", "Pedals"]
    with pytest.raises(ValueError, match=r"no panel 'Sped'; there are: Pedals"):
        chosen(["Sped"])


def test_nothing_recorded_is_an_error() -> None:
    with pytest.raises(ValueError, match="two recorded rows"):
        plot_svg(Recorder([Channel("speed_kmh", "km/h")], 10_000_000))


def test_colours_of_states_never_fill_a_line() -> None:
    for rule in re.findall(r"([^{}]+){[^{}]*fill: var\(--(?:off|wait|busy|ready|go|limp|bad|charge)\)", plot_css()):
        assert rule.strip().startswith(".plot rect.")
