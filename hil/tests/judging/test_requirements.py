"""The register of requirements."""

from pathlib import Path

import pytest

from hil.judging.requirements import check_ids, load_requirements, requirements
from twinaxle.errors import UserError

GOOD = '[group.SF]\ntitle = "Safety"\n[requirement.SF-01]\ntext = "E2E"\nclaimed = true\n'


def test_the_register_is_complete_and_in_order() -> None:
    numbers = {"TQ": 10, "SP": 8, "LM": 3, "SM": 6, "SF": 12, "RT": 4, "HB": 5}
    assert list(requirements()) == [f"{key}-{n:02d}" for key, count in numbers.items() for n in range(1, count + 1)]
    assert requirements()["SF-05"].group == "Safety"
    assert all(len(item.text) > 20 for item in requirements().values())


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(GOOD, encoding="utf-8")
    found = load_requirements(path)["SF-01"]
    assert (found.group, found.text, found.claimed) == ("Safety", "E2E", True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"holds no \[requirement"),
        ("[requirement", "not a TOML file"),
        (GOOD.replace("true", '"yes"'), r"\[requirement.SF-01\]: 'claimed' must be true or false"),
        (GOOD.replace('text = "E2E"\n', ""), r"\[requirement.SF-01\]: 'text' is missing"),
        (GOOD.replace("claimed", "claimd"), r"\[requirement.SF-01\]: unknown key 'claimd'"),
        (GOOD.replace("SF-01", "SF-1"), r"\[requirement.SF-1\]: an id is two letters"),
        (GOOD.replace("group.SF", "group.SP"), r"\[group.SF\] with a 'title' is missing"),
        ("requirement = 3", "'requirement' must be a table"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        load_requirements(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the register"):
        load_requirements(tmp_path / "none.toml")


def test_ids_are_checked() -> None:
    assert check_ids(["SF-01", "TQ-02"], "test a") == ("SF-01", "TQ-02")
    with pytest.raises(UserError, match="test a: unknown requirement 'SF-1'"):
        check_ids(["SF-1"], "test a")
