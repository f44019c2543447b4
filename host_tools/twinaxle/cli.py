"""The `twinaxle` command line: finds the subcommands, runs one, and turns errors into messages and exit codes.

Exit codes: 0 good, 1 a check says no (stale file, size over its limit), 2 a user's error, 130 interrupted.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from twinaxle import __version__, commands
from twinaxle.errors import UserError

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


class Command(Protocol):
    """What a module in `twinaxle.commands` offers."""

    def add_parser(self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> object:
        """Add the command's parser, named after the module."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work. Returns the exit code."""


def load_commands() -> dict[str, Command]:
    """Import every module of `twinaxle.commands`. Returns command name -> module, sorted by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    return {
        name.replace("_", "-"): cast(Command, importlib.import_module(f"{commands.__name__}.{name}")) for name in names
    }


def build_parser(available: dict[str, Command]) -> argparse.ArgumentParser:
    """The argument parser with one subparser for each command."""
    parser = argparse.ArgumentParser(
        prog="twinaxle", description="Tools for the twinaxle powertrain firmware and its bench."
    )
    parser.add_argument("--version", action="version", version=f"twinaxle {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in available.values():
        command.add_parser(subparsers)
    return parser


def _open_missing_streams() -> None:
    """Standard streams that whoever started us has closed are None in Python: make them the null device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (for good)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own). Returns the exit code."""
    _open_missing_streams()
    available = load_commands()
    args = build_parser(available).parse_args(argv)
    try:
        code = available[args.command].run(args)
        sys.stdout.flush()
    except UserError as error:
        print(f"twinaxle {args.command}: {error}", file=sys.stderr)  # noqa: T201 (the one place errors are shown)
        return EXIT_USER_ERROR
    except BrokenPipeError:
        # The reader (`| head`) has gone. Python would complain again while it flushes at exit.
        _discard_output()
        return 1
    except OSError as error:
        # Files are named where they are read and written; what is left is mostly standard output on a full disk.
        print(f"twinaxle {args.command}: {error}", file=sys.stderr)  # noqa: T201
        _discard_output()
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
    return code


def _discard_output() -> None:
    """What is still in the buffer of standard output goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
