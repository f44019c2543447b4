"""Tagged constants in the firmware's sources."""

from pathlib import Path

import pytest

from twinaxle import tags
from twinaxle.errors import UserError

TEXT = """\
_APPS1 = const(5)  # dbc: PedalsDriver.Apps1 [1 mV]
_LOW = const(0)  # cal: pedal.low_mv [mV] (released)
    _HIGH = const(0x07)  # cal: pedal.high_mv [mv]
_PLAIN = const(9)
"""
NUMBERS = {"pedal.low_mv": (3, "mv"), "pedal.high_mv": (7, "mv")}


def resolve(name: str) -> tuple[int, str]:
    if name not in NUMBERS:
        raise UserError(f"the calibration has no {name!r}.")
    return NUMBERS[name]


def test_rewrite_touches_only_what_is_stale_and_of_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "vcu" / "pedal.py"
    path.parent.mkdir()
    path.write_text(TEXT)
    assert [line.partition(": stale")[0] for line in tags.stale("cal", resolve, tmp_path)] == [f"{path}:2"]
    assert tags.rewrite("cal", resolve, tmp_path) == [path]
    assert path.read_text() == TEXT.replace("const(0)  # cal: pedal.low_mv [mV]", "const(3)  # cal: pedal.low_mv [mv]")
    assert tags.rewrite("cal", resolve, tmp_path) == []
    assert list(tags.stale("cal", resolve, tmp_path)) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("_X = const(1)  # cal: pedal.none [mv]", r"a\.py:2: the calibration has no 'pedal\.none'"),
        ("_X = 1  # cal: pedal.low_mv [mv]", r"a\.py:2: a `cal:` tag stands behind"),
    ],
)
def test_wrong_tag_is_told_with_file_and_line(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"\n{line}\n")
    with pytest.raises(UserError, match=message):
        tags.find_tags("cal", resolve, tmp_path)
