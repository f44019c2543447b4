"""A real board as the target of bench tests: `pytest --target pcan:PCAN_USBBUS1,bitrate=500000`."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can

VIRTUAL = "virtual"
_RESET_TIMEOUT_S = 60


class NoVirtualBoard(UserError):  # noqa: N818 - reads better where it is caught
    """A test asks for what only the virtual board has; on a real one it is skipped."""


def is_on_bus(target: str) -> bool:
    """Whether a target is a board on a python-can bus; else it is virtual, or a serial port for the scripts that run on
    the board itself (`hil/board/conformance`).
    """
    import can

    return target.partition(":")[0] in can.VALID_INTERFACES and ":" in target


def open_target(target: str, reset_command: str | None = None) -> can.BusABC:
    """The python-can bus that a board is on: "interface:channel", then ",key=value" for each further argument of the
    interface. The names are python-can's. The board is reset first if there is a command for that.

    Raises:
        UserError: not of this form, the reset fails, or the bus cannot be opened.
    """
    interface, colon, rest = target.partition(":")
    channel, *pairs = rest.split(",")
    if not colon or not interface or any("=" not in pair for pair in pairs):
        raise UserError(
            f"there is no target {target!r}; there are {VIRTUAL}, or a board on a python-can bus as "
            "INTERFACE:CHANNEL[,KEY=VALUE...], such as pcan:PCAN_USBBUS1,bitrate=500000"
        )
    if reset_command is not None:
        reset_board(reset_command)
    import can
    from can.util import cast_from_string

    options = {key: cast_from_string(value) for key, value in (pair.split("=", 1) for pair in pairs)}
    try:
        return can.Bus(interface=interface, channel=channel, **options)  # type: ignore[arg-type]
    except Exception as error:  # drivers raise what they like
        raise UserError(f"target {target}: the bus cannot be opened: {error}") from error


def reset_board(command: str) -> None:
    """Run the command that resets the board, such as `mpremote connect /dev/ttyACM0 reset`.

    Raises:
        UserError: it fails, or takes longer than a minute.
    """
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, check=False, timeout=_RESET_TIMEOUT_S
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the reset command {command!r} failed: {error}") from error
    if done.returncode:
        raise UserError(f"the reset command {command!r} ended with {done.returncode}: {done.stderr.strip()}")
