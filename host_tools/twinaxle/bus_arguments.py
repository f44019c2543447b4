"""python-can's own bus arguments (`-i`, `-c`, `-b`, `--bus-kwargs` ...), without importing it for `twinaxle --help`.

The arguments are declared when the command itself is parsed: `twinaxle --help` and other commands don't wait for
python-can.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can

    from twinaxle.dbc.model import Database

_BIT_RATE = 500_000  # bit/s


def with_bus_arguments(parser: argparse.ArgumentParser, title: str, *, filters: bool = False) -> None:
    """Let a command's parser have python-can's bus arguments, in a group of this title, once it is used.

    Args:
        filters: also `--filter`.
    """
    parse = parser.parse_known_args
    declared = False

    def parse_known_args(args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        nonlocal declared
        if not declared:
            declared = True
            from can.cli import add_bus_arguments

            add_bus_arguments(parser, filter_arg=filters, group_title=title)
        return parse(args, namespace)

    parser.parse_known_args = parse_known_args  # type: ignore[method-assign, assignment]


def bit_rate(databases: Iterable[Database], asked: int | None) -> int:
    """The bit rate of the bus in bit/s: the one `asked` for, else that of the first DBC that tells, else 500,000.

    Raises UserError if it is not above 0.
    """
    if asked is None:
        return next((one.bit_rate for one in databases if one.bit_rate), _BIT_RATE)
    if asked <= 0:
        raise UserError(f"bit rate {asked}: must be above 0")
    return asked


def open_bus(args: argparse.Namespace, **defaults: Any) -> can.BusABC:
    """The bus that the arguments name; what they leave open comes from `defaults` and python-can's configuration.

    Raises:
        UserError: it cannot be opened; the message has the adapter's own words.
    """
    from can.cli import create_bus_from_namespace

    try:
        return create_bus_from_namespace(args, **defaults)
    except argparse.ArgumentError as error:
        cause = error.__cause__ or error
        interface = getattr(args, "interface", None) or "python-can's configuration"
        channel = f" channel {args.channel}" if "channel" in args else ""
        raise UserError(f"the bus cannot be opened ({interface}{channel}): {cause}") from error
