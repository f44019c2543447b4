"""Pins of the Pyboard v1.1 as the bench names them: board names (X1, LED_RED) or cpu names (A13); port * 16 + pin as
number.
"""

from twinaxle.errors import UserError

_BOARD = (
    "X1=A0 X2=A1 X3=A2 X4=A3 X5=A4 X6=A5 X7=A6 X8=A7 X9=B6 X10=B7 X11=C4 X12=C5 X17=B3 X18=C13 X19=C0 X20=C1 "
    "X21=C2 X22=C3 Y1=C6 Y2=C7 Y3=B8 Y4=B9 Y5=B12 Y6=B13 Y7=B14 Y8=B15 Y9=B10 Y10=B11 Y11=B0 Y12=B1 SW=B3 "
    "LED_RED=A13 LED_GREEN=A14 LED_YELLOW=A15 LED_BLUE=B4 MMA_INT=B2 MMA_AVDD=B5 SD_D0=C8 SD_D1=C9 SD_D2=C10 "
    "SD_D3=C11 SD_CMD=D2 SD_CK=C12 SD=A8 SD_SW=A8 USB_VBUS=A9 USB_ID=A10 USB_DM=A11 USB_DP=A12"
)
PIN_COUNT = 64


def _number(cpu: str) -> int:
    return "ABCD".index(cpu[0]) * 16 + int(cpu[1:])


NUMBERS = {board: _number(cpu) for board, cpu in (pair.split("=") for pair in _BOARD.split())}
NUMBERS |= {cpu: _number(cpu) for cpu in (pair.split("=")[1] for pair in _BOARD.split())}


def pin_number(name: str) -> int:
    """Number of a pin by its name. Raises UserError for a name that the board does not have."""
    try:
        return NUMBERS[name]
    except KeyError:
        raise UserError(f"the Pyboard v1.1 has no pin {name!r}; it has {', '.join(sorted(NUMBERS))}") from None
