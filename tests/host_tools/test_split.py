"""Loss maps, threshold table, offline optimum, and the calibration layer that they give."""

import dataclasses
from pathlib import Path

import fastsim  # type: ignore[import-untyped]
import numpy as np
import pytest
from numpy.typing import NDArray

from hil.plant import load_parameters
from hil.plant.cycle import other_cycles
from hil.plant.drive_unit import loss_w
from hil.plant.reference import cycle_torque
from twinaxle.calibration import load_calibration
from twinaxle.calibration.load import merged
from twinaxle.cli import main
from twinaxle.errors import UserError
from twinaxle.paths import CALIBRATIONS
from twinaxle.split.derive import derived_text, read_rules, stale
from twinaxle.split.maps import LossMap, load_map, load_maps, write_map
from twinaxle.split.optimum import alone_w, best_w, both_w, energies_wh, half_w, table_w, together
from twinaxle.split.table import loss_model, modelled_w, thresholds

LOSSES = load_parameters().losses
RULES = read_rules(CALIBRATIONS / "78kWh.toml")
MAPS = load_maps(CALIBRATIONS / "losses")
RADPS = np.pi / 30


def test_the_committed_maps_are_the_plants_formula() -> None:
    torque, rpm = np.meshgrid(np.linspace(-330, 330, 45), np.linspace(0, 14500, 38))
    truth = np.array([[loss_w(LOSSES, t, n * RADPS, True) for t, n in zip(*row, strict=True)]
                      for row in zip(torque, rpm, strict=True)])  # fmt: skip
    assert np.abs(MAPS[0].loss_w(torque, rpm) / truth - 1).max() < 0.003
    drag = np.array([loss_w(LOSSES, 0.0, n * RADPS, False) for n in rpm[:, 0]])
    assert np.abs(MAPS[1].drag_w(rpm[:, 0]) - drag).max() < 1.0


def test_a_map_with_regeneration_of_its_own_is_not_mirrored(tmp_path: Path) -> None:
    (tmp_path / "loss.csv").write_text(
        "speed_rpm,torque_nm,loss_w\n" + "".join(f"{n},{t},{abs(t) * (2 if t < 0 else 1)}\n"
                                                 for n in (0, 1000) for t in (-100, -50, 0, 50, 100))
    )  # fmt: skip
    (tmp_path / "drag.csv").write_text("speed_rpm,loss_w\n0,0\n1000,5\n")
    unit = load_map(tmp_path / "loss.csv", tmp_path / "drag.csv")
    assert not unit.is_symmetric
    assert unit.loss_w([-75, 75], 500) == pytest.approx([150, 75])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed_rpm,torque_nm\n0,0\n", "loss.csv:1: no column 'loss_w'"),
        ("speed_rpm,torque_nm,loss_w\n0,0,x\n", "loss.csv:2: not 3 numbers"),
        ("speed_rpm,torque_nm,loss_w\n0,0,-1\n", "loss.csv:2: speed and loss must be"),
        ("speed_rpm,torque_nm,loss_w\n0,0,1\n0,0,2\n", "loss.csv:3: 0 Nm at 0 rpm stands here a second time"),
        ("speed_rpm,torque_nm,loss_w\n0,0,1\n0,5,2\n0,9,3\n", "needs two speeds"),
        ("speed_rpm,torque_nm,loss_w\n0,1,1\n0,5,2\n9,9,3\n", "loss.csv:2: 0 rpm has the torques 1, 5 Nm"),
    ],
)
def test_what_is_no_map_is_told_with_file_and_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "loss.csv").write_text(text)
    (tmp_path / "drag.csv").write_text("speed_rpm,loss_w\n0,0\n1000,5\n")
    with pytest.raises(UserError) as error:
        load_map(tmp_path / "loss.csv", tmp_path / "drag.csv")
    assert message in str(error.value)


SMALL_MAP = "speed_rpm,torque_nm,loss_w\n" + "".join(f"{n},{t},{100 + t}\n" for n in (0, 1000) for t in (0, 50, 100))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed_rpm,loss_w\n0,0\n1000,5\n0,1\n", "drag.csv:4: 0 rpm stands here a second time"),
        ("speed_rpm,loss_w\n0,0\n", "drag.csv: needs two speeds or more, and has 1"),
        ("speed_rpm,loss_w\n0,0\n500,130\n", "drag.csv:3: 130 W with the gates off at 500 rpm is more than the 100 W"),
    ],
)
def test_what_is_no_drag_is_told_with_file_and_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "loss.csv").write_text(SMALL_MAP)
    (tmp_path / "drag.csv").write_text(text)
    with pytest.raises(UserError) as error:
        load_map(tmp_path / "loss.csv", tmp_path / "drag.csv")
    assert message in str(error.value)


