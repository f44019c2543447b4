"""The judge's file and options: what they take, and what is said of mistakes."""

from pathlib import Path

import pytest

from twinaxle.dbc.database import powertrain
from twinaxle.errors import UserError
from twinaxle.judge.config import Config, Limits, default_file, load_config, parse_pair, with_limits

FILE = """
[limits]
jitter_percent = 20
lost_frames = 2
[start]
signals = ["VcuStatus.State"]
[[latency]]
name = "pedal"
kind = "change"
cause = "PedalsDriver.Apps1"
effects = ["VcuInvFrontCommand.TorqueRequest"]
effect_step = 0.5
limits_ms = [[80, 15], [30, 12]]
"""


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "car.judge.toml"
    path.write_text(FILE)
    config = load_config(path, powertrain())
    assert config.limits == Limits(jitter_percent=20, lost_frames=2)
    assert [place.name for place in config.start] == ["VcuStatus.State"]
    pair = config.latency[0]
    assert (pair.effect_step, pair.cause_step, pair.window_s) == (0.5, 0.0, 0.1)
    assert [pair.limit_ms(load) for load in (10, 30, 31, 80, 95)] == [12, 12, 15, 15, 15]


def test_the_file_beside_the_dbc(tmp_path: Path) -> None:
    assert default_file(tmp_path / "car.dbc") is None
    (tmp_path / "car.judge.toml").write_text("")
    path = default_file(tmp_path / "car.dbc")
    assert path == tmp_path / "car.judge.toml"
    assert load_config(path, powertrain()) == Config()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("jitter_percent", "jiter_percent"), "no limit jiter_percent; did you mean jitter_percent"),
        (("= 20", '= "much"'), "limit jitter_percent must be a number, not 'much'"),
        (("= 20", "= -1"), "must be 0 or more"),
        (("PedalsDriver.Apps1", "PedalsDriver.Aps1"), "no signal Aps1; did you mean Apps1"),
        (('"change"', '"delay"'), "kind is change or echo, not 'delay'"),
        (("effect_step", "efect_step"), "'efect_step' is not known here; did you mean effect_step"),
        (('cause = "PedalsDriver.Apps1"\n', ""), "lacks cause"),
        (("[[80, 15], [30, 12]]", '"soon"'), "neither milliseconds nor"),
        (("[limits]", "[limit]"), "'limit' is not known here; did you mean limits"),
        (("[limits]", "[limits"), "not TOML"),
    ],
)
def test_mistakes_are_named_with_the_file(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "car.judge.toml"
    path.write_text(FILE.replace(*change))
    with pytest.raises(UserError) as error:
        load_config(path, powertrain())
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_a_pair_as_an_option() -> None:
    pair = parse_pair(
        "PedalsDriver.Apps1 > VcuInvFrontCommand.TorqueRequest, VcuInvRearCommand.TorqueRequest : 12", powertrain()
    )
    assert (pair.kind, pair.limits_ms, len(pair.effects)) == ("change", ((100.0, 12.0),), 2)
    assert parse_pair("VcuInvFrontCommand.Counter>InvFrontStatus.EchoCounter:20", powertrain()).kind == "echo"
    with pytest.raises(UserError, match="write CAUSE>EFFECT:MILLISECONDS"):
        parse_pair("PedalsDriver.Apps1:12", powertrain())


def test_limits_as_options() -> None:
    assert with_limits(Limits(), {"jitter_ms": "5", "lost_frames": "3"}) == Limits(jitter_ms=5.0, lost_frames=3)
    with pytest.raises(UserError, match=r"lost_frames must be a number, not '1\.5'"):
        with_limits(Limits(), {"lost_frames": "1.5"})
