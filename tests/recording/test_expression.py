"""Conditions on signals."""

import pytest

from twinaxle.dbc.codec import codec
from twinaxle.dbc.database import powertrain
from twinaxle.errors import UserError
from twinaxle.recording.expression import Condition


def holds(text: str, **frames: dict[str, float]) -> bool:
    """Whether a condition holds after these frames, `Message={"Signal": value}`."""
    condition = Condition(text, powertrain())
    result = False
    for name, values in frames.items():
        message = codec(name)
        result = condition.feed(message.message.key, message.pack(**values))
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VcuStatus.State==Fault", True),
        ("VcuStatus.State == 'Fault'", True),
        ("VcuStatus.State != Fault", False),
        ("VcuStatus.State in_ Fault", None),
        ("VcuStatus.TorqueDemand > 100", True),
        ("50 < VcuStatus.TorqueDemand <= 120.5", True),
        ("VcuStatus.TorqueDemand < -1 or VcuStatus.State == Fault", True),
        ("VcuStatus.TorqueDemand < -1 and VcuStatus.State == Fault", False),
        ("not (VcuStatus.State == Drive)", True),
        ("abs(VcuStatus.TorqueGranted) > 40", True),
        ("VcuStatus.TorqueGranted > 40", False),
        ("abs(VcuStatus.TorqueDemand) > -VcuStatus.TorqueGranted", True),
        ("VcuStatus.DriveReady", True),
        ("not VcuStatus.StopLamp", True),
    ],
)
def test_conditions(text: str, expected: bool | None) -> None:
    status = {"State": 6, "TorqueDemand": 120.5, "TorqueGranted": -50.0, "DriveReady": 1}
    if expected is None:
        with pytest.raises(UserError):
            holds(text, VcuStatus=status)
    else:
        assert holds(text, VcuStatus=status) is expected


def test_two_messages() -> None:
    text = "VcuStatus.State == Drive and InvFrontStatus.State == Fault"
    assert not holds(text, InvFrontStatus={"State": 5})
    assert holds(text, VcuStatus={"State": 4}, InvFrontStatus={"State": 5})
    assert holds(text, InvFrontStatus={"State": 5}, VcuStatus={"State": 4})


def test_other_messages_and_short_frames_are_none_of_its_concern() -> None:
    condition = Condition("VcuStatus.State == Fault", powertrain())
    assert not condition.feed(0x100, bytes(8))
    assert not condition.feed(0x130, b"\x00")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VcuStatus.State = Fault", "is no condition"),
        ("", "is no condition"),
        ("1 == 1", "names no signal"),
        ("VcuStatus.Stat == Fault", "no signal Stat; did you mean State"),
        ("VcuStats.State == Fault", "no message VcuStats; did you mean VcuStatus"),
        ("VcuStatus.State == fault", "no value of VcuStatus.State; did you mean Fault"),
        ("State == Fault", "neither Message.Signal nor compared"),
        ("VcuStatus.State in (1, 2)", "compares in a way"),
        ("VcuStatus.State == open('x')", "not known here: open('x')"),
        ("VcuStatus.State + 1 == 2", "not known here"),
        ("abs(VcuStatus.State, 1) == 2", "abs takes one value"),
        ("VcuStatus.Counter == 2", "belongs to the E2E protection"),
        ("(" * 500, "is no condition"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        Condition(text, powertrain())
    assert message in str(error.value)