def test_blank_lines_and_further_columns_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text(SMALL_MAP)
    lines = SMALL_MAP.splitlines()
    text = "\ufeff" + "\r\n \r\n".join([lines[0] + ",note", *(line + ",x" for line in lines[1:])])
    (tmp_path / "loss.csv").write_text(text, encoding="utf-8")
    (tmp_path / "drag.csv").write_text("speed_rpm,loss_w\n0,0\n1000,5\n")
    both = [load_map(tmp_path / name, tmp_path / "drag.csv").loss for name in ("plain.csv", "loss.csv")]
    assert (both[0] == both[1]).all()


def test_maps_that_end_early_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Short of the gate limit it is an error (rpm mistaken, most often); short of the motor's ends it is noted."""
    output = ["-o", str(tmp_path / "out.toml")]
    for top, code in ((15, 2), (8000, 0)):
        for axle in ("front", "rear"):
            write_map(tmp_path, axle, lambda t, w, on: loss_w(LOSSES, t, w, on), "test",
                      (0, top // 3, top), range(0, 201, 20))  # fmt: skip
        assert main(["split", "write", "--maps", str(tmp_path), *output]) == code
        told = capsys.readouterr().err
        assert f"loss_front.csv: ends at {top} rpm" in told
    assert "loss_rear.csv: ends at 200 Nm of 330" in told


@pytest.mark.req("SP-01")
def test_the_threshold_is_where_both_ways_lose_the_same() -> None:
    table = thresholds(MAPS, RULES)
    for rpm, drive_dnm in zip(table.speeds_rpm, table.drive_dnm, strict=True):
        torque, speed = np.array([drive_dnm / 10]), np.array([float(rpm)])
        apart = alone_w(MAPS[0], torque, speed) - both_w(MAPS, torque, speed, RULES.both_share(torque))
        assert abs(float(apart[0])) < 2.0
    assert 70 < table.drive_dnm[3] / 10 < 80, "about 76 Nm by the formula"


@pytest.mark.req("SP-01")
def test_nothing_beats_the_best_split_and_the_table_is_close() -> None:
    draw = np.random.default_rng(3)
    torque, rpm = draw.uniform(-250, 500, 4000), draw.uniform(0, 12000, 4000)
    best = best_w(MAPS, torque, rpm, RULES)
    free = (torque < RULES.follow_above_nm) & (torque > -RULES.regen_both_above_nm)  # stability asks for nothing
    assert (best <= half_w(MAPS, torque, rpm) + 1e-6)[free].all()
    table = table_w(MAPS, torque, rpm, 0.1, RULES, thresholds(MAPS, RULES).as_arrays())
    assert (best <= table + 1e-6).all()
    steady = np.full(400, 40.0), np.full(400, 3000.0)
    last = table_w(MAPS, *steady, 0.1, RULES, thresholds(MAPS, RULES).as_arrays())[-1]
    assert last == pytest.approx(float(best_w(MAPS, *steady, RULES)[-1]), abs=1e-6)


def american_cycle(name: str) -> NDArray[np.float64]:
    """A cycle that FASTSim brings, m/s each second."""
    data = fastsim.Cycle.from_resource(name).to_dict()
    times = np.asarray(data["time_seconds"])
    speeds: NDArray[np.float64] = np.interp(
        np.arange(times[-1] + 1.0), times, np.asarray(data["speed_meters_per_second"])
    )
    return speeds


@pytest.mark.req("SP-01")
@pytest.mark.parametrize("name", ["NEDC", "WLTC class 1", "WLTC class 2", "hwfet.csv", "udds.csv"])
def test_the_rules_serve_other_cycles_than_the_wltc_too(name: str) -> None:
    """What the engaging share was chosen on is the WLTC: elsewhere no other choice is much better either."""
    speeds_mps = american_cycle(name) if name.endswith(".csv") else other_cycles()[name]
    drive, axis = cycle_torque(speeds_mps, 0.1), thresholds(MAPS, RULES).as_arrays()

    def to_best_percent(engage: float) -> float:
        energy = energies_wh(MAPS, *drive, 0.1, dataclasses.replace(RULES, engage=engage), axis)
        return 100.0 * (energy["threshold table"] / energy["best of all shares"] - 1.0)

    chosen = to_best_percent(RULES.engage)
    assert 0.0 <= chosen <= 0.2
    assert chosen - min(to_best_percent(engage) for engage in (0.8, 1.0, 1.1, 1.4, 1.6, 2.0)) <= 0.06


def test_the_best_split_keeps_the_rules() -> None:
    fast = np.array([RULES.gates_off_below_rpm + 50.0])
    idle = MAPS[0].loss_w(0.0, fast) + MAPS[1].loss_w(0.0, fast) - MAPS[0].drag_w(fast) - MAPS[1].drag_w(fast)
    assert float(best_w(MAPS, np.zeros(1), fast, RULES)[0]) == pytest.approx(float(idle[0])), "no gates off at speed"
    hard = np.array([400.0])
    slow = np.array([2000.0])
    held = both_w(MAPS, hard, slow, RULES.both_share(hard))
    assert float(best_w(MAPS, hard, slow, RULES)[0]) == pytest.approx(float(held[0])), "above 0.15 g by the load"


def test_both_axles_stay_for_their_least_time() -> None:
    torque = np.full(1000, 40.0)
    torque[100:110] = 120.0
    both, none = together(torque, np.full(1000, 2000.0), 0.01, RULES, thresholds(MAPS, RULES).as_arrays())
    assert np.flatnonzero(both)[0] == 100
    assert both.sum() == round(RULES.dwell_s / 0.01)
    assert not none.any()


def test_the_loss_model_of_the_limits_fits_the_maps() -> None:
    model = loss_model(MAPS)
    torque, rpm = np.meshgrid(np.linspace(0, 3300, 12), np.linspace(0, 14000, 15))
    loss = MAPS[0].loss_w(torque / 10, rpm)
    assert np.abs(modelled_w(model.coefficients, torque, rpm) - loss).max() <= model.worst_error_w + 5
    assert model.mean_error_w < 0.005 * float(loss.mean())


def write_other_maps(folder: Path) -> None:
    """Maps of units whose gates cost twice as much."""
    for axle in ("front", "rear"):
        write_map(folder, axle, lambda t, w, on: loss_w(LOSSES, t, w, on) + 180.0 * on, "test",
                  range(0, 15001, 1000), range(0, 331, 30))  # fmt: skip


def test_other_maps_make_the_calibration_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("78kWh.toml", "schema.toml", "from_loss_maps.toml"):
        (tmp_path / name).write_bytes((CALIBRATIONS / name).read_bytes())
    write_other_maps(tmp_path / "losses")
    calibration, output = tmp_path / "78kWh.toml", tmp_path / "calibration.py"
    assert main(["calibrate", str(calibration), "-o", str(output)]) == 0
    assert len(stale(calibration)) == 1
    assert main(["calibrate", str(calibration), "-o", str(output), "--check"]) == 1
    assert "from_loss_maps.toml:" in capsys.readouterr().out
    options = ["--maps", str(tmp_path / "losses"), "--calibration", str(calibration)]
    assert main(["split", "write", *options]) == 0
    assert stale(calibration) == []
    assert (tmp_path / "from_loss_maps.toml").read_text() == derived_text(calibration)
    drive = load_calibration(calibration).items["split.threshold_drive_dnm"].values
    assert 95 < drive[0] / 10 < 115, "twice the gates' loss: the root of 2 times the threshold"


def test_show_prints_and_plots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "split.svg"
    assert main(["split", "show", "--plot", str(plot)]) == 0
    said = capsys.readouterr().out
    assert "best of all shares" in said
    assert plot.read_text().startswith("<svg")
    assert "http" not in plot.read_text().replace("http://www.w3.org/2000/svg", "")


def test_a_layer_is_replaced_by_what_stands_on_it_and_circles_are_told(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("[a]\nx_nm = 1\ny_nm = 2\n")
    (tmp_path / "top.toml").write_text('layers = ["base.toml"]\n[a]\nx_nm = 3\n')
    assert {name: value for name, (_, value) in merged(tmp_path / "top.toml").items()} == {"a.x_nm": 3, "a.y_nm": 2}
    (tmp_path / "base.toml").write_text('layers = ["top.toml"]\n')
    with pytest.raises(UserError, match="stands on this file itself"):
        merged(tmp_path / "top.toml")


def test_a_map_is_extended_by_its_last_parabola(tmp_path: Path) -> None:
    unit = LossMap(np.array([0.0, 1.0]), np.array([0.0, 10.0, 20.0]), np.array([[0.0, 1.0, 4.0]] * 2), np.zeros(2),
                   np.zeros(2))  # fmt: skip
    assert unit.loss_w(30.0, 0.5) == pytest.approx(9.0)
