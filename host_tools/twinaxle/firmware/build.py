"""Lays out the board's flash as a folder: `boot.py` and `main.py` as source, every package compiled to .mpy.

Compiled files are kept by the hash of what went into them, so that only what changed is compiled. Files are written
beside their place and renamed, so that parallel test workers may build into one folder.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.firmware.bytecode import BYTECODE, without_native
from twinaxle.firmware.signs import MARCHES_32_BIT, without_sign_idiom
from twinaxle.micropython import ARCHITECTURES, MpyCross, find_micropython, find_mpy_cross
from twinaxle.paths import BUILD, FIRMWARE, shown

BOARD_MARCH = "armv7emsp"
"""The STM32F405's Cortex-M4 with single-precision floats."""
SOURCE_FILES = ("boot.py", "main.py")
"""Started by name, so they must be source."""
MARCHES = (*(name for name in ARCHITECTURES if name is not None), BYTECODE)


@dataclass(frozen=True)
class Item:
    """A file of the flash folder and the firmware file that it comes from."""

    source: Path
    target: str
    """Path in the flash, with `/`."""

    @property
    def is_compiled(self) -> bool:
        """Whether it goes through mpy-cross."""
        return self.target.endswith(".mpy")


def flash_items(firmware: Path = FIRMWARE) -> list[Item]:
    """What the flash holds, sorted by target. Raises UserError where `firmware` holds no firmware."""
    for name in SOURCE_FILES:
        if not (firmware / name).is_file():
            raise UserError(f"{shown(firmware / name)} is missing: {shown(firmware)} is not a firmware folder.")
    items = [Item(firmware / name, name) for name in SOURCE_FILES]
    for source in firmware.glob("*/**/*.py"):
        if "__pycache__" not in source.parts:
            items.append(Item(source, source.relative_to(firmware).with_suffix(".mpy").as_posix()))
    return sorted(items, key=lambda item: item.target)


def interpreter_march() -> str:
    """The `-march` that the interpreter on this machine runs; `bytecode` where it runs no native code."""
    return find_micropython().architecture or BYTECODE


def build_flash(
    out: Path, march: str | None = None, firmware: Path = FIRMWARE, replaced: Mapping[str, str] | None = None
) -> list[tuple[Path, int]]:
    """Bring the flash folder `out` up to date for the architecture `march` (default: this machine's interpreter).

    Returns (path inside the flash, size in bytes) of every file, sorted. Compiled files that belong to no source are
    removed; what the firmware itself has written there (data) stays. `replaced` holds the source of modules that shall
    differ from the firmware's, by target (`vcu/calibration.mpy`). Raises UserError with file and line where a source
    does not compile.
    """
    march = march or interpreter_march()
    if march not in MARCHES:
        raise UserError(f"unknown architecture {march!r}. Known: {', '.join(MARCHES)}.")
    compiler = find_mpy_cross()
    items = flash_items(firmware)
    listing: list[tuple[Path, int]] = []
    for item in items:
        source = (replaced or {}).get(item.target, "").encode() or item.source.read_bytes()
        content = _compiled(compiler, march, item, source) if item.is_compiled else source
        write_whole(out / item.target, content)
        listing.append((Path(item.target), len(content)))
    wanted = {out / item.target for item in items}
    for stale in out.rglob("*.mpy"):
        if stale not in wanted:
            stale.unlink(missing_ok=True)
    return listing


def _compiled(compiler: MpyCross, march: str, item: Item, source: bytes) -> bytes:
    """The .mpy of one module, from the store of compiled files where it is there."""
    name = item.target.removesuffix(".mpy") + ".py"
    if march == BYTECODE:
        source = without_native(source.decode()).encode()
    elif march in MARCHES_32_BIT:
        source = without_sign_idiom(source.decode()).encode()
    told = [compiler.version, *_options(march), name]
    key = hashlib.sha256(b"\0".join([*(part.encode() for part in told), source])).hexdigest()
    store = BUILD / "mpy" / f"{key}.mpy"
    try:
        return store.read_bytes()
    except FileNotFoundError:
        content = compile_source(item.source, name, source, march)
        write_whole(store, content)
        return content


def _options(march: str) -> list[str]:
    """Of mpy-cross. On the board, bytecode goes without line numbers: 0.7 KB of RT-03 and of the heap. A trace names
    file and function of each call all the same, and viper code, which is most of the tick, has no lines anyway.
    """
    if march == BYTECODE:
        return []
    return [f"-march={march}", *(["-O3"] if march in MARCHES_32_BIT else [])]


def compile_source(path: Path, name: str, source: bytes, march: str) -> bytes:
    """The .mpy of `source`, which `path` holds; `name` is the file name that trace-backs on the board show.

    Raises UserError with file and line where it does not compile.
    """
    compiler = find_mpy_cross()
    with tempfile.TemporaryDirectory(prefix="twinaxle-mpy-") as folder:
        module, output = Path(folder, "module.py"), Path(folder, "module.mpy")
        module.write_bytes(source)
        result = subprocess.run(
            [compiler.path, *_options(march), "-s", name, "-o", output, module],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            said = result.stderr.replace(str(module), name).replace("module.py", name).strip()
            raise UserError(f"{shown(path)} does not compile for {march}:\n{said}")
        return output.read_bytes()


def write_whole(path: Path, content: bytes) -> None:
    """Make the file `path` hold `content`, at no time half of it; untouched where it does already."""
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
