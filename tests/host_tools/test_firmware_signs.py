"""The idiom for signed numbers, taken out for the board."""

from twinaxle.firmware.signs import without_sign_idiom
from twinaxle.paths import FIRMWARE


def test_the_idiom_is_the_number_itself_on_32_bits() -> None:
    assert without_sign_idiom("a = (s[_X] & 0xFFFF ^ 0x8000) - 0x8000\n") == "a = s[_X]\n"
    assert (
        without_sign_idiom("b = c * ((m[of + _Y] & 0xFFFF ^ 0x8000) - 0x8000) // 2")
        == "b = c * (m[of + _Y]) // 2"
    )  # fmt: skip


def test_what_makes_a_signed_number_of_bytes_stays() -> None:
    line = "m[_T] = ((raw[10] | raw[11] << 8) ^ 0x8000) - 0x8000"
    assert without_sign_idiom(line) == line


def test_every_use_in_the_firmware_is_known() -> None:
    """And keeps its line."""
    for path in (FIRMWARE / "vcu").glob("*.py"):
        source = path.read_text()
        plain = without_sign_idiom(source)
        assert "& 0xFFFF ^ 0x8000" not in "".join(plain.split('"""')[2:]), path.name
        assert plain.count("\n") == source.count("\n")
